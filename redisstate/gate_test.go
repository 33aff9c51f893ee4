package redisstate_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/fliggy-go/rentcar/durable/storetest"
	"github.com/fliggy-go/rentcar/qimen"
	"github.com/fliggy-go/rentcar/redisstate"
)

// newGate makes a gate with a client of its own.
func newGate(t testing.TB, client *redis.Client, cfg redisstate.GateConfig) *redisstate.Gate {
	t.Helper()
	g, err := redisstate.NewGate(t.Context(), client, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// freshGate makes a gate on keys of its own.
func freshGate(t testing.TB, cfg redisstate.GateConfig) *redisstate.Gate {
	t.Helper()
	cfg.Prefix, cfg.App = freshPrefix(t), "12345678"
	return newGate(t, server(t), cfg)
}

func TestGate(t *testing.T) {
	prefixes := map[qimen.Gate]string{}
	storetest.TestGate(t, storetest.GateSubject{
		New: func(t *testing.T) qimen.Gate {
			prefix := freshPrefix(t)
			g := newGate(t, server(t), redisstate.GateConfig{App: "1", Config: redisstate.Config{Prefix: prefix}})
			prefixes[g] = prefix
			return g
		},
		Another: func(t *testing.T, g qimen.Gate) qimen.Gate {
			return newGate(t, server(t), redisstate.GateConfig{App: "1", Config: redisstate.Config{Prefix: prefixes[g]}})
		},
		ShortLease: func(t *testing.T) qimen.Gate {
			return freshGate(t, redisstate.GateConfig{Lease: 10 * time.Millisecond})
		},
		ShortAge: func(t *testing.T) qimen.Gate {
			return freshGate(t, redisstate.GateConfig{Age: 10 * time.Millisecond})
		},
	})
}

// Of 200 pushes of one message to three gates one is new, also while the server forgets its scripts.
func TestGateWithoutScripts(t *testing.T) {
	cfg := redisstate.GateConfig{App: "1", Config: redisstate.Config{Prefix: freshPrefix(t)}}
	var gates []*redisstate.Gate
	for range 3 {
		gates = append(gates, newGate(t, server(t), cfg))
	}
	admin := server(t)
	for round := range 10 {
		var mu sync.Mutex
		var own qimen.Claim
		count := map[qimen.ClaimState]int{}
		var wg sync.WaitGroup
		for i := range 200 {
			wg.Go(func() {
				if i%50 == 0 {
					if err := admin.ScriptFlush(t.Context()).Err(); err != nil {
						t.Error(err)
					}
				}
				c, err := gates[i%3].Begin(t.Context(), "event/"+string(rune('a'+round)), "d", "s"+string(rune('a'+round)))
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				count[c.State]++
				if c.State == qimen.ClaimNew {
					own = c
				}
			})
		}
		wg.Wait()
		if count[qimen.ClaimNew] != 1 || count[qimen.ClaimRunning] != 199 {
			t.Fatalf("states %v, want new once and running 199 times", count)
		}
		if err := admin.ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		if err := gates[0].Finish(t.Context(), own, qimen.Reply{Status: 200, Body: []byte("ok")}); err != nil {
			t.Fatal(err)
		}
		for _, g := range gates {
			c, err := g.Begin(t.Context(), own.Key, "d", own.Signature)
			if err != nil || c.State != qimen.ClaimFinished || string(c.Reply.Body) != "ok" {
				t.Fatalf("%+v, %v", c, err)
			}
		}
	}
}

// What go-redis sends again after a connection broke changes nothing.
func TestGateScriptsSentAgain(t *testing.T) {
	client := server(t)
	client.AddHook(twice{})
	g := newGate(t, client, redisstate.GateConfig{App: "1", Config: redisstate.Config{Prefix: freshPrefix(t)}})
	ctx := t.Context()
	for _, end := range []string{"abandon", "finish"} {
		c, err := g.Begin(ctx, "k", "d", "s")
		if err != nil || c.State != qimen.ClaimNew || c.IsConflict {
			t.Fatalf("%+v, %v", c, err)
		}
		if end == "abandon" {
			err = g.Abandon(ctx, c)
		} else {
			err = g.Finish(ctx, c, qimen.Reply{Status: 200})
		}
		if err != nil {
			t.Fatalf("%s: %v", end, err)
		}
	}
	if c, err := g.Begin(ctx, "k", "d", "s"); err != nil || c.State != qimen.ClaimFinished {
		t.Errorf("%+v, %v", c, err)
	}
}

// A claim whose answer is lost is taken back: Begin gave an error, so it has claimed nothing.
func TestGateAnswerLost(t *testing.T) {
	cfg := redisstate.GateConfig{App: "1", Config: redisstate.Config{Prefix: freshPrefix(t)}}
	other := newGate(t, server(t), cfg)
	client := redis.NewClient(&redis.Options{Addr: address(), ContextTimeoutEnabled: true, MaxRetries: -1})
	defer func() { _ = client.Close() }()
	g := newGate(t, client, cfg)
	ctx := t.Context()
	if c, err := g.Begin(ctx, "loads the script", "d", ""); err != nil || g.Abandon(ctx, c) != nil {
		t.Fatal(err)
	}
	client.AddHook(&lost{})
	if _, err := g.Begin(ctx, "k", "d", "s"); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("error %v", err)
	}
	if c, err := other.Begin(ctx, "k2", "d2", "s"); err != nil || c.State != qimen.ClaimNew {
		t.Errorf("the signature is kept: %+v, %v", c, err)
	}
	if c, err := other.Begin(ctx, "k", "d3", "s3"); err != nil || c.State != qimen.ClaimNew || c.IsConflict {
		t.Errorf("the message is claimed: %+v, %v", c, err)
	}
}

// lost loses the first answer of a script.
type lost struct {
	redis.Hook
	isOver bool
}

func (l *lost) DialHook(next redis.DialHook) redis.DialHook { return next }
func (l *lost) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if !l.isOver {
			l.isOver = true
			err = io.ErrUnexpectedEOF
			cmd.SetErr(err)
		}
		return err
	}
}
func (l *lost) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// twice sends every script twice and gives the second answer.
type twice struct{ redis.Hook }

func (twice) DialHook(next redis.DialHook) redis.DialHook { return next }
func (twice) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "evalsha" {
			_ = next(ctx, cmd)
		}
		return next(ctx, cmd)
	}
}
func (twice) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
