package engines

import (
	"cmp"
	"context"
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/fliggy-go/rentcar/qimen"
	"github.com/fliggy-go/rentcar/redisstate"
)

const digest = "0123456789abcdef0123456789abcdef"

// twice is the least that Begin can be: one round trip that sets a key for the message, and one for the signature.
var twice = redis.NewScript("redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) " +
	"return redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2])")

// BenchmarkRedisGate has Begin, and Begin and Finish, of new messages beside a bare SET NX of the same size.
func BenchmarkRedisGate(b *testing.B) {
	byWorkers(b, func(b *testing.B, workers int) {
		client := redis.NewClient(&redis.Options{
			Addr: cmp.Or(os.Getenv("RENTCAR_TEST_REDIS"), "127.0.0.1:6379"), PoolSize: workers + 2,
			ContextTimeoutEnabled: true, DialerRetries: 1,
		})
		b.Cleanup(func() { _ = client.Close() })
		gate, err := redisstate.NewGate(b.Context(), client, redisstate.GateConfig{
			App: "1", Age: time.Minute, Config: redisstate.Config{Prefix: freshName()}, // everything is gone a minute later
		})
		check(b, err)
		begin := func(ctx context.Context, id string) (qimen.Claim, error) {
			return gate.Begin(ctx, "event/"+id, digest, "s"+id)
		}
		run := func(name string, f func(ctx context.Context, id string) error) contestant {
			return contestant{name, func(b *testing.B) {
				_, id := freshIDs()
				measure(b, workers, func(ctx context.Context, i int) error { return f(ctx, id(i)) })
			}}
		}
		prefix := freshName()
		contest(b,
			run("setnx", func(ctx context.Context, id string) error {
				return client.SetNX(ctx, prefix+":n:"+id, digest, time.Minute).Err()
			}),
			run("setnx-twice", func(ctx context.Context, id string) error {
				return twice.Run(ctx, client, []string{prefix + ":m:" + id, prefix + ":s:" + id}, digest, 60_000).Err()
			}),
			run("begin", func(ctx context.Context, id string) error {
				_, err := begin(ctx, id)
				return err
			}),
			run("begin-finish", func(ctx context.Context, id string) error {
				claim, err := begin(ctx, id)
				if err != nil {
					return err
				}
				return gate.Finish(ctx, claim, qimen.Reply{Status: 200, Body: []byte(`{"success":true}`)})
			}))
	})
}
