package rentcar

import (
	"context"
	"errors"
	"math"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// outage is a gateway that is down, or not.
type outage struct{ over atomic.Bool }

func (o *outage) respond(r *http.Request) (*http.Response, error) {
	if o.over.Load() {
		return replyJSON(okReply)(r)
	}
	return gatewayFailure("10", "", "")(r)
}

// An outage is not multiplied: however many calls fail, one after the other, no
// more than the budget is sent besides. Successes give a tenth back each.
func TestBudgetInAnOutage(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	var o outage
	c, g := clientFor(t, o.respond, withFakeTime(&fakeTime{}))
	down := func(calls, repeated int) (last error) {
		t.Helper()
		o.over.Store(false)
		before := g.count()
		for range calls {
			_, last = queryOrder(ctx, c)
		}
		if sent := g.count() - before; sent != calls+repeated {
			t.Errorf("%d calls were sent %d times, want %d more", calls, sent, repeated)
		}
		return last
	}
	err := down(100, DefaultRetryBudget)
	if e := as[*GatewayError](t, err); e.Code != "10" || e.Attempts != 1 || !errors.Is(err, ErrUnavailable) {
		t.Errorf("%+v", e)
	}
	diff(t, "text", "rentcar: alitrip.rentcar.btb.order.query: gateway error 10: Failed [request_id r7] "+
		"(not sent again: the retry budget of the client is spent)", err.Error())
	_ = down(10, 0)
	for _, tc := range []struct{ successes, repeated int }{{9, 0}, {1, 1}, {35, 3}, {5, 1}, {1000, DefaultRetryBudget}} {
		o.over.Store(true)
		for range tc.successes {
			if _, err := queryOrder(ctx, c); err != nil {
				t.Fatal(err)
			}
		}
		_ = down(50, tc.repeated)
	}
}

// The budget is one for all calls of a client, reads and writes, at once; another
// client has its own.
func TestBudgetIsShared(t *testing.T) {
	t.Parallel()
	const callers, each = 20, 10
	var o outage
	at := time.Now()
	c, g := clientFor(t, func(r *http.Request) (*http.Response, error) {
		if r.URL.Query().Get("method") == opRenewalCancel.Method && !o.over.Load() {
			return dialFailure()(r)
		}
		return o.respond(r)
	}, withRetries(), WithClock(func() time.Time { return at }), WithSleep(
		func(context.Context, time.Duration) error { return nil },
	))
	all := func() {
		var wg sync.WaitGroup
		for i := range callers {
			wg.Go(func() {
				for range each {
					_, _ = send(context.Background(), c, i%2 == 0)
				}
			})
		}
		wg.Wait()
	}
	all()
	if n := g.count(); n != callers*each+DefaultRetryBudget {
		t.Errorf("%d calls were sent %d times", callers*each, n)
	}
	o.over.Store(true)
	all()
	if left := c.budget.tenths; left != 10*DefaultRetryBudget {
		t.Errorf("%d tenths are left after %d successes", left, callers*each)
	}
	other, g2 := clientFor(t, gatewayFailure("10", "", ""), withFakeTime(&fakeTime{}))
	if _, err := queryOrder(context.Background(), other); g2.count() != 3 {
		t.Errorf("%d requests of another client: %v", g2.count(), err)
	}
}

// What is no attempt costs nothing: neither calls that are not repeated, nor those
// given up during the wait.
func TestBudgetIsOfAttempts(t *testing.T) {
	t.Parallel()
	ctx, leave := context.WithCancel(context.Background())
	sleeps := 0
	c, g := clientFor(t, gatewayFailure("10", "", ""), WithRetry(
		RetryPolicy{Budget: 1},
	), WithSleep(func(ctx context.Context, _ time.Duration) error {
		if sleeps++; sleeps == 1 {
			leave()
		}
		return ctx.Err()
	}))
	for range 5 {
		_, _ = send(context.Background(), c, true)                   // a write
		_, _ = send(context.Background(), c, false, CallAttempts(1)) // once only
	}
	if _, err := send(ctx, c, false); !errors.Is(err, context.Canceled) || g.count() != 11 {
		t.Errorf("%d requests: %v", g.count(), err)
	}
	if _, err := send(
		context.Background(), c, false,
	); !errors.Is(err, errBudget) || attemptsOf(err) != 2 || g.count() != 13 {
		t.Errorf("%d requests: %v", g.count(), err)
	}
}

// The counter never leaves its bounds, whatever the budget.
func TestBudgetBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.OneOf(
			rapid.IntRange(1, 5), rapid.IntRange(1, math.MaxInt), rapid.IntRange(math.MaxInt-3, math.MaxInt),
		).Draw(t, "budget")
		b := newBudget(n)
		tenths := int64(0) // spent
		for _, take := range rapid.SliceOfN(rapid.Bool(), 0, 100).Draw(t, "steps") {
			if !take {
				b.add(oneSuccess)
				tenths = max(tenths-1, 0)
				continue
			}
			room := (tenths+10+9)/10 <= int64(n) // rounded up
			if got := b.add(-oneRetry); got != room {
				t.Fatalf("took %v after %d tenths of %d", got, tenths, n)
			}
			if room {
				tenths += 10
			}
		}
		if left := b.tenths; left < 0 || b.full-left != tenths {
			t.Fatalf("%d of %d are left, %d spent", left, b.full, tenths)
		}
	})
}

// Racing callers take no more than there is, and no success is lost.
func TestBudgetUnderRace(t *testing.T) {
	t.Parallel()
	b := newBudget(50)
	var taken atomic.Int64
	together := func(do func()) {
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				for range 100 {
					do()
				}
			})
		}
		wg.Wait()
	}
	together(func() {
		if b.add(-oneRetry) {
			taken.Add(1)
		}
	})
	together(func() { b.add(oneSuccess) }) // 1600 tenths, and 500 fit
	if taken.Load() != 50 || b.tenths != 500 {
		t.Errorf("%d taken, %d tenths left", taken.Load(), b.tenths)
	}
}
