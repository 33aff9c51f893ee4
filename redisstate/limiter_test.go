package redisstate_test

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/redisstate"
)

// daily is the slowest rate: within a test the burst is all that passes.
func daily(burst int) redisstate.Rate {
	return redisstate.Rate{PerSecond: 1. / (24 * 60 * 60), Burst: burst}
}

// newLimiter makes a limiter with a client of its own.
func newLimiter(t testing.TB, addr string, cfg redisstate.LimiterConfig) *redisstate.Limiter {
	t.Helper()
	cfg.App = "12345678"
	l, err := redisstate.NewLimiter(t.Context(), connect(t, addr), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// soon is a context with a deadline that is not reached.
func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	t.Cleanup(cancel)
	return ctx
}

// passes counts the calls that pass at once, of n at once to each limiter.
func passes(t testing.TB, n int, method string, limiters ...*redisstate.Limiter) int {
	t.Helper()
	ctx := soon(t)
	var count atomic.Int64
	var wg sync.WaitGroup
	for _, l := range limiters {
		for range n {
			wg.Go(func() {
				if err := l.WaitMethod(ctx, method); err == nil {
					count.Add(1)
				} else {
					wantError(t, err, "redisstate: the next call is due in ", ", which is after the deadline")
				}
			})
		}
	}
	wg.Wait()
	return int(count.Load())
}

// Two processes together have one burst for all calls and one for each API.
func TestLimiter(t *testing.T) {
	cfg := redisstate.LimiterConfig{
		Config: redisstate.Config{Prefix: freshPrefix(t)},
		Total:  daily(50), EachAPI: daily(7), APIs: map[string]redisstate.Rate{"x.c": daily(0), "free": {}},
	}
	a, b := newLimiter(t, address(), cfg), newLimiter(t, address(), cfg)
	for _, step := range []struct {
		method string
		want   int
	}{
		{"x.a", 7}, {"x.b", 7}, {"x.a", 0}, {"x.c", 1}, {"free", 35}, {"x.d", 0}, {"free", 0},
	} {
		if n := passes(t, 40, step.method, a, b); n != step.want {
			t.Errorf("%s: %d pass, want %d", step.method, n, step.want)
		}
	}
	if err := a.Wait(soon(t)); err == nil {
		t.Error("Wait passes after the burst")
	}
	if a.Err() != nil || b.Err() != nil {
		t.Errorf("%v, %v", a.Err(), b.Err())
	}
}

// Calls wait for their turn, also where the script is forgotten meanwhile.
func TestLimiterSpacesOut(t *testing.T) {
	const calls, gap = 40, 5 * time.Millisecond
	cfg := redisstate.LimiterConfig{
		Config: redisstate.Config{Prefix: freshPrefix(t)}, Total: redisstate.Rate{PerSecond: float64(time.Second / gap)},
	}
	limiters := []*redisstate.Limiter{newLimiter(t, address(), cfg), newLimiter(t, address(), cfg)}
	start := time.Now()
	var wg sync.WaitGroup
	for i := range calls {
		wg.Go(func() {
			if err := limiters[i%2].Wait(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	if err := server(t).ScriptFlush(t.Context()).Err(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if took := time.Since(start); took < (calls-2)*gap {
		t.Errorf("%d calls, %v apart, took %v", calls, gap, took)
	}
}

// A call whose context ends stops waiting, and one whose context is over does not begin to.
func TestLimiterAndContexts(t *testing.T) {
	l := newLimiter(t, address(), redisstate.LimiterConfig{
		Config: redisstate.Config{Prefix: freshPrefix(t)}, EachAPI: daily(1),
	})
	ctx, cancel := context.WithCancel(t.Context())
	if err := l.WaitMethod(ctx, "x"); err != nil {
		t.Fatal(err)
	}
	over := make(chan error)
	go func() { over <- l.WaitMethod(ctx, "x") }()
	cancel()
	if err := <-over; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	for _, method := range []string{"x", "y"} {
		if err := l.WaitMethod(ctx, method); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", method, err)
		}
	}
	if err := l.Wait(ctx); !errors.Is(err, context.Canceled) { // there is no limit for it
		t.Errorf("%v", err)
	}
	if l.Err() != nil {
		t.Errorf("Err = %v, after contexts of callers ended", l.Err())
	}
}

// A Redis that takes questions and answers none: a call with little time goes on by what the process knows, and the
// next ones do not ask.
func TestLimiterWhenRedisHangs(t *testing.T) {
	var hangs atomic.Bool
	l := newLimiter(t, hangable(t, &hangs), redisstate.LimiterConfig{
		Config: redisstate.Config{Prefix: freshPrefix(t)}, EachAPI: daily(2),
	})
	hangs.Store(true)
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		if err := l.WaitMethod(ctx, "x"); err != nil {
			t.Error(err)
		}
		cancel()
	}
	if l.Err() == nil {
		t.Error("Err = nil")
	}
}

// A call that has hardly any time left says nothing about Redis: the others go on to ask it.
func TestLimiterAndShortDeadlines(t *testing.T) {
	l := newLimiter(t, address(), redisstate.LimiterConfig{
		Config: redisstate.Config{Prefix: freshPrefix(t)}, EachAPI: daily(1000),
	})
	for range 50 {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Microsecond)
		_ = l.WaitMethod(ctx, "x") // in time or not
		cancel()
		if err := l.Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// hangable is the address of the server behind a connection that carries no answers while hangs is set.
func hangable(t *testing.T, hangs *atomic.Bool) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	t.Cleanup(group.Wait)
	t.Cleanup(func() { _ = l.Close() })
	group.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := new(net.Dialer).DialContext(context.WithoutCancel(t.Context()), "tcp", address())
			if err != nil {
				t.Error(err)
				_ = client.Close()
				continue
			}
			group.Go(func() {
				_, _ = io.Copy(server, client)
				_ = server.Close()
			})
			group.Go(func() {
				buffer := make([]byte, 4096)
				for n, err := server.Read(buffer); err == nil; n, err = server.Read(buffer) {
					if !hangs.Load() {
						_, _ = client.Write(buffer[:n])
					}
				}
				_ = client.Close()
			})
		}
	})
	return l.Addr().String()
}

// The limiter tells the client of its deadline, and knows the method.
func TestLimiterOfAClient(t *testing.T) {
	l := newLimiter(t, address(), redisstate.LimiterConfig{
		Config: redisstate.Config{Prefix: freshPrefix(t)}, APIs: map[string]redisstate.Rate{
			"alitrip.rentcar.btb.city.query": daily(1),
		},
	})
	gw := fliggytest.NewGateway()
	t.Cleanup(gw.Close)
	client, err := gw.Client(rentcar.WithLimiter(l))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		_, err := client.Cities.Query(soon(t), &rentcar.CityQueryRequest{ChannelID: fliggy.ChannelAmap})
		var limited *rentcar.RateLimitError
		if i == 0 && err != nil || i == 1 && !errors.As(err, &limited) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if _, err := client.Vehicles.Query(
		soon(t), &rentcar.VehicleQueryRequest{ChannelID: fliggy.ChannelAmap, Page: 1, PageSize: 100},
	); err != nil {
		t.Errorf("another API: %v", err)
	}
}

func TestLimiterConfigs(t *testing.T) {
	_, err := redisstate.NewLimiter(t.Context(), nil, redisstate.LimiterConfig{
		Config: redisstate.Config{Prefix: "{"}, Total: redisstate.Rate{PerSecond: math.NaN()},
		EachAPI: redisstate.Rate{PerSecond: 1, Burst: -1}, APIs: map[string]redisstate.Rate{"x": {Burst: 2}},
	})
	wantError(t, err, "LimiterConfig.Prefix: must not contain braces", "LimiterConfig: the app must be an app key",
		"LimiterConfig.Total: calls per second must be", "LimiterConfig.EachAPI: the burst must be",
		`LimiterConfig.APIs["x"]: calls per second must be`)
	_, err = redisstate.NewLimiter(t.Context(), nil, redisstate.LimiterConfig{App: "1"})
	wantError(t, err, "LimiterConfig: has no rate: set Total, EachAPI or APIs")
	_, err = redisstate.NewLimiter(t.Context(), nil, redisstate.LimiterConfig{App: "1", Total: daily(1)})
	wantError(t, err, "redisstate: the Redis client is nil")
}
