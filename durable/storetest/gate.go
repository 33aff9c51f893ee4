package storetest

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/qimen"
)

// A GateSubject is a gate to check, and what it can do beyond what every gate does.
type GateSubject struct {
	// New gives a gate that knows no message, each time another, which keeps claims and replies for minutes at least. It
	// is closed with t.Cleanup. Required.
	New func(t *testing.T) qimen.Gate
	// Another gives a second gate on the state of one of New, as another process would have it. Leave it out for a gate
	// in the memory of one process.
	Another func(t *testing.T, g qimen.Gate) qimen.Gate
	// ShortLease gives a gate like that of New, but for claims that run out after some 10 milliseconds. Leave it out for
	// a gate whose claims end with the process.
	ShortLease func(t *testing.T) qimen.Gate
	// ShortAge gives a gate like that of New, but for replies and signatures that are forgotten after some 10
	// milliseconds. Leave it out for a gate that forgets nothing.
	ShortAge func(t *testing.T) qimen.Gate
}

// TestGate checks that a gate keeps what the documentation of [qimen.Gate] and [qimen.Claim] says, each sentence in a
// subtest of its own. A gate that works must not give an error here, also not to a hundred callers at once. Replies are
// 1 MiB at most.
func TestGate(t *testing.T, subject GateSubject) {
	t.Helper()
	for _, c := range gateChecks {
		open := map[gateNeed]func(*testing.T) qimen.Gate{
			"": subject.New, needsAnother: subject.New, needsLease: subject.ShortLease, needsAge: subject.ShortAge,
		}[c.needs]
		if open == nil || c.needs == needsAnother && subject.Another == nil {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			k := &gateKit{tb: t, ctx: t.Context(), Gate: open(t), patience: patience}
			if c.needs == needsAnother {
				k.another = subject.Another(t, k.Gate)
			}
			c.run(k)
		})
	}
}

// A gateNeed is what a gate has to be able to do for a check.
type gateNeed string

const (
	needsAnother gateNeed = "Another"
	needsLease   gateNeed = "ShortLease"
	needsAge     gateNeed = "ShortAge"
)

// A gateCheck is one subtest.
type gateCheck struct {
	name  string
	run   func(k *gateKit)
	needs gateNeed
}

// gateChecks are all of them.
var gateChecks = []gateCheck{
	{name: "New", run: gateNew},
	{name: "Running", run: gateRunning},
	{name: "Finished", run: gateFinished},
	{name: "Replies", run: gateReplies},
	{name: "ReplyTakenIsCopied", run: gateReplyTaken},
	{name: "ReplyGivenIsCopied", run: gateReplyGiven},
	{name: "Abandoned", run: gateAbandoned},
	{name: "ConflictRunning", run: gateConflictRunning},
	{name: "ConflictFinished", run: gateConflictFinished},
	{name: "ConflictAbandoned", run: gateConflictAbandoned},
	{name: "ConflictsAreApart", run: gateConflictsApart},
	{name: "Recut", run: gateRecut},
	{name: "RecutClaimsNothing", run: gateRecutClaimsNothing},
	{name: "RecutFinished", run: gateRecutFinished},
	{name: "SameSignature", run: gateSameSignature},
	{name: "AbandonFreesSignature", run: gateAbandonFrees},
	{name: "AbandonKeepsSignature", run: gateAbandonKeeps},
	{name: "NoSignature", run: gateNoSignature},
	{name: "Names", run: gateNames},
	{name: "AtOnce", run: gateAtOnce},
	{name: "ConflictAtOnce", run: gateConflictAtOnce},
	{name: "SignatureAtOnce", run: gateSignatureAtOnce},
	{name: "RepeatsAtOnce", run: gateRepeatsAtOnce},
	{name: "MessagesAtOnce", run: gateMessagesAtOnce},
	{name: "ContextOver", run: gateContextOver},
	{name: "AnotherClaims", run: gateAnotherClaims, needs: needsAnother},
	{name: "AnotherReplies", run: gateAnotherReplies, needs: needsAnother},
	{name: "AnotherSignatures", run: gateAnotherSignatures, needs: needsAnother},
	{name: "AnotherConflicts", run: gateAnotherConflicts, needs: needsAnother},
	{name: "AnotherAtOnce", run: gateAnotherAtOnce, needs: needsAnother},
	{name: "LeaseRunsOut", run: gateLeaseRunsOut, needs: needsLease},
	{name: "LeaseOverForFinish", run: gateLeaseFinish, needs: needsLease},
	{name: "LeaseOverForAbandon", run: gateLeaseAbandon, needs: needsLease},
	{name: "LeaseOverForSignature", run: gateLeaseSignature, needs: needsLease},
	{name: "LeaseIsNotAge", run: gateLeaseIsNotAge, needs: needsLease},
	{name: "AgeOfReplies", run: gateAgeOfReplies, needs: needsAge},
	{name: "AgeOfConflicts", run: gateAgeOfConflicts, needs: needsAge},
	{name: "AgeOfSignatures", run: gateAgeOfSignatures, needs: needsAge},
}

// A gateKit is a gate and the words in which checks talk about it.
type gateKit struct {
	tb
	qimen.Gate
	ctx     context.Context
	another qimen.Gate // a second one on the same state
	// patience is how long to wait for what a short lease or age has to bring.
	patience time.Duration
}

// A message is what Begin is told of one.
type message struct{ key, digest, signature string }

// newMessage makes a message that differs from others in all three.
func newMessage(name string) message {
	return message{"event/" + name, digest([]byte("content of " + name)), digest([]byte("signature of " + name))}
}

// with is another message under the same key.
func (m message) with(content string) message {
	return message{m.key, digest([]byte(m.digest + content)), digest([]byte(m.signature + content))}
}

// repeat is the same message, pushed and signed again.
func (m message) repeat() message {
	m.signature = digest([]byte("again " + m.signature))
	return m
}

// signed is a message under another's signature.
func (m message) signed(other message) message {
	m.signature = other.signature
	return m
}

// replyOf is the reply to a message.
func replyOf(name string) qimen.Reply {
	return qimen.Reply{Status: 200, ContentType: "application/json", Body: []byte(`{"reply":"` + name + `"}`)}
}

// begin begins a message, and wants it in a state.
func (k *gateKit) begin(m message, want qimen.ClaimState, why string) {
	k.Helper()
	k.beginAt(k.Gate, m, want, why)
}

func (k *gateKit) beginAt(g qimen.Gate, m message, want qimen.ClaimState, why string) qimen.Claim {
	k.Helper()
	c, err := g.Begin(k.ctx, m.key, m.digest, m.signature)
	if err != nil {
		k.Fatalf("Begin(%.40q): %v; want state %s: %s", m.key, err, want, why)
	}
	if c.State != want {
		k.Fatalf("Begin(%.40q) gives state %s; want %s: %s", m.key, c.State, want, why)
	}
	return filled(c, m)
}

// filled is a claim with what a handler fills in, which a gate may leave out.
func filled(c qimen.Claim, m message) qimen.Claim {
	c.Key, c.Digest, c.Signature = m.key, m.digest, m.signature
	return c
}

// new begins a message that is new, with or without a conflict.
func (k *gateKit) new(m message, isConflict bool, why string) qimen.Claim {
	k.Helper()
	return k.newAt(k.Gate, m, isConflict, why)
}

func (k *gateKit) newAt(g qimen.Gate, m message, isConflict bool, why string) qimen.Claim {
	k.Helper()
	c := k.beginAt(g, m, qimen.ClaimNew, why)
	if c.IsConflict != isConflict {
		k.Errorf("Begin(%.40q) gives IsConflict %v; want %v: %s", m.key, c.IsConflict, isConflict, why)
	}
	return c
}

func (k *gateKit) finish(c qimen.Claim, reply qimen.Reply) {
	k.Helper()
	if err := k.Finish(k.ctx, c, reply); err != nil {
		k.Fatalf("Finish(%.40q): %v", c.Key, err)
	}
}

func (k *gateKit) abandon(c qimen.Claim) {
	k.Helper()
	if err := k.Abandon(k.ctx, c); err != nil {
		k.Fatalf("Abandon(%.40q): %v", c.Key, err)
	}
}

// finished begins a message that is finished, and wants the very reply.
func (k *gateKit) finished(m message, want qimen.Reply, why string) qimen.Claim {
	k.Helper()
	return k.finishedAt(k.Gate, m, want, why)
}

func (k *gateKit) finishedAt(g qimen.Gate, m message, want qimen.Reply, why string) qimen.Claim {
	k.Helper()
	c := k.beginAt(g, m, qimen.ClaimFinished, why)
	got := c.Reply
	if got.Status != want.Status || got.ContentType != want.ContentType || !bytes.Equal(got.Body, want.Body) {
		k.Errorf("Begin(%.40q) gives the reply %d %q with %d bytes %.40q; want %d %q with %d bytes %.40q: %s", m.key,
			got.Status, got.ContentType, len(got.Body), got.Body, want.Status, want.ContentType, len(want.Body), want.Body, why)
	}
	return c
}

// eventually calls f, with another number each time, until it reports true.
func (k *gateKit) eventually(f func(n int) bool, want string) {
	k.Helper()
	until(k, k.patience, f, want)
}

// newAgain begins a message until it is new.
func (k *gateKit) newAgain(m message, want string) (c qimen.Claim) {
	k.Helper()
	k.eventually(func(int) bool {
		got, err := k.Begin(k.ctx, m.key, m.digest, m.signature)
		if err != nil {
			k.Fatalf("Begin: %v; want state new: %s", err, want)
		}
		if got.State == qimen.ClaimRecut {
			k.Fatalf("Begin gives state recut for a message that has the signature; want: %s", want)
		}
		c = filled(got, m)
		return got.State == qimen.ClaimNew
	}, want)
	return c
}

// states begins messages at once, with both gates if there are two, and counts the states.
func (k *gateKit) states(list []message) (claims []qimen.Claim, count map[qimen.ClaimState]int) {
	k.Helper()
	claims = make([]qimen.Claim, len(list))
	gates := []qimen.Gate{k.Gate, k.Gate}
	if k.another != nil {
		gates[1] = k.another
	}
	atOnce(len(list), func(n int) {
		m := list[n]
		c, err := gates[n%2].Begin(k.ctx, m.key, m.digest, m.signature)
		if err != nil {
			k.Errorf("Begin, one of %d at once: %v", len(list), err)
		}
		claims[n] = filled(c, m)
	})
	count = map[qimen.ClaimState]int{}
	for _, c := range claims {
		count[c.State]++
	}
	return claims, count
}

// name names the nth of something.
func name(what string, n int) string { return fmt.Sprintf("%s %d", what, n) }
