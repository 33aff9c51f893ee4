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
	"github.com/fliggy-go/rentcar/sqlstore"
)

// The environment of a service that tells its steps: which step to stop at, such as
// "fliggy.inbox claimed 2" for the second time that it comes to it, or none; its database; and how long its claims are.
const (
	stepEnv     = "INBOX_TEST_STEP"
	databaseEnv = "INBOX_TEST_DATABASE"
	claimEnv    = "INBOX_TEST_CLAIM"
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
	length, err := time.ParseDuration(os.Getenv(claimEnv))
	c.wrap = func(d *database) durable.Store {
		return &steps{
			Store: d.store, ctx: ctx, log: c.log, stop: os.Getenv(stepEnv), length: length, seen: map[string]int{},
		}
	}
	if err == nil {
		err = serve(ctx, c)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// steps is a store that tells what happens, before it happens and after.
type steps struct {
	*sqlstore.Store
	ctx    context.Context //nolint:containedctx // that of the process
	log    *slog.Logger
	stop   string
	length time.Duration // of claims, which would last for minutes when the process is killed

	mu   sync.Mutex
	seen map[string]int // how often by step
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

func (s *steps) Add(ctx context.Context, item *durable.Item) (*durable.Item, error) {
	s.at(item.Queue, "add")
	known, err := s.Store.Add(ctx, item)
	s.at(item.Queue, "added")
	return known, err
}

func (s *steps) ClaimBatch(
	ctx context.Context, queue string, n int, now, _ time.Time,
) ([]*durable.Item, error) {
	if isIdle, err := s.idle(ctx, queue); isIdle || err != nil {
		return nil, err
	}
	s.at(queue, "claim")
	items, err := s.Store.ClaimBatch(ctx, queue, n, now, now.Add(s.length))
	if len(items) > 0 {
		s.at(queue, "claimed")
	}
	return items, err
}

// idle tells how much there is to do, and whether that is nothing for this queue. What is done in the inbox may go on
// in the outbox, so that is counted last.
func (s *steps) idle(ctx context.Context, queue string) (bool, error) {
	s.log.Info(saysCounting, "queue", queue)
	inbox, err := s.Count(ctx, durable.InboxQueue)
	if err != nil {
		return false, err
	}
	outbox, err := s.Count(ctx, durable.OutboxQueue)
	if err != nil {
		return false, err
	}
	left := map[string]int64{durable.InboxQueue: inbox.Waiting, durable.OutboxQueue: outbox.Waiting}
	if left[queue] > 0 {
		return false, nil
	}
	s.log.Info(saysIdle, "queue", queue, "inbox", inbox.Waiting, "outbox", outbox.Waiting)
	return true, nil
}

func (s *steps) Do(ctx context.Context, item *durable.Item, work func(ctx context.Context) error) error {
	err := s.Store.Do(ctx, item, func(ctx context.Context) error {
		err := work(ctx)
		s.at(item.Queue, "worked")
		return err
	})
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
