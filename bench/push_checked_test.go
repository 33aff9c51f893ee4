package bench

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar/qimen"
)

// newCheckedReceiver is std with most of what else ours does for each push: it refuses
// members that come twice, names the message and its content, and lets it through once,
// in the time that the user's function has. It leaves out what the guide's rules say of
// the event, and whether the push has been cut in other places before.
func newCheckedReceiver(pushes []*qimen.Push) *receiver {
	last := &received{}
	gate := &handGate{seen: map[string][sha256.Size]byte{}}
	r := newPeerReceiver("std+checks", pushes, func(p *qimen.Push) error {
		if err := verifyByHand(p.RawQuery, p.Body, time.Now()); err != nil {
			return err
		}
		digest, err := digestByHand(p.Body)
		if err != nil {
			return err
		}
		e, err := parse(p.Body)
		if err != nil {
			return err
		}
		return gate.pass(e, digest, last)
	}, last)
	r.forget = func() { gate.seen = map[string][sha256.Size]byte{} }
	return r
}

// digestByHand is a digest of what a message says: the standard library sorts members.
func digestByHand(body []byte) (sum [sha256.Size]byte, err error) {
	d := json.NewDecoder(bytes.NewReader(body))
	if err := checkTwice(d); err != nil {
		return sum, err
	}
	d = json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var message map[string]any
	if err := d.Decode(&message); err != nil {
		return sum, err
	}
	delete(message, "traceId")
	canonical, err := json.Marshal(message)
	if err != nil {
		return sum, err
	}
	return sha256.Sum256(canonical), nil
}

// checkTwice reads one value, and fails for a member that comes twice.
func checkTwice(d *json.Decoder) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	opening, isNested := token.(json.Delim)
	if !isNested {
		return nil
	}
	names := map[json.Token]bool{}
	for d.More() {
		if opening == '{' {
			name, err := d.Token()
			if err != nil {
				return err
			}
			if names[name] {
				return errors.New("a member comes twice")
			}
			names[name] = true
		}
		if err := checkTwice(d); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// A handGate lets each message through once.
type handGate struct {
	mu   sync.Mutex
	seen map[string][sha256.Size]byte
}

func (g *handGate) pass(e received, digest [sha256.Size]byte, last *received) error {
	about := [...]string{string(e.OrderID), "", ""}
	if data, ok := e.Data.(*refund); ok {
		about[1], about[2] = string(data.RenewalOrderID), data.PayTradeNo
	}
	name := sha256.Sum256(fmt.Appendf(nil, "%d %q", e.EventType, about))
	key := "event/" + hex.EncodeToString(name[:])
	g.mu.Lock()
	known, isKnown := g.seen[key]
	if !isKnown {
		g.seen[key] = digest
	}
	g.mu.Unlock()
	switch {
	case isKnown && known != digest:
		return errors.New("another message of the same name")
	case isKnown:
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	*last = e
	return ctx.Err()
}
