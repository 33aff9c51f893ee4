package fliggytest

import (
	"context"
	"net/http"
	"sync"

	"github.com/fliggy-go/rentcar/internal/push"
)

// A pusher knows where pushes go, and keeps count of those on their way.
type pusher struct {
	client *http.Client

	mu      sync.Mutex
	to      push.Target
	noTo    error // why there is no target
	stopped bool
	running int           // pushes, and goroutines that will push
	soon    int           // of those, the goroutines
	changed chan struct{} // closed and replaced when a count falls
}

func (p *pusher) init() {
	p.changed = make(chan struct{})
	p.client = push.NewClient(nil)
	p.noTo = errNoTarget
}

func (p *pusher) aim(to push.Target, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.to, p.noTo = to, err
}

func (p *pusher) target() (push.Target, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.to, p.noTo
}

// start counts a push; it is false once the pusher is stopped.
func (p *pusher) start() bool { return p.count(1, 0) }
func (p *pusher) done()       { p.count(-1, 0) }

// reserve counts a push that will be made on a goroutine of its own. The returned
// function starts it and must be called; it is nil once the pusher is stopped.
func (p *pusher) reserve(push func()) (start func()) {
	if !p.count(1, 1) {
		return nil
	}
	return func() {
		go func() {
			defer p.count(-1, -1)
			push()
		}()
	}
}

func (p *pusher) count(running, soon int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if running > 0 && p.stopped {
		return false
	}
	p.running += running
	p.soon += soon
	if running < 0 {
		close(p.changed)
		p.changed = make(chan struct{})
	}
	return true
}

// stop lets no further push begin.
func (p *pusher) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
}

// wait waits for the end of all pushes, and lets go of their connections.
func (p *pusher) wait() {
	_ = p.until(context.Background(), func() bool { return p.running == 0 })
	p.client.CloseIdleConnections()
}

// until waits for a condition on the counts.
func (p *pusher) until(ctx context.Context, reached func() bool) error {
	for {
		p.mu.Lock()
		ok, changed := reached(), p.changed
		p.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// WaitPushes waits until no automatic decision is on its way any more. A decision is on
// its way from the moment the submit is answered until its push has ended. The error is
// the cause of the end of ctx, which ends the wait.
func (g *Gateway) WaitPushes(ctx context.Context) error {
	return g.pushes.until(ctx, func() bool { return g.pushes.soon == 0 })
}
