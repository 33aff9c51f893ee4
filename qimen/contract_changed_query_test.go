package qimen

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Whatever is appended to a signed query, the push is refused, while others verify at the same time: the last value of
// a name counts, for the signature and for the message alike. No two pushes share memory (run it with -race).
func TestChangedQueryAmongOthers(t *testing.T) {
	t.Parallel()
	var f office
	h := f.handler(t)
	const workers, rounds = 8, 44
	pushes := make([]*Push, workers)
	for i := range pushes {
		kind, body := jsonType, strings.Replace(event103, "3187983531024266528", strconv.Itoa(i+1), 1)
		switch i % 4 {
		case 1:
			kind, body = formPrefix, "channelId=80001&orderId="+strconv.Itoa(i)+"&eventType=103&eventData={}"
		case 2:
			kind = "application/json;charset=GBK"
		case 3:
			kind, body = "application/json;charset=UTF-8", ""
		}
		query := eventQuery
		if body == "" {
			query += "&channelId=80001&orderId=" + strconv.Itoa(i) + "&eventType=103"
		}
		pushes[i] = mustSign(t, newPush(query, kind, body), testSecret)
	}
	changes := []string{
		"&method=x", "&method=", "&method", "&%6dethod=x", "&method=" + RenewalCancelMethod, "&app_key=1",
		"&timestamp=2026-11-22+09%3A00%3A01", "&a=b",
		"&sign=0123456789ABCDEF0123456789ABCDEF", "&sign=", "&sign",
	}
	server := httptest.NewServer(h)
	defer server.Close()
	send := func(p *Push, more string) string {
		r, err := http.NewRequestWithContext(
			t.Context(), http.MethodPost, server.URL+"/?"+p.RawQuery+more, bytes.NewReader(p.Body),
		)
		if err != nil {
			t.Error(err)
			return ""
		}
		r.Header = p.Header.Clone()
		resp, err := server.Client().Do(r)
		if err != nil {
			t.Error(err)
			return ""
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Error(err)
		}
		return string(body)
	}
	var wait sync.WaitGroup
	for w, p := range pushes {
		wait.Go(func() {
			for n := range rounds {
				if reply := send(p, ""); reply != bodyAccepted {
					t.Errorf("push %d: %s", w, reply)
				}
				more := changes[n%len(changes)]
				if reply := send(p, more); reply != bodyBadSignature {
					t.Errorf("push %d with %s: %s", w, more, reply)
				}
				for range 20 {
					if _, err := VerifyPush(p, testSecrets); err != nil {
						t.Errorf("push %d: %v", w, err)
					}
					d, err := VerifyPush(&Push{RawQuery: p.RawQuery + more, Header: p.Header, Body: p.Body}, testSecrets)
					if err == nil {
						t.Errorf("push %d with %s: verified as %s", w, more, d.Method)
					}
				}
			}
		})
	}
	wait.Wait()
	if f.count() != workers {
		t.Errorf("%d runs of %d messages", f.count(), workers)
	}
}

// A value that stands before the signed one of the same name verifies, as it does with the official checker, and has no
// effect: the last one counts. Nginx puts parameters of a rewrite there.
func TestPrependedParameterHasNoEffect(t *testing.T) {
	t.Parallel()
	p := mustSign(t, newPush(eventQuery, jsonType, event103), testSecret)
	p.RawQuery = "method=x&sign=x&app_key=1&" + p.RawQuery
	d, err := VerifyPush(p, testSecrets)
	if err != nil || d.Method != DefaultEventMethod || d.AppKey != testApp || d.Params["method"] != DefaultEventMethod {
		t.Errorf("%+v, %v", d, err)
	}
}

// An appended method leaves the signed text what it is in one case only: it says the same. Names and values are joined
// without separators, but the name stays where it is, so another value shifts what follows and has to be made up for by
// other changes.
func TestAppendedMethodChangesTheSignedText(t *testing.T) {
	t.Parallel()
	signed := mustSign(t, newPush(eventQuery+"&x=1", jsonType, event103), testSecret)
	for _, method := range []string{
		"x", "", "qimen", DefaultEventMethod + "x", DefaultEventMethod + "timestamp", DefaultEventMethod[:5], "timestamp",
	} {
		if _, err := VerifyPush(
			&Push{RawQuery: signed.RawQuery + "&method=" + method, Header: signed.Header, Body: signed.Body}, testSecrets,
		); err == nil {
			t.Errorf("method %q verifies", method)
		}
	}
	same := &Push{RawQuery: signed.RawQuery + "&method=" + DefaultEventMethod, Header: signed.Header, Body: signed.Body}
	if d, err := VerifyPush(same, testSecrets); err != nil || d.Method != DefaultEventMethod {
		t.Errorf("the same method: %v", err)
	}
	// With one more change it can be cut so that it verifies: the method swallows what
	// follows it. It is no method that anybody serves, and the gate knows the signature.
	cut := &Push{RawQuery: strings.Replace(signed.RawQuery, "&x=1", "", 1), Header: signed.Header, Body: signed.Body}
	cut.RawQuery = strings.Replace(cut.RawQuery, "timestamp=", "old=", 1)
	cut.RawQuery = strings.Replace(cut.RawQuery, "&old=2026-11-22+09%3A00%3A00", "", 1) +
		"&method=" + DefaultEventMethod + "timestamp2026-11-22+09%3A00%3A00x1"
	d, err := VerifyPush(cut, testSecrets)
	if err != nil || d.Method == DefaultEventMethod {
		t.Fatalf("that is no cut: %v", err)
	}
	var f office
	h := f.handler(t)
	if r := h.Handle(t.Context(), cut); string(r.Body) == bodyAccepted || f.last().Reason != ReasonExpired {
		t.Errorf("%s, observed %+v", r.Body, f.last())
	}
}
