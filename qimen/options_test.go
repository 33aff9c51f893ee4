package qimen

import (
	"bytes"
	"context"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/events"
)

func TestNewHandlerRefuses(t *testing.T) {
	t.Parallel()
	on := OnEvent(func(context.Context, *Delivery, events.Event) error { return nil })
	row := func(r Reply) Option { return WithReplies(Replies{ReasonAccepted: r}) }
	for _, c := range []struct {
		name    string
		secrets Secrets
		opts    []Option
		want    []string
	}{
		{"no secrets", nil, []Option{on}, []string{"no secrets"}},
		{"no secret", Secrets{testApp: {}}, []Option{on}, []string{`"24700001" has no secret`}},
		{"empty secret", Secrets{testApp: {"topsecret", ""}}, []Option{on}, []string{`"24700001" has an empty secret`}},
		{"empty app key", Secrets{"": {"topsecret"}}, []Option{on}, []string{"app key is empty"}},
		{"nothing registered", testSecrets, nil, []string{"no function is registered"}},
		{"registered twice", testSecrets, []Option{on, on}, []string{"OnEvent is given twice"}},
		{"nil option", testSecrets, []Option{on, nil}, []string{"option 2 is nil"}},
		{
			"nil functions", testSecrets,
			[]Option{on, OnEvent(nil), WithClock(nil), WithObserver(nil), WithPayload(nil), WithLogger(nil)},
			[]string{"OnEvent", "WithClock", "WithObserver", "WithPayload", "WithLogger"},
		},
		{
			"limits", testSecrets,
			[]Option{
				on, WithWindow(0), WithBodyLimit(-1), WithHeaderLimit(0), WithReadTimeout(0), WithHandlerTimeout(-time.Second),
			},
			[]string{
				"WithWindow: 0s", "WithBodyLimit: -1", "WithHeaderLimit: 0", "WithReadTimeout: 0s", "WithHandlerTimeout: -1s",
			},
		},
		{"empty method", testSecrets, []Option{on, WithEventMethod(" ")}, []string{"WithEventMethod"}},
		{
			"unknown reason", testSecrets,
			[]Option{on, WithReplies(Replies{"bored": {Status: 200, ContentType: "x", Body: nil}})}, []string{`"bored"`},
		},
		{"no status", testSecrets, []Option{on, row(Reply{})}, []string{"accepted: HTTP status 0"}},
		{"status", testSecrets, []Option{on, row(Reply{Status: 101, ContentType: "", Body: nil})}, []string{"status 101"}},
		{
			"no content type", testSecrets, []Option{on, row(Reply{Status: 200, ContentType: "", Body: []byte("x")})},
			[]string{"needs a content type"},
		},
		{
			"no body allowed", testSecrets, []Option{on, row(Reply{Status: 204, ContentType: "text/plain", Body: []byte("x")})},
			[]string{"allows no body"},
		},
		{
			"all at once", Secrets{"1": {""}, "2": nil}, []Option{WithWindow(-1)},
			[]string{`"1"`, `"2"`, "WithWindow", "no function"},
		},
	} {
		h, err := NewHandler(c.secrets, c.opts...)
		if err == nil || h != nil {
			t.Errorf("%s: accepted", c.name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q lacks %q", c.name, err, want)
			}
		}
		if strings.Contains(err.Error(), "topsecret") {
			t.Errorf("%s: the error has a secret", c.name)
		}
	}
}

// Durations and sizes that come from options are added, doubled and compared: none of them overflows, whatever is
// given.
func TestOptionsDoNotOverflow(t *testing.T) {
	t.Parallel()
	const most = time.Duration(math.MaxInt64)
	for name, c := range map[string]struct {
		opt Option
		err string
	}{
		"window":             {WithWindow(most), "WithWindow: 2562047h47m16.854775807s: want 50 years at most"},
		"half of a window":   {WithWindow(most / 2), "WithWindow"},
		"handler timeout":    {WithHandlerTimeout(most), "WithHandlerTimeout"},
		"read timeout":       {WithReadTimeout(most), "WithReadTimeout"},
		"longest window":     {WithWindow(longest), ""},
		"longest timeout":    {WithHandlerTimeout(longest), ""},
		"longest to read":    {WithReadTimeout(longest), ""},
		"body limit":         {WithBodyLimit(math.MaxInt64), ""},
		"header limit":       {WithHeaderLimit(math.MaxInt64), ""},
		"gate for a minute":  {WithGate(mustGate(t, MemoryGateConfig{Age: time.Minute})), "it forgets after 1m0s"},
		"gate for ever":      {WithGate(mustGate(t, MemoryGateConfig{Age: most})), ""},
		"gate without limit": {WithGate(mustGate(t, MemoryGateConfig{Size: math.MaxInt})), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var f office
			h, err := NewHandler(testSecrets, append(f.options(), c.opt)...)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("%v, want %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			signed := mustSign(t, newPush(eventQuery, jsonType, event103), testSecret)
			for range 2 {
				r := httptest.NewRequest(http.MethodPost, "/?"+signed.RawQuery, bytes.NewReader(signed.Body))
				r.Header = signed.Header
				w := httptest.NewRecorder()
				if h.ServeHTTP(w, r); w.Body.String() != bodyAccepted {
					t.Errorf("%s, observed %+v", w.Body, f.last())
				}
			}
			if f.count() != 1 {
				t.Errorf("%d runs", f.count())
			}
			var s shelf
			storing, err := NewHandler(testSecrets, append(f.options(), c.opt, WithStore(s.add))...)
			if err != nil {
				t.Fatal(err)
			}
			if r := storing.Handle(t.Context(), signed); string(r.Body) != bodyAccepted {
				t.Errorf("%s", r.Body)
			}
		})
	}
}

func mustGate(t *testing.T, config MemoryGateConfig) *MemoryGate {
	g, err := NewMemoryGate(config)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// Each observer is called, in the order given, and one that panics keeps none from the others.
func TestSeveralObservers(t *testing.T) {
	t.Parallel()
	var called []int
	observer := func(n int) Option {
		return WithObserver(func(context.Context, Observation) {
			called = append(called, n)
			if n == 1 {
				panic("one")
			}
		})
	}
	var f office
	h := f.handler(t, observer(1), observer(2))
	_ = h.Handle(t.Context(), mustSign(t, newPush(eventQuery, jsonType, event103), testSecret))
	if !slices.Equal(called, []int{1, 2}) {
		t.Errorf("called %v", called)
	}
}
