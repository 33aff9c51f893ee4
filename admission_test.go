package rentcar

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
)

// A ban that is met while calls wait for the limiter holds those back that have not
// gone out yet.
func TestBanMetInTheLimiter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		next := make(chan struct{}, 1)
		limiter := limiterFunc(func(ctx context.Context) error {
			select {
			case next <- struct{}{}:
				<-time.After(100 * time.Millisecond)
				<-next
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		c, g := clientFor(t, banFor("60"), withRetries(), WithClock(time.Now), WithLimiter(limiter))
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, err := queryOrder(context.Background(), c); !errors.Is(err, ErrRateLimited) {
					t.Errorf("%v", err)
				}
			})
		}
		wg.Wait()
		if g.count() != 1 {
			t.Errorf("%d requests, want the one that met the ban", g.count())
		}
	})
}

// Waiting for the end of a ban costs no budget: it multiplies no outage.
func TestBansCostNoBudget(t *testing.T) {
	t.Parallel()
	ft := &fakeTime{}
	respond := []httpmock.Responder{}
	for range 40 {
		respond = append(respond, banFor("1"), replyJSON(okReply))
	}
	c, g := clientFor(t, inTurn(respond...), withFakeTime(ft))
	before := c.budget.tenths.Load()
	for range 40 {
		if _, err := queryOrder(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if g.count() != 80 || c.budget.tenths.Load() != before {
		t.Errorf("%d requests, %d tenths left of %d", g.count(), c.budget.tenths.Load(), before)
	}
}

// An attempt that was taken and not made is given back whole, also where successes
// have filled the budget meanwhile.
func TestBudgetIsGivenBackWhole(t *testing.T) {
	t.Parallel()
	b := newBudget(1)
	if !b.take() || b.take() {
		t.Fatal("want one attempt")
	}
	b.succeeded()
	b.giveBack()
	if !b.take() {
		t.Error("the attempt is lost")
	}
}

// Close to its deadline a write that surely was not carried out is not tried again,
// while a read is: cut off by the deadline it would end unknown.
func TestWriteCloseToTheDeadline(t *testing.T) {
	t.Parallel()
	for write, want := range map[bool]int{true: 1, false: 3} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), leastForWrite)
			defer cancel()
			c, g := clientFor(t, dialFailure(), WithRetry(RetryPolicy{BaseDelay: time.Millisecond, MaxDelay: time.Millisecond}))
			_, err := send(ctx, c, write)
			if g.count() != want || OutcomeOf(err) != OutcomeNotSent || errors.Is(err, ErrOutcomeUnknown) {
				t.Errorf("write %v: %d requests, want %d: %v", write, g.count(), want, err)
			}
		})
	}
}

// The probe of Settle goes out with the caller's options.
func TestSettleOptions(t *testing.T) {
	t.Parallel()
	c, g := clientFor(t, replyJSON(okReply))
	if _, err := c.Renewals.Settle(t.Context(), &SettleRequest{Submit: unknownSubmit()}, CallSession("mine"), CallMember("extra", "x")); err != nil {
		t.Fatal(err)
	}
	if got := g.last(t).query(t)["session"]; got != "mine" {
		t.Errorf("session %q", got)
	}
}

// A nil pointer is no limiter.
func TestNilLimiter(t *testing.T) {
	t.Parallel()
	for _, l := range []Limiter{nil, (*nilLimiter)(nil)} {
		if _, err := NewClient(testAppKey, testSecret, WithLimiter(l)); err == nil {
			t.Errorf("%T is taken", l)
		}
	}
}

type nilLimiter struct{ n int }

func (l *nilLimiter) Wait(context.Context) error { l.n++; return nil }

// A write that may have been carried out is to be settled, not to be sent again
// after a while.
func TestNoRetryAfterUnknown(t *testing.T) {
	t.Parallel()
	c, _ := clientFor(t, inTurn(failure(t, "EOF"), banFor("60")), withFakeTime(&fakeTime{}))
	_, err := send(t.Context(), c, true, CallRepeatUnknown())
	if after, ok := RetryAfter(err); ok || !errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("RetryAfter is %v: %v", after, err)
	}
}
