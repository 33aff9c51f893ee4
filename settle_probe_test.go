package rentcar

import (
	"context"
	"errors"
	"testing"

	"github.com/jarcoal/httpmock"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

// What the default probe makes of the platform's answers: a success is a proof,
// nothing else is.
func TestSettleByTheDefaultProbe(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		respond httpmock.Responder
		verdict Verdict
		sent    int
		kind    string // of the error
		is      error
	}{
		"it exists":            {replyJSON(`{"successful":true,"cancel_fee":"1.60"}`), VerdictDone, 1, "success", nil},
		"refused":              {replyJSON(`{"successful":false,"ret_code":"404","ret_msg":"no such renewal"}`), VerdictStillUnknown, 1, "business error", nil},
		"no such order":        {gatewayFailure("15", "isv.order-not-exist", ""), VerdictStillUnknown, 1, "gateway error", fliggy.ErrInvalidRequest},
		"forbidden":            {gatewayFailure("11", "", ""), VerdictStillUnknown, 1, "gateway error", ErrForbidden},
		"unavailable":          {gatewayFailure("10", "", ""), VerdictStillUnknown, 3, "gateway error", ErrUnavailable},
		"lost":                 {failure(t, "EOF"), VerdictStillUnknown, 3, "transport error", ErrUnavailable},
		"no connection":        {dialFailure(), VerdictStillUnknown, 3, "transport error", ErrUnavailable},
		"not understood":       {replyJSON(`{"ret_code":"1"}`), VerdictStillUnknown, 3, "decode error", nil},
		"no fee":               {replyJSON(okReply), VerdictStillUnknown, 3, "decode error", nil}, // the page has one in every success
		"banned":               {banFor("60"), VerdictStillUnknown, 1, "gateway error", ErrRateLimited},
		"lost, then it exists": {inTurn(failure(t, "EOF"), gatewayFailure("10", "", ""), replyJSON(`{"successful":true,"cancel_fee":"0.00"}`)), VerdictDone, 3, "success", nil},
		"lost, then refused":   {inTurn(failure(t, "EOF"), replyJSON(refusedReply)), VerdictStillUnknown, 2, "business error", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, g := clientFor(t, tc.respond, withFakeTime(&fakeTime{}))
			got, err := c.Renewals.Settle(context.Background(), &SettleRequest{Submit: unknownSubmit()})
			if err != nil {
				t.Fatal(err)
			}
			if got.Verdict != tc.verdict || got.Event != nil || got.RenewalOrderID != "" || g.count() != tc.sent {
				t.Errorf("%+v after %d requests, want %v after %d", got, g.count(), tc.verdict, tc.sent)
			}
			diff(t, "error", tc.kind, verdict(got.Err))
			if tc.is != nil && !errors.Is(got.Err, tc.is) || errors.Is(got.Err, ErrOutcomeUnknown) {
				t.Errorf("%v, want %v", got.Err, tc.is)
			}
			want := `{"out_order_id":"` + outRenewal + `","channel_id":"80001"}`
			diff(t, "request", map[string]string{opRenewalCheckCancel.Param: want}, g.last(t).form(t))
		})
	}
}

// What keeps the default probe from asking leaves the outcome unknown.
func TestSettleWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	over, cancel := context.WithCancel(context.Background())
	cancel()
	unsendable := unknownSubmit()
	unsendable.RenewalOutOrderID = "\xff"
	for name, tc := range map[string]struct {
		ctx    context.Context
		submit *RenewalSubmitRequest
		opts   []Option
		is     error
	}{
		"context over": {over, unknownSubmit(), nil, context.Canceled},
		"no context":   {nil, unknownSubmit(), nil, fliggy.ErrInvalidRequest},
		"unsendable":   {context.Background(), unsendable, nil, fliggy.ErrInvalidRequest},
		"limiter":      {context.Background(), unknownSubmit(), []Option{WithLimiter(refusing(0))}, ErrRateLimited},
	} {
		c, g := clientFor(t, replyJSON(okReply), tc.opts...)
		got, err := c.Renewals.Settle(tc.ctx, &SettleRequest{Submit: tc.submit})
		if err != nil || got.Verdict != VerdictStillUnknown || !errors.Is(got.Err, tc.is) || g.count() != 0 {
			t.Errorf("%s: %+v, %v after %d requests", name, got, err, g.count())
		}
		// An event decides all the same.
		got, err = c.Renewals.Settle(tc.ctx, &SettleRequest{Submit: tc.submit, Events: []events.Event{rejected("", tc.submit.RenewalOutOrderID, "")}})
		if err != nil || got.Verdict != VerdictRejected || got.Err != nil {
			t.Errorf("%s, with an event: %+v, %v", name, got, err)
		}
	}
}

// A probe of the caller's: its verdict counts unless it has failed.
func TestSettleByOwnProbe(t *testing.T) {
	t.Parallel()
	type key struct{}
	ctx := context.WithValue(context.Background(), key{}, "mine")
	broken := errors.New("no answer")
	for name, tc := range map[string]struct {
		verdict Verdict
		err     error
		want    Settlement
		text    string
	}{
		"done":             {VerdictDone, nil, Settlement{Verdict: VerdictDone}, ""},
		"rejected":         {VerdictRejected, nil, Settlement{Verdict: VerdictRejected}, ""},
		"unknown":          {VerdictStillUnknown, nil, Settlement{}, ""},
		"failed":           {VerdictStillUnknown, broken, Settlement{}, "no answer"},
		"done, failed":     {VerdictDone, broken, Settlement{}, "no answer"},
		"rejected, failed": {VerdictRejected, broken, Settlement{}, "no answer"},
		"no verdict":       {VerdictRejected + 1, nil, Settlement{}, "rentcar: settle: the probe answered 3, which is no verdict"},
		"invalid, failed":  {255, broken, Settlement{}, "no answer"},
	} {
		c, g := clientFor(t, replyJSON(okReply))
		submit := &RenewalSubmitRequest{OrderID: mainOrder} // a probe may need no more
		asked := 0
		req := &SettleRequest{
			Submit: submit, Events: []events.Event{accepted(mainOrder, "", otherRenewal), rejected("", "", thisRenewal)}, Others: []fliggy.ID{otherRenewal}, OthersKnown: true,
			Probe: func(ctx context.Context, s *RenewalSubmitRequest) (Verdict, error) {
				asked++
				if s != submit || ctx.Value(key{}) != "mine" {
					t.Errorf("%s: asked for %+v", name, s)
				}
				return tc.verdict, tc.err
			},
		}
		got, err := c.Renewals.Settle(ctx, req)
		if err != nil || asked != 1 || g.count() != 0 {
			t.Fatalf("%s: %v, asked %d times, %d requests", name, err, asked, g.count())
		}
		if text := got.Err; (text == nil) != (tc.text == "") || text != nil && text.Error() != tc.text {
			t.Errorf("%s: error %v, want %s", name, text, tc.text)
		}
		if tc.err != nil && !errors.Is(got.Err, tc.err) {
			t.Errorf("%s: %v is lost", name, tc.err)
		}
		got.Err = nil
		diff(t, name, &tc.want, got)
		// An event that decides is enough, also without an id of the caller's.
		req.Events = append(req.Events, accepted(mainOrder, "", thisRenewal))
		if got, err = c.Renewals.Settle(ctx, req); err != nil || got.Verdict != VerdictDone || asked != 1 {
			t.Errorf("%s, with an event: %+v, %v, asked %d times", name, got, err, asked)
		}
	}
}
