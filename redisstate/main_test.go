package redisstate_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	logging.Disable()               // go-redis tells of every dial that fails
	if os.Getenv(prefixEnv) != "" { // see startProcess
		fmt.Fprintln(os.Stderr, serveGate())
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// address is that of the server that CI starts, or of another one by the environment.
func address() string { return cmp.Or(os.Getenv("RENTCAR_TEST_REDIS"), "127.0.0.1:6379") }

// connect makes a client of its own, as another process has one.
func connect(t testing.TB, addr string) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true, DialerRetries: 1})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// server is a client of the server to test against.
func server(t testing.TB) *redis.Client {
	t.Helper()
	client := connect(t, address())
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Fatalf("%v: is the server up? See RENTCAR_TEST_REDIS in CONTRIBUTING.md", err)
	}
	return client
}

var prefixes atomic.Int64

// freshPrefix begins keys that no other test has. They are deleted afterwards.
func freshPrefix(t testing.TB) string {
	t.Helper()
	prefix := fmt.Sprintf("rentcar-test-%d-%d", os.Getpid(), prefixes.Add(1))
	client := server(t)
	t.Cleanup(func() {
		ctx := context.Background()
		for keys := client.Scan(ctx, 0, prefix+":*", 1000).Iterator(); keys.Next(ctx); {
			client.Del(ctx, keys.Val())
		}
	})
	return prefix
}

// eventually waits until f reports true.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !f() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("after a minute it is not so that %s", what)
		}
	}
}

// wantError checks that an error says all of this.
func wantError(t testing.TB, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v, want one with %q", err, part)
		}
	}
}
