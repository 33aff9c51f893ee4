package sqlstore_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/qimen"
	"github.com/fliggy-go/rentcar/sqlstore"
)

// A process whose clock is five minutes off takes no item and no message from another, though claims last for two
// minutes, and loses none to it. The bubble of synctest is that process: its clock stands where it is put.
func TestClockFiveMinutesOff(t *testing.T) {
	t.Parallel()
	for _, off := range []time.Duration{-5 * time.Minute, 5 * time.Minute} {
		t.Run(off.String(), func(t *testing.T) {
			t.Parallel()
			servers(t, func(t *testing.T, e engine) {
				t.Parallel()
				clockOff(t, e, off)
			})
		})
	}
}

func clockOff(t *testing.T, e engine, off time.Duration) {
	right, db := newStore(t, e)
	q := newQueue(t, right, "q", 1)
	message := [3]string{"key", "digest", "signature"}
	gate := openGate(t, e, db, sqlstore.GateConfig{Lease: 2 * time.Minute})
	if c, err := gate.Begin(t.Context(), message[0], message[1], message[2]); err != nil || c.State != qimen.ClaimNew {
		t.Fatal(c, err)
	}

	took := make(chan string, 10)
	hold := func(who string, release <-chan struct{}) func(context.Context, *durable.Item) error {
		return func(_ context.Context, i *durable.Item) error {
			took <- fmt.Sprintf("%s takes %s, attempt %d", who, i.ID, i.Attempt)
			<-release
			return nil
		}
	}
	add := func(ctx context.Context, q *durable.Queue, id string) {
		if isNew, err := q.Add(ctx, id, "", nil); !isNew || err != nil {
			t.Errorf("Add = %v, %v", isNew, err)
		}
	}
	late := time.After(time.Minute)
	want := func(what string) {
		t.Helper()
		select {
		case got := <-took:
			if got != what {
				t.Errorf("%s; want: %s", got, what)
			}
		case <-late:
			t.Errorf("nothing happens; want: %s", what)
		}
	}

	ctx, stop := context.WithCancel(t.Context())
	rightRelease, wrongRelease, adds := make(chan struct{}), make(chan struct{}), make(chan string)
	var all sync.WaitGroup
	all.Go(func() { _ = q.Run(ctx, hold("right", rightRelease)) })
	add(ctx, q, "a")
	want("right takes a, attempt 1")

	from, now := originOf(db), time.Now().Round(0) // it is compared with that of the bubble
	all.Go(func() {
		synctest.Test(t, func(t *testing.T) {
			<-time.After(time.Until(now.Add(off))) // it takes no time
			db := pool(t, from.driver, from.dsn, 4)
			gate := openGate(t, e, db, sqlstore.GateConfig{})
			c, err := gate.Begin(t.Context(), message[0], message[1], message[2])
			if err != nil || c.State != qimen.ClaimRunning {
				t.Errorf("a message that another process has is %s, %v; want it running", c.State, err)
			}
			wrong, err := sqlstore.New(t.Context(), db, e.dialect, sqlstore.Config{})
			if err != nil {
				t.Fatal(err)
			}
			q := newQueue(t, wrong, "q", 3)
			ctx, stop := context.WithCancel(t.Context())
			var run sync.WaitGroup
			run.Go(func() { _ = q.Run(ctx, hold("wrong", wrongRelease)) })
			for id := range adds { // of this process, since Run has to be woken: no time passes
				add(ctx, q, id)
			}
			stop()
			run.Wait()
		})
	})
	adds <- "b"
	want("wrong takes b, attempt 1")
	adds <- "c"
	want("wrong takes c, attempt 1")
	close(rightRelease) // who has nothing in hand now
	add(ctx, q, "d")
	want("right takes d, attempt 1")
	close(wrongRelease)
	close(adds)
	stop()
	all.Wait()
	count, err := right.Count(t.Context(), "q")
	if err != nil || count.Waiting != 0 || len(took) != 0 {
		t.Errorf("%+v, %v, %d more attempts; want all done", count, err, len(took))
	}
}
