package qimen

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// The defaults of a MemoryGateConfig.
const (
	// DefaultGateAge is the default of [MemoryGateConfig.Age].
	DefaultGateAge = 24 * time.Hour
	// DefaultGateSize is the default of [MemoryGateConfig.Size].
	DefaultGateSize = 100_000
)

// A MemoryGateConfig configures a MemoryGate. The zero value selects the defaults.
type MemoryGateConfig struct {
	// Age is how long replies and signatures are kept. The default is DefaultGateAge. A handler requires at least twice
	// its window, because a recorded push can be sent again that long: see [WithWindow].
	Age time.Duration
	// Size is the number of replies, and of signatures, to keep: at least 2. The default is DefaultGateSize. A reply takes
	// about 400 bytes and its own size, a signature about 100. If there are more, the oldest are forgotten before their
	// time, and their repeats run again; at least half of Size are always kept. Size must cover the pushes of twice the
	// window.
	Size int
	// Now returns the current time. The default is time.Now.
	Now func() time.Time
}

// A MemoryGate is a [Gate] in the memory of one process: it is lost at a restart and not shared with other processes.
// Make it with [NewMemoryGate]. Handlers that share one gate recognise each other's messages, for example the old and
// the new handler while secrets are replaced.
type MemoryGate struct {
	age  time.Duration
	size int
	now  func() time.Time

	mu      sync.Mutex
	running map[string][]string // digests by key
	replies generations[string, []finished]
	// signed maps a signature to its message (key and digest), both hashed.
	signed generations[[sha256.Size]byte, [sha256.Size]byte]
}

// generations is a map that drops old entries in bulk: when the young generation is full or old, it replaces the old
// generation.
type generations[K comparable, V any] struct {
	young, old map[K]V
	count      int // of entries in young
	rotated    time.Time
}

// rotate drops what is too old. It runs at every call: if the young generation is older than twice the age when it is
// rotated, all of it is too old.
func (g *generations[K, V]) rotate(now time.Time, age time.Duration, size int) {
	elapsed := now.Sub(g.rotated)
	if g.young != nil && elapsed <= age && g.count < size/2 {
		return
	}
	g.old = g.young
	if elapsed/2 > age { // twice the age may be more than a Duration holds
		g.old = nil
	}
	g.young, g.count, g.rotated = map[K]V{}, 0, now
}

type finished struct {
	digest string
	reply  Reply
	at     time.Time
}

// NewMemoryGate returns a gate. The error lists every invalid field of config.
func NewMemoryGate(config MemoryGateConfig) (*MemoryGate, error) {
	var problems []error
	if config.Age < 0 {
		problems = append(problems, errors.New("qimen: MemoryGateConfig.Age: must not be negative"))
	}
	if config.Size < 0 || config.Size == 1 {
		problems = append(problems, errors.New("qimen: MemoryGateConfig.Size: must be at least 2, or 0 for the default"))
	}
	if problems != nil {
		return nil, errors.Join(problems...)
	}
	g := &MemoryGate{
		age:     cmp.Or(config.Age, DefaultGateAge),
		size:    cmp.Or(config.Size, DefaultGateSize),
		now:     config.Now,
		running: map[string][]string{},
	}
	if g.now == nil {
		g.now = time.Now
	}
	return g, nil
}

// Begin is part of [Gate]. It does not fail.
func (g *MemoryGate) Begin(_ context.Context, key, digest, signature string) (Claim, error) {
	now := g.now()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rotate(now)
	c := Claim{Key: key, Digest: digest, Signature: signature}
	if signature != "" && !g.sign(signature, key, digest) {
		c.State = ClaimRecut
		return c, nil
	}
	if slices.Contains(g.running[key], digest) {
		c.State = ClaimRunning
		return c, nil
	}
	c.State, c.IsConflict = ClaimNew, len(g.running[key]) > 0
	for _, generation := range []map[string][]finished{g.replies.young, g.replies.old} {
		for _, f := range generation[key] {
			switch {
			case now.Sub(f.at) > g.age:
			case f.digest == digest:
				c.State, c.IsConflict, c.Reply = ClaimFinished, false, f.reply.clone()
				return c, nil
			default:
				c.IsConflict = true
			}
		}
	}
	g.running[key] = append(g.running[key], digest)
	return c, nil
}

// Finish is part of [Gate]. It does not fail.
func (g *MemoryGate) Finish(_ context.Context, c Claim, reply Reply) error {
	now := g.now()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.release(c)
	g.rotate(now)
	g.replies.young[c.Key] = append(g.replies.young[c.Key], finished{c.Digest, reply.clone(), now})
	g.replies.count++
	return nil
}

// Abandon is part of [Gate]. It does not fail.
func (g *MemoryGate) Abandon(_ context.Context, c Claim) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.release(c)
	if c.Signature != "" {
		id := sha256.Sum256([]byte(c.Signature))
		delete(g.signed.young, id)
		delete(g.signed.old, id)
	}
	return nil
}

// sign reports whether a signature belongs to a message. A new signature is assigned to it.
func (g *MemoryGate) sign(signature, key, digest string) bool {
	var buf [256]byte
	message := sha256.Sum256(append(append(append(buf[:0], key...), '/'), digest...))
	id := sha256.Sum256(append(buf[:0], signature...))
	for _, generation := range []map[[sha256.Size]byte][sha256.Size]byte{g.signed.young, g.signed.old} {
		if known, ok := generation[id]; ok {
			return known == message
		}
	}
	g.signed.young[id] = message
	g.signed.count++
	return true
}

// Len returns the number of replies in memory. Some may be too old to be returned for a repeat; those past twice the
// age are dropped at the next call of any method.
func (g *MemoryGate) Len() int {
	now := g.now()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rotate(now)
	n := g.replies.count
	for _, f := range g.replies.old {
		n += len(f)
	}
	return n
}

// release removes a claim from the running ones.
func (g *MemoryGate) release(c Claim) {
	left := slices.DeleteFunc(g.running[c.Key], func(digest string) bool { return digest == c.Digest })
	if len(left) == 0 {
		delete(g.running, c.Key)
	} else {
		g.running[c.Key] = left
	}
}

func (g *MemoryGate) rotate(now time.Time) {
	g.replies.rotate(now, g.age, g.size)
	g.signed.rotate(now, g.age, g.size)
}

// String returns the settings.
func (g *MemoryGate) String() string {
	return fmt.Sprintf("MemoryGate(up to %d replies for %v)", g.size, g.age)
}

// Format writes String for every verb.
func (g *MemoryGate) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, g.String()) }

// MarshalJSON writes String.
func (g *MemoryGate) MarshalJSON() ([]byte, error) { return json.Marshal(g.String()) }
