package redisstate

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	_ "embed" // the scripts
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/fliggy-go/rentcar/qimen"
)

// A Gate is a [qimen.Gate] on Redis, shared by all processes: a message that comes to several of them runs once. Make
// it with [NewGate].
type Gate struct {
	client     redis.UniversalClient
	base       string
	age, lease time.Duration
}

var _ qimen.Gate = (*Gate)(nil)

// A GateConfig configures a Gate.
type GateConfig struct {
	Config
	// App is the app key that messages come for, or any name for the apps of one handler: required. Gates with another
	// App or Prefix know nothing of each other. All keys of an App are in one slot of a Cluster.
	App string
	// Age is how long replies and signatures are kept: [qimen.DefaultGateAge] by default, and at least twice the window
	// of the handler (see [qimen.WithWindow]), within which a recorded push can be sent again.
	Age time.Duration
	// Lease is how long a claim lasts whose process has died: [DefaultLease] by default, and at least three times the
	// time limit of the handler (see [qimen.WithHandlerTimeout]).
	Lease time.Duration
}

// DefaultLease is the default of [GateConfig.Lease].
const DefaultLease = 3 * qimen.DefaultHandlerTimeout

// NewGate returns a gate. It asks the server whether it can work there. The error says what is wrong, and what to do.
func NewGate(ctx context.Context, client redis.UniversalClient, cfg GateConfig) (*Gate, error) {
	problems := cfg.problems("GateConfig", cfg.App)
	if cfg.Age < 0 || cfg.Age > 0 && cfg.Age < time.Millisecond {
		problems = append(problems,
			errors.New("redisstate: GateConfig.Age: must be at least a millisecond, or 0 for the default"))
	}
	if cfg.Lease < 0 || cfg.Lease > 0 && cfg.Lease < time.Millisecond {
		problems = append(problems,
			errors.New("redisstate: GateConfig.Lease: must be at least a millisecond, or 0 for the default"))
	}
	if problems != nil {
		return nil, errors.Join(problems...)
	}
	if err := cfg.check(ctx, client); err != nil {
		return nil, err
	}
	return &Gate{
		client: client, base: cfg.base(cfg.App),
		age: cmp.Or(cfg.Age, qimen.DefaultGateAge), lease: cmp.Or(cfg.Lease, DefaultLease),
	}, nil
}

// The scripts. redis.Script sends only their hash, and their text where the server has forgotten it.
var (
	//go:embed messages.lua
	messagesText string
	//go:embed begin.lua
	beginText string
	//go:embed finish.lua
	finishText string
	//go:embed abandon.lua
	abandonText string

	beginScript   = redis.NewScript(messagesText + beginText)
	finishScript  = redis.NewScript(messagesText + finishText)
	abandonScript = redis.NewScript(messagesText + abandonText)
)

// undoTimeout is how long Begin tries to take back a claim of which it heard nothing.
const undoTimeout = time.Second

// Begin is part of [qimen.Gate].
func (g *Gate) Begin(ctx context.Context, key, digest, signature string) (qimen.Claim, error) {
	c := qimen.Claim{Key: key, Digest: digest, Signature: signature, Token: rand.Text()}
	answer, err := beginScript.Run(
		ctx, g.client, g.keys(c), digest, owner(c), c.Token, g.age.Milliseconds(), g.lease.Milliseconds(),
	).Slice()
	if err != nil {
		if !answered(err) && !unsent(err) { // it may have been claimed
			undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
			defer cancel()
			_ = g.abandon(undo, c)
		}
		return qimen.Claim{}, wrap("gate: claiming a message", err)
	}
	return claimOf(c, answer)
}

// keys are those of a claim.
func (g *Gate) keys(c qimen.Claim) []string {
	return []string{g.base + "m:" + c.Key, g.base + "s:" + c.Signature}
}

// owner is how a signature names its message; empty without a signature.
func owner(c qimen.Claim) string {
	if c.Signature == "" {
		return ""
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d:%s%s", len(c.Key), c.Key, c.Digest))
	return hex.EncodeToString(sum[:])
}

// claimOf reads the answer of the script.
func claimOf(c qimen.Claim, answer []any) (qimen.Claim, error) {
	var more any
	if len(answer) == 2 {
		more = answer[1]
	}
	switch answer[0] {
	case "new":
		c.State, c.IsConflict = qimen.ClaimNew, more == int64(1)
		return c, nil
	case "running":
		c.State = qimen.ClaimRunning
		return c, nil
	case "recut":
		c.State = qimen.ClaimRecut
		return c, nil
	}
	c.State = qimen.ClaimFinished
	text, _ := more.(string)
	if err := json.Unmarshal([]byte(text), &c.Reply); err != nil {
		return qimen.Claim{}, fmt.Errorf("redisstate: gate: the stored reply is not readable: %w", err)
	}
	return c, nil
}

// Finish is part of [qimen.Gate].
func (g *Gate) Finish(ctx context.Context, c qimen.Claim, reply qimen.Reply) error {
	text, err := json.Marshal(reply)
	if err != nil {
		return fmt.Errorf("redisstate: gate: storing a reply: %w", err)
	}
	held, err := finishScript.Run(
		ctx, g.client, g.keys(c)[:1], c.Digest, c.Token, g.age.Milliseconds(), text,
	).Bool()
	if err != nil {
		return wrap("gate: storing a reply", err)
	}
	if !held {
		return errors.New("redisstate: gate: storing a reply: the claim has run out, since GateConfig.Lease is too short " +
			"for the handler, or Redis has lost it")
	}
	return nil
}

// Abandon is part of [qimen.Gate].
func (g *Gate) Abandon(ctx context.Context, c qimen.Claim) error {
	if err := g.abandon(ctx, c); err != nil {
		return wrap("gate: abandoning a claim", err)
	}
	return nil
}

func (g *Gate) abandon(ctx context.Context, c qimen.Claim) error {
	return abandonScript.Run(ctx, g.client, g.keys(c), c.Digest, c.Token, c.Signature != "").Err()
}

// String names the keys.
func (g *Gate) String() string {
	if g == nil {
		return "redisstate.Gate(nil)"
	}
	return fmt.Sprintf("redisstate.Gate(%s*)", g.base)
}

// Format writes String for every verb.
func (g *Gate) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(g.String())) }
