package qimen

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/events"
)

// No printer reaches a secret, a signature, a session or personal data, at any
// depth: fmt prints unexported fields of structs that do not format themselves.
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
	p := mustSign(t, newPush(eventQuery+"&session="+session+"&name=Zhang+San", jsonType, `{"name":"`+personal+`"}`), secret)
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
		for _, bad := range []string{secret, session, sign, personal, "Zhang", fmt.Sprintf("%x", secret), fmt.Sprintf("%x", personal)} {
			if strings.Contains(out, bad) {
				t.Errorf("%s prints %q: %s", name, bad, out)
			}
		}
		if name != "Options" && name != "keyring" && name != "Handler value" && text.Len() < 100 {
			t.Errorf("%s prints nothing", name)
		}
	}
	for want, v := range map[string]any{
		"Secrets(1 apps, redacted)": secrets, "Handler(1 methods, window 10m0s": h, "Push(query 1": p, "signed 2026-11-22 09:00:00": d,
	} {
		got := fmt.Sprint(v)
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
		if g, ok := v.(fmt.GoStringer); !ok || g.GoString() != got {
			t.Errorf("GoString of %q differs", got)
		}
		if b, err := json.Marshal(v); err != nil || !strings.Contains(string(b), "redacted") {
			t.Errorf("JSON %s, %v", b, err)
		}
	}
}

// A struct of the user's with an unexported *Handler, Delivery or Push pointer
// prints the pointer only; the handler's own fields hide the secrets in a
// function.
func TestRedactionInsideOtherStructs(t *testing.T) {
	t.Parallel()
	h, err := NewHandler(Secrets{testApp: {testSecret}}, OnEvent(func(context.Context, *Delivery, events.Event) error { return nil }))
	if err != nil {
		t.Fatal(err)
	}
	type service struct {
		h *Handler
		v Handler
		c config
	}
	if out := fmt.Sprintf("%v %+v %#v", service{h, *h, h.config}, &service{h, *h, h.config}, service{h, *h, h.config}); strings.Contains(out, testSecret) {
		t.Errorf("prints the secret: %s", out)
	}
}
