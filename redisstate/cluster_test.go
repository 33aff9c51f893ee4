package redisstate_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/fliggy-go/rentcar/qimen"
	"github.com/fliggy-go/rentcar/redisstate"
)

// Every script keeps to one slot of a Cluster, which refuses others, whichever characters a key has.
func TestCluster(t *testing.T) {
	s := startServer(t, "--cluster-enabled", "yes")
	ctx := t.Context()
	if err := connect(t, s.addr).ClusterAddSlotsRange(ctx, 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{s.addr}, ContextTimeoutEnabled: true})
	defer func() { _ = client.Close() }()
	eventually(t, "the cluster is up", func() bool { return client.Set(ctx, "x", "y", 0).Err() == nil })

	gate, err := redisstate.NewGate(ctx, client, redisstate.GateConfig{App: "1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"k", "{k}", "}{"} {
		c, err := gate.Begin(ctx, key, "d", key+"s")
		if err != nil || c.State != qimen.ClaimNew {
			t.Fatalf("%+v, %v", c, err)
		}
		if err := gate.Abandon(ctx, c); err != nil {
			t.Error(err)
		}
		if c, err = gate.Begin(ctx, key, "d", key+"s"); err == nil {
			err = gate.Finish(ctx, c, qimen.Reply{Status: 200})
		}
		if err != nil {
			t.Error(err)
		}
	}
	bans, err := redisstate.NewBans(ctx, client, redisstate.BansConfig{Apps: []string{"1", "2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer bans.Close()
	bans.Ban("2", "", time.Hour)
	exchange(t, bans)
	wantLeft(t, bans, "2", "", time.Hour)
	limiter, err := redisstate.NewLimiter(ctx, client, redisstate.LimiterConfig{
		App: "1", Total: daily(3), EachAPI: daily(2),
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := passes(t, 3, "x", limiter); n != 2 || limiter.Err() != nil {
		t.Errorf("%d pass: %v", n, limiter.Err())
	}
	if err := client.ConfigSet(ctx, "maxmemory-policy", "allkeys-lru").Err(); err != nil {
		t.Fatal(err)
	}
	_, err = redisstate.NewGate(ctx, client, redisstate.GateConfig{App: "1"})
	wantError(t, err, "maxmemory-policy is allkeys-lru")
}
