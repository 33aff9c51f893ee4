package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/sqlstore"
)

// An ownServer is a database server of a test's own, which can be ended and started again.
type ownServer struct {
	t       *testing.T
	command []string
	source  origin
	stop    syscall.Signal // asks it to stop
	crash   syscall.Signal // ends it without further ado
	end     func(syscall.Signal)
}

func ownServers() map[sqlstore.Dialect]func(*testing.T) *ownServer {
	return map[sqlstore.Dialect]func(*testing.T) *ownServer{sqlstore.PostgreSQL: ownPostgres, sqlstore.MySQL: ownMySQL}
}

func ownPostgres(t *testing.T) *ownServer {
	t.Helper()
	dir, port := serverDir(t)
	data := filepath.Join(dir, "data")
	var as []string // the server does not run as root
	if os.Geteuid() == 0 {
		as = []string{"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"}
	}
	call(t, append(as, postgresTool(t, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "--no-sync"))
	s := &ownServer{
		t: t, stop: syscall.SIGINT, crash: syscall.SIGQUIT,
		source: origin{"pgx", "postgres://postgres@127.0.0.1:" + port + "/postgres?sslmode=disable", 8},
		command: append(as, postgresTool(t, "postgres"), "-D", data, "-p", port, "-k", dir,
			"-c", "listen_addresses=127.0.0.1"),
	}
	s.start()
	return s
}

// postgresTool finds a program of PostgreSQL where Debian has it, or on the PATH.
func postgresTool(t *testing.T, name string) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil || len(found) == 0 {
		return name
	}
	return found[len(found)-1]
}

func ownMySQL(t *testing.T) *ownServer {
	t.Helper()
	dir, port := serverDir(t)
	options := []string{"--no-defaults", "--datadir=" + filepath.Join(dir, "data")}
	if os.Geteuid() == 0 {
		options = append(options, "--user=root")
	}
	call(t, append(append([]string{"mariadb-install-db"}, options...),
		"--auth-root-authentication-method=normal", "--skip-test-db"))
	s := &ownServer{
		t: t, stop: syscall.SIGTERM, crash: syscall.SIGKILL,
		source: origin{"mysql", "root@tcp(127.0.0.1:" + port + ")/mysql", 8},
		command: append(append([]string{"mariadbd"}, options...),
			"--socket="+filepath.Join(dir, "socket"), "--port="+port, "--bind-address=127.0.0.1"),
	}
	s.start()
	return s
}

// serverDir makes a directory that other users can enter, and finds a port.
func serverDir(t *testing.T) (dir, port string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "rentcar") // the path of a socket is short
	if err == nil {
		err = os.Chmod(dir, 0o777)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return dir, port
}

func call(t *testing.T, command []string) {
	t.Helper()
	if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%q: %v: the test needs a server of its own; see CONTRIBUTING.md\n%s", command, err, out)
	}
}

// start starts the server, which ends with the test.
func (s *ownServer) start() {
	s.t.Helper()
	cmd := exec.Command(s.command[0], s.command[1:]...)
	if err := cmd.Start(); err != nil {
		s.t.Fatalf("%v: the test needs a server of its own; see CONTRIBUTING.md", err)
	}
	s.end = func(how syscall.Signal) {
		_ = cmd.Process.Signal(how)
		_ = cmd.Wait()
		s.end = func(syscall.Signal) {}
	}
	s.t.Cleanup(func() { s.end(s.crash) })
	db := pool(s.t, s.source.driver, s.source.dsn, 1)
	eventually(s.t, "the server answers", func() bool { return db.PingContext(s.t.Context()) == nil })
	_ = db.Close()
}

// eventually waits until f reports true.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !f() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("after a minute it is not so that %s", what)
		}
	}
}

// An office has events to store, and books to enter them in.
type office struct {
	t       *testing.T
	e       engine
	data    []byte       // of each event
	added   atomic.Int64 // events that were acknowledged
	done    atomic.Int64
	undone  atomic.Int64 // attempts
	failed  atomic.Int64 // claims
	refused atomic.Int64 // events that were turned away for now
	claim   atomic.Value // its last error
	no      atomic.Value // that of Add
}

// open opens a store as a process has it, whose claims are over after a second.
func (o *office) open(db *sql.DB) shortClaims {
	o.t.Helper()
	s, err := sqlstore.New(o.t.Context(), db, o.e.dialect, sqlstore.Config{})
	if err != nil {
		o.t.Fatal(err)
	}
	return shortClaims{s, time.Second}
}

// add stores events until ctx is over, each as often as it takes.
func (o *office) add(ctx context.Context, store durable.Store, who int) {
	q := newQueue(o.t, store, "in", 1)
	for n := 0; ctx.Err() == nil; n++ {
		for id := fmt.Sprintf("%d-%d", who, n); ; {
			_, err := q.Add(context.WithoutCancel(ctx), id, "", o.data)
			if err == nil {
				o.added.Add(1)
				break
			}
			o.no.Store(err)
			o.refused.Add(1)
			select {
			case <-o.t.Context().Done():
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
}

// work enters events in the books until ctx is over.
func (o *office) work(ctx context.Context, store durable.Store) {
	out := newQueue(o.t, store, "out", 1)
	in, err := durable.NewQueue("in", store, durable.Config{
		Workers: 2, Poll: 10 * time.Millisecond, MinDelay: 10 * time.Millisecond,
		Observer: func(_ context.Context, seen durable.Observation) {
			if seen.Done {
				o.done.Add(1)
			} else if seen.ID == "" {
				o.claim.Store(seen.Err)
				o.failed.Add(1)
			} else {
				o.undone.Add(1)
			}
		},
	})
	if err != nil {
		o.t.Error(err)
		return
	}
	_ = in.Run(ctx, func(ctx context.Context, i *durable.Item) error {
		tx, err := sqlstore.Tx(ctx)
		if err == nil {
			_, err = tx.ExecContext(ctx, "INSERT INTO books (entry) VALUES ('"+i.ID+"')")
		}
		if err == nil {
			_, err = out.Add(ctx, "of-"+i.ID, "", nil)
		}
		return err
	})
}

// complete wants every event in the books once, and a callback for each.
func (o *office) complete(db *sql.DB) {
	o.t.Helper()
	for query, want := range map[string]int64{
		"SELECT COUNT(*) FROM books":                                           o.added.Load(),
		"SELECT COUNT(DISTINCT entry) FROM books":                              o.added.Load(),
		"SELECT COUNT(*) FROM rentcar_items WHERE queue = 'in' AND state = 1":  o.added.Load(),
		"SELECT COUNT(*) FROM rentcar_items WHERE queue = 'in' AND state <> 1": 0,
		"SELECT COUNT(*) FROM rentcar_items WHERE queue = 'out'":               o.added.Load(),
	} {
		var n int64
		if err := db.QueryRowContext(o.t.Context(), query).Scan(&n); err != nil || n != want {
			o.t.Errorf("%s gives %d, %v; want %d", query, n, err, want)
		}
	}
}

// newOffice makes the tables.
func newOffice(t *testing.T, e engine, db *sql.DB) *office {
	t.Helper()
	if err := sqlstore.Migrate(t.Context(), db, e.dialect, sqlstore.Config{}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE books (entry VARCHAR(40))"); err != nil {
		t.Fatal(err)
	}
	return &office{t: t, e: e}
}

// A server is stopped and started again, and crashes, while events come in and are worked on by two processes: no event
// is lost, and none is in the books twice.
func TestServerRestarts(t *testing.T) {
	t.Parallel()
	servers(t, func(t *testing.T, e engine) {
		t.Parallel()
		server := ownServers()[e.dialect](t)
		open := func() *sql.DB { return pool(t, server.source.driver, server.source.dsn, server.source.most) }
		db := open()
		o := newOffice(t, e, db)
		adding, stopAdding := context.WithCancel(t.Context())
		working, stopWorking := context.WithCancel(t.Context())
		var adders, workers sync.WaitGroup
		for n := range 2 {
			store := o.open(open())
			adders.Go(func() { o.add(adding, store, n) })
			workers.Go(func() { o.work(working, store) })
		}
		for _, how := range []syscall.Signal{server.stop, server.crash} {
			enough := o.done.Load() + 50
			eventually(t, "events are done", func() bool { return o.done.Load() > enough })
			failed, refused := o.failed.Load(), o.refused.Load()
			server.end(how)
			eventually(t, "it is noticed", func() bool { return o.failed.Load() > failed+1 && o.refused.Load() > refused+1 })
			const away = "the database does not answer: what it has stored is worked on when it is back: "
			wantError(t, o.claim.Load().(error), "durable: in: claiming: sqlstore: claiming: "+away)
			wantError(t, o.no.Load().(error), ": sqlstore: adding ", away)
			server.start()
		}
		enough := o.done.Load() + 50
		eventually(t, "events are done", func() bool { return o.done.Load() > enough })
		stopAdding()
		adders.Wait()
		store := o.open(open()) // db has connections of before
		eventually(t, "all is done", func() bool {
			count, err := store.Count(t.Context(), "in")
			return err == nil && count.Waiting == 0
		})
		stopWorking()
		workers.Wait()
		o.complete(db)
		t.Logf("%d events, turned away %d times, %d claims failed", o.added.Load(), o.refused.Load(), o.failed.Load())
	})
}
