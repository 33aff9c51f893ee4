package redisstate_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/fliggy-go/rentcar/redisstate"
)

// parts are what can be made.
var parts = map[string]func(context.Context, redis.UniversalClient, redisstate.Config) error{
	"gate": func(ctx context.Context, c redis.UniversalClient, cfg redisstate.Config) error {
		_, err := redisstate.NewGate(ctx, c, redisstate.GateConfig{Config: cfg, App: "1"})
		return err
	},
	"bans": func(ctx context.Context, c redis.UniversalClient, cfg redisstate.Config) error {
		b, err := redisstate.NewBans(ctx, c, redisstate.BansConfig{Config: cfg})
		if err == nil {
			b.Close()
		}
		return err
	},
	"limiter": func(ctx context.Context, c redis.UniversalClient, cfg redisstate.Config) error {
		_, err := redisstate.NewLimiter(ctx, c, redisstate.LimiterConfig{Config: cfg, App: "1", Total: daily(1)})
		return err
	},
}

// A server that may drop keys is refused, unless the user knows better.
func TestEviction(t *testing.T) {
	s := startServer(t, "--maxmemory-policy", "allkeys-lru")
	client := connect(t, s.addr)
	for name, make := range parts {
		wantError(t, make(t.Context(), client, redisstate.Config{}),
			"redisstate: maxmemory-policy is allkeys-lru", "set it to noeviction", "Config.AcceptEviction")
		if err := make(t.Context(), client, redisstate.Config{AcceptEviction: true}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := client.ConfigSet(t.Context(), "maxmemory-policy", "noeviction").Err(); err != nil {
		t.Fatal(err)
	}
	if err := client.Do(t.Context(), "ACL", "SETUSER", "default", "-config").Err(); err != nil {
		t.Fatal(err)
	}
	for name, make := range parts { // as on a managed server that forbids CONFIG
		if err := make(t.Context(), client, redisstate.Config{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := client.Do(t.Context(), "ACL", "SETUSER", "default", "-info").Err(); err != nil {
		t.Fatal(err)
	}
	for _, make := range parts {
		err := make(t.Context(), client, redisstate.Config{})
		wantError(t, err, "maxmemory-policy cannot be read", "AcceptEviction", "NOPERM")
	}
}

// What cannot work is refused, and says why.
func TestBadClients(t *testing.T) {
	closed := connect(t, address())
	_ = closed.Close()
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := nobody.Addr().String()
	_ = nobody.Close()
	for name, c := range map[string]struct {
		client redis.UniversalClient
		want   string
	}{
		"nil":          {nil, "redisstate: the Redis client is nil"},
		"nil pointer":  {(*redis.Client)(nil), "redisstate: the Redis client is nil"},
		"no contexts":  {redis.NewClient(&redis.Options{Addr: address()}), "set ContextTimeoutEnabled in its options"},
		"Cluster":      {redis.NewClusterClient(&redis.ClusterOptions{}), "set ContextTimeoutEnabled"},
		"Ring":         {redis.NewRing(&redis.RingOptions{}), "set ContextTimeoutEnabled"},
		"closed":       {closed, "redisstate: connecting: Redis does not answer: redis: client is closed"},
		"nobody there": {connect(t, addr), "redisstate: connecting: Redis does not answer: "},
	} {
		for part, make := range parts {
			if err := make(t.Context(), c.client, redisstate.Config{}); err == nil {
				t.Errorf("%s: %s: no error", name, part)
			} else {
				wantError(t, err, c.want)
			}
		}
		if c.client != nil && name != "nil pointer" && name != "closed" {
			_ = c.client.Close()
		}
	}
}

func TestBadConfigs(t *testing.T) {
	client := server(t)
	_, err := redisstate.NewGate(t.Context(), client, redisstate.GateConfig{
		Config: redisstate.Config{Prefix: "}"}, Age: -1, Lease: time.Microsecond,
	})
	wantError(t, err, "GateConfig.Prefix: must not contain braces", "GateConfig: the app must be an app key",
		"GateConfig.Age: must be at least a millisecond", "GateConfig.Lease: must be at least a millisecond")
	_, err = redisstate.NewBans(t.Context(), client, redisstate.BansConfig{Apps: []string{"1", "{"}, Refresh: -1})
	wantError(t, err, "BansConfig: the app must be", "BansConfig.Refresh: must not be negative")
}

// What formats for people shows keys, and nothing of the server.
func TestStrings(t *testing.T) {
	cfg := redisstate.Config{Prefix: freshPrefix(t)}
	g := newGate(t, server(t), redisstate.GateConfig{Config: cfg, App: "1"})
	l, err := redisstate.NewLimiter(t.Context(), server(t), redisstate.LimiterConfig{
		Config: cfg, App: "1", Total: daily(1),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ got, want string }{
		{g.String(), "redisstate.Gate(" + cfg.Prefix + ":{1}:*)"},
		{newBans(t, server(t), cfg.Prefix, "1").String(), "redisstate.Bans(" + cfg.Prefix + ":{*}:bans)"},
		{l.String(), "redisstate.Limiter(" + cfg.Prefix + ":{1}:limit:*)"},
		{(*redisstate.Gate)(nil).String(), "redisstate.Gate(nil)"},
		{(*redisstate.Bans)(nil).String(), "redisstate.Bans(nil)"},
		{(*redisstate.Limiter)(nil).String(), "redisstate.Limiter(nil)"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
