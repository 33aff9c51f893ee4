// Package redisstate shares between processes, through the Redis that you have, what the root module and qimen keep in
// the memory of one: which messages were handled ([Gate]), bans of flow control ([Bans]), and how fast calls may be
// sent ([Limiter]). It works on go-redis with your own client: a single server, Sentinel or Cluster. CI tests
// Redis 7.0; 6.2 and newer are meant to work.
//
//	client := redis.NewUniversalClient(&redis.UniversalOptions{Addrs: addrs, ContextTimeoutEnabled: true})
//	gate, err := redisstate.NewGate(ctx, client, redisstate.GateConfig{App: appKey})
//	bans, err := redisstate.NewBans(ctx, client, redisstate.BansConfig{Apps: []string{appKey}})
//	limiter, err := redisstate.NewLimiter(ctx, client, redisstate.LimiterConfig{
//		App: appKey, Total: redisstate.Rate{PerSecond: 40, Burst: 40},
//	})
//
// Each of them is one script a call, so one round trip, on keys of one slot of a Cluster. They go by the clock of the
// server, so processes with wrong clocks do no harm.
//
// # Keys
//
// All keys begin with the prefix (rentcar by default) and the app in braces, which is their hash tag:
//
//	rentcar:{APP}:m:KEY        a message by Delivery.Key: its digest, claim and reply
//	rentcar:{APP}:s:SIGNATURE  the message that a signature belongs to
//	rentcar:{APP}:bans         the bans of an app: a hash of what is banned and until when
//	rentcar:{APP}:limit:API    when the next call is due; without API that of all calls
//
// Messages and signatures last for GateConfig.Age: a message takes about 400 bytes with the usual reply, a signature
// about 250. 100,000 pushes a day are 80 MB with the default Age of 24 hours. Bans last until they end, limits for as
// long as calls wait for them.
//
// # What Redis has to be
//
// maxmemory-policy has to be noeviction: every other one may drop a running claim, and then a message runs twice.
// NewGate, NewBans and NewLimiter refuse another one, and a server that does not answer. Keep the append-only file on
// (appendonly yes): without it a server that is killed forgets everything since its last snapshot. With it, and after a
// failover to a replica, it may forget the last second. So the gate spares work and does not replace the unique key in
// your own database.
//
// # When Redis is away
//
// The [Gate] returns an error, so the handler turns the push away and Fliggy repeats it. [Bans] and [Limiter] go on
// with what this process knows, and catch up when Redis answers again; their Err methods say what is wrong meanwhile.
// The limiter waits for Redis for half of the time that a call has left, half a second at most, and then goes on alone.
// go-redis dials for about two seconds before it says that nobody listens; with DialerRetries: 1 in its options it says
// so sooner.
package redisstate
