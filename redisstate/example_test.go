package redisstate_test

import (
	"context"
	"net/http"

	"github.com/redis/go-redis/v9"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/qimen"
	"github.com/fliggy-go/rentcar/redisstate"
)

// Three processes of one app, each with this, handle every push once, and send calls as one.
func ExampleNewGate() {
	ctx, appKey, appSecret := context.Background(), "12345678", "the app secret"
	server := redis.NewUniversalClient(&redis.UniversalOptions{
		Addrs: []string{address()}, ContextTimeoutEnabled: true, DialerRetries: 1,
	})
	defer func() { _ = server.Close() }()

	gate, err := redisstate.NewGate(ctx, server, redisstate.GateConfig{App: appKey})
	if err != nil {
		panic(err)
	}
	handler, err := qimen.NewHandler(
		qimen.Secrets{appKey: {appSecret}}, qimen.WithGate(gate),
		qimen.OnEvent(func(context.Context, *qimen.Delivery, events.Event) error { return nil }),
	)
	if err != nil {
		panic(err)
	}
	http.Handle("/fliggy", handler)

	bans, err := redisstate.NewBans(ctx, server, redisstate.BansConfig{Apps: []string{appKey}})
	if err != nil {
		panic(err)
	}
	defer bans.Close()
	limiter, err := redisstate.NewLimiter(ctx, server, redisstate.LimiterConfig{
		App:   appKey,
		Total: redisstate.Rate{PerSecond: 40, Burst: 40},
		APIs:  map[string]redisstate.Rate{"alitrip.rentcar.btb.order.query": {PerSecond: 5}},
	})
	if err != nil {
		panic(err)
	}
	_, err = rentcar.NewClient(appKey, appSecret, rentcar.WithBans(bans), rentcar.WithLimiter(limiter))
	if err != nil {
		panic(err)
	}
	// Output:
}
