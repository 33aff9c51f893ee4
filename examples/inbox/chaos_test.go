package main

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

// A pusher is Fliggy under load: it pushes events until they are acknowledged, and many of
// them again after that.
type pusher struct {
	*world
	mu     sync.Mutex
	rnd    *rand.Rand
	taken  []bool // what was acknowledged, by event
	opened int    // how many of the events have happened
}

func newPusher(t *testing.T, database string, renewals int) *pusher {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	p := &pusher{world: newWorld(t, database, renewals), rnd: rand.New(rand.NewPCG(seed, 0))}
	p.taken, p.opened = make([]bool, len(p.events)), len(p.events)
	return p
}

// random draws a number below n.
func (p *pusher) random(n int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rnd.IntN(n)
}

// open lets so many of the events happen.
func (p *pusher) open(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opened = n
}

// next draws an event that was not acknowledged, or one of those that come again: the odd
// ones do not, so that nothing but the inbox can have kept them.
func (p *pusher) next() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range 100 {
		if n := p.rnd.IntN(p.opened); !p.taken[n] || n%2 == 0 {
			return n
		}
	}
	return 0
}

// push pushes an event, and reports whether it was acknowledged.
func (p *pusher) push(ctx context.Context) bool {
	n := p.next()
	if !p.gw.PushRaw(ctx, p.events[n]).Accepted {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken[n] = true
	return true
}

// missing are the events that were not acknowledged.
func (p *pusher) missing() (list [][]byte) {
	for n, isTaken := range p.taken {
		if !isTaken {
			list = append(list, p.events[n])
		}
	}
	p.Logf("%d of %d events are acknowledged after %d pushes",
		len(p.events)-len(list), len(p.events), len(p.gw.Pushes()))
	return list
}

// The service is killed at random moments while events come in, as often as rounds says.
func TestKilledAtRandom(t *testing.T) {
	t.Parallel()
	each(t, killedAtRandom)
}

func killedAtRandom(t *testing.T, database string) {
	t.Parallel()
	const rounds, longest, pushers = 25, 150, 3
	p := newPusher(t, database, 60)
	for range rounds {
		// It lives for so many lines of its log, which tells of every step.
		length := 1 + p.random(longest)
		isOver := func(log []entry) bool { return len(log) >= length }
		service := p.begin(none)
		p.check(service.await(p.ctx, func(log []entry) bool { return isListening(log) || isOver(log) }))
		ctx, stop := context.WithCancel(p.ctx)
		var all sync.WaitGroup
		if log := service.entries(); isListening(log) {
			p.aim(service)
			for range pushers {
				all.Go(func() {
					for p.push(ctx) && ctx.Err() == nil { // until the service is over
					}
				})
			}
		}
		p.check(service.await(p.ctx, isOver))
		p.kill(service)
		stop()
		all.Wait()
		p.whole()
	}

	p.rest(p.missing())
	for key, attempts := range p.explained(rounds) {
		if !slices.IsSorted(attempts) {
			t.Errorf("%s: attempts %v; want them in order", key, attempts)
		}
	}
}

// explained wants no more to have been repeated than so many kills explain, and returns the attempts at each event.
func (p *pusher) explained(kills int) (attempts map[string][]int) {
	p.Helper()
	attempts = p.complete()
	again := 0
	for key, list := range attempts {
		again += len(list) - 1
		sorted := slices.Sorted(slices.Values(list))
		if len(slices.Compact(sorted)) != len(list) {
			p.Errorf("%s: attempts %v; want each number once", key, list)
		}
	}
	// One worker each: a kill finds one event and one callback in their hands at most.
	if again > kills {
		p.Errorf("%d events were handled again, more than %d kills explain", again, kills)
	}
	resent := len(p.gw.Callbacks()) - len(p.events)/2
	if resent > kills {
		p.Errorf("%d callbacks were sent again, more than %d kills explain", resent, kills)
	}
	p.Logf("%d kills, %d pushes of %d events: %d events were handled again, %d callbacks sent again",
		kills, len(p.gw.Pushes()), len(p.events), again, resent)
	return attempts
}
