package rentcar

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
)

// A wait is added to others: however long a policy wants it, no sum overflows.
func TestRetryPolicyDelaysAreBounded(t *testing.T) {
	t.Parallel()
	p := RetryPolicy{BaseDelay: math.MaxInt64, MaxDelay: math.MaxInt64}.withDefaults()
	for n := 1; n < 100; n++ {
		if wait := p.backoff(n) + leastForWrite + banJitter; wait <= 0 || p.MaxDelay+maxBan+leastForWrite <= 0 {
			t.Fatalf("attempt %d waits %v", n, wait)
		}
	}
	if short := (RetryPolicy{BaseDelay: time.Second, MaxDelay: time.Hour}).withDefaults(); short.BaseDelay != time.Second || short.MaxDelay != time.Hour {
		t.Errorf("%+v", short)
	}
}

// Codes of the caller's own are repeated: reads, and writes that were surely not carried
// out. They repeat no write whose outcome is unknown.
func TestRetryCodes(t *testing.T) {
	t.Parallel()
	own := RetryPolicy{Codes: []string{"41", "isv.order-service-error:BUSY", "isp.top-parse-error", "2401", "provider-busy"}}
	for name, tc := range map[string]struct {
		respond       httpmock.Responder
		reads, writes int
	}{
		"main code":              {gatewayFailure("41", "", ""), 3, 3},
		"sub code":               {gatewayFailure("15", "isv.order-service-error:BUSY", ""), 3, 3},
		"a part of it":           {gatewayFailure("15", "isv.order-service-error", ""), 1, 1},
		"another":                {gatewayFailure("40", "", ""), 1, 1},
		"unknown outcome":        {gatewayFailure("15", "isp.top-parse-error", ""), 3, 1},
		"unknown code":           {gatewayFailure("15", "2401", ""), 3, 1},
		"contradicted":           {replyJSON(`{"successful":true,"error_response":{"code":"41"}}`), 3, 1},
		"of a business error":    {replyJSON(`{"successful":false,"ret_code":"41"}`), 1, 1},
		"in front of flow codes": {gatewayFailure("41", apiBan, "This ban will last for 60 more seconds"), 1, 1},
	} {
		for write, want := range map[bool]int{false: tc.reads, true: tc.writes} {
			c, g := clientFor(t, tc.respond, withFakeTime(&fakeTime{}), WithRetry(own))
			if _, err := send(context.Background(), c, write); err == nil || g.count() != want {
				t.Errorf("%s, write %v: %d requests, want %d: %v", name, write, g.count(), want, err)
			}
		}
	}
	c, g := clientFor(t, gatewayFailure("15", "isp.top-parse-error", ""), withFakeTime(&fakeTime{}), WithRetry(own))
	if _, err := send(context.Background(), c, true, CallRepeatUnknown()); !errors.Is(err, ErrOutcomeUnknown) || g.count() != 1 {
		t.Errorf("a repeat of unknown writes: %d requests: %v", g.count(), err)
	}
	provider := replyJSON(`{"flag":"failure","code":"provider-busy"}`)
	for readOnly, want := range map[bool]int{false: 1, true: 3} {
		c, g := clientFor(t, provider, withFakeTime(&fakeTime{}), WithRetry(own), WithQimenURL("http://qimen.test/qm"))
		var opts []CallOption
		if readOnly {
			opts = append(opts, CallReadOnly())
		}
		var out Raw
		err := c.CallQimen(context.Background(), "x.z", &QimenRequest{TargetAppKey: "1"}, &out, opts...)
		if g.count() != want || OutcomeOf(err) != OutcomeUnknown || errors.Is(err, ErrOutcomeUnknown) == readOnly {
			t.Errorf("a provider's code, read only %v: %d requests, want %d: %v", readOnly, g.count(), want, err)
		}
	}
}

// The client keeps what it was given.
func TestRetryCodesAreCopied(t *testing.T) {
	t.Parallel()
	codes := []string{"41"}
	option := WithRetry(RetryPolicy{Codes: codes})
	c, g := clientFor(t, gatewayFailure("41", "", ""), withFakeTime(&fakeTime{}), option)
	codes[0] = "40"
	if _, _ = queryOrder(context.Background(), c); g.count() != 3 {
		t.Errorf("%d requests", g.count())
	}
	if _, err := NewClient(testAppKey, testSecret, WithRetry(RetryPolicy{Codes: []string{"41", ""}})); err == nil {
		t.Error("an empty code would fit every error without a sub code")
	}
}

// An attempt of a write that may have been carried out is not forgotten when a later one
// fails with one of the Codes: the write is not sent again for their sake.
func TestRetryCodesAfterAnUnknownAttempt(t *testing.T) {
	t.Parallel()
	own := WithRetry(RetryPolicy{MaxAttempts: 5, Codes: []string{"isv.BUSY", "41"}})
	for name, busy := range map[string]httpmock.Responder{
		"unknown outcome": gatewayFailure("15", "isv.BUSY", ""),
		"rejected":        gatewayFailure("41", "", ""),
	} {
		for write, want := range map[bool]int{false: 5, true: 2} {
			c, g := clientFor(t, inTurn(failure(t, "HTTP 502"), busy), withFakeTime(&fakeTime{}), own)
			_, err := send(t.Context(), c, write, CallRepeatUnknown())
			if g.count() != want || errors.Is(err, ErrOutcomeUnknown) != write {
				t.Errorf("%s, write %v: %d requests, want %d: %v", name, write, g.count(), want, err)
			}
		}
	}
}
