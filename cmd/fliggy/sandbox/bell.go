package sandbox

import (
	"crypto/rand"
	"sync"
)

// A bell tells the streams that something other than calls and pushes has changed: faults, clock, scenario, the address
// for events. Its epoch names a time between two resets of one process: who sees another one forgets what it has.
type bell struct {
	mu    sync.Mutex
	epoch string
	rung  chan struct{} // closed and replaced
}

func newBell() *bell { return &bell{epoch: rand.Text(), rung: make(chan struct{})} }

// ring tells the streams. With restart another epoch begins.
func (b *bell) ring(restart bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if restart {
		b.epoch = rand.Text()
	}
	close(b.rung)
	b.rung = make(chan struct{})
}

// state returns the epoch, and a channel that is closed when the bell rings.
func (b *bell) state() (epoch string, rung <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.epoch, b.rung
}
