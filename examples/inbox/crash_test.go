package main

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/durable"
)

// A crash is a step of the service to be killed at, and what comes of it.
type crash struct {
	name, step string
	stuck      string // the queue whose worker is at this step
	// isInside steps are in a transaction, which on SQLite lets nothing else be stored meanwhile.
	isInside bool
	// lost acknowledgements, of pushes that Fliggy repeats.
	lost int
	// again are the attempts at the event that was being handled; nil where none was.
	again []int
	// sent is how often callbacks are sent, and resent in which attempt one of them is done.
	sent, resent int
}

// A service is killed at every step of its work on events and callbacks, the second time
// that it comes there, while others are around. Nothing is lost, and only what was in its hands
// is handed out again.
func TestKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	const inbox, outbox = durable.InboxQueue, durable.OutboxQueue
	for _, tt := range []crash{
		{"before an event is stored", inbox + " add", none, false, 1, nil, 3, 0},
		{"after it is stored, before it is acknowledged", inbox + " added", none, false, 1, nil, 3, 0},
		{"after it is acknowledged, before it is claimed", inbox + " claim", inbox, false, 0, nil, 3, 0},
		{"after it is claimed, before the function", inbox + " claimed", inbox, false, 0, []int{2}, 3, 0},
		{"inside the function", outbox + " add", inbox, true, 0, []int{1, 2}, 3, 0},
		{"inside the function, after its writes", outbox + " added", inbox, true, 0, []int{1, 2}, 3, 0},
		{"between the function and the mark", inbox + " worked", inbox, true, 0, []int{1, 2}, 3, 0},
		{"after the mark", inbox + " done", inbox, false, 0, nil, 3, 0},
		{"after a callback is stored, before it is claimed", outbox + " claim", outbox, false, 0, nil, 3, 0},
		{"after it is claimed, before it is sent", outbox + " claimed", outbox, false, 0, nil, 3, 2},
		{"after it is sent, before the mark", outbox + " worked", outbox, false, 0, nil, 4, 2},
		{"after the mark of a callback", outbox + " done", outbox, false, 0, nil, 3, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, database string) {
				t.Parallel()
				killAt(t, database, tt)
			})
		})
	}
}

// killAt kills a service at a step, and lets another one do the rest.
func killAt(t *testing.T, database string, tt crash) {
	w := newWorld(t, database, 3)
	isBlocked := tt.isInside && !isServer(database)
	service := w.begin(tt.step + " 2")
	w.aim(service)
	type push struct {
		body []byte
		err  error
	}
	pushes := make(chan push, len(w.events))
	for _, body := range w.events {
		go func() { pushes <- push{body, taken(w.gw.PushRaw(w.ctx, body))} }()
	}
	_, err := service.find(w.ctx, func(e entry) bool { return e.Msg == saysStopped })
	w.check(err)
	open := len(w.events)
	if !isBlocked {
		for ; open > tt.lost; open-- {
			w.check((<-pushes).err)
		}
		w.check(service.await(w.ctx, isIdle(len(service.entries()), tt.stuck)))
	}
	w.kill(service)
	w.whole()

	var repeated [][]byte
	for range open {
		p := <-pushes
		if p.err != nil {
			repeated = append(repeated, p.body)
		} else if !isBlocked {
			t.Error("a push was acknowledged by a service that was killed before")
		}
	}
	w.rest(repeated)
	if n := len(w.gw.Callbacks()); isBlocked && slices.Contains(w.doneAttempts(durable.OutboxQueue), 2) && n <= tt.sent+1 {
		tt.sent, tt.resent = n, 2 // the kill found a callback that had to wait, before it was sent or after
	}
	w.wantRepeats(tt)
}

// wantRepeats checks what was handled and sent again.
func (w *world) wantRepeats(tt crash) {
	w.Helper()
	again := [][]int{}
	for key, attempts := range w.complete() {
		if !slices.Equal(attempts, []int{1}) {
			w.Logf("%s: attempts %v", key, attempts)
			again = append(again, attempts)
		}
	}
	want := [][]int{}
	if tt.again != nil {
		want = append(want, tt.again)
	}
	if diff := cmp.Diff(want, again); diff != "" {
		w.Errorf("events handled again (-want +got):\n%s", diff)
	}
	if n := len(w.gw.Callbacks()); n != tt.sent {
		w.Errorf("%d callbacks were sent; want %d", n, tt.sent)
	}
	resent := slices.DeleteFunc(w.doneAttempts(durable.OutboxQueue), func(attempt int) bool { return attempt == 1 })
	if tt.resent == 0 && len(resent) > 0 || tt.resent > 0 && !slices.Equal(resent, []int{tt.resent}) {
		w.Errorf("callbacks were done in the attempts %v", resent)
	}
}
