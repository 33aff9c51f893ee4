package qimen

import (
	"net/http"
	"testing"

	"github.com/fliggy-go/rentcar/internal/charset"
)

// The content type is not signed: a recorded push whose charset somebody renames has
// the same signature and other text. It is the same message to the gate.
func TestGateCharsetRenamed(t *testing.T) {
	t.Parallel()
	body := `{"channelId":"80001","orderId":"31","eventType":142,"eventData":{"renewalOrderId":77,"reason":"北京","payTradeNo":"p","amount":5}}`
	for name, p := range map[string]*Push{
		"text": newPush(eventQuery, jsonType, body),
		"form": newPush(eventQuery, formPrefix, asForm(charset.UTF8, []pair{{"eventData", body}})),
	} {
		var f office
		h := f.handler(t)
		p := mustSign(t, p, testSecret)
		h.Handle(t.Context(), p)
		renamed := p.clone()
		renamed.Header = http.Header{"Content-Type": {map[string]string{"text": "application/json", "form": formPrefix}[name] + ";charset=GBK"}}
		if d, err := h.Verify(renamed); err != nil || d.IsGarbled {
			t.Fatalf("%s: the push is refused: %v", name, err)
		}
		h.Handle(t.Context(), renamed)
		if f.count() != 1 || !f.last().IsRepeat {
			t.Errorf("%s: %d runs, observed %+v", name, f.count(), f.last())
		}
	}
	// A push in a GB charset is itself, and its repeat too.
	var f office
	h := f.handler(t)
	p := mustSign(t, newPush(eventQuery, "application/json;charset=GBK", string(charset.GBK.Encode(body))), testSecret)
	for range 2 {
		h.Handle(t.Context(), p)
	}
	if f.count() != 1 || f.last().Findings == nil && !f.last().IsRepeat {
		t.Errorf("%d runs, observed %+v", f.count(), f.last())
	}
}
