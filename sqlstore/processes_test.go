package sqlstore_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/qimen"
	"github.com/fliggy-go/rentcar/sqlstore"
)

// The environment of a process that serves pushes: its database, and the app that they come for.
const (
	driverEnv  = "RENTCAR_PROCESS_DRIVER"
	sourceEnv  = "RENTCAR_PROCESS_SOURCE"
	dialectEnv = "RENTCAR_PROCESS_DIALECT"
	keyEnv     = "RENTCAR_PROCESS_KEY"
	secretEnv  = "RENTCAR_PROCESS_SECRET"
)

const saysRun = "run"

// serveGate is a process of its own: it serves pushes with a gate, and says where, and each time that its function
// runs. The function waits for the end of the standard input.
func serveGate() error {
	ctx := context.Background()
	dialect := sqlstore.Dialect(os.Getenv(dialectEnv))
	db, err := sql.Open(os.Getenv(driverEnv), os.Getenv(sourceEnv))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(8)
	if dialect == sqlstore.SQLite {
		db.SetMaxOpenConns(1)
	}
	gate, err := sqlstore.NewGate(ctx, db, dialect, sqlstore.GateConfig{})
	if err != nil {
		return err
	}
	released := make(chan struct{})
	go func() {
		bufio.NewScanner(os.Stdin).Scan()
		close(released)
	}()
	handler, err := qimen.NewHandler(
		qimen.Secrets{os.Getenv(keyEnv): {os.Getenv(secretEnv)}}, qimen.WithGate(gate),
		qimen.WithHandlerTimeout(10*time.Minute), // it runs until it is released, however busy the machine is
		qimen.OnEvent(func(ctx context.Context, _ *qimen.Delivery, _ events.Event) error {
			fmt.Println(saysRun)
			select {
			case <-released:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}),
	)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + l.Addr().String())
	return http.Serve(l, handler)
}

// A process is this program, started once more.
type process struct {
	*exec.Cmd
	address string
	release func()
}

// startProcess starts a process that ends with ctx, and tells what it says after its address.
func startProcess(ctx context.Context, t *testing.T, says chan<- string, env []string) process {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := process{Cmd: exec.CommandContext(ctx, program)}
	p.Env, p.Stderr = append(os.Environ(), env...), t.Output()
	stdin, err := p.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	p.release = func() { _ = stdin.Close() }
	lines := bufio.NewScanner(stdout)
	if lines.Scan() {
		p.address = lines.Text()
	}
	go func() {
		for lines.Scan() {
			says <- lines.Text()
		}
		says <- ""
	}()
	if !strings.HasPrefix(p.address, "http://") {
		t.Fatalf("the process says %q, want its address", p.address)
	}
	return p
}

// Of 200 pushes of one message that come to three processes at once, one runs. Of 200 more, none does.
func TestGateOfThreeProcesses(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		g := newGate(t, e, sqlstore.GateConfig{})
		from := originOf(g.DB())
		gw := fliggytest.NewGateway()
		t.Cleanup(gw.Close)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		says := make(chan string, 1000)
		var processes []process
		for range 3 {
			processes = append(processes, startProcess(ctx, t, says, []string{
				driverEnv + "=" + from.driver, sourceEnv + "=" + from.dsn, dialectEnv + "=" + string(e.dialect),
				keyEnv + "=" + gw.AppKey(), secretEnv + "=" + gw.AppSecret(),
			}))
		}
		gw.PushToHandler(spread(processes))
		push := duplicates(ctx, gw, 200)
		turnedAway := 0
		for range 199 { // while the function runs
			if r := <-push; r.Status != http.StatusServiceUnavailable {
				t.Errorf("%v, want it turned away", r)
			} else {
				turnedAway++
			}
		}
		for _, p := range processes {
			p.release()
		}
		if r := <-push; turnedAway == 199 && !r.Accepted {
			t.Errorf("%v, want it accepted", r)
		}
		for r := range duplicates(ctx, gw, 200) {
			if !r.Accepted {
				t.Errorf("%v, want the reply that was stored", r)
			}
		}
		stop()
		var said []string
		for open := len(processes); open > 0; {
			if line := <-says; line == "" {
				open--
			} else {
				said = append(said, line)
			}
		}
		for _, p := range processes {
			_ = p.Wait() // it was killed
		}
		if !slices.Equal(said, []string{saysRun}) {
			t.Errorf("the processes say %q, want one run", said)
		}
	})
}

// duplicates pushes one event n times at once.
func duplicates(ctx context.Context, gw *fliggytest.Gateway, n int) <-chan fliggytest.PushResult {
	results := make(chan fliggytest.PushResult, n)
	var all sync.WaitGroup
	for range n {
		all.Go(func() { results <- gw.PushRaw(ctx, []byte(`{"orderId":"1","eventType":900,"eventData":{}}`)) })
	}
	go func() {
		all.Wait()
		close(results)
	}()
	return results
}

// spread hands each request to the next of the processes.
func spread(processes []process) http.Handler {
	transport := &http.Transport{DisableKeepAlives: true}
	var n atomic.Int64
	return &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) {
		to := processes[int(n.Add(1))%len(processes)].address
		r.Out.URL.Scheme, r.Out.URL.Host = "http", strings.TrimPrefix(to, "http://")
	}}
}
