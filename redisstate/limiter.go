package redisstate

import (
	"context"
	_ "embed" // the script
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/fliggy-go/rentcar"
)

// A Limiter is a [rentcar.MethodLimiter] on Redis: a token bucket for all calls of an app and one for each API, shared
// by all processes. Make it with [NewLimiter], and give it to clients by [rentcar.WithLimiter].
//
// Each call takes its turn by one script, and waits for it here. A call whose turn would come after its deadline fails
// at once and takes none; a call that gives up while it waits has used its turn. While Redis is away, each process
// keeps the same rates by itself, so that all of them together may be as many times as fast.
type Limiter struct {
	client redis.UniversalClient
	cfg    LimiterConfig
	status status
	local  localLimits

	mu   sync.Mutex
	away time.Time // until when Redis is not asked
}

var _ rentcar.MethodLimiter = (*Limiter)(nil)

// A LimiterConfig configures a Limiter. It has at least one rate.
type LimiterConfig struct {
	Config
	// App is the app key whose calls are limited: required.
	App string
	// Total is the rate of all calls together. The zero Rate is no limit.
	Total Rate
	// EachAPI is the rate of every API that APIs does not name, each by itself. The zero Rate is no limit.
	EachAPI Rate
	// APIs are the rates of single APIs by name. A zero Rate in it is no limit.
	APIs map[string]Rate
}

// A Rate is what a token bucket lets pass.
type Rate struct {
	// PerSecond is how many calls a second pass in the long run, from one a day to 100,000.
	PerSecond float64
	// Burst is how many calls pass at once after a pause: at least 1. The default is 1.
	Burst int
}

// gap is the time between two calls.
func (r Rate) gap() time.Duration { return time.Duration(float64(time.Second) / r.PerSecond) }

// ahead is how much earlier than due a call of a burst may be sent.
func (r Rate) ahead() time.Duration { return time.Duration(max(r.Burst, 1)-1) * r.gap() }

func (r Rate) problem() error {
	const slowest, fastest, largest = 1. / (24 * 60 * 60), 100_000, 1_000_000
	switch {
	case r == Rate{}:
		return nil
	case !(r.PerSecond >= slowest && r.PerSecond <= fastest): // not a NaN either
		return errors.New("calls per second must be from one a day to 100,000")
	case r.Burst < 0 || r.Burst > largest:
		return errors.New("the burst must be from 1 to 1,000,000, or 0 for 1")
	}
	return nil
}

// NewLimiter returns a limiter. It asks the server whether it can work there. The error says what is wrong, and what to
// do.
func NewLimiter(ctx context.Context, client redis.UniversalClient, cfg LimiterConfig) (*Limiter, error) {
	problems := cfg.problems("LimiterConfig", cfg.App)
	isSet := cfg.Total != Rate{} || cfg.EachAPI != Rate{}
	check := func(field string, r Rate) {
		if err := r.problem(); err != nil {
			problems = append(problems, fmt.Errorf("redisstate: LimiterConfig.%s: %w", field, err))
		}
	}
	check("Total", cfg.Total)
	check("EachAPI", cfg.EachAPI)
	for _, api := range slices.Sorted(maps.Keys(cfg.APIs)) {
		check(fmt.Sprintf("APIs[%q]", api), cfg.APIs[api])
		isSet = isSet || cfg.APIs[api] != Rate{}
	}
	if !isSet {
		problems = append(problems, errors.New("redisstate: LimiterConfig: has no rate: set Total, EachAPI or APIs"))
	}
	if problems != nil {
		return nil, errors.Join(problems...)
	}
	if err := cfg.check(ctx, client); err != nil {
		return nil, err
	}
	cfg.APIs = maps.Clone(cfg.APIs)
	return &Limiter{client: client, cfg: cfg}, nil
}

// Wait is part of [rentcar.Limiter]: it waits for Total alone.
func (l *Limiter) Wait(ctx context.Context) error { return l.wait(ctx, []limit{{"", l.cfg.Total}}) }

// WaitMethod is part of [rentcar.MethodLimiter].
func (l *Limiter) WaitMethod(ctx context.Context, method string) error {
	rate, ok := l.cfg.APIs[method]
	if !ok {
		rate = l.cfg.EachAPI
	}
	return l.wait(ctx, []limit{{"", l.cfg.Total}, {method, rate}})
}

// Err returns why this process limits by itself at the moment, or nil: for a health check.
func (l *Limiter) Err() error { return l.status.get() }

// A limit is the rate of an API, or of all of them where it is empty.
type limit struct {
	api string
	Rate
}

const (
	// askTimeout is how long Redis has to give a turn: half of what the caller has left, if that is less, so that there
	// is time to go on without it.
	askTimeout = 500 * time.Millisecond
	// patience is how long Redis has to have been asked before its silence is taken for more than a caller in a hurry.
	patience = 50 * time.Millisecond
	// awayFor is how long Redis is not asked after it failed, so that not every call waits for it.
	awayFor = time.Second
)

// wait waits for a turn.
func (l *Limiter) wait(ctx context.Context, limits []limit) error {
	limits = slices.DeleteFunc(limits, func(x limit) bool { return x.Rate == Rate{} })
	if len(limits) == 0 {
		return ctx.Err()
	}
	most := time.Duration(-1)
	if deadline, ok := ctx.Deadline(); ok {
		most = max(0, time.Until(deadline))
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	left, taken, err := l.ask(ctx, limits, most)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		left, taken = l.local.take(limits, most)
	}
	if !taken {
		return fmt.Errorf("redisstate: the next call is due in %v, which is after the deadline", left)
	}
	if left <= 0 {
		return nil
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

//go:embed limit.lua
var limitText string

var limitScript = redis.NewScript(limitText)

var errAway = errors.New("redisstate: Redis did not answer a moment ago")

// ask takes a turn from Redis.
func (l *Limiter) ask(
	ctx context.Context, limits []limit, most time.Duration,
) (left time.Duration, taken bool, err error) {
	l.mu.Lock()
	isAway := time.Now().Before(l.away)
	l.mu.Unlock()
	if isAway {
		return 0, false, errAway
	}
	longest, timeout := int64(-1), askTimeout
	if most >= 0 {
		longest, timeout = most.Microseconds(), min(askTimeout, most/2)
	}
	keys, args := []string{}, []any{longest}
	for _, x := range limits {
		keys = append(keys, l.cfg.base(l.cfg.App)+"limit:"+x.api)
		args = append(args, x.gap().Microseconds(), x.ahead().Microseconds())
	}
	asking, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answer, err := limitScript.Run(asking, l.client, keys, args...).Int64Slice()
	if err == nil && len(answer) != 2 {
		err = fmt.Errorf("%d values instead of 2", len(answer))
	}
	if err != nil {
		isHurry := timeout < patience && asking.Err() != nil
		if ctx.Err() == nil && !isHurry { // it is Redis, not the caller
			l.status.set(wrap("limiter", err))
			l.mu.Lock()
			l.away = time.Now().Add(awayFor)
			l.mu.Unlock()
		}
		return 0, false, err
	}
	l.status.set(nil)
	return time.Duration(answer[0]) * time.Microsecond, answer[1] == 1, nil
}

// localLimits are what the script does, in this process.
type localLimits struct {
	mu  sync.Mutex
	due map[string]time.Time
}

// mostLocal bounds how many limits are remembered before those that are over are dropped.
const mostLocal = 1000

func (l *localLimits) take(limits []limit, most time.Duration) (left time.Duration, taken bool) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.due == nil || len(l.due) > mostLocal {
		kept := map[string]time.Time{}
		for api, due := range l.due {
			if due.After(now) {
				kept[api] = due
			}
		}
		l.due = kept
	}
	later := func(a, b time.Time) time.Time {
		if a.After(b) {
			return a
		}
		return b
	}
	at := now
	for _, x := range limits {
		at = later(at, l.due[x.api].Add(-x.ahead()))
	}
	if left = at.Sub(now); most >= 0 && left > most {
		return left, false
	}
	for _, x := range limits {
		from := later(l.due[x.api], now)
		if x.api != "" {
			from = later(from, at)
		}
		l.due[x.api] = from.Add(x.gap())
	}
	return left, true
}

// String names the keys.
func (l *Limiter) String() string {
	if l == nil {
		return "redisstate.Limiter(nil)"
	}
	return fmt.Sprintf("redisstate.Limiter(%slimit:*)", l.cfg.base(l.cfg.App))
}

// Format writes String for every verb.
func (l *Limiter) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(l.String())) }
