package main

import (
	"context"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/examples/inbox/boltstore"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// A world is Fliggy with events to push, and the services that lived and died beside it.
type world struct {
	*testing.T
	ctx      context.Context
	gw       *fliggytest.Gateway
	database string
	events   [][]byte  // two for each renewal: it is accepted, a refund is ordered
	lives    [][]entry // what the services had to say
}

func newWorld(t *testing.T, renewals int) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	w := &world{T: t, ctx: ctx, gw: fliggytest.NewGateway(), database: filepath.Join(t.TempDir(), "inbox.db")}
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
	service, err := start(w.ctx, w.Output(), nil, append(environment(w.gw), stepEnv+"="+step, databaseEnv+"="+w.database))
	w.check(err)
	return service
}

// aim lets Fliggy push to a service.
func (w *world) aim(service *process) {
	w.Helper()
	e, err := service.find(w.ctx, func(e entry) bool { return e.Msg == saysListening })
	w.check(err)
	w.gw.PushTo(e.URL)
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

// look opens the database of a service that has ended.
func (w *world) look(at func(b *books, inbox, outbox boltstore.Counts)) {
	w.Helper()
	t := &story{database: w.database}
	w.check(t.look(func(b *books, inbox, outbox boltstore.Counts) error {
		at(b, inbox, outbox)
		return nil
	}))
}

// whole wants transactions to have happened as one, at whatever moment the service was killed.
func (w *world) whole() {
	w.Helper()
	w.look(func(b *books, inbox, outbox boltstore.Counts) {
		accepted, err := b.rows(renewals)
		w.check(err)
		refunded, err := b.rows(refunds)
		w.check(err)
		if n := len(accepted) + len(refunded); n != inbox.Done {
			w.Errorf("%d events are done, %d are in the books", inbox.Done, n)
		}
		if n := outbox.Waiting + outbox.Claimed + outbox.Done; n != len(refunded) || outbox.Parked != 0 {
			w.Errorf("%d refunds in the books, %d callbacks in the outbox, %d parked", len(refunded), n, outbox.Parked)
		}
	})
}

// complete wants every event to have been handled once, as far as anybody can see, and
// returns the attempts at each, by key.
func (w *world) complete() (attempts map[string][]int) {
	w.Helper()
	w.whole()
	w.look(func(b *books, inbox, outbox boltstore.Counts) {
		accepted, err := b.rows(renewals)
		w.check(err)
		refunded, err := b.rows(refunds)
		w.check(err)
		if err := once(w.gw, accepted, refunded); err != nil {
			w.Error(err)
		}
		if want := (boltstore.Counts{Done: len(w.events)}); inbox != want {
			w.Errorf("inbox %+v; want %+v", inbox, want)
		}
		if want := (boltstore.Counts{Done: len(w.events) / 2}); outbox != want {
			w.Errorf("outbox %+v; want %+v", outbox, want)
		}
	})
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
