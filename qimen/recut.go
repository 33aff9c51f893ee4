package qimen

import (
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
	"time"
)

// errRecut refuses a push whose signature belongs to another message.
var errRecut = errors.New("qimen: a push with this signature was another message: it has been cut in other places")

// readings remembers as what message each signature was read. Names, values and body are
// signed without a mark between them, so whoever has recorded a push can cut it in other
// places under the same signature, and it has other ids or another content. The platform
// never does: one signature is one message. It is known in this process only.
type readings struct {
	mu         sync.Mutex
	young, old map[string]*reading // by signature; two generations, as in a MemoryGate
	turned     time.Time
	age        time.Duration // the longest that a handler has asked for
}

type reading struct {
	message    [sha256.Size]byte // key and digest
	running    int
	isAccepted bool
}

// begin is false for a signature that belongs to another message. end is to be called
// otherwise; what was not accepted is forgotten.
func (r *readings) begin(sign string, t task, now time.Time, age time.Duration) (known *reading, ok bool) {
	var place [256]byte
	message := sha256.Sum256(append(append(append(place[:0], t.key...), '/'), t.digest...))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn(now, age)
	known = r.young[sign]
	if known == nil {
		if known = r.old[sign]; known == nil {
			known = &reading{message: message}
		}
		r.young[strings.Clone(sign)] = known // not the whole query with it
	}
	if known.message != message {
		return nil, false
	}
	known.running++
	return known, true
}

func (r *readings) end(sign string, known *reading, isAccepted bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known.running--
	known.isAccepted = known.isAccepted || isAccepted
	if known.running > 0 || known.isAccepted {
		return
	}
	for _, generation := range []map[string]*reading{r.young, r.old} {
		if generation[sign] == known {
			delete(generation, sign)
		}
	}
}

// turn lets go of what is older than age, sooner only when there is too much.
func (r *readings) turn(now time.Time, age time.Duration) {
	r.age = max(r.age, age)
	age = r.age
	elapsed := now.Sub(r.turned)
	if r.young != nil && elapsed <= age && len(r.young) < DefaultGateSize/2 {
		return
	}
	r.old = r.young
	if elapsed/2 > age {
		r.old = nil
	}
	r.young, r.turned = map[string]*reading{}, now
}

// forget is turn for whoever only waits for the memory.
func (r *readings) forget(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.young)+len(r.old) > 0 {
		r.turn(now, 0)
	}
}
