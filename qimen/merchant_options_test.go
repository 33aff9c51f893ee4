package qimen

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

// A registration without a function, a second one, and a method that two
// functions would share are told when the handler is made.
func TestMerchantRegistration(t *testing.T) {
	t.Parallel()
	k := newDesk()
	all := k.options()
	onEvent := OnEvent(func(context.Context, *Delivery, events.Event) error { return nil })
	render := func(string, string) []byte { return nil }
	row := func(reason Reason, r Reply) Option { return WithReplies(Replies{reason: r}) }
	for _, c := range []struct {
		name string
		opts []Option
		want []string // empty: accepted
	}{
		{"prices", all[:1], nil},
		{"submit", all[1:2], nil},
		{"cancel", all[2:], nil},
		{"all with events", append(k.options(), onEvent), nil},
		{"nil functions", []Option{OnRenewalPrices(nil), OnRenewalSubmit(nil), OnRenewalCancel(nil)}, []string{
			"OnRenewalPrices: the function is nil", "OnRenewalSubmit: the function is nil", "OnRenewalCancel: the function is nil", "no function is registered",
		}},
		{"one nil function", []Option{all[0], OnRenewalSubmit(nil)}, []string{"OnRenewalSubmit: the function is nil"}},
		{"each twice", append(k.options(), k.options()...), []string{"OnRenewalPrices is given twice", "OnRenewalSubmit is given twice", "OnRenewalCancel is given twice"}},
		{"nothing", []Option{WithUncheckedReplies()}, []string{"no function is registered", "OnEvent(", "OnRenewalPrices("}},
		{"events under the method of prices", []Option{onEvent, all[0], WithEventMethod(RenewalPricesMethod)}, []string{"WithEventMethod", RenewalPricesMethod, "has a function of its own"}},
		{"the same in another order", []Option{WithEventMethod(RenewalCancelMethod), all[2], onEvent}, []string{"WithEventMethod", RenewalCancelMethod}},
		{"events under a method that nobody serves", []Option{onEvent, all[0], WithEventMethod(RenewalCancelMethod)}, nil},
		{"event method without events", []Option{all[0], WithEventMethod(RenewalPricesMethod)}, nil},
		{"Render for refusals", []Option{all[0], row(ReasonRefused, Reply{Status: 200, ContentType: "x", Render: render})}, nil},
		{"no Render for refusals", []Option{all[0], row(ReasonRefused, Reply{Status: 204})}, nil},
		{"Render for another row", []Option{all[0], row(ReasonAccepted, Reply{Status: 200, ContentType: "x", Render: render}), row(ReasonHandlerError, Reply{Status: 200, ContentType: "x", Render: render})}, []string{
			"accepted: Render is for refused only", "handler error: Render is for refused only",
		}},
		{"Render without a content type", []Option{all[0], row(ReasonRefused, Reply{Status: 200, Render: render})}, []string{"refused: a body needs a content type"}},
		{"Render where no body is allowed", []Option{all[0], row(ReasonRefused, Reply{Status: 304, ContentType: "x", Render: render})}, []string{"refused: HTTP status 304 allows no body"}},
	} {
		h, err := NewHandler(testSecrets, c.opts...)
		if (err == nil) != (len(c.want) == 0) || (h == nil) != (err != nil) {
			t.Errorf("%s: %v, %v", c.name, h, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q lacks %q", c.name, err, want)
			}
		}
	}
}

// A type that cannot be a message is a mistake in this package, and found by its
// first use: here, for all that it has.
func TestPlans(t *testing.T) {
	t.Parallel()
	for _, s := range samples() {
		if _, err := s.into.MarshalJSON(); err != nil {
			t.Errorf("%T: %v", s.into, err)
		}
	}
	defer func() {
		if text, _ := recover().(string); !strings.HasPrefix(text, "qimen: ") {
			t.Errorf("panic %q", text)
		}
	}()
	mustPlan[int]()
	t.Error("an int is taken for a message")
}

// Another row for refusals: its Render writes the body, from code and message as
// they were given.
func TestRefusedRow(t *testing.T) {
	t.Parallel()
	const code, message = "7\xff", "不 \"\x00"
	refuse := func(context.Context) error { return fmt.Errorf("wrapped: %w", Refuse(code, message)) }
	for _, c := range []struct {
		name        string
		row         Reply
		status      int
		contentType string
		body        string
		reason      Reason
	}{
		{"Render", Reply{Status: 418, ContentType: "text/xml", Render: func(c, m string) []byte { return []byte("<" + c + "|" + m + ">") }}, 418, "text/xml", "<" + code + "|" + message + ">", ReasonRefused},
		{"Render before Body", Reply{Status: 200, ContentType: "x", Body: []byte("no"), Render: func(string, string) []byte { return []byte("yes") }}, 200, "x", "yes", ReasonRefused},
		{"Render of nothing", Reply{Status: 200, ContentType: "x", Render: func(string, string) []byte { return nil }}, 200, "x", "", ReasonRefused},
		{"the same body for all", Reply{Status: 202, ContentType: "x", Body: []byte("no")}, 202, "x", "no", ReasonRefused},
		{"no body", Reply{Status: 204}, 204, "", "", ReasonRefused},
		{"Render panics", Reply{Status: 200, ContentType: "x", Render: func(string, string) []byte { panic("out of ink") }}, 500, jsonReply, systemError, ReasonPanic},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			eachMethod(t, func(t *testing.T, k *desk, method, body string, returns func(func(context.Context) error)) {
				h := k.handler(t, WithReplies(Replies{ReasonRefused: c.row}))
				returns(refuse)
				w := post(t, h, method, jsonType, body)
				if w.Code != c.status || w.Header().Get("Content-Type") != c.contentType || w.Body.String() != c.body {
					t.Errorf("%d %q %s", w.Code, w.Header().Get("Content-Type"), w.Body)
				}
				o := k.last(t)
				if o.Reason != c.reason || o.Status != c.status {
					t.Errorf("observed %+v", o)
				}
				if p := (*fliggy.PanicError)(nil); (c.reason == ReasonPanic) != errors.As(o.Err, &p) || p != nil && !bytes.Contains(p.Stack, []byte("qimen")) {
					t.Errorf("observed error %v", o.Err)
				}
				returns(func(context.Context) error { return errors.New("x") })
				wantReply(t, post(t, h, method, jsonType, body), http.StatusInternalServerError, systemError)
			})
		})
	}
}
