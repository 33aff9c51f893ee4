package redisstate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// A Config is what all parts have in common. The zero Config has the defaults.
type Config struct {
	// Prefix begins all keys: "rentcar" by default. It has no braces.
	Prefix string
	// AcceptEviction does without the check of maxmemory-policy, for a server that lets nobody read it, or whose memory
	// is known to suffice. If keys are evicted, messages run twice and bans are forgotten.
	AcceptEviction bool
}

// problems returns what is wrong with the configuration, for the name of its type.
func (c Config) problems(name string, apps ...string) (problems []error) {
	if strings.ContainsAny(c.Prefix, "{}") {
		problems = append(problems, fmt.Errorf("redisstate: %s.Prefix: must not contain braces", name))
	}
	for _, app := range apps {
		if app == "" || strings.ContainsAny(app, "{}") {
			problems = append(problems, fmt.Errorf(
				"redisstate: %s: the app must be an app key, or a name without braces for several apps", name,
			))
		}
	}
	return problems
}

// base begins the keys of an app. The part in braces is the hash tag: a Cluster keeps keys with the same one together.
func (c Config) base(app string) string { return cmp.Or(c.Prefix, "rentcar") + ":{" + app + "}:" }

// check asks the servers whether they can be used.
func (c Config) check(ctx context.Context, client redis.UniversalClient) error {
	if v := reflect.ValueOf(client); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return errors.New("redisstate: the Redis client is nil")
	}
	var bounded bool
	each := func(ctx context.Context, f func(context.Context, *redis.Client) error) error { return nil }
	switch client := client.(type) {
	case *redis.Client:
		bounded = client.Options().ContextTimeoutEnabled
		each = func(ctx context.Context, f func(context.Context, *redis.Client) error) error { return f(ctx, client) }
	case *redis.ClusterClient:
		bounded, each = client.Options().ContextTimeoutEnabled, client.ForEachMaster
	case *redis.Ring:
		bounded, each = client.Options().ContextTimeoutEnabled, client.ForEachShard
	default: // somebody's own
		bounded = true
	}
	if !bounded {
		return errors.New("redisstate: the Redis client does not look at contexts, so that a server that hangs would hold " +
			"calls and pushes: set ContextTimeoutEnabled in its options")
	}
	if err := client.Ping(ctx).Err(); err != nil {
		return wrap("connecting", err)
	}
	if c.AcceptEviction {
		return nil
	}
	return each(ctx, checkPolicy)
}

// checkPolicy looks for the policy where managed servers show it, too: many of them forbid CONFIG.
func checkPolicy(ctx context.Context, server *redis.Client) error {
	const accept = "or set Config.AcceptEviction if you know better"
	info, err := server.Info(ctx, "memory").Result()
	if err != nil {
		return fmt.Errorf("redisstate: maxmemory-policy cannot be read (INFO memory): make sure that it is noeviction, "+
			"and set Config.AcceptEviction: %w", err)
	}
	for line := range strings.Lines(info) {
		policy, ok := strings.CutPrefix(strings.TrimSpace(line), "maxmemory_policy:")
		if ok && policy == "noeviction" {
			return nil
		}
		if ok {
			return fmt.Errorf("redisstate: maxmemory-policy is %s, so that Redis may drop claims that are running: set it to "+
				"noeviction, use a server of its own, %s", policy, accept)
		}
	}
	return errors.New("redisstate: INFO memory has no maxmemory_policy: make sure that nothing is evicted, " + accept)
}

// answered reports whether an error is an answer of the server.
func answered(err error) bool {
	var answer redis.Error
	return errors.As(err, &answer)
}

// unsent reports whether no server was reached, so that nothing was sent.
func unsent(err error) bool {
	var failed *net.OpError
	return errors.As(err, &failed) && failed.Op == "dial"
}

// wrap says what was done when Redis failed, and whether it answered at all.
func wrap(doing string, err error) error {
	if answered(err) {
		return fmt.Errorf("redisstate: %s: Redis refused: %w", doing, err)
	}
	return fmt.Errorf("redisstate: %s: Redis does not answer: %w", doing, err)
}

// A status is the error of the last exchange with Redis.
type status struct {
	mu  sync.Mutex
	err error
}

func (s *status) set(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *status) get() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}
