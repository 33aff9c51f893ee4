package acceptance

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/qimen"
)

// What formats for people is redacted; what marshals for machines is whole, or an error
// that says what to store. A placeholder would be lost data without an error.
func TestNothingMarshalsAsPlaceholder(t *testing.T) {
	t.Parallel()
	driver := rentcar.AgencyDriver{MobilePhone: markPhone.text}
	push := qimen.Push{
		RawQuery: "sign=" + markSecret.text, Header: http.Header{"A": {markSecret.text}}, Body: []byte(markPush.text),
	}
	for name, tc := range map[string]struct {
		value  any
		advice string
	}{
		"token":                  {fliggy.NewSecret(markToken.text), "Reveal"},
		"driver":                 {driver, "type driver rentcar.AgencyDriver"},
		"order with a driver":    {rentcar.AgencyCreateOrderRequest{Driver: driver}, "type driver rentcar.AgencyDriver"},
		"order with a token":     {&rentcar.AgencyCreateOrderRequest{AuthToken: fliggy.NewSecret(markToken.text)}, "Reveal"},
		"secrets":                {qimen.Secrets{leakApp: {markSecret.text}}, `json:"-"`},
		"push":                   {push, "RawQuery, Header and Body"},
		"pointer to a push":      {&push, "RawQuery, Header and Body"},
		"delivery":               {qimen.Delivery{Text: markPush.text, Push: &push}, "of its Push"},
		"item of a store":        {durable.Item{Data: []byte(markPush.text)}, "its fields"},
		"request of the gateway": {fliggytest.Request{RawQuery: markSecret.text}, "its fields"},
		"push of the gateway":    {fliggytest.PushResult{RawQuery: markSecret.text}, "its fields"},
	} {
		type config struct{ Field any }
		for where, v := range map[string]any{
			"alone": tc.value, "in a struct": config{tc.value}, "in a list": []any{tc.value},
			"in a map": map[string]any{"k": tc.value},
		} {
			text, err := json.Marshal(v)
			if err == nil || !strings.Contains(err.Error(), tc.advice) {
				t.Errorf("%s, %s: %s, %v", name, where, text, err)
			}
			var log bytes.Buffer
			slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "v", v, "next", "seen")
			if found := leaks(
				map[string]string{log.String(): "log"},
			); len(found) > 0 || !strings.Contains(log.String(), `"next":"seen"`) {
				t.Errorf("%s, %s: the log shows %v: %s", name, where, found, &log)
			}
		}
	}
	// Without what is to be hidden, requests are whole.
	order := rentcar.AgencyCreateOrderRequest{AgentOrderNo: "A1", UseCarTime: fliggy.LocalTimeOf(time.Unix(0, 0).UTC())}
	text, err := json.Marshal(order)
	var read rentcar.AgencyCreateOrderRequest
	if err != nil || json.Unmarshal(
		text, &read,
	) != nil || read.AgentOrderNo != order.AgentOrderNo || read.UseCarTime != order.UseCarTime {
		t.Errorf("%s, %v: read as %v", text, err, read)
	}
	// A driver stored as the documentation says is whole.
	type stored rentcar.AgencyDriver
	text, err = json.Marshal(stored(driver))
	var again stored
	if err != nil || json.Unmarshal(text, &again) != nil || rentcar.AgencyDriver(again) != driver {
		t.Errorf("%s, %v", text, err)
	}
}

// No secret can be reached by walking over the fields of what a handler holds, reports or
// returns, as the differ of a test library does: what must hold a push holds it alone.
func TestHandlersHoldNoSecrets(t *testing.T) {
	t.Parallel()
	s := newLeakStage(t)
	h, err := qimen.NewHandler(
		leakSecrets, qimen.WithClock(leakTime),
		qimen.OnEvent(func(context.Context, *qimen.Delivery, events.Event) error { return nil }),
	)
	if err != nil {
		t.Fatal(err)
	}
	p := s.push(qimen.DefaultEventMethod, leakJSON, merchantBody(""))
	reply := h.Handle(t.Context(), p)
	if reply.Status != http.StatusOK {
		t.Fatalf("%+v", reply)
	}
	forged := *p
	forged.Body = append(bytes.Clone(p.Body), ' ')
	_, refused := h.Verify(&forged)
	_, none := qimen.NewHandler(qimen.Secrets{leakApp: {markSecret.text, " "}})
	markers := []string{markSecret.text, markSession.text}
	for _, m := range s.signatures() {
		markers = append(markers, m.text)
	}
	for name, v := range map[string]any{
		"handler": h, "handler value": *h, "reply": reply, "refusal": refused, "error of secrets": none,
	} {
		for _, found := range Reachable(v, markers...) {
			t.Errorf("%s: %s", name, found)
		}
	}
}
