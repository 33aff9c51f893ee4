package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/qimen"
)

// A how says how a push differs from those that Fliggy sends.
type how struct {
	LateSeconds  float64 `json:"late_seconds"`  // signed so long ago
	DelaySeconds float64 `json:"delay_seconds"` // pushed so much later
	Times        int     `json:"times"`
	BadSignature bool    `json:"bad_signature"`
	Unsigned     bool    `json:"unsigned"`
	Form         bool    `json:"form"`
	GBK          bool    `json:"gbk"`
}

const maxTimes, maxDelay, maxLate = 1000, 3600, 10 * 366 * 24 * 3600

// push returns the shape of the push.
func (h *how) push() (p fliggytest.Push, err error) {
	switch {
	case h.Times < 0 || h.Times > maxTimes:
		return p, &invalid{"times", "want 1 to 1000"}
	case h.DelaySeconds < 0 || h.DelaySeconds > maxDelay:
		return p, &invalid{"delay_seconds", "want 0 to 3600"}
	case h.LateSeconds < -maxLate || h.LateSeconds > maxLate:
		return p, &invalid{"late_seconds", "want ten years at most"}
	}
	p = fliggytest.Push{
		Times: h.Times, BadSignature: h.BadSignature, Unsigned: h.Unsigned,
		Late: time.Duration(h.DelaySeconds * float64(time.Second)),
	}
	if h.LateSeconds != 0 {
		p.SignedAt = time.Now().Add(-time.Duration(h.LateSeconds * float64(time.Second)))
	}
	charset := "UTF-8"
	if h.GBK {
		charset = "GBK"
	}
	if h.Form {
		p.ContentType = "application/x-www-form-urlencoded;charset=" + charset
	} else if h.GBK {
		p.ContentType = "application/json;charset=" + charset
	}
	return p, nil
}

// pushed is the answer to whoever pressed a button. That nothing is listening is no error of theirs: what they asked
// for has happened, and the view says what became of the push.
func (s *Sandbox) pushed(res fliggytest.PushResult) (any, error) {
	if res.ID == "" && res.Err != nil && s.pushAddress() != "" {
		return nil, &conflict{res.Err}
	}
	return s.pushView(&res, true), nil
}

func (s *Sandbox) pushAddress() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pushTo
}

// decideOn lets the merchant decide on the renewal of the path. in is what the request brings, with h in it. The
// gateway says what became of the renewal: it may have been decided otherwise meanwhile. Deciding the same again pushes
// an event that was never sent, and no other: that is what resend is for.
func (s *Sandbox) decideOn(
	r *http.Request, in any, h *how, want fliggytest.State, decide func(fliggy.ID, fliggytest.Push) fliggytest.PushResult,
) (any, error) {
	id := fliggy.ID(r.PathValue("id"))
	before, ok := s.gateway.Renewal(id)
	if !ok {
		return nil, &missing{"renewal", string(id)}
	}
	if err := decode(r, in); err != nil {
		return nil, err
	}
	p, err := h.push()
	if err != nil {
		return nil, err
	}
	if before.State == want {
		if told := s.pushAbout(id, want); told != "" {
			return nil, &conflict{fmt.Errorf("renewal %s is %s already, and its event was pushed: "+
				"POST %s/pushes/%s/resend pushes it again", id, want, Prefix, told)}
		}
	}
	res := decide(id, p)
	if renewal, _ := s.gateway.Renewal(id); res.Err != nil && renewal.State != want {
		return nil, &conflict{res.Err}
	}
	return s.pushed(res)
}

// pushAbout returns the id of the last push that says that a renewal is accepted or rejected, empty for none.
func (s *Sandbox) pushAbout(id fliggy.ID, state fliggytest.State) string {
	for _, p := range slices.Backward(s.gateway.Pushes()) {
		event, _ := s.eventOf(&p)
		switch e := event.(type) {
		case *events.RenewalAccepted:
			if e.RenewalOrderID == id && state == fliggytest.RenewalAccepted {
				return p.ID
			}
		case *events.RenewalRejected:
			if e.RenewalOrderID == id && state == fliggytest.RenewalRejected {
				return p.ID
			}
		}
	}
	return ""
}

func (s *Sandbox) accept(r *http.Request) (any, error) {
	var in how
	return s.decideOn(r, &in, &in, fliggytest.RenewalAccepted,
		func(id fliggy.ID, p fliggytest.Push) fliggytest.PushResult { return s.gateway.Accept(id, p) })
}

func (s *Sandbox) reject(r *http.Request) (any, error) {
	var in struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		how
	}
	return s.decideOn(r, &in, &in.how, fliggytest.RenewalRejected,
		func(id fliggy.ID, p fliggytest.Push) fliggytest.PushResult {
			if in.Code == "" {
				in.Code, in.Message = "71008", "商家接单失败"
			}
			return s.gateway.Reject(id, in.Code, in.Message, p)
		})
}

// refund orders a fee refund of a renewal (event 142) or of a main order (141).
func (s *Sandbox) refund(r *http.Request) (any, error) {
	var in struct {
		Type             fliggy.RefundType `json:"type"`
		Amount           fliggy.Yuan       `json:"amount"`
		Reason           string            `json:"reason"`
		PayTradeNo       string            `json:"pay_trade_no"`
		DeductPayTradeNo string            `json:"deduct_pay_trade_no"`
		Canceller        fliggy.Canceller  `json:"canceller"`
		how
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	id := fliggy.ID(r.PathValue("id"))
	_, isRenewal := s.gateway.Renewal(id)
	_, isOrder := s.gateway.Order(id)
	switch wantsRenewal := strings.Contains(r.URL.Path, "/renewals/"); {
	case wantsRenewal && !isRenewal:
		return nil, &missing{"renewal", string(id)}
	case !wantsRenewal && !isOrder:
		return nil, &missing{"order", string(id)}
	case !in.Amount.IsPositive():
		return nil, &invalid{"amount", "want an amount in yuan above zero, such as 12.50"}
	case !isFen(in.Amount):
		return nil, &invalid{"amount", "want two decimals at most: POST /events pushes anything else"}
	}
	p, err := in.push()
	if err != nil {
		return nil, err
	}
	if in.Type == 0 {
		in.Type = fliggy.RefundCancelPenalty
	}
	return s.pushed(s.gateway.RequestRefund(id, fliggytest.Refund{
		Type: in.Type, Amount: in.Amount, Reason: in.Reason, PayTradeNo: in.PayTradeNo,
		DeductPayTradeNo: in.DeductPayTradeNo, Canceller: in.Canceller,
	}, p))
}

// isFen reports whether an amount has two decimals at most.
func isFen(y fliggy.Yuan) bool {
	_, decimals, _ := strings.Cut(y.String(), ".")
	return len(strings.TrimRight(decimals, "0")) <= 2
}

// pushEvent pushes any event: {"event": {"eventType": 104, ...}, "form": true}.
func (s *Sandbox) pushEvent(r *http.Request) (any, error) {
	var in struct {
		Event json.RawMessage `json:"event"`
		how
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	if len(in.Event) == 0 {
		return nil, &invalid{"event", `missing: want the event as a JSON object, such as {"eventType":104}`}
	}
	p, err := in.push()
	if err != nil {
		return nil, err
	}
	return s.send(r.Context(), in.Event, p)
}

// send pushes a message that need not be an event.
func (s *Sandbox) send(ctx context.Context, message []byte, p fliggytest.Push) (any, error) {
	if p.ContentType == "" {
		return s.pushed(s.gateway.PushRaw(ctx, message, p))
	}
	event, err := events.Parse(message)
	if err != nil {
		return nil, &invalid{"event", "it is pushed as JSON in UTF-8 only, since it is no event: " + err.Error()}
	}
	return s.pushed(s.gateway.Push(ctx, event, p))
}

// resend pushes again what was pushed before, differently if that is asked for.
func (s *Sandbox) resend(r *http.Request) (any, error) {
	var in how
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	p, err := in.push()
	if err != nil {
		return nil, err
	}
	old, err := s.findPush(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	if p.ContentType == "" {
		p.ContentType = old.Header.Get("Content-Type")
		return s.pushed(s.gateway.PushRaw(r.Context(), old.Body, p))
	}
	message, err := s.messageOf(old)
	if err != nil {
		return nil, &conflict{err}
	}
	return s.send(r.Context(), message, p)
}

func (s *Sandbox) findPush(id string) (*fliggytest.PushResult, error) {
	pushes := s.gateway.Pushes()
	i := slices.IndexFunc(pushes, func(p fliggytest.PushResult) bool { return p.ID == id })
	if i < 0 {
		return nil, &missing{"push", id}
	}
	return &pushes[i], nil
}

// eventOf is the event in a push, nil for none, and the message as it is in JSON.
func (s *Sandbox) eventOf(p *fliggytest.PushResult) (event events.Event, message []byte) {
	message = p.Body
	if p.Method != "" && p.Header.Get("Content-Type") != "application/json;charset=utf-8" { // a form, or another charset
		message, _ = s.messageOf(p)
	}
	event, err := events.Parse(message)
	if err != nil {
		return nil, message
	}
	return event, message
}

// messageOf reads the message out of a push in whatever form, signed well or not.
func (s *Sandbox) messageOf(p *fliggytest.PushResult) ([]byte, error) {
	signed, err := qimen.SignPush(&qimen.Push{RawQuery: p.RawQuery, Header: p.Header, Body: p.Body}, s.gateway.AppSecret())
	if err != nil {
		return nil, err
	}
	d, err := qimen.VerifyPush(signed, qimen.Secrets{s.gateway.AppKey(): {s.gateway.AppSecret()}})
	if err != nil {
		return nil, err
	}
	return d.Payload()
}
