package rentcar

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
)

// asksToWait is a reply of a proxy with a Retry-After header.
func asksToWait(status int, value, body string) httpmock.Responder {
	return func(r *http.Request) (*http.Response, error) {
		header := http.Header{"Content-Type": {"text/html"}, "Retry-After": {value}}
		return &http.Response{StatusCode: status, Header: header, Request: r, Body: io.NopCloser(strings.NewReader(body))}, nil
	}
}

// What a Retry-After header asks for is bounded, and only flow control's statuses are
// believed.
func TestRetryAfterHeader(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) string { return testClock().Add(d).UTC().Format(http.TimeFormat) }
	for _, tc := range []struct {
		status int
		value  string
		want   time.Duration
	}{
		{503, "7", 7 * time.Second},
		{429, "7", 7 * time.Second},
		{429, " 120 ", 2 * time.Minute},
		{503, at(7 * time.Second), 7 * time.Second},
		{429, testClock().Add(time.Hour).Format(time.RFC850), time.Hour},
		{503, at(0), 0},
		{503, at(-time.Hour), 0},
		{503, at(1000 * time.Hour), 24 * time.Hour},
		{503, "Mon, 01 Jan 9999 00:00:00 GMT", 24 * time.Hour},
		{503, "Thu, 01 Jan 0001 00:00:00 GMT", 0},
		{429, "86401", 24 * time.Hour},
		{429, "1000000000000", 24 * time.Hour},
		{429, "99999999999999999999999", 24 * time.Hour},
		{429, "0", 0},
		{429, "-7", 0},
		{429, "+7", 0},
		{429, "7.5", 0},
		{429, "7s", 0},
		{429, "soon", 0},
		{429, "", 0},
		{500, "7", 0},
		{502, "7", 0},
		{301, "7", 0},
		{404, "7", 0},
		{200, "7", 0},
	} {
		a := &answer{status: tc.status, header: http.Header{"Retry-After": {tc.value}}}
		if got := a.retryAfter(testClock()); got != tc.want {
			t.Errorf("%d, %q: %v, want %v", tc.status, tc.value, got, tc.want)
		}
	}
	if got := (&answer{status: 503}).retryAfter(testClock()); got != 0 {
		t.Errorf("no header: %v", got)
	}
}

// A read waits as long as a proxy asks for, as for the end of a ban, or gives up at
// once and says how long. What became of a write is not known: it is not repeated.
func TestProxyThatAsksToWait(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, status := range []int{429, 503} {
		limited := status == 429
		ft := &fakeTime{}
		c, g := clientFor(t, inTurn(asksToWait(status, "3", "<html>"), replyJSON(okReply)), withFakeTime(ft))
		meta, err := send(ctx, c, false)
		if took := ft.time().Sub(testClock()); err != nil || meta.Attempts != 2 || took < 3*time.Second || took >= 3*time.Second+banJitter {
			t.Errorf("%d: %d requests after %v: %v", status, g.count(), took, err)
		}

		ft = &fakeTime{}
		c, g = clientFor(t, inTurn(asksToWait(status, "7", "<html>"), replyJSON(okReply)), withFakeTime(ft))
		_, err = queryOrder(ctx, c)
		e := as[*TransportError](t, err)
		if after, ok := RetryAfter(err); !ok || after != 7*time.Second || e.RetryAfter != after || g.count() != 1 || len(ft.waits) != 0 {
			t.Errorf("%d: RetryAfter is %v, %v after %d requests: %v", status, after, ok, g.count(), err)
		}
		if errors.Is(err, ErrRateLimited) != limited || errors.Is(err, ErrUnavailable) == limited || OutcomeOf(err) != OutcomeUnknown {
			t.Errorf("%d: %v", status, err)
		}
		_, err = queryOrder(ctx, c) // it is remembered, for the method that met it
		if later := as[*RateLimitError](t, err); later.RetryAfter != 7*time.Second || g.count() != 1 {
			t.Errorf("%d: %d requests: %v", status, g.count(), err)
		}
		if _, err := cancelRenewal(ctx, c); err != nil {
			t.Errorf("%d, another method: %v", status, err)
		}

		c, g = clientFor(t, asksToWait(status, "3", "<html>"), withFakeTime(&fakeTime{}))
		_, err = cancelRenewal(ctx, c)
		e = as[*TransportError](t, err)
		if after, ok := RetryAfter(err); ok || e.RetryAfter != 3*time.Second || g.count() != 1 || !errors.Is(err, ErrOutcomeUnknown) || errors.Is(err, ErrRateLimited) != limited {
			t.Errorf("%d: %d requests, RetryAfter is %v: %v", status, g.count(), after, err)
		}
	}
}

// Beside an envelope the header counts where the code says nothing against waiting.
func TestRetryAfterBesideAnEnvelope(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]time.Duration{
		`{"error_response":{"code":7}}`: 9 * time.Second,
		`{"error_response":{"code":7,"sub_msg":"This ban will last for 60 more seconds"}}`: time.Minute,
		`{"error_response":{"code":10}}`:                  9 * time.Second,
		`{"error_response":{"code":25}}`:                  0,
		`{"error_response":{"code":7},"successful":true}`: 0,
	} {
		c, g := clientFor(t, asksToWait(429, "9", body), withRetries())
		_, err := queryOrder(t.Context(), c)
		if e := as[*GatewayError](t, err); e.RetryAfter != want || g.count() != 1 {
			t.Errorf("%s: %v, want %v, after %d requests", body, e.RetryAfter, want, g.count())
		}
		if left := c.bans.left("", opOrderQuery.Method, testClock); left != want {
			t.Errorf("%s: banned for %v, want %v", body, left, want)
		}
	}
}

// A ban without end in sight is lifted by hand, and others can be met after that.
func TestLiftBans(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, first := range map[string]httpmock.Responder{
		"app":   gatewayFailure("7", appBan, "This ban will last for 1000000000000 more seconds"),
		"api":   gatewayFailure("7", apiBan, "This ban will last for 1000000000000 more seconds"),
		"proxy": asksToWait(429, "1000000000000", ""),
	} {
		c, g := clientFor(t, inTurn(first, replyJSON(okReply), banFor("60")))
		c.LiftBans() // there is none
		_, _ = queryOrder(ctx, c)
		if _, err := queryOrder(ctx, c); !isA[*RateLimitError](err) || g.count() != 1 {
			t.Errorf("%s: %d requests: %v", name, g.count(), err)
		}
		c.LiftBans()
		if _, err := queryOrder(ctx, c); err != nil || g.count() != 2 {
			t.Errorf("%s, lifted: %d requests: %v", name, g.count(), err)
		}
		_, _ = queryOrder(ctx, c)
		if _, err := queryOrder(ctx, c); !isA[*RateLimitError](err) || g.count() != 3 {
			t.Errorf("%s, another ban: %d requests: %v", name, g.count(), err)
		}
	}
}
