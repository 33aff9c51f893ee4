package durable_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fliggy-go/rentcar/durable"
)

// A timed store has a clock.
type timed struct {
	*durable.MemoryStore
	ahead time.Duration // of that of the process

	mu    sync.Mutex
	tell  func(ctx context.Context) (time.Time, error) // in the place of the clock, where there is one
	asked []time.Time                                  // when, by the process
	dues  []time.Time                                  // of what was added
	hurry []time.Duration                              // how long the answer may take
}

func newTimed(ahead time.Duration) *timed {
	return &timed{MemoryStore: durable.NewMemoryStore(), ahead: ahead}
}

func (s *timed) Now(ctx context.Context) (time.Time, error) {
	s.mu.Lock()
	s.asked = append(s.asked, time.Now())
	if end, ok := ctx.Deadline(); ok {
		s.hurry = append(s.hurry, time.Until(end))
	}
	tell := s.tell
	s.mu.Unlock()
	if tell != nil {
		return tell(ctx)
	}
	return time.Now().Add(s.ahead).Round(0), nil // it has no monotonic clock
}

func (s *timed) Add(ctx context.Context, item *durable.Item) (*durable.Item, error) {
	s.mu.Lock()
	s.dues = append(s.dues, item.Due)
	s.mu.Unlock()
	return s.MemoryStore.Add(ctx, item)
}

// set says what the clock tells from now on.
func (s *timed) set(tell func(context.Context) (time.Time, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tell = tell
}

// times is how often the clock was asked since the last call.
func (s *timed) times() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.asked)
	s.asked = nil
	return n
}

// wantAhead checks the due time of the last item that was added.
func (s *timed) wantAhead(t *testing.T, want time.Duration) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := time.Until(s.dues[len(s.dues)-1]); d != want {
		t.Errorf("an item was due in %v; want %v, by the clock of the store", d, want)
	}
}

func never(ctx context.Context) (time.Time, error) {
	<-ctx.Done()
	return time.Time{}, ctx.Err()
}

func noTime(context.Context) (time.Time, error) { return time.Time{}, errStore }

func TestQueueGoesByTheClockOfTheStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newTimed(5 * time.Hour)
		q := newQueue(t, store, durable.Config{})
		add(t, q, "a")
		store.wantAhead(t, 5*time.Hour)
		worked := 0
		stop := run(t, q, func(context.Context, *durable.Item) error {
			worked++
			return nil
		})
		synctest.Wait()
		_ = stop()
		if worked != 1 {
			t.Error("an item that is due by the clock of the store was not worked on")
		}
	})
}

func TestClockIsAskedOnceAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newTimed(-time.Hour)
		q := newQueue(t, store, durable.Config{})
		begin := time.Now()
		for n := range 600 { // 10 minutes
			add(t, q, strings.Repeat("a", n%290+1)+strings.Repeat("b", n/290))
			store.wantAhead(t, -time.Hour)
			<-time.After(time.Second)
		}
		if n := store.times(); n != 10 {
			t.Errorf("the clock was asked %d times in 10 minutes; want once a minute", n)
		}
		// Between two questions the process counts, whatever the store would tell.
		store.ahead = time.Hour
		add(t, q, "next")
		store.wantAhead(t, time.Hour)
		store.ahead = -time.Hour
		<-time.After(59 * time.Second)
		add(t, q, "before")
		store.wantAhead(t, time.Hour)
		<-time.After(time.Second)
		add(t, q, "after")
		store.wantAhead(t, -time.Hour)
		if d := time.Since(begin); d != 11*time.Minute {
			t.Errorf("it took %v", d)
		}
	})
}

// The clock was read on half the way.
func TestClockThatAnswersLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newTimed(0)
		store.tell = func(context.Context) (time.Time, error) {
			<-time.After(time.Second)
			now := time.Now()
			<-time.After(time.Second)
			return now.Round(0), nil
		}
		add(t, newQueue(t, store, durable.Config{}), "a")
		store.wantAhead(t, 0)
	})
}

func TestOwnClockWins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newTimed(time.Hour)
		q := newQueue(t, store, durable.Config{Clock: time.Now})
		add(t, q, "a")
		store.wantAhead(t, 0)
		stop := run(t, q, func(context.Context, *durable.Item) error { return errWork })
		<-time.After(10 * time.Minute)
		_ = stop()
		if n := store.times(); n != 0 {
			t.Errorf("the clock of the store was asked %d times; want never", n)
		}
	})
}

func TestClockFailsAtFirst(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tell func(context.Context) (time.Time, error)
		want string
	}{
		"error": {noTime, "the store failed"},
		"panic": {func(context.Context) (time.Time, error) { panic("boom") }, "panic in the store: boom"},
		"zero":  {func(context.Context) (time.Time, error) { return time.Time{}, nil }, "it gave the zero time"},
		"hangs": {never, "context deadline exceeded"},
	} {
		synctest.Test(t, func(t *testing.T) {
			seen := &recorder{}
			store := newTimed(time.Hour)
			store.tell = c.tell
			q := newQueue(t, store, durable.Config{Observer: seen.observe})
			const clock = "the store's clock: "
			isNew, err := q.Add(t.Context(), "a", "", nil)
			if isNew || err == nil || err.Error() != "durable: test.queue: storing a: "+clock+c.want {
				t.Errorf("%s: Add = %v, %v; want an error that names the clock of the store", name, isNew, err)
			}
			stop := run(t, q, func(context.Context, *durable.Item) error { return nil })
			<-time.After(31 * time.Second)
			all := seen.all()
			if len(all) == 0 || all[0].Err.Error() != "durable: test.queue: claiming: "+clock+c.want {
				t.Errorf("%s: results %v; want an error that names the clock of the store", name, all)
			}
			store.set(nil) // it is asked again before the next claim
			<-time.After(time.Minute)
			add(t, q, "a")
			synctest.Wait()
			_ = stop()
			if all := seen.all(); !all[len(all)-1].Done {
				t.Errorf("%s: results when the clock is back: %v; want a done item", name, all)
			}
		})
	}
}

// The process counts on, and asks no more often than else. It does not wait for long.
func TestClockFailsLater(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tell func(context.Context) (time.Time, error)
		late time.Duration
	}{"error": {noTime, 0}, "hangs": {never, 5 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			store := newTimed(time.Hour)
			q := newQueue(t, store, durable.Config{})
			add(t, q, "a")
			<-time.After(time.Minute)
			store.set(c.tell)
			store.times()
			begin := time.Now()
			for n := range 60 {
				add(t, q, strings.Repeat("b", n+1))
				store.wantAhead(t, time.Hour)
			}
			if n := store.times(); n != 1 {
				t.Errorf("%s: the clock was asked %d times; want once", name, n)
			}
			if d := time.Since(begin); d != c.late {
				t.Errorf("%s: it took %v; want %v", name, d, c.late)
			}
			store.ahead = 2 * time.Hour
			store.set(nil)
			<-time.After(time.Minute)
			add(t, q, "c")
			store.wantAhead(t, 2*time.Hour)
		})
	}
}

// Who does not wait for the clock for longer than his context.
func TestClockHangsForACaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newTimed(0)
		store.tell = never
		q := newQueue(t, store, durable.Config{})
		begin := time.Now()
		var all sync.WaitGroup
		for range 3 { // one asks, the others wait for it
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if isNew, err := q.Add(ctx, "a", "", nil); isNew || err == nil ||
					!strings.Contains(err.Error(), "the store's clock: context ") {
					t.Errorf("Add = %v, %v; want an error that names the clock of the store", isNew, err)
				}
			})
		}
		all.Wait()
		if d := time.Since(begin); d != time.Second {
			t.Errorf("it took %v; want 1s, as their contexts say", d)
		}
	})
}

func TestManyAtOnceAskOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newTimed(time.Hour)
		store.tell = func(context.Context) (time.Time, error) {
			<-time.After(time.Second)
			return time.Now().Add(time.Hour).Round(0), nil
		}
		q := newQueue(t, store, durable.Config{})
		for round, wait := range []time.Duration{time.Second, 0} { // only the first has to wait for the answer
			var all sync.WaitGroup
			var mu sync.Mutex
			waited := 0
			for n := range 100 {
				all.Go(func() {
					begin := time.Now()
					if _, err := q.Add(t.Context(), strings.Repeat("a", round*100+n+1), "", nil); err != nil {
						t.Errorf("Add: %v", err)
					}
					mu.Lock()
					defer mu.Unlock()
					if time.Since(begin) > wait {
						waited++
					}
				})
			}
			all.Wait()
			if n := store.times(); n != 1 || waited > round {
				t.Errorf("round %d: the clock was asked %d times, and %d waited longer than %v", round, n, waited, wait)
			}
			<-time.After(time.Minute)
		}
	})
}

// Do has a transaction, and that the only connection of the pool, say. The clock has another context, and does not ask
// meanwhile.
func TestClockIsNotAskedWithinDo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newTimed(time.Hour)
		q := newQueue(t, store, durable.Config{Timeout: time.Hour})
		out, err := durable.NewQueue("out", store, durable.Config{}) // which was never told the time
		if err != nil {
			t.Fatal(err)
		}
		elsewhere := newTimed(2 * time.Hour)
		far, err := durable.NewQueue("far", elsewhere, durable.Config{})
		if err != nil {
			t.Fatal(err)
		}
		type key struct{}
		add(t, q, "a")
		var problem error
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
		over := make(chan error, 1)
		go func() {
			over <- q.Run(ctx, func(ctx context.Context, _ *durable.Item) error {
				store.times()
				store.set(func(context.Context) (time.Time, error) { return time.Time{}, errors.New("asked within Do") })
				for n := range 5 {
					id := strings.Repeat("b", n+1)
					_, err1 := out.Add(ctx, id, "", nil)
					store.wantAhead(t, time.Hour)
					_, err2 := q.Add(ctx, id, "", nil)
					problem = errors.Join(problem, err1, err2)
					<-time.After(time.Minute)
				}
				if n := store.times(); n != 0 {
					t.Errorf("the clock was asked %d times while Do has its transaction; want never", n)
				}
				// That of another store has to be asked, in no transaction of this one.
				elsewhere.set(func(ctx context.Context) (time.Time, error) {
					if ctx.Value(key{}) != nil {
						t.Error("the clock was asked with the context that Do gave")
					}
					return time.Now().Add(2 * time.Hour), nil
				})
				_, err := far.Add(ctx, "c", "", nil)
				elsewhere.wantAhead(t, 2*time.Hour)
				problem = errors.Join(problem, err)
				store.set(nil)
				cancel()
				return nil
			})
		}()
		if err := <-over; !errors.Is(err, context.Canceled) || problem != nil {
			t.Errorf("Run = %v, Add: %v", err, problem)
		}
	})
}
