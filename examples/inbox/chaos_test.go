package main

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/durable"
)

// A pusher is Fliggy under load: it pushes events until they are acknowledged, and many of
// them again after that.
type pusher struct {
	*world
	mu    sync.Mutex
	rnd   *rand.Rand
	taken []bool // what was acknowledged, by event
}

// next draws an event that was not acknowledged, or one of those that come again: the odd
// ones do not, so that nothing but the inbox can have kept them.
func (p *pusher) next() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range 100 {
		if n := p.rnd.IntN(len(p.events)); !p.taken[n] || n%2 == 0 {
			return n
		}
	}
	return 0
}

func (p *pusher) acknowledged(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken[n] = true
}

// push pushes until ctx is over, or the service.
func (p *pusher) push(ctx context.Context) {
	for ctx.Err() == nil {
		n := p.next()
		if !p.gw.PushRaw(ctx, p.events[n]).Accepted {
			return
		}
		p.acknowledged(n)
	}
}

// The service is killed at random moments while events come in, as often as rounds says.
func TestKilledAtRandom(t *testing.T) {
	t.Parallel()
	const rounds, longest, pushers = 25, 150, 3
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	p := &pusher{world: newWorld(t, 60), rnd: rand.New(rand.NewPCG(seed, 0))}
	p.taken = make([]bool, len(p.events))
	for range rounds {
		// It lives for so many lines of its log, which tells of every step.
		length := 1 + p.rnd.IntN(longest)
		isOver := func(log []entry) bool { return len(log) >= length }
		service := p.begin(none)
		p.check(service.await(p.ctx, func(log []entry) bool { return isListening(log) || isOver(log) }))
		ctx, stop := context.WithCancel(p.ctx)
		var all sync.WaitGroup
		if log := service.entries(); isListening(log) {
			p.aim(service)
			for range pushers {
				all.Go(func() { p.push(ctx) })
			}
		}
		p.check(service.await(p.ctx, isOver))
		p.kill(service)
		stop()
		all.Wait()
		p.whole()
	}

	var missing [][]byte
	for n, isTaken := range p.taken {
		if !isTaken {
			missing = append(missing, p.events[n])
		}
	}
	t.Logf("%d of %d events are acknowledged after %d rounds, %d pushes",
		len(p.events)-len(missing), len(p.events), rounds, len(p.gw.Pushes()))
	p.rest(missing)
	again := 0
	for key, attempts := range p.complete() {
		again += len(attempts) - 1
		if !slices.IsSorted(attempts) || len(slices.Compact(slices.Clone(attempts))) != len(attempts) {
			t.Errorf("%s: attempts %v; want each number once, in order", key, attempts)
		}
	}
	// One worker each: a kill finds one event and one callback in their hands at most.
	if again > rounds {
		t.Errorf("%d events were handled again, more than %d kills explain", again, rounds)
	}
	if resent := len(p.gw.Callbacks()) - len(p.events)/2; resent > rounds {
		t.Errorf("%d callbacks were sent again, more than %d kills explain", resent, rounds)
	}
	t.Logf("%d events were handled again, %d callbacks sent again, %d done", again,
		len(p.gw.Callbacks())-len(p.events)/2, len(p.doneAttempts(durable.OutboxQueue)))
}
