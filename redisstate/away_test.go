package redisstate_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/qimen"
	"github.com/fliggy-go/rentcar/redisstate"
)

// An ownServer is a Redis of a test's own, with an append-only file.
type ownServer struct {
	t    *testing.T
	dir  string
	addr string
	args []string
	kill func()
}

// startServer starts one that ends with the test.
func startServer(t *testing.T, args ...string) *ownServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &ownServer{t: t, dir: t.TempDir(), addr: l.Addr().String(), args: args, kill: func() {}}
	_ = l.Close()
	t.Cleanup(func() { s.kill() })
	s.start()
	return s
}

func (s *ownServer) start() {
	s.t.Helper()
	_, port, _ := net.SplitHostPort(s.addr)
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command("redis-server", append([]string{
		"--bind", "127.0.0.1", "--port", port, "--dir", s.dir, "--save", "", "--appendonly", "yes", "--appendfsync", "always",
	}, s.args...)...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		s.t.Fatalf("%v: the test needs redis-server on the PATH", err)
	}
	s.kill = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = log.Close()
		s.kill = func() {}
	}
	client := redis.NewClient(&redis.Options{Addr: s.addr, MaxRetries: -1, DialerRetries: 1})
	defer func() { _ = client.Close() }()
	eventually(s.t, "the server answers", func() bool { return client.Ping(s.t.Context()).Err() == nil })
}

// A real server is killed and started again: meanwhile the handler turns pushes away, and calls go on with what the
// process knows.
func TestServerStopsAndStarts(t *testing.T) {
	s := startServer(t)
	ctx := t.Context()
	gw := fliggytest.NewGateway()
	t.Cleanup(gw.Close)
	gate := newGate(t, connect(t, s.addr), redisstate.GateConfig{App: gw.AppKey()})
	runs := 0
	h, err := qimen.NewHandler(
		qimen.Secrets{gw.AppKey(): {gw.AppSecret()}}, qimen.WithGate(gate),
		qimen.OnEvent(func(context.Context, *qimen.Delivery, events.Event) error { runs++; return nil }),
	)
	if err != nil {
		t.Fatal(err)
	}
	gw.PushToHandler(h)
	push := func(body string, status, wantRuns int) {
		t.Helper()
		if r := gw.PushRaw(ctx, []byte(body)); r.Status != status || runs != wantRuns {
			t.Fatalf("%v, and %d runs, want %d", r, runs, wantRuns)
		}
	}
	const first = `{"orderId":"1","eventType":900,"eventData":{}}`
	const second = `{"orderId":"2","eventType":900,"eventData":{}}`
	bans := newBans(t, connect(t, s.addr), "", "1", "2")
	limiter := newLimiter(t, s.addr, redisstate.LimiterConfig{Total: daily(10)})
	push(first, http.StatusOK, 1)
	bans.Ban("1", "x.y", time.Hour)
	bans.Ban("2", "x.y", time.Hour)
	exchange(t, bans)
	if n := passes(t, 12, "x.y", limiter); n != 10 {
		t.Errorf("%d calls pass, want 10", n)
	}

	s.kill()
	push(first, http.StatusInternalServerError, 1)
	push(second, http.StatusInternalServerError, 1)
	_, err = gate.Begin(ctx, "k", "d", "s")
	wantError(t, err, "redisstate: gate: claiming a message: Redis does not answer: ")
	wantError(t, gate.Finish(ctx, qimen.Claim{}, qimen.Reply{}), "gate: storing a reply: Redis does not answer: ")
	wantError(t, gate.Abandon(ctx, qimen.Claim{}), "gate: abandoning a claim: Redis does not answer: ")
	wantLeft(t, bans, "1", "x.y", time.Hour)
	bans.Ban("1", "x.z", time.Hour)
	wantLeft(t, bans, "1", "x.z", time.Hour)
	bans.Lift("2")
	bans.Ban("2", "x.z", time.Hour)
	wantLeft(t, bans, "2", "x.y", 0)
	wantError(t, bans.Sync(ctx), "redisstate: bans: Redis does not answer: ")
	wantError(t, bans.Err(), "redisstate: bans: Redis does not answer: ")
	if n := passes(t, 12, "x.y", limiter); n != 10 { // as many by itself
		t.Errorf("%d calls pass while Redis is away, want 10", n)
	}
	wantError(t, limiter.Err(), "redisstate: limiter: Redis does not answer: ")

	s.start()
	eventually(t, "the gate answers", func() bool { // go-redis dials once a second after it has failed
		_, err := gate.Begin(ctx, "k", "d", "s")
		return err == nil
	})
	push(first, http.StatusOK, 1) // the reply was kept
	push(second, http.StatusOK, 2)
	eventually(t, "bans are exchanged", func() bool { return bans.Sync(ctx) == nil })
	if err := bans.Err(); err != nil {
		t.Error(err)
	}
	other := newBans(t, connect(t, s.addr), "", "1", "2")
	wantLeft(t, other, "2", "x.y", 0) // lifted while Redis was away
	wantLeft(t, other, "2", "x.z", time.Hour)
	wantLeft(t, other, "1", "x.y", time.Hour)
	wantLeft(t, other, "1", "x.z", time.Hour) // told while Redis was away
	eventually(t, "the limiter asks Redis again", func() bool {
		_ = limiter.Wait(soon(t))
		return limiter.Err() == nil
	})
	if n := passes(t, 12, "x.y", limiter); n != 0 { // Redis has kept that the burst was used
		t.Errorf("%d calls pass, want none", n)
	}
}

// A server that hangs holds nobody for longer than the context says, or the limiter half a second.
func TestServerHangs(t *testing.T) {
	s := startServer(t)
	gate := newGate(t, connect(t, s.addr), redisstate.GateConfig{App: "1"})
	limiter := newLimiter(t, s.addr, redisstate.LimiterConfig{Total: daily(1)})
	bans := newBans(t, connect(t, s.addr), "", "1")
	if err := connect(t, s.addr).ClientPause(t.Context(), time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := gate.Begin(ctx, "k", "d", "s")
	wantError(t, err, "Redis does not answer", "deadline exceeded")
	wantError(t, bans.Sync(ctx), "Redis does not answer", "deadline exceeded")
	if n := passes(t, 2, "x", limiter); n != 1 {
		t.Errorf("%d calls pass, want 1", n)
	}
	wantError(t, limiter.Err(), "Redis does not answer", "deadline exceeded")
	bans.Ban("1", "x", time.Hour) // waits for nobody
	wantLeft(t, bans, "1", "x", time.Hour)
	s.kill()
}
