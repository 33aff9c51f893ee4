package storetest

import (
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fliggy-go/rentcar/qimen"
)

const short = 20 * time.Millisecond

func TestMemoryGatePasses(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T, age time.Duration) qimen.Gate {
		g, err := qimen.NewMemoryGate(qimen.MemoryGateConfig{Age: age})
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	TestGate(t, GateSubject{
		New:      func(t *testing.T) qimen.Gate { return open(t, 0) },
		ShortAge: func(t *testing.T) qimen.Gate { return open(t, short) },
	})
}

func TestSoundGatePasses(t *testing.T) {
	t.Parallel()
	for _, flaw := range []string{"", "slow"} { // which is none: it does its work though the context is over
		TestGate(t, GateSubject{
			New:        func(*testing.T) qimen.Gate { return newToyGate(flaw, time.Hour, time.Hour) },
			Another:    func(_ *testing.T, g qimen.Gate) qimen.Gate { return g.(*toyGate).another() },
			ShortLease: func(*testing.T) qimen.Gate { return newToyGate(flaw, short, time.Hour) },
			ShortAge:   func(*testing.T) qimen.Gate { return newToyGate(flaw, time.Hour, short) },
		})
	}
}

// gateFlaws has, for each check, the flaws that it has to find.
var gateFlaws = map[string][]string{
	"New":      {"keys have no case", "new is a conflict"},
	"Running":  {"running is new", "signatures are part of messages"},
	"Finished": {"Finish does nothing", "signatures are part of messages"},
	"Replies": {"replies are text", "replies are short", "content types are dropped", "the status is 200",
		"Finish does nothing"},
	"ReplyTakenIsCopied": {"Finish keeps the caller's body"},
	"ReplyGivenIsCopied": {"Begin gives its own body"},
	"Abandoned":          {"Abandon does nothing", "Abandon forgets all messages"},

	"ConflictRunning":   {"running is no conflict"},
	"ConflictFinished":  {"finished is no conflict", "one reply for a key"},
	"ConflictAbandoned": {"abandoned is a conflict"},
	"ConflictsAreApart": {"Abandon forgets the key", "Finish forgets other digests"},

	"Recut":                 {"no signatures", "signatures of keys only", "signatures of digests only"},
	"RecutClaimsNothing":    {"recut claims"},
	"RecutFinished":         {"Finish frees the signature", "repeats sign nothing"},
	"SameSignature":         {"a known signature is recut", "recut takes the signature"},
	"AbandonFreesSignature": {"Abandon keeps signatures", "Abandon forgets all signatures"},
	"AbandonKeepsSignature": {"Abandon ignores its signature"},
	"NoSignature":           {"no signature is one"},
	"Names": {"keys have no case", "keys are cut", "keys end at zero", "keys are trimmed", "keys are UTF-8",
		"digests are cut", "signatures are cut", "names run together"},

	"AtOnce":          {"Begin looks before it claims"},
	"ConflictAtOnce":  {"conflicts are found before the claim", "conflicts are found after the claim"},
	"SignatureAtOnce": {"Begin looks before it signs"},
	"RepeatsAtOnce":   {"two at once fail", "Abandon does nothing"},
	"MessagesAtOnce":  {"two at once fail", "Abandon forgets all messages"},
	"ContextOver": {"Begin that is over says nothing", "Begin fails and claims", "Begin fails and signs",
		"Finish that is over says nothing", "Abandon that is over says nothing"},

	"AnotherClaims":     {"claims are of a process"},
	"AnotherReplies":    {"replies are of a process"},
	"AnotherSignatures": {"signatures are of a process"},
	"AnotherConflicts":  {"conflicts are of a process"},
	"AnotherAtOnce": {"claims are of a process", "conflicts are of a process", "signatures are of a process",
		"Begin looks before it claims"},

	"LeaseRunsOut":          {"leases do not run out", "asking extends the lease", "what is over is a conflict"},
	"LeaseOverForFinish":    {"Finish takes old claims", "Finish of an old claim forgets"},
	"LeaseOverForAbandon":   {"Abandon takes old claims"},
	"LeaseOverForSignature": {"Abandon of an old claim frees its signature"},
	"LeaseIsNotAge":         {"replies last as long as leases", "signatures last as long as leases"},
	"AgeOfReplies":          {"replies are kept for ever"},
	"AgeOfConflicts":        {"what is over is a conflict", "replies are kept for ever"},
	"AgeOfSignatures":       {"signatures are kept for ever"},
}

func TestEveryGateCheckFindsItsFlaws(t *testing.T) {
	t.Parallel()
	unused := maps.Clone(gateFlaws)
	for _, c := range gateChecks {
		if len(gateFlaws[c.name]) == 0 {
			t.Errorf("no flaw proves that the check %s can fail", c.name)
		}
		for _, flaw := range gateFlaws[c.name] {
			t.Run(c.name+"/"+flaw, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					found := gateFailures(t, c, flaw)
					if len(found) == 0 {
						t.Error("the check has not found the flaw")
					}
					if strings.Contains(strings.Join(found, ""), "%!") {
						t.Error(found)
					}
				})
			})
		}
		delete(unused, c.name)
	}
	for name := range unused {
		t.Errorf("flaws for %s, which is no check", name)
	}
}

func gateFailures(t *testing.T, c gateCheck, flaw string) []string {
	lease, age := time.Hour, time.Hour
	switch c.needs {
	case needsLease:
		lease = short
	case needsAge:
		age = short
	}
	g, r := newToyGate(flaw, lease, age), &recorder{}
	k := &gateKit{tb: r, ctx: t.Context(), Gate: g, patience: 10 * short}
	if c.needs == needsAnother {
		k.another = g.another()
	}
	over := make(chan struct{})
	go func() { // which Fatalf ends
		defer close(over)
		c.run(k)
	}()
	<-over
	return r.found
}
