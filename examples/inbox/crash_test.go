package main

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/durable"
)

// A service is killed at every step of its work on events and callbacks, the second time
// that it comes there, while others are around. Nothing is lost, and only what was in its hands
// is handed out again.
func TestKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	const inbox, outbox = durable.InboxQueue, durable.OutboxQueue
	for _, tt := range []struct {
		name, step string
		stuck      string // the queue whose worker is at this step
		// lost acknowledgements, of pushes that Fliggy repeats.
		lost int
		// again are the attempts at the event that was being handled; nil where none was.
		again []int
		// sent is how often callbacks are sent, and resent in which attempt one of them is done.
		sent, resent int
	}{
		{"before an event is stored", inbox + " add", none, 1, nil, 3, 0},
		{"after it is stored, before it is acknowledged", inbox + " added", none, 1, nil, 3, 0},
		{"after it is acknowledged, before it is claimed", inbox + " claim", inbox, 0, nil, 3, 0},
		{"after it is claimed, before the function", inbox + " claimed", inbox, 0, []int{2}, 3, 0},
		{"inside the function", outbox + " add", inbox, 0, []int{1, 2}, 3, 0},
		{"inside the function, after its writes", outbox + " added", inbox, 0, []int{1, 2}, 3, 0},
		{"between the function and the mark", inbox + " worked", inbox, 0, []int{1, 2}, 3, 0},
		{"after the mark", inbox + " done", inbox, 0, nil, 3, 0},
		{"after a callback is stored, before it is claimed", outbox + " claim", outbox, 0, nil, 3, 0},
		{"after it is claimed, before it is sent", outbox + " claimed", outbox, 0, nil, 3, 2},
		{"after it is sent, before the mark", outbox + " worked", outbox, 0, nil, 4, 2},
		{"after the mark of a callback", outbox + " done", outbox, 0, nil, 3, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 3)
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
			for range len(w.events) - tt.lost {
				w.check((<-pushes).err)
			}
			_, err := service.find(w.ctx, func(e entry) bool { return e.Msg == saysStopped })
			w.check(err)
			w.check(service.await(w.ctx, isIdle(len(service.entries()), tt.stuck)))
			w.kill(service)
			w.whole()

			var repeated [][]byte
			for range tt.lost {
				p := <-pushes
				if p.err == nil {
					t.Error("a push was acknowledged by a service that was killed before")
				}
				repeated = append(repeated, p.body)
			}
			w.rest(repeated)

			again := [][]int{}
			for key, attempts := range w.complete() {
				if !slices.Equal(attempts, []int{1}) {
					t.Logf("%s: attempts %v", key, attempts)
					again = append(again, attempts)
				}
			}
			want := [][]int{}
			if tt.again != nil {
				want = append(want, tt.again)
			}
			if diff := cmp.Diff(want, again); diff != "" {
				t.Errorf("events handled again (-want +got):\n%s", diff)
			}
			if n := len(w.gw.Callbacks()); n != tt.sent {
				t.Errorf("%d callbacks were sent; want %d", n, tt.sent)
			}
			resent := slices.DeleteFunc(w.doneAttempts(outbox), func(attempt int) bool { return attempt == 1 })
			if tt.resent == 0 && len(resent) > 0 || tt.resent > 0 && !slices.Equal(resent, []int{tt.resent}) {
				t.Errorf("callbacks were done in the attempts %v", resent)
			}
		})
	}
}
