package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar/qimen"
)

// A toyGate is a gate that keeps the contract, but for the one flaw that it is given.
type toyGate struct {
	flaw string
	*toyState
}

// A toyState is shared by the gates of several processes.
type toyState struct {
	lease, age time.Duration

	mu       sync.Mutex
	messages map[string]map[string]*toyMessage // by key and digest
	signed   map[string]toySignature
	claims   int
	inside   int // calls that wait in meet
}

type toyMessage struct {
	token      string
	isFinished bool
	reply      qimen.Reply
	expires    time.Time
	by         *toyGate
}

type toySignature struct {
	message string
	expires time.Time
	by      *toyGate
}

func newToyGate(flaw string, lease, age time.Duration) *toyGate {
	return &toyGate{flaw, &toyState{
		lease: lease, age: age, messages: map[string]map[string]*toyMessage{}, signed: map[string]toySignature{},
	}}
}

// another is a gate on the same state.
func (g *toyGate) another() *toyGate { return &toyGate{g.flaw, g.toyState} }

func (g *toyGate) has(flaw string) bool { return g.flaw == flaw }

// sees reports whether a gate sees what another has written.
func (g *toyGate) sees(what string, by *toyGate) bool {
	return by == g || !g.has(what+" are of a process")
}

// wait lets other calls in, if the flaw is there.
func (g *toyGate) wait(flaw string) {
	if !g.has(flaw) {
		return
	}
	g.inside++
	g.mu.Unlock()
	moment := time.NewTimer(5 * time.Millisecond)
	<-moment.C
	g.mu.Lock()
	g.inside--
}

// cut bends what names a message.
func (g *toyGate) cut(key, digest, signature string) (string, string, string) {
	switch {
	case g.has("keys have no case"):
		key = strings.ToLower(key)
	case g.has("keys are cut"):
		key = key[:min(len(key), 255)]
	case g.has("keys end at zero"):
		key, _, _ = strings.Cut(key, "\x00")
	case g.has("keys are trimmed"):
		key = strings.TrimSpace(key)
	case g.has("keys are UTF-8"):
		key = strings.ToValidUTF8(key, "")
	case g.has("digests are cut"):
		digest = digest[:min(len(digest), 64)]
	case g.has("signatures are cut"):
		signature = signature[:min(len(signature), 64)]
	case g.has("names run together"):
		key, digest = key+digest, ""
	case g.has("signatures are part of messages"):
		digest += "/" + signature
	}
	return key, digest, signature
}

func (g *toyGate) Begin(ctx context.Context, key, digest, signature string) (qimen.Claim, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if ctx.Err() != nil && g.has("Begin that is over says nothing") {
		return qimen.Claim{State: qimen.ClaimNew}, nil
	}
	if ctx.Err() != nil && !g.has("Begin fails and claims") && !g.has("Begin fails and signs") && g.flaw != "slow" {
		return qimen.Claim{}, ctx.Err()
	}
	if g.inside > 0 && g.has("two at once fail") {
		return qimen.Claim{}, errors.New("deadlock found")
	}
	g.wait("two at once fail")
	key, digest, signature = g.cut(key, digest, signature)
	c := qimen.Claim{}
	if !g.sign(key, digest, signature) {
		c.State = qimen.ClaimRecut
		if g.has("recut claims") {
			g.claim(key, digest)
		}
		return c, nil
	}
	if ctx.Err() != nil && g.has("Begin fails and signs") {
		return c, ctx.Err()
	}
	m := g.find(key, digest)
	g.wait("Begin looks before it claims")
	switch {
	case m == nil || g.has("running is new") && !m.isFinished:
		g.claimNew(&c, key, digest)
		if ctx.Err() != nil && g.has("Begin fails and claims") {
			return qimen.Claim{}, ctx.Err()
		}
	case m.isFinished:
		c.State, c.Reply = qimen.ClaimFinished, m.reply
		if !g.has("Begin gives its own body") {
			c.Reply.Body = slices.Clone(m.reply.Body)
		}
	default:
		c.State = qimen.ClaimRunning
		if g.has("asking extends the lease") {
			m.expires = time.Now().Add(g.lease)
		}
	}
	return c, nil
}

// sign reports whether a signature belongs to a message.
func (g *toyGate) sign(key, digest, signature string) bool {
	if signature == "" && !g.has("no signature is one") || g.has("no signatures") {
		return true
	}
	message := fmt.Sprintf("%q %q", key, digest)
	switch {
	case g.has("signatures of keys only"), g.has("signatures are part of messages"):
		message = key
	case g.has("signatures of digests only"):
		message = digest
	}
	s, isKnown := g.signed[signature]
	isKnown = isKnown && time.Now().Before(s.expires) && g.sees("signatures", s.by)
	g.wait("Begin looks before it signs")
	if isKnown && !g.has("recut takes the signature") {
		return s.message == message && !g.has("a known signature is recut")
	}
	if g.has("repeats sign nothing") && g.find(key, digest) != nil {
		return true
	}
	age := g.age
	if g.has("signatures last as long as leases") {
		age = g.lease
	}
	if g.has("signatures are kept for ever") {
		age = time.Hour
	}
	g.signed[signature] = toySignature{message, time.Now().Add(age), g}
	return !isKnown || s.message == message
}

// find returns a message that is running or finished.
func (g *toyGate) find(key, digest string) *toyMessage {
	m := g.messages[key][digest]
	if m == nil || m.isFinished && !g.sees("replies", m.by) || !m.isFinished && !g.sees("claims", m.by) ||
		!m.expires.After(time.Now()) {
		return nil
	}
	return m
}

func (g *toyGate) claimNew(c *qimen.Claim, key, digest string) {
	c.State = qimen.ClaimNew
	if !g.has("conflicts are found after the claim") {
		c.IsConflict = g.isConflict(key, digest)
	}
	g.wait("conflicts are found before the claim")
	c.Token = g.claim(key, digest)
	if g.has("conflicts are found after the claim") {
		g.wait("conflicts are found after the claim")
		c.IsConflict = g.isConflict(key, digest)
	}
	if g.has("new is a conflict") {
		c.IsConflict = true
	}
}

func (g *toyGate) isConflict(key, digest string) bool {
	for other, m := range g.messages[key] {
		isOver := !m.expires.After(time.Now())
		switch {
		case m.isFinished && g.has("finished is no conflict"), !m.isFinished && g.has("running is no conflict"):
		case isOver && !g.has("what is over is a conflict"), !g.sees("conflicts", m.by):
		case other != digest:
			return true
		}
	}
	return false
}

func (g *toyGate) claim(key, digest string) (token string) {
	g.claims++
	lease := g.lease
	if g.has("leases do not run out") {
		lease = time.Hour
	}
	if g.messages[key] == nil {
		g.messages[key] = map[string]*toyMessage{}
	}
	token = fmt.Sprint(g.claims)
	g.messages[key][digest] = &toyMessage{token: token, expires: time.Now().Add(lease), by: g}
	return token
}

func (g *toyGate) Finish(ctx context.Context, c qimen.Claim, reply qimen.Reply) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if ctx.Err() != nil {
		if g.has("Finish that is over says nothing") {
			return nil
		}
		return ctx.Err()
	}
	signature := c.Signature
	c.Key, c.Digest, c.Signature = g.cut(c.Key, c.Digest, c.Signature)
	m := g.messages[c.Key][c.Digest]
	if !g.has("Finish takes old claims") && (m == nil || m.token != c.Token) {
		if g.has("Finish of an old claim forgets") {
			delete(g.messages[c.Key], c.Digest)
		}
		return errors.New("the claim has run out")
	}
	age := g.age
	switch {
	case g.has("replies last as long as leases"):
		age = g.lease
	case g.has("replies are kept for ever"):
		age = time.Hour
	case g.has("Finish frees the signature"):
		delete(g.signed, signature)
	case g.has("Finish forgets other digests"):
		g.messages[c.Key] = map[string]*toyMessage{}
	}
	reply = g.bend(reply)
	g.messages[c.Key][c.Digest] = &toyMessage{
		token: c.Token, isFinished: !g.has("Finish does nothing"), reply: reply, expires: time.Now().Add(age), by: g,
	}
	if g.has("one reply for a key") {
		for _, m := range g.messages[c.Key] {
			m.reply = reply
		}
	}
	return nil
}

func (g *toyGate) bend(r qimen.Reply) qimen.Reply {
	switch {
	case g.has("replies are text"):
		r.Body = []byte(strings.ToValidUTF8(string(r.Body), "?"))
	case g.has("replies are short"):
		r.Body = r.Body[:min(len(r.Body), 1<<16)]
	case g.has("content types are dropped"):
		r.ContentType = ""
	case g.has("the status is 200"):
		r.Status = 200
	}
	if !g.has("Finish keeps the caller's body") {
		r.Body = slices.Clone(r.Body)
	}
	return r
}

func (g *toyGate) Abandon(ctx context.Context, c qimen.Claim) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if ctx.Err() != nil {
		if g.has("Abandon that is over says nothing") {
			return nil
		}
		return ctx.Err()
	}
	c.Key, c.Digest, c.Signature = g.cut(c.Key, c.Digest, c.Signature)
	m := g.messages[c.Key][c.Digest]
	isHeld := m != nil && m.token == c.Token
	if g.has("Abandon ignores its signature") {
		message := fmt.Sprintf("%q %q", c.Key, c.Digest)
		maps.DeleteFunc(g.signed, func(_ string, s toySignature) bool { return s.message == message })
	}
	if c.Signature != "" && !g.has("Abandon keeps signatures") &&
		(isHeld || g.has("Abandon of an old claim frees its signature")) {
		delete(g.signed, c.Signature)
	}
	if !isHeld && !g.has("Abandon takes old claims") {
		return nil
	}
	switch {
	case g.has("Abandon does nothing"):
	case g.has("Abandon forgets all messages"):
		clear(g.messages)
	case g.has("Abandon forgets all signatures"):
		clear(g.signed)
	case g.has("Abandon forgets the key"):
		delete(g.messages, c.Key)
	case g.has("abandoned is a conflict"):
		m.expires, m.by = time.Now().Add(time.Hour), nil
		g.messages[c.Key] = map[string]*toyMessage{"abandoned": m}
	default:
		delete(g.messages[c.Key], c.Digest)
	}
	return nil
}
