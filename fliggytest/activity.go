package fliggytest

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strconv"
	"sync"
)

// An Activity is something that happened at a gateway: a request that arrived, or was answered, or a push that ended.
// If it has neither Request nor Push, a method of the gateway has changed what it holds.
type Activity struct {
	Seq     uint64 // counts from 1
	Request *Request
	Push    *PushResult
}

// Activity yields what happened after the activity with number after, 0 for all, and then waits for more. It ends with
// ctx, or when the gateway is closed. Requests and pushes are copies, as they are when they are yielded. Activities are
// kept without end, or as many as [WithCapacity] says: what a slow reader misses shows by Seq. [Gateway.Forget] empties
// the log, and numbers count on.
func (g *Gateway) Activity(ctx context.Context, after uint64) iter.Seq[Activity] {
	return func(yield func(Activity) bool) {
		for {
			next, changed := g.log.since(after)
			for _, a := range next {
				if !yield(a) {
					return
				}
				after = a.Seq
			}
			if len(next) > 0 {
				continue // more may have come meanwhile
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			case <-g.ctx.Done():
				return
			}
		}
	}
}

// A journal keeps requests, pushes and what happened, in their order.
type journal struct {
	capacity int // of each list; 0 for no end

	mu         sync.Mutex
	requests   []*Request
	pushes     []PushResult
	happened   []Activity // requests in it are those of requests
	seq        uint64     // of the last activity
	lastID     uint64     // of a request
	lastPushID uint64
	changed    chan struct{} // closed and replaced when something happens
}

// add keeps a request and gives it its id.
func (l *journal) add(r *Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lastID++
	r.ID = requestID(l.lastID)
	l.requests, _ = newest(append(l.requests, r), l.capacity)
	l.note(Activity{Request: r})
}

func (l *journal) finish(r *Request, a Answer, refused bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a.Done = true
	r.Answer, r.refused = a, refused
	l.note(Activity{Request: r})
}

// pushed keeps a push and gives it its id.
func (l *journal) pushed(p *PushResult) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lastPushID++
	p.ID = "push-" + strconv.FormatUint(l.lastPushID, 10)
	own := p.clone()
	l.pushes, _ = newest(append(l.pushes, own), l.capacity)
	l.note(Activity{Push: &own})
}

// stateChanged notes that what the gateway holds was changed by other means.
func (l *journal) stateChanged() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note(Activity{})
}

// note notes an activity. The caller holds the lock.
func (l *journal) note(a Activity) {
	l.seq++
	a.Seq = l.seq
	l.happened, _ = newest(append(l.happened, a), l.capacity)
	close(l.changed)
	l.changed = make(chan struct{})
}

// since returns copies of what happened after a number, at most a few, and a channel that is closed when more happens.
func (l *journal) since(after uint64) (next []Activity, changed <-chan struct{}) {
	const most = 64
	l.mu.Lock()
	defer l.mu.Unlock()
	if after > l.seq { // that of another gateway
		after = 0
	}
	for i := l.indexAfter(after); i < len(l.happened) && len(next) < most; i++ {
		a := l.happened[i]
		if a.Request != nil {
			r := a.Request.clone()
			a.Request = &r
		}
		if a.Push != nil {
			p := a.Push.clone()
			a.Push = &p
		}
		next = append(next, a)
	}
	return next, l.changed
}

// indexAfter is the place of the first activity after a number.
func (l *journal) indexAfter(after uint64) int {
	bySeq := func(a Activity, seq uint64) int { return cmp.Compare(a.Seq, seq) }
	i, _ := slices.BinarySearchFunc(l.happened, after+1, bySeq)
	return i
}

func (l *journal) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests, l.pushes, l.happened = nil, nil, nil
}

// Forget empties the lists of requests, pushes and activities. Orders and renewals stay.
func (g *Gateway) Forget() { g.log.forget() }

// newest returns the last n of a list, all of it if n is 0, and the ones before them.
func newest[T any](list []T, n int) (kept, dropped []T) {
	if n == 0 || len(list) <= n {
		return list, nil
	}
	cut := len(list) - n
	return list[cut:], list[:cut]
}
