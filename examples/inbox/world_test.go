package main

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// A world is Fliggy with events to push, and the services that lived and died beside it.
type world struct {
	*testing.T
	ctx      context.Context
	gw       *fliggytest.Gateway
	database string
	claim    time.Duration
	events   [][]byte  // two for each renewal: it is accepted, a refund is ordered
	lives    [][]entry // what the services had to say
}

func newWorld(t *testing.T, database string, renewals int) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience+time.Duration(*kills)*time.Second)
	t.Cleanup(cancel)
	w := &world{T: t, ctx: ctx, gw: fliggytest.NewGateway(), database: database}
	t.Cleanup(w.gw.Close)
	ids, err := book(ctx, w.gw, renewals)
	w.check(err)
	// Pushed for the first time while nobody is there.
	w.gw.PushToHandler(http.NotFoundHandler())
	for _, id := range ids {
		w.gw.Accept(id)
		w.gw.RequestRefund(id, refund("3.20"))
	}
	for _, p := range w.gw.Pushes() {
		w.events = append(w.events, p.Body)
	}
	if len(w.events) != 2*renewals {
		t.Fatalf("%d events; want %d", len(w.events), 2*renewals)
	}
	return w
}

func (w *world) check(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// begin starts a service that stops at a step.
func (w *world) begin(step string) *process {
	w.Helper()
	env := append(environment(w.gw), stepEnv+"="+step, databaseEnv+"="+w.database, claimEnv+"="+w.claim.String())
	service, err := start(w.ctx, newJournal(), w.Output(), nil, env)
	w.check(err)
	return service
}

// address waits until a service listens.
func (w *world) address(service *process) string {
	w.Helper()
	e, err := service.find(w.ctx, func(e entry) bool { return e.Msg == saysListening })
	w.check(err)
	return e.URL
}

// aim lets Fliggy push to a service.
func (w *world) aim(service *process) {
	w.Helper()
	w.gw.PushTo(w.address(service))
}

// kill kills a service, and keeps what it said.
func (w *world) kill(service *process) {
	w.Helper()
	w.check(service.kill())
	w.lives = append(w.lives, service.entries())
}

// rest lets a service push what was not acknowledged and do all that is left to do.
func (w *world) rest(unacknowledged [][]byte) {
	w.Helper()
	service := w.begin(none)
	w.aim(service)
	for _, body := range unacknowledged {
		w.check(taken(w.gw.PushRaw(w.ctx, body)))
	}
	w.check(service.await(w.ctx, isIdle(len(service.entries()), none)))
	w.check(service.stop())
	w.lives = append(w.lives, service.entries())
}

// whole wants transactions to have happened as one, at whatever moment the service was killed.
func (w *world) whole() snapshot {
	w.Helper()
	now, err := look(w.ctx, w.database)
	w.check(err)
	accepted, refunded := len(now.books[renewals]), len(now.books[refunds])
	inbox, outbox := now.items[durable.InboxQueue], now.items[durable.OutboxQueue]
	if n := accepted + refunded; n != inbox.Done {
		w.Errorf("%d events are done, %d are in the books", inbox.Done, n)
	}
	if n := outbox.Left + outbox.Done; n != refunded || outbox.Parked != 0 {
		w.Errorf("%d refunds in the books, %d callbacks in the outbox, %d parked", refunded, n, outbox.Parked)
	}
	return now
}

// complete wants every event to have been handled once, as far as anybody can see, and
// returns the attempts at each, by key.
func (w *world) complete() (attempts map[string][]int) {
	w.Helper()
	now := w.whole()
	if err := once(w.gw, now.books); err != nil {
		w.Error(err)
	}
	want := map[string]counts{
		durable.InboxQueue: {Done: len(w.events)}, durable.OutboxQueue: {Done: len(w.events) / 2},
	}
	if !maps.Equal(now.items, want) {
		w.Errorf("the queues have %+v; want %+v", now.items, want)
	}
	attempts = map[string][]int{}
	for _, life := range w.lives {
		for _, e := range life {
			if e.Msg == saysHandling {
				attempts[e.Key] = append(attempts[e.Key], e.Attempt)
			}
		}
	}
	if len(attempts) != len(w.events) {
		w.Errorf("%d events have been handled; want %d", len(attempts), len(w.events))
	}
	return attempts
}

// doneAttempts are the attempts in which items of a queue were done.
func (w *world) doneAttempts(queue string) (list []int) {
	for _, e := range slices.Concat(w.lives...) {
		if e.Msg == saysDone && e.Queue == queue {
			list = append(list, e.Attempt)
		}
	}
	return list
}
