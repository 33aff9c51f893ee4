package acceptance

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/fliggy"
)

// durableRows are stores and queues: their items hold whole payloads.
func durableRows() []leakRow {
	item := func() *durable.Item {
		return &durable.Item{
			Queue: "q", ID: "1", Digest: "a digest", Data: []byte(markBody.text + markSession.text), Due: leakTime(),
		}
	}
	// workOn lets a queue fail at its only item, and gives how that went.
	workOn := func(s *leakStage, work func(context.Context, *durable.Item) error) (values []any) {
		ctx, stop := context.WithTimeout(s.t.Context(), time.Minute)
		defer stop()
		store := durable.NewMemoryStore()
		queue, err := durable.NewQueue("q", store, durable.Config{
			Logger: s.logger(),
			Observer: func(_ context.Context, r durable.Observation) {
				var panicked *fliggy.PanicError
				if errors.As(r.Err, &panicked) {
					panicked.Stack = nil // the names of this test
				}
				s.observe(r)
				values = append(values, r.Err)
				stop()
			},
		})
		if err != nil {
			s.t.Fatal(err)
		}
		if _, err := queue.Add(ctx, "1", "", item().Data); err != nil {
			s.t.Fatal(err)
		}
		if err := queue.Run(ctx, work); !errors.Is(err, context.Canceled) {
			s.t.Error(err)
		}
		for _, p := range store.Parked("q") {
			values = append(values, p)
		}
		return append(values, queue, store)
	}
	rows := []leakRow{{
		name: "durable, items", covers: []string{"durable.Item.MarshalJSON"}, want: "redacted",
		run: func(*testing.T, *leakStage) []any {
			text, err := item().MarshalJSON()
			return append(all(err), string(text), item(), *item(), []*durable.Item{item()}, durable.ParkedItem{Item: *item()})
		},
	}, {
		name: "durable, queue", covers: []string{"durable.NewQueue", "durable.Queue.Add", "durable.Queue.Run"},
		want: "want printable ASCII",
		run: func(t *testing.T, _ *leakStage) []any {
			queue, err := durable.NewQueue("q", durable.NewMemoryStore(), durable.Config{})
			if err != nil {
				t.Fatal(err)
			}
			_, known := queue.Add(t.Context(), "1", "", item().Data)
			_, conflict := queue.Add(t.Context(), "1", "", []byte(markSecret.text))
			_, bad := queue.Add(t.Context(), "", "", item().Data)
			failing, err := durable.NewQueue("q", brokenStore{}, durable.Config{})
			if err != nil {
				t.Fatal(err)
			}
			_, failed := failing.Add(t.Context(), "1", "", item().Data)
			return all(known, conflict, bad, failed, second(durable.NewQueue("", nil, durable.Config{})),
				queue.Run(t.Context(), nil))
		},
	}, {
		name: "durable, error of the user", covers: []string{"durable.Queue.Run"}, want: "in vain",
		may: leakReasons{markCard: whyOwn}, mayLog: leakReasons{markCard: whyOwn},
		run: func(_ *testing.T, s *leakStage) []any {
			return workOn(s, func(ctx context.Context, _ *durable.Item) error { return quoting(ctx) })
		},
	}, {
		name: "durable, permanent error", covers: []string{"durable.Permanent"}, want: "an error of the user's own",
		run: func(_ *testing.T, s *leakStage) []any {
			return append(
				workOn(s, func(context.Context, *durable.Item) error { return durable.Permanent(errUser) }),
				durable.Permanent(errUser),
			)
		},
	}, {
		name: "durable, panic", covers: []string{"durable.Queue.Run"}, want: "panic", may: leakReasons{markCard: whyPanic},
		mayLog: leakReasons{markCard: whyPanic},
		run: func(_ *testing.T, s *leakStage) []any {
			return workOn(s, func(context.Context, *durable.Item) error { panic(errQuoting) })
		},
	}, {
		name: "durable, memory store", want: "claim is over",
		covers: []string{
			"durable.MemoryStore.Add", "durable.MemoryStore.Claim", "durable.MemoryStore.Do", "durable.MemoryStore.Park",
			"durable.MemoryStore.Retry", "durable.MemoryStore.Release", "durable.MemoryStore.Count",
			"durable.MemoryStore.Atomically",
		},
		run: func(t *testing.T, _ *leakStage) []any {
			store, gone := durable.NewMemoryStore(), item()
			over, cancel := context.WithCancelCause(t.Context())
			cancel(secretCause())
			work := func(context.Context) error { return nil }
			_, err := store.Add(t.Context(), item())
			_, late := store.Add(over, item())
			claimed, failed := store.Claim(t.Context(), "q", leakTime(), leakTime().Add(time.Hour))
			values := append(all(
				err, late, failed, second(store.Count(over, "q")), second(store.Claim(over, "q", leakTime(), leakTime())),
			), claimed)
			gone.Attempt = 7
			return append(append(values, all(store.Do(t.Context(), gone, work), store.Retry(
				t.Context(), gone, leakTime(),
			), store.Park(
				t.Context(), gone, markBody.text,
			),
				store.Do(over, gone, work), store.Retry(
					over, gone, leakTime(),
				), store.Park(over, gone, ""), store.Release("q", "1"), store.Atomically(over, nil))...), store, fmt.Sprint(store))
		},
	}}
	for name, cfg := range map[string]durable.Config{
		"Name": {Name: "a b"}, "Workers": {Workers: -1}, "Timeout": {Timeout: -1}, "Poll": {Poll: -1},
		"MinDelay": {MinDelay: -1}, "MaxDelay": {MinDelay: 2, MaxDelay: 1},
	} {
		rows = append(rows, leakRow{
			name: "NewQueue, " + name, covers: []string{"durable.NewQueue"}, want: "durable: Config." + name,
			run: func(_ *testing.T, s *leakStage) []any {
				return append(all(second(durable.NewQueue("q", durable.NewMemoryStore(), cfg))), durable.Config{Logger: s.logger()})
			},
		})
	}
	return rows
}
