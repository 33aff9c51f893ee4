package durable_test

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/durable"
)

// otherDigest is that of nothing known.
const otherDigest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestAdd(t *testing.T) {
	t.Parallel()
	store := durable.NewMemoryStore()
	now := time.Date(2026, 11, 22, 9, 0, 0, 5, time.UTC)
	q := newQueue(t, store, durable.WithClock(func() time.Time { return now }))
	other, err := durable.NewQueue("other", store)
	if err != nil {
		t.Fatal(err)
	}
	data := []byte("data")
	const digest = "3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7" // SHA-256
	for _, c := range []struct {
		name, id, digest string
		data             []byte
		wantNew          bool
		wantErr          error
	}{
		{"new", "a", "", data, true, nil},
		{"repeat", "a", "", data, false, nil},
		{"repeat by its digest", "a", digest, []byte("told otherwise"), false, nil},
		{"other content", "a", "", []byte("other"), false, durable.ErrConflict},
		{"other digest", "a", otherDigest, data, false, durable.ErrConflict},
		{"new with a digest", "b", otherDigest, data, true, nil},
		{"no data", "c", "", nil, true, nil},
	} {
		isNew, err := q.Add(t.Context(), c.id, c.digest, c.data)
		if isNew != c.wantNew || !errors.Is(err, c.wantErr) {
			t.Errorf("%s: Add = %v, %v; want %v, %v", c.name, isNew, err, c.wantNew, c.wantErr)
		}
	}
	const conflict = "durable: test.queue: a: another item has this id"
	if _, err := q.Add(t.Context(), "a", otherDigest, nil); err == nil || err.Error() != conflict {
		t.Errorf("the error of a conflict is %v", err)
	}
	if isNew, err := other.Add(t.Context(), "a", otherDigest, nil); !isNew || err != nil {
		t.Errorf("Add to another queue = %v, %v; want a new item", isNew, err)
	}
	got, err := store.Claim(t.Context(), "test.queue", now, now.Add(time.Hour))
	want := &durable.Item{Queue: "test.queue", ID: "a", Digest: digest, Data: data, Attempt: 1,
		Added: now, Due: now.Add(time.Hour)}
	if diff := cmp.Diff(fields(want), fields(got)); diff != "" || err != nil {
		t.Errorf("the stored item (-want +got), error %v:\n%s", err, diff)
	}
}

// fields shows what an Item does not.
func fields(i *durable.Item) any {
	type open durable.Item
	return (*open)(i)
}

func TestAddRefusesNames(t *testing.T) {
	t.Parallel()
	q := newQueue(t, durable.NewMemoryStore())
	const rule = "want printable ASCII, 300 bytes at most"
	const wrongDigest = "durable: test.queue: a: the digest: want 64 lower-case hexadecimal digits"
	for _, c := range []struct{ id, digest, want string }{
		{"", "", `durable: test.queue: item id "": ` + rule},
		{"a b", "", `durable: test.queue: item id "a b": ` + rule},
		{"a\n", "", `durable: test.queue: item id "a\n": ` + rule},
		{"\x7f", "", `durable: test.queue: item id "\x7f": ` + rule},
		{"订单", "", `durable: test.queue: item id "订单": ` + rule},
		{strings.Repeat("x", 301), "", `durable: test.queue: item id "` + strings.Repeat("x", 80) + `": ` + rule},
		{"a", otherDigest[1:], wrongDigest},
		{"a", otherDigest + "0", wrongDigest},
		{"a", otherDigest[1:] + "g", wrongDigest},
		{"a", otherDigest + "\n", wrongDigest},
		{"a", strings.ToUpper(otherDigest), wrongDigest},
	} {
		isNew, err := q.Add(t.Context(), c.id, c.digest, nil)
		if isNew || err == nil || err.Error() != c.want {
			t.Errorf("Add(%.20q, %.20q) = %v, %v; want the error %s", c.id, c.digest, isNew, err, c.want)
		}
	}
	var none context.Context
	if isNew, err := q.Add(none, "a", "", nil); isNew || err == nil || err.Error() != "durable: test.queue: storing a: the context is nil" {
		t.Errorf("Add without a context = %v, %v", isNew, err)
	}
	if isNew, err := q.Add(t.Context(), strings.Repeat("~", 299)+"!", otherDigest, nil); !isNew || err != nil {
		t.Errorf("Add of the longest name = %v, %v; want a new item", isNew, err)
	}
}

func TestNewQueueRefusesBadOptions(t *testing.T) {
	t.Parallel()
	const bounds = "want more than zero, a year at most"
	const backoff = "want more than zero, the second not below the first, a year at most"
	for want, opt := range map[string]durable.Option{
		"durable: option 1 is nil":                                                    nil,
		"durable: WithWorkers: 0: want 1 at least":                                    durable.WithWorkers(0),
		`durable: WithName: "a b": want printable ASCII, 100 bytes at most`:           durable.WithName("a b"),
		"durable: WithTimeout: 0s: " + bounds:                                         durable.WithTimeout(0),
		"durable: WithTimeout: -1s: " + bounds:                                        durable.WithTimeout(-time.Second),
		"durable: WithTimeout: 2562047h47m16.854775807s: " + bounds:                   durable.WithTimeout(math.MaxInt64),
		"durable: WithPoll: 0s: " + bounds:                                            durable.WithPoll(0),
		"durable: WithBackoff: 0s, 1s: " + backoff:                                    durable.WithBackoff(0, time.Second),
		"durable: WithBackoff: 1s, 1ms: " + backoff:                                   durable.WithBackoff(time.Second, time.Millisecond),
		"durable: WithBackoff: 1s, 2562047h47m16.854775807s: " + backoff:              durable.WithBackoff(time.Second, math.MaxInt64),
		"durable: WithClock: the function is nil":                                     durable.WithClock(nil),
		"durable: WithObserver: the function is nil":                                  durable.WithObserver(nil),
		"durable: WithLogger: the logger is nil: leave the option out to log nothing": durable.WithLogger(nil),
	} {
		if q, err := durable.NewQueue("q", durable.NewMemoryStore(), opt); q != nil || err == nil || err.Error() != want {
			t.Errorf("NewQueue = %v, %v; want the error %s", q, err, want)
		}
	}
}

func TestNewQueueListsAllProblems(t *testing.T) {
	t.Parallel()
	_, err := durable.NewQueue("a queue", nil, durable.WithWorkers(-1), nil)
	want := `durable: the store is nil
durable: queue name "a queue": want printable ASCII, 100 bytes at most
durable: WithWorkers: -1: want 1 at least
durable: option 2 is nil`
	if err == nil || err.Error() != want {
		t.Errorf("the error is\n%v\nwant\n%s", err, want)
	}
	var none *durable.MemoryStore
	if _, err := durable.NewQueue("q", none); err == nil || err.Error() != "durable: the store is nil" {
		t.Errorf("NewQueue on a nil MemoryStore gives the error %v", err)
	}
	for _, name := range []string{"", "é", strings.Repeat("q", 101)} {
		if _, err := durable.NewQueue(name, durable.NewMemoryStore()); err == nil || !strings.Contains(err.Error(), "queue name") {
			t.Errorf("NewQueue(%q) gives the error %v; want one about the name", name, err)
		}
		_, err := durable.NewQueue("q", durable.NewMemoryStore(), durable.WithName(name))
		if err == nil || !strings.Contains(err.Error(), "durable: WithName: ") {
			t.Errorf("WithName(%q) gives the error %v; want one about the name", name, err)
		}
	}
}

func TestNewQueueTakesTheBounds(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	q, err := durable.NewQueue(strings.Repeat("q", 100), durable.NewMemoryStore(),
		durable.WithName(strings.Repeat("~", 100)), durable.WithWorkers(1), durable.WithTimeout(year),
		durable.WithPoll(1), durable.WithBackoff(1, year), durable.WithClock(time.Now), durable.WithObserver(func(context.Context, durable.Observation) {}),
		durable.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil || q == nil {
		t.Errorf("NewQueue = %v, %v; want a queue", q, err)
	}
}

// Two queues that are given the same name, as inboxes are, live side by side.
func TestWithName(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := durable.NewMemoryStore()
		seen := &recorder{}
		first := newQueue(t, store)
		second := newQueue(t, store, durable.WithName("second"), durable.WithObserver(seen.observe))
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
			t.Errorf("result %+v of %v; want the name of the option", r, second)
		}
		if got := store.String(); got != "MemoryStore(1 waiting, 0 parked, 1 done, content redacted)" {
			t.Errorf("%s; want the item of the first queue to wait", got)
		}
	})
}

// The clock of the option tells what is due.
func TestWithClock(t *testing.T) {
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
	q := newQueue(t, store, durable.WithClock(func() time.Time { return now }), durable.WithTimeout(time.Second),
		durable.WithObserver(func(_ context.Context, r durable.Observation) { due = r.Due }))
	add(t, q, "a")
	_ = q.Run(ctx, func(context.Context, *durable.Item) error { now = now.Add(time.Hour); return errWork })
	if !asked.Equal(now.Add(-time.Hour)) || !until.Equal(asked.Add(61*time.Second)) || !due.Equal(now.Add(time.Second)) {
		t.Errorf("claimed at %v until %v, due again at %v; want the times of the clock", asked, until, due)
	}
}
