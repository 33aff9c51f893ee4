package durable_test

import (
	"context"
	"log/slog"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fliggy-go/rentcar/durable"
)

func TestConfigRefused(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	const bounds = "want more than zero, a year at most, or 0 for the default"
	for want, cfg := range map[string]durable.Config{
		"durable: Config.Workers: -1: want 1 at least, or 0 for the default":   {Workers: -1},
		`durable: Config.Name: "a b": want printable ASCII, 100 bytes at most`: {Name: "a b"},
		"durable: Config.Timeout: -1s: " + bounds:                              {Timeout: -time.Second},
		"durable: Config.Timeout: 2562047h47m16.854775807s: " + bounds:         {Timeout: math.MaxInt64},
		"durable: Config.Poll: -1ns: " + bounds:                                {Poll: -1},
		"durable: Config.MinDelay: -1ns: " + bounds:                            {MinDelay: -1},
		"durable: Config.MinDelay: 8760h0m0.000000001s: " + bounds:             {MinDelay: year + 1},
		"durable: Config.MaxDelay: 8760h0m0.000000001s: " + bounds:             {MinDelay: 1, MaxDelay: year + 1},
		"durable: Config.MaxDelay: 1ns: want at least MinDelay":                {MinDelay: 2, MaxDelay: 1},
	} {
		if q, err := durable.NewQueue("q", durable.NewMemoryStore(), cfg); q != nil || err == nil || err.Error() != want {
			t.Errorf("NewQueue = %v, %v; want the error %s", q, err, want)
		}
	}
}

func TestConfigBounds(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	q, err := durable.NewQueue(strings.Repeat("q", 100), durable.NewMemoryStore(), durable.Config{
		Name: strings.Repeat("~", 100), Workers: 1, Timeout: year, Poll: 1, MinDelay: 1, MaxDelay: year, Clock: time.Now,
		Observer: func(context.Context, durable.Observation) {}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil || q == nil {
		t.Errorf("NewQueue = %v, %v; want a queue", q, err)
	}
}

// Two queues that are given the same name, as inboxes are, live side by side.
func TestConfigName(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := durable.NewMemoryStore()
		seen := &recorder{}
		first := newQueue(t, store, durable.Config{})
		second := newQueue(t, store, durable.Config{Name: "second", Observer: seen.observe})
		add(t, first, "a")
		add(t, second, "a")
		stop := run(t, second, func(_ context.Context, i *durable.Item) error {
			if i.Queue != "second" {
				t.Errorf("the second queue works on %v", i)
			}
			return nil
		})
		<-time.After(time.Hour)
		_ = stop()
		if r := seen.one(t); !r.Done || r.Queue != "second" || second.String() != "Queue(second, 1 workers, store redacted)" {
			t.Errorf("result %+v of %v; want the name of the Config", r, second)
		}
		if got := store.String(); got != "MemoryStore(1 waiting, 0 parked, 1 done, content redacted)" {
			t.Errorf("%s; want the item of the first queue to wait", got)
		}
	})
}

// The clock of the Config says what is due.
func TestConfigClock(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	var asked, until time.Time
	ctx, cancel := context.WithCancel(t.Context())
	store := &hooked{MemoryStore: durable.NewMemoryStore(), claim: func(n, u time.Time) error {
		asked, until = n, u
		cancel()
		return nil
	}}
	var due time.Time
	q := newQueue(t, store, durable.Config{
		Clock: func() time.Time { return now }, Timeout: time.Second,
		Observer: func(_ context.Context, r durable.Observation) { due = r.Due },
	})
	add(t, q, "a")
	_ = q.Run(ctx, func(context.Context, *durable.Item) error { now = now.Add(time.Hour); return errWork })
	if !asked.Equal(now.Add(-time.Hour)) || !until.Equal(asked.Add(61*time.Second)) || !due.Equal(now.Add(time.Second)) {
		t.Errorf("claimed at %v until %v, due again at %v; want the times of the clock", asked, until, due)
	}
}
