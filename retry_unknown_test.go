package rentcar

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"pgregory.net/rapid"

	"github.com/fliggy-go/rentcar/fliggy"
)

// A kind of failure, by its name in failureRows.
func failure(t testing.TB, name string) httpmock.Responder {
	t.Helper()
	for _, row := range failureRows {
		if r := row.responders[name]; r != nil {
			return r
		}
	}
	t.Fatalf("no failure is called %q", name)
	return nil
}

const refusedReply = `{"successful":false,"ret_code":"DUP","ret_msg":"there is ` +
	`one","request_id":"r9","cancel_fee":"1.60"}`

// With CallRepeatUnknown a write is repeated like a read. An attempt that may have
// been carried out is not forgotten: only a success makes up for it.
func TestCallRepeatUnknown(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		failures []string
		last     httpmock.Responder
		sent     int
		outcome  Outcome
		also     error // another class of it
		wrapped  bool  // the last failure alone does not tell
	}{
		"lost, success": {[]string{"EOF"}, replyJSON(okReply), 2, OutcomeSucceeded, nil, false},
		"lost, lost, success": {
			[]string{"cut reply", "code 10 "}, replyJSON(okReply), 3, OutcomeSucceeded, nil, false,
		},
		"undecodable, success": {[]string{"HTML"}, replyJSON(okReply), 2, OutcomeSucceeded, nil, false},
		"lost for good":        {nil, failure(t, "HTTP 502"), 3, OutcomeUnknown, ErrUnavailable, false},
		"lost, refused":        {[]string{"reset"}, replyJSON(refusedReply), 2, OutcomeUnknown, nil, true},
		"undecodable, refused": {[]string{"no flag"}, replyJSON(refusedReply), 2, OutcomeUnknown, nil, true},
		"lost, invalid": {
			[]string{"code 3 "}, failure(t, "code 15 isv.invalid-parameter"), 2, OutcomeUnknown, fliggy.ErrInvalidRequest, true,
		},
		"lost, forbidden":     {[]string{"EOF"}, failure(t, "code 11 "), 2, OutcomeUnknown, ErrForbidden, true},
		"lost, unauthorized":  {[]string{"EOF"}, failure(t, "code 25 "), 2, OutcomeUnknown, ErrUnauthorized, true},
		"lost, no connection": {[]string{"HTTP 500"}, failure(t, "dial"), 3, OutcomeUnknown, ErrUnavailable, true},
		"lost, flow control":  {[]string{"EOF"}, failure(t, "code 7 "), 3, OutcomeUnknown, ErrRateLimited, true},
		"lost, a long ban":    {[]string{"EOF"}, failure(t, "a long ban"), 2, OutcomeUnknown, ErrRateLimited, true},
		"lost, bad argument": {
			[]string{"EOF"}, failure(t, "code 15 isp.top-parse-error"), 2, OutcomeUnknown, fliggy.ErrInvalidRequest, false,
		},
		"lost, too large":             {[]string{"EOF"}, failure(t, "too large"), 2, OutcomeUnknown, ErrReplyTooLarge, false},
		"lost between others":         {[]string{"dial", "EOF"}, failure(t, "dial"), 3, OutcomeUnknown, ErrUnavailable, true},
		"flow control, lost, refused": {[]string{"code 5 ", "EOF"}, replyJSON(refusedReply), 3, OutcomeUnknown, nil, true},
		"no connection, refused":      {[]string{"dial"}, replyJSON(refusedReply), 2, OutcomeRejected, nil, false},
		"flow control, invalid": {
			[]string{"code 4 "}, failure(t, "code 31 "), 2, OutcomeRejected, fliggy.ErrInvalidRequest, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var responders []httpmock.Responder
			for _, f := range tc.failures {
				responders = append(responders, failure(t, f))
			}
			ft := &fakeTime{}
			c, g, seen := watched(t, inTurn(append(responders, tc.last)...), withFakeTime(ft))
			meta, err := send(context.Background(), c, true, CallRepeatUnknown())
			if g.count() != tc.sent || OutcomeOf(err) != tc.outcome {
				t.Errorf("%d requests, outcome %v: %v", g.count(), OutcomeOf(err), err)
			}
			if last := (*seen)[len(*seen)-1]; len(*seen) != tc.sent+1 || !last.Done || last.Outcome != tc.outcome ||
				last.Attempt != tc.sent {
				t.Errorf("observed %+v", *seen)
			}
			if tc.outcome == OutcomeSucceeded {
				if err != nil || meta.Attempts != tc.sent {
					t.Errorf("%+v, %v", meta, err)
				}
				return
			}
			if attemptsOf(err) != tc.sent || errors.Is(
				err, ErrOutcomeUnknown,
			) != (tc.outcome == OutcomeUnknown) || tc.also != nil && !errors.Is(err, tc.also) {
				t.Errorf("%v; want class %v too", err, tc.also)
			}
			if n := strings.Count(err.Error(), ErrOutcomeUnknown.Error()); (n == 1) != (tc.outcome == OutcomeUnknown) {
				t.Errorf("the text warns %d times: %v", n, err)
			}
			if isA[*stopped](err) != tc.wrapped {
				t.Errorf("%T: %v", err, err)
			}
			if business, ok := asType[*BusinessError](err); ok {
				want := &BusinessError{
					Method: opRenewalCancel.Method, Code: "DUP", Message: "there is one", RequestID: "r9", Attempts: tc.sent,
				}
				diff(t, "business error", want, business)
			}
			if (meta != nil) != isA[*BusinessError](err) {
				t.Errorf("result %+v beside %v", meta, err)
			}
		})
	}
}

// The decoded reply stands beside the refusal, as ever.
func TestRefusalAfterAnUnknownAttempt(t *testing.T) {
	t.Parallel()
	ft := &fakeTime{}
	c, _ := clientFor(t, inTurn(failure(t, "EOF"), replyJSON(refusedReply)), withFakeTime(ft))
	res, err := cancelRenewal(context.Background(), c, CallRepeatUnknown())
	if res == nil || res.CancelFee.String() != "1.60" || res.RetCode != "DUP" || res.Attempts != 2 {
		t.Errorf("result %+v", res)
	}
	want := "rentcar: alitrip.rentcar.btb.renewal.order.cancel: refused with code DUP: there is one [request_id r9] " +
		"[after 2 attempts]" +
		" (of an earlier attempt: outcome unknown: the call may have been carried out; find out before repeating it: " +
		"ask Renewals.CheckCancel: if it can still be cancelled, it was not)"
	diff(t, "text", want, err.Error())
}

// What stands against another attempt does not hide an unknown one, and the failure
// before stays in the error.
func TestUnknownAttemptAndNoFurtherOne(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	gone, leave := context.WithCancel(context.Background())
	for name, tc := range map[string]struct {
		ctx  context.Context
		opts []Option
		is   error
	}{
		"the limiter refuses": {ctx, []Option{WithLimiter(refusing(1))}, errNoToken},
		"the budget is spent": {
			ctx, []Option{WithRetry(RetryPolicy{Budget: 1}), func(c *config) error { c.retry.Budget = 0; return nil }},
			errBudget,
		},
		"the caller leaves": {gone, []Option{WithSleep(func(context.Context, time.Duration) error {
			leave()
			return nil
		})}, context.Canceled},
	} {
		ft := &fakeTime{}
		c, g := clientFor(t, failure(t, "EOF"), append([]Option{withFakeTime(ft)}, tc.opts...)...)
		_, err := send(tc.ctx, c, true, CallRepeatUnknown())
		e := as[*TransportError](t, err)
		if g.count() != 1 || e.Attempts != 1 || !errors.Is(err, tc.is) || !errors.Is(
			err, ErrOutcomeUnknown,
		) || OutcomeOf(err) != OutcomeUnknown {
			t.Errorf("%s: %d requests: %v", name, g.count(), err)
		}
		if !isA[*stopped](err) || !strings.Contains(err.Error(), "(not sent again: ") {
			t.Errorf("%s: the text does not say why: %v", name, err)
		}
		if n := strings.Count(err.Error(), ErrOutcomeUnknown.Error()); n != 1 {
			t.Errorf("%s: the text warns %d times: %v", name, n, err)
		}
	}
}

// The context may end so late that the next attempt has begun: it is not sent, and
// the one before is not forgotten.
func TestUnknownAttemptAndOneThatWasNotSent(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	ft := &fakeTime{}
	admitted := 0
	clock := func() time.Time {
		if admitted == 2 { // it is read for the timestamp
			cancel()
		}
		return ft.time()
	}
	c, g := clientFor(t, failure(t, "EOF"), withFakeTime(ft), WithClock(clock),
		WithLimiter(limiterFunc(func(context.Context) error { admitted++; return nil })))
	_, err := send(ctx, c, true, CallRepeatUnknown())
	e := as[*TransportError](t, err)
	if g.count() != 1 || e.Phase != PhaseSend || e.Attempts != 1 || !errors.Is(err, context.Canceled) || !errors.Is(
		err, ErrOutcomeUnknown,
	) || OutcomeOf(err) != OutcomeUnknown {
		t.Errorf("%d requests, %+v: %v", g.count(), e, err)
	}
}

// Whatever happens in whatever order: a write goes on only after failures that
// prove that it was not carried out, unless the caller has asked for more; and no
// error says of a write that it was not carried out where it may have been.
func TestAttemptsByTheTable(t *testing.T) {
	t.Parallel()
	type step struct {
		name string
		want
		respond httpmock.Responder
	}
	steps := []step{
		{"refused", want{outcome: OutcomeRejected}, replyJSON(refusedReply)},
		{"success", want{outcome: OutcomeSucceeded}, replyJSON(okReply)},
	}
	for _, row := range failureRows {
		for name, respond := range row.responders {
			w := row.want
			w.repeat = repeatNone
			if row.reads > 1 {
				w.repeat = repeatReads
			}
			if row.writes > 1 {
				w.repeat = repeatAll
			}
			if !strings.HasPrefix(name, "timeout") { // which take real time
				steps = append(steps, step{name, w, respond})
			}
		}
	}
	// so that a failure can be repeated
	slices.SortFunc(steps, func(a, b step) int { return strings.Compare(a.name, b.name) })
	rapid.Check(t, func(rt *rapid.T) {
		seq := rapid.SliceOfN(rapid.SampledFrom(steps), 1, 5).Draw(rt, "steps")
		write, repeat := rapid.Bool().Draw(rt, "write"), rapid.Bool().Draw(rt, "repeat")
		most := rapid.IntRange(1, len(seq)).Draw(rt, "attempts")
		sent, unknown, last := 0, false, step{}
		for again := true; again; {
			last = seq[sent]
			sent++
			unknown = write && (unknown || last.outcome == OutcomeUnknown) && last.outcome != OutcomeSucceeded
			again = sent < most && class{repeat: last.repeat, write: write}.repeatable(repeat)
		}
		outcome := last.outcome
		if unknown {
			outcome = OutcomeUnknown
		}
		opts := []CallOption{CallAttempts(most)}
		if repeat {
			opts = append(opts, CallRepeatUnknown())
		}
		var responders []httpmock.Responder
		for _, s := range seq {
			responders = append(responders, s.respond)
		}
		ft := &fakeTime{}
		c, g := clientFor(t, inTurn(responders...), withFakeTime(ft), WithReplyLimit(4096))
		meta, err := send(context.Background(), c, write, opts...)
		if g.count() != sent || OutcomeOf(err) != outcome || errors.Is(err, ErrOutcomeUnknown) != unknown {
			rt.Fatalf(
				"%v: write %v, repeat %v, %d attempts: %d requests, outcome %v, want %d, %v: %v", seq, write, repeat, most,
				g.count(), OutcomeOf(err), sent, outcome, err,
			)
		}
		if err == nil && meta.Attempts != sent || err != nil && attemptsOf(err) != sent {
			rt.Fatalf("%d attempts are told as %+v, %v", sent, meta, err)
		}
	})
}

func TestCallAttempts(t *testing.T) {
	t.Parallel()
	once := WithRetry(RetryPolicy{MaxAttempts: 1})
	for name, tc := range map[string]struct {
		opts []Option
		call []CallOption
		sent int
	}{
		"policy":            {nil, nil, 3},
		"fewer":             {nil, []CallOption{CallAttempts(1)}, 1},
		"more":              {nil, []CallOption{CallAttempts(6)}, 6},
		"more than never":   {[]Option{once}, []CallOption{CallAttempts(2)}, 2},
		"last wins":         {nil, []CallOption{CallAttempts(6), CallAttempts(2)}, 2},
		"policy of one":     {[]Option{once}, nil, 1},
		"more than budget":  {nil, []CallOption{CallAttempts(1000)}, 1 + DefaultRetryBudget},
		"larger own policy": {[]Option{WithRetry(RetryPolicy{MaxAttempts: 9})}, nil, 9},
	} {
		ft := &fakeTime{}
		c, g := clientFor(t, gatewayFailure("5", "", ""), append([]Option{withFakeTime(ft)}, tc.opts...)...)
		_, err := send(context.Background(), c, true, tc.call...)
		if g.count() != tc.sent || attemptsOf(err) != tc.sent {
			t.Errorf("%s: %d requests, want %d: %v", name, g.count(), tc.sent, err)
		}
	}
}

// A method without a type is a write unless the caller says otherwise; what has a
// type is what it is.
func TestCallReadOnly(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	var out Raw
	read, write := opOrderQuery.Method, opRenewalSubmit.Method
	own := &QimenRequest{TargetAppKey: "1"}
	for name, tc := range map[string]struct {
		call func(c *Client) error
		read bool
	}{
		"Call":            {func(c *Client) error { return c.Call(ctx, "x.y", nil, &out) }, false},
		"Call, read only": {func(c *Client) error { return c.Call(ctx, "x.y", nil, &out, CallReadOnly()) }, true},
		"Call of a read":  {func(c *Client) error { return c.Call(ctx, read, nil, &out) }, true},
		"Call of a write": {func(c *Client) error { return c.Call(ctx, write, nil, &out) }, false},
		"Call of a write, read only": {
			func(c *Client) error { return c.Call(ctx, write, nil, &out, CallReadOnly()) }, false,
		},
		"CallQimen": {func(c *Client) error { return c.CallQimen(ctx, "x.y", own, &out) }, false},
		"CallQimen, read only": {
			func(c *Client) error { return c.CallQimen(ctx, "x.y", own, &out, CallReadOnly()) }, true,
		},
		"typed write, read only": {
			func(c *Client) error { _, err := cancelRenewal(ctx, c, CallReadOnly()); return err }, false,
		},
		"typed read": {func(c *Client) error { _, err := queryOrder(ctx, c); return err }, true},
		"quote": {
			func(c *Client) error { _, err := c.Renewals.Quote(ctx, someQuote()); return err }, true,
		},
		"bill": {
			func(c *Client) error { _, err := c.Bills.Notify(ctx, someBill(t)); return err }, false,
		},
		"Call, a repeat of unknown": {
			func(c *Client) error { return c.Call(ctx, "x.y", nil, &out, CallRepeatUnknown()) }, false,
		},
		"read, and repeat of unknown": {
			func(c *Client) error { return c.Call(ctx, "x.y", nil, &out, CallReadOnly(), CallRepeatUnknown()) }, true,
		},
	} {
		for _, respond := range []httpmock.Responder{failure(t, "EOF"), gatewayUnavailable} {
			ft := &fakeTime{}
			c, g := clientFor(t, respond, withFakeTime(ft), WithChannel(fliggy.ChannelAmap))
			err := tc.call(c)
			want := 1
			if tc.read || strings.Contains(name, "unknown") {
				want = 3
			}
			if g.count() != want || errors.Is(err, ErrOutcomeUnknown) != !tc.read || OutcomeOf(err) != OutcomeUnknown {
				t.Errorf("%s: %d requests, want %d: %v", name, g.count(), want, err)
			}
		}
	}
}

// gatewayUnavailable is code 10, as both gateways say it.
func gatewayUnavailable(r *http.Request) (*http.Response, error) {
	if r.URL.Query().Has("target_app_key") {
		return replyJSON(`{"response":{"flag":"failure","code":10,"message":"Service Currently Unavailable"}}`)(r)
	}
	return replyJSON(`{"error_response":{"code":10,"msg":"Service Currently Unavailable"}}`)(r)
}
