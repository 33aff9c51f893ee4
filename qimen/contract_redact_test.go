package qimen

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/internal/charset"
)

// No printer reaches a secret, a signature, a session or personal data, at any depth: fmt prints unexported fields of
// structs that do not format themselves.
func TestRedaction(t *testing.T) {
	t.Parallel()
	const secret, session, personal = "s3cretS3cretS3cret", "sess10n", "Zhang San"
	secrets := Secrets{testApp: {secret}}
	opts := []Option{
		WithClock(fixedClock),
		OnEvent(func(context.Context, *Delivery, events.Event) error { return nil }),
	}
	h, err := NewHandler(secrets, opts...)
	if err != nil {
		t.Fatal(err)
	}
	p := mustSign(
		t, newPush(eventQuery+"&session="+session+"&name=Zhang+San", jsonType, `{"name":"`+personal+`"}`), secret,
	)
	sign := p.RawQuery[strings.LastIndex(p.RawQuery, "=")+1:]
	d, err := VerifyPush(p, secrets)
	if err != nil {
		t.Fatal(err)
	}
	_, refused := VerifyPush(p, Secrets{testApp: {"other"}})
	form := mustSign(t, newPush(eventQuery, formPrefix, "session="+session+"&name=Zhang+San"), secret)
	fromForm, err := VerifyPush(form, secrets)
	if err != nil {
		t.Fatal(err)
	}
	tooOld := d.CheckTime(testNow.AddDate(1, 0, 0), 1)

	type wrapper struct {
		Any    any
		hidden any
	}
	for name, v := range map[string]any{
		"Secrets": secrets, "Handler": h, "Handler value": *h, "Options": opts, "Push": p, "Push value": *p, "Delivery": d,
		"Delivery value": *d, "form Delivery": fromForm, "keyring": h.ring, "error": refused, "age error": tooOld,
	} {
		var text, logged bytes.Buffer
		for _, holder := range []any{v, []any{v}, map[string]any{"k": v}, wrapper{Any: v, hidden: 1}, &wrapper{Any: v}} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
				fmt.Fprintf(&text, verb+"\n", holder)
			}
			slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "v", holder)
			slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "v", holder)
			if b, err := json.Marshal(holder); err == nil {
				text.Write(b)
			}
		}
		out := text.String() + logged.String()
		for _, bad := range []string{
			secret, session, sign, personal, "Zhang", fmt.Sprintf("%x", secret), fmt.Sprintf("%x", personal),
		} {
			if strings.Contains(out, bad) {
				t.Errorf("%s prints %q: %s", name, bad, out)
			}
		}
		if name != "Options" && name != "keyring" && text.Len() < 100 {
			t.Errorf("%s prints nothing", name)
		}
	}
	for want, v := range map[string]any{
		"Secrets(1 apps, redacted)": secrets, "Handler(1 methods, window 10m0s": h, "Push(query 1": p,
		"signed 2026-11-22 09:00:00": d,
	} {
		got := fmt.Sprint(v)
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
		if g := fmt.Sprintf("%#v", v); g != got {
			t.Errorf("%%#v of %q gives %q", got, g)
		}
		// Data has no JSON, in the place of which a summary would be lost data. A handler is none.
		if b, err := json.Marshal(v); (err == nil) != (v == any(h)) {
			t.Errorf("JSON of %T: %s, %v", v, b, err)
		}
	}
}

// A struct of the user's with an unexported *Handler, Delivery or Push pointer prints the pointer only; the handler's
// own fields hide the secrets in a function.
func TestRedactionInsideOtherStructs(t *testing.T) {
	t.Parallel()
	h, err := NewHandler(
		Secrets{testApp: {testSecret}}, OnEvent(func(context.Context, *Delivery, events.Event) error { return nil }),
	)
	if err != nil {
		t.Fatal(err)
	}
	type service struct {
		h *Handler
		v Handler
		c config
	}
	if out := fmt.Sprintf(
		"%v %+v %#v", service{h, *h, h.config}, &service{h, *h, h.config}, service{h, *h, h.config},
	); strings.Contains(out, testSecret) {
		t.Errorf("prints the secret: %s", out)
	}
}

// No printer of what the handler hands around or reports, and no log, reaches what is in a merchant's request, the
// secret or the signature, whatever comes of the request. The request itself is the user's, and holds its content
// openly.
func TestRedactionOfMerchantRequests(t *testing.T) {
	t.Parallel()
	const mark = "m4rk3d"
	// The ids of the order are logged, so that what was refused can be found. What stands
	// in their place and does not look like an id is not.
	members := map[string][]pair{}
	common := []pair{
		{"orderId", "31"}, {"outOrderId", "FZ " + mark + "\u4e2d"}, {"traceId", "t" + mark}, {"exts", `{"x":"` + mark + `"}`},
		{"new", mark},
	}
	members[RenewalPricesMethod] = common
	members[RenewalSubmitMethod] = append(
		common[:5:5], pair{"priceMark", mark}, pair{"payTradeNo", "p" + mark},
		pair{"renewalOrderTotalAmount", "98765432109876.01"},
	)
	members[RenewalCancelMethod] = append(
		common[:5:5], pair{"cancelMessage", "because " + mark}, pair{"penaltyAmount", "98765432109876.01"},
	)
	bad := map[string][]pair{
		"time":   {{"carUseTime", mark}, {"cancelTime", mark}},
		"amount": {{"renewalOrderTotalAmount", mark}, {"penaltyAmount", mark}, {"carReturnTime", mark}},
		"flag":   {{"isPressureTest", mark}},
	}
	outcomes := map[string]func(context.Context) error{
		"accepted":  nil,
		"refused":   func(context.Context) error { return Refuse("7", "no") },
		"failed":    func(context.Context) error { return errors.New("oops") },
		"panicked":  func(context.Context) error { panic("oops") },
		"bad reply": nil,
	}
	for method, pairs := range members {
		bodies := map[string][]pair{}
		for name := range outcomes {
			bodies[name] = pairs
		}
		for name, wrong := range bad {
			bodies[name] = append(pairs[:len(pairs):len(pairs)], wrong...)
		}
		for name, pairs := range bodies {
			for kind, body := range map[string][2]string{
				"JSON": {jsonType, asJSON(pairs)}, "XML": {"text/xml", asXML("r", pairs)},
				"form":     {formPrefix, asForm(charset.UTF8, pairs)},
				"cut JSON": {jsonType, asJSON(pairs)[:len(asJSON(pairs))-3]},
				"cut XML":  {"text/xml", asXML("r", pairs)[:len(asXML("r", pairs))-6]},
			} {
				k := newDesk()
				k.act = outcomes[name]
				if name == "bad reply" {
					k.quote, k.booked, k.undone = &RenewalPricesReply{}, &RenewalSubmitReply{}, nil
				}
				h := k.handler(t)
				p := mustSign(t, newPush(queryFor(method)+"&session="+mark, body[0], body[1]), testSecret)
				sign := p.RawQuery[strings.LastIndex(p.RawQuery, "=")+1:]
				d, err := h.Verify(p)
				if err != nil {
					t.Fatal(err)
				}
				reply := h.Handle(t.Context(), p)
				forged := *p
				forged.Body = append(forged.Body[:len(forged.Body):len(forged.Body)], ' ')
				refused := h.Handle(t.Context(), &forged)
				if !bytes.Equal(refused.Body, []byte(bodyBadSignature)) {
					t.Errorf("forged: %s", refused.Body)
				}
				out := k.log.String() + string(reply.Body) + string(refused.Body) + printed(
					h, d, k.given, k.observed, k.observed[0], k.observed[0].Err, k.observed[1],
				)
				for _, bad := range []string{
					mark, testSecret, sign, "98765432109876", fmt.Sprintf("%x", mark), fmt.Sprintf("%x", testSecret),
				} {
					if strings.Contains(out, bad) {
						t.Errorf("%s, %s, %s: %q is in %s", method, name, kind, bad, out)
					}
				}
				if !strings.Contains(out, method) || k.log.Len() == 0 {
					t.Errorf("%s, %s, %s: nothing is told: %s", method, name, kind, out)
				}
			}
		}
	}
}

// printed is what fmt, slog and JSON make of values.
func printed(values ...any) string {
	var text bytes.Buffer
	for _, v := range values {
		for _, holder := range []any{v, []any{v}, struct{ Any any }{v}} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
				fmt.Fprintf(&text, verb+"\n", holder)
			}
			slog.New(slog.NewTextHandler(&text, nil)).Info("x", "v", holder)
			slog.New(slog.NewJSONHandler(&text, nil)).Info("x", "v", holder)
			if b, err := json.Marshal(holder); err == nil {
				text.Write(b)
			}
		}
	}
	return text.String()
}
