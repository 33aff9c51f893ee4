package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/examples/inbox/boltstore"
)

// The environment of a service that tells its steps: which step to stop at, such as
// "fliggy.inbox claimed 2" for the second time that it comes to it, or none; and its database.
const (
	stepEnv     = "INBOX_TEST_STEP"
	databaseEnv = "INBOX_TEST_DATABASE"
	none        = "none"
)

const (
	saysStep     = "step"
	saysCounting = "counting"
	saysIdle     = "idle"
)

// stepper is the service, as serve runs it, on a store that tells its steps.
func stepper() int {
	ctx := untilEnd(context.Background(), os.Stdin)
	c := newConfig(os.Getenv, os.Stdout)
	c.database, c.listen = os.Getenv(databaseEnv), "127.0.0.1:0"
	c.wrap = func(store *boltstore.Store) durable.Store {
		return &steps{
			Store: store, bolt: store, ctx: ctx, log: c.log, stop: os.Getenv(stepEnv),
			seen: map[string]int{}, added: map[string]int{},
		}
	}
	if err := serve(ctx, c); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// steps is a store that tells what happens, before it happens and after.
type steps struct {
	durable.Store
	bolt *boltstore.Store
	ctx  context.Context //nolint:containedctx // that of the process
	log  *slog.Logger
	stop string

	mu    sync.Mutex
	seen  map[string]int // how often by step
	added map[string]int // items that have not been claimed, by queue
}

// at tells a step, or is where the process stops, until it is killed.
func (s *steps) at(queue, what string) {
	step := queue + " " + what
	s.mu.Lock()
	s.seen[step]++
	isStop := step+" "+strconv.Itoa(s.seen[step]) == s.stop
	s.mu.Unlock()
	if !isStop {
		s.log.Info(saysStep, "at", step)
		return
	}
	s.log.Info(saysStopped, "at", step)
	<-s.ctx.Done() // nobody is there any more to kill it
	os.Exit(1)
}

func (s *steps) count(queue string, n int) (left int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.added[queue] += n
	return s.added[queue]
}

// addsKey finds in the context of work how many items it has added to the outbox.
type addsKey struct{}

func (s *steps) Add(ctx context.Context, item *durable.Item) (*durable.Item, error) {
	s.at(item.Queue, "add")
	known, err := s.Store.Add(ctx, item)
	if err == nil && known == nil {
		if n, ok := ctx.Value(addsKey{}).(*int); ok {
			*n++ // it is there when work is done
		} else {
			s.count(item.Queue, 1)
		}
	}
	s.at(item.Queue, "added")
	return known, err
}

func (s *steps) Claim(ctx context.Context, queue string, now, until time.Time) (*durable.Item, error) {
	if s.count(queue, 0) > 0 {
		s.at(queue, "claim")
	}
	item, err := s.Store.Claim(ctx, queue, now, until)
	switch {
	case err != nil:
	case item != nil:
		s.count(queue, -1)
		s.at(queue, "claimed")
	default:
		s.idle(queue)
	}
	return item, err
}

// idle tells how much there is to do. What is done in the inbox may go on in the outbox,
// so that is counted last.
func (s *steps) idle(queue string) {
	s.log.Info(saysCounting, "queue", queue)
	inbox, err := s.bolt.Count(durable.InboxQueue)
	outbox, problem := s.bolt.Count(durable.OutboxQueue)
	if err == nil && problem == nil {
		s.log.Info(saysIdle, "queue", queue, "inbox", inbox.Waiting+inbox.Claimed, "outbox", outbox.Waiting+outbox.Claimed)
	}
}

func (s *steps) Do(ctx context.Context, item *durable.Item, work func(ctx context.Context) error) error {
	adds := 0
	err := s.Store.Do(ctx, item, func(ctx context.Context) error {
		err := work(context.WithValue(ctx, addsKey{}, &adds))
		s.at(item.Queue, "worked")
		return err
	})
	if err == nil {
		s.count(durable.OutboxQueue, adds)
	}
	s.at(item.Queue, "done")
	return err
}

// isIdle reports whether there is nothing left to do at some time after the first n entries, but
// for the queue that is stuck.
func isIdle(n int, stuck string) func(log []entry) bool {
	return func(log []entry) bool {
		isFresh := map[string]bool{} // by queue: it began to count after them
		return slices.ContainsFunc(log[n:], func(e entry) bool {
			isFresh[e.Queue] = isFresh[e.Queue] || e.Msg == saysCounting
			return e.Msg == saysIdle && isFresh[e.Queue] &&
				(e.Inbox == 0 || stuck == durable.InboxQueue) && (e.Outbox == 0 || stuck == durable.OutboxQueue)
		})
	}
}

func isListening(log []entry) bool {
	return slices.ContainsFunc(log, func(e entry) bool { return e.Msg == saysListening })
}
