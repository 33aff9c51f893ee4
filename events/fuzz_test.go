package events_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/google/go-cmp/cmp"
)

// seedPayloads adds every documented payload in every shape, and some oddities.
func seedPayloads(f *testing.F) {
	f.Helper()
	for _, payload := range documented(f) {
		for _, shaped := range shapes(f, payload) {
			f.Add(shaped)
		}
	}
	for _, payload := range []string{
		``, `{}`, `{"eventType":"103"}`, `{"eventType":0}`, `{"a":{"eventType":104},"b":{"eventType":104}}`,
		`{"eventType":103,"eventType":104,"eventData":{"x":"\ud800"},"eventData":null}`,
		`{"eventType":141,"eventData":{"renewalOrderId":null,"amount":1e2,"payTradeNo":{"a": 1.50}}}`,
		`{"eventType":150,"eventData":"{","exts":{"a" : 1.0},"outOrderId":[1, 2]}`,
		`{"eventType":103,"eventData":{"eventType":103,"createdTime":1666405320000}}`,
		"{\"\":{\"\x10\":\"\n\",\"eventType\":1}}",
		"{\"eventType\":142,\"eventData\":\"{\\\"reason\\\":\\\"\t\\n\\\"}\",\"exts\":\"{\\\"\n\\\":1}\"}",
	} {
		f.Add([]byte(payload))
	}
}

// checkFault checks the error for a refused payload.
func checkFault(t *testing.T, err error) {
	t.Helper()
	text := err.Error()
	if !strings.HasPrefix(text, "events: ") || len(text) > maxErrorText || !utf8.ValidString(text) {
		t.Errorf("error %.500q", text)
	}
}

func FuzzParse(f *testing.F) {
	seedPayloads(f)
	f.Fuzz(func(t *testing.T, payload []byte) {
		e, err := events.Parse(payload)
		if err != nil {
			checkFault(t, err)
			return
		}
		var invalid *fliggy.ValidationError
		if err := e.Validate(); err != nil && !errors.As(err, &invalid) {
			t.Errorf("Validate: %T", err)
		}
		checkLossless(t, payload, e)
		escaped, err := events.Parse(escapeControls(payload)) // strict JSON has nothing to escape
		if err != nil {
			t.Fatalf("refused once its control characters are escaped: %v", err)
		}
		if diff := cmp.Diff(escaped, e, sameEvent); diff != "" {
			t.Errorf("not the same as escaped (-escaped +raw):\n%s", diff)
		}
		switch e := e.(type) {
		case *events.RenewalFeeRefund:
			checkCallback(t, e.SuccessCallback(), e.PayTradeNo)
			checkCallback(t, e.FailureCallback(), e.PayTradeNo)
		case *events.FeeRefund:
			checkCallback(t, e.SuccessCallback(), e.PayTradeNo)
			checkCallback(t, e.FailureCallback(), e.PayTradeNo)
		}
	})
}

// checkCallback checks that a callback is encoded with the given trade number, and decoded if it is valid.
func checkCallback(t *testing.T, c *events.Callback, payTradeNo string) {
	t.Helper()
	text, err := c.MarshalJSON()
	if err != nil {
		t.Fatalf("MarshalJSON of %+v: %v", c, err)
	}
	if got := sentTradeNo(text); got != payTradeNo {
		t.Errorf("%s: trade number %q, want %q", text, got, payTradeNo)
	}
	if c.Validate() != nil {
		return
	}
	again, err := events.ParseCallback(text)
	if err != nil {
		t.Fatalf("ParseCallback(%s): %v", text, err)
	}
	if diff := cmp.Diff(c, again, sameEvent); diff != "" {
		t.Errorf("%s read back (-want +got):\n%s", text, diff)
	}
	if twice, err := again.MarshalJSON(); err != nil || !bytes.Equal(text, twice) {
		t.Errorf("written %s, then %s, %v", text, twice, err)
	}
}

// sentTradeNo returns the trade number in an encoded callback, "" if there is none. It matches names exactly, unlike a
// struct in encoding/json.
func sentTradeNo(text []byte) string {
	message, _ := tree(text).(map[string]any)
	data, _ := message["eventData"].(map[string]any)
	no, _ := data["payTradeNo"].(string)
	return no
}

func FuzzParseCallback(f *testing.F) {
	seedPayloads(f)
	for _, c := range callbacks(f) {
		text, err := c.MarshalJSON()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		c, err := events.ParseCallback(payload)
		if err != nil {
			checkFault(t, err)
			return
		}
		checkCallback(t, c, c.Data.PayTradeNo)
	})
}
