package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/qimen"
	"github.com/fliggy-go/rentcar/sqlstore"
)

// A cutter is a proxy in front of a database server, which cuts a connection at a message of the client.
type cutter struct {
	server   string
	isPacket bool // its messages are those of MySQL
	net.Listener
	all sync.WaitGroup

	mu      sync.Mutex
	left    int  // messages until the cut
	isAfter bool // the server gets the message, and its answer is lost
	isCut   bool
	conns   []net.Conn
}

// startCutter starts a proxy in front of the server of a pool, and returns how to open a pool through it.
func startCutter(t *testing.T, db *sql.DB) (*cutter, func() *sql.DB) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{Listener: l}
	from := originOf(db)
	if from.driver == "mysql" {
		cfg, err := mysql.ParseDSN(from.dsn)
		if err != nil {
			t.Fatal(err)
		}
		c.server, cfg.Addr, c.isPacket = cfg.Addr, l.Addr().String(), true
		from.dsn = cfg.FormatDSN()
	} else {
		u, err := url.Parse(from.dsn)
		if err != nil {
			t.Fatal(err)
		}
		c.server, u.Host = u.Host, l.Addr().String()
		from.dsn = u.String()
	}
	c.all.Go(c.serve)
	t.Cleanup(func() {
		_ = l.Close()
		c.mu.Lock()
		for _, conn := range c.conns {
			_ = conn.Close()
		}
		c.mu.Unlock()
		c.all.Wait()
	})
	return c, func() *sql.DB { return pool(t, from.driver, from.dsn, 2) }
}

func (c *cutter) serve() {
	for {
		client, err := c.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", c.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		c.mu.Lock()
		c.conns = append(c.conns, client, server)
		c.mu.Unlock()
		c.all.Go(func() { c.forward(client, server) })
	}
}

// forward copies in both directions, until either side ends or it is to be cut.
func (c *cutter) forward(client, server net.Conn) {
	var isDeaf sync.Map // has an entry once the client is to hear no more
	over := func() {
		_ = client.Close()
		_ = server.Close()
	}
	defer over()
	c.all.Go(func() {
		defer over()
		buf := make([]byte, 64<<10)
		for {
			n, err := server.Read(buf)
			if _, isOver := isDeaf.Load(0); err != nil || isOver {
				return
			}
			if _, err := client.Write(buf[:n]); err != nil {
				return
			}
		}
	})
	buf := make([]byte, 66<<10)
	for {
		n, err := c.read(client, buf)
		if err != nil {
			return
		}
		switch isCut, isAfter := c.next(); {
		case isCut && !isAfter:
			return
		case isCut:
			isDeaf.Store(0, true)
		}
		if _, err := server.Write(buf[:n]); err != nil {
			return
		}
	}
}

// read reads a message. That of PostgreSQL is what the client sends before it waits, which is one write. A client of
// MySQL does not wait for the end of a statement, so that the next one may come with it.
func (c *cutter) read(client net.Conn, buf []byte) (n int, err error) {
	if !c.isPacket {
		return client.Read(buf)
	}
	const header = 4
	if _, err := io.ReadFull(client, buf[:header]); err != nil {
		return 0, err
	}
	n = header + int(buf[0]) + int(buf[1])<<8
	_, err = io.ReadFull(client, buf[header:n])
	return n, err
}

// arm cuts at the nth message from now on.
func (c *cutter) arm(n int, isAfter bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left, c.isAfter, c.isCut = n, isAfter, false
}

// next reports whether a message is the one to cut at.
func (c *cutter) next() (isCut, isAfter bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left--
	c.isCut = c.isCut || c.left == 0
	return c.left == 0, c.isAfter
}

// disarm reports whether there was a cut.
func (c *cutter) disarm() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = 0
	return c.isCut
}

// cuts calls f with each message of what f does as the one to cut at, before the server gets it and after, until f
// reports that it was done before it came to a cut.
func cuts(t *testing.T, f func(t *testing.T, n int, isAfter bool) (isCut bool)) {
	t.Helper()
	for n := 1; ; n++ {
		before := f(t, n, false)
		after := f(t, n, true)
		if !before && !after {
			t.Logf("cut at each of %d messages, before and after", n-1)
			if n < 5 {
				t.Error("too few")
			}
			return
		}
	}
}

// shortClaims is a store whose claims are over soon when their holder has lost them.
type shortClaims struct {
	*sqlstore.Store
	length time.Duration
}

func (s shortClaims) ClaimBatch(
	ctx context.Context, queue string, n int, now, _ time.Time,
) ([]*durable.Item, error) {
	return s.Store.ClaimBatch(ctx, queue, n, now, now.Add(s.length))
}

// servers runs a test for each engine that has a server.
func servers(t *testing.T, test func(t *testing.T, e engine)) {
	t.Helper()
	for _, e := range engines() {
		if e.dialect != sqlstore.SQLite {
			t.Run(string(e.dialect), func(t *testing.T) { test(t, e) })
		}
	}
}

// Wherever a connection is cut between the question for the time and the last commit, the item is worked on until it is
// done, what work has written is there once, and once that is so nobody works on it again: also if the answer to the
// commit was lost, so that the worker takes it for a failure.
func TestConnectionCut(t *testing.T) {
	t.Parallel()
	servers(t, func(t *testing.T, e engine) {
		t.Parallel()
		direct, db := newStore(t, e)
		if _, err := db.ExecContext(t.Context(), "CREATE TABLE books (entry VARCHAR(40), attempt INT)"); err != nil {
			t.Fatal(err)
		}
		c, open := startCutter(t, db)
		lost := 0
		cuts(t, func(t *testing.T, n int, isAfter bool) bool {
			through, err := sqlstore.New(t.Context(), open(), e.dialect, sqlstore.Config{})
			if err != nil {
				t.Fatal(err)
			}
			id := fmt.Sprintf("%d-%v", n, isAfter)
			if known, err := direct.Add(t.Context(), item("in", id)); known != nil || err != nil {
				t.Fatal(known, err)
			}
			c.arm(n, isAfter)
			attempts, isLost := workOff(t, shortClaims{through, 20 * time.Millisecond}, direct)
			isCut := c.disarm()
			_ = through.DB().Close()
			if isLost {
				lost++
			}
			var count, booked, done, out int
			err = db.QueryRowContext(t.Context(), "SELECT COUNT(*), MAX(attempt) FROM books WHERE entry = '"+id+"'").
				Scan(&count, &booked)
			if err == nil {
				err = db.QueryRowContext(t.Context(), "SELECT attempt, (SELECT COUNT(*) FROM rentcar_items WHERE id = 'of-"+id+
					"') FROM rentcar_items WHERE state = 1 AND id = '"+id+"'").Scan(&done, &out)
			}
			if err != nil || count != 1 || out != 1 {
				t.Errorf("cut at %s: %d entries, %d callbacks, %v; want one each", id, count, out, err)
			}
			if last := attempts[len(attempts)-1]; booked != done || booked != last || !slices.IsSorted(attempts) {
				t.Errorf("cut at %s: attempts %v, the entry is of %d, the mark of %d; want those of the last",
					id, attempts, booked, done)
			}
			return isCut
		})
		if lost == 0 {
			t.Error("no worker has lost an item that it had done; want one when the answer to the commit is cut")
		}
	})
}

// workOff works on the only item of a store until it is done, and returns the attempts at it, and whether the last one
// ended with ErrLost.
func workOff(t *testing.T, store, direct durable.Store) (attempts []int, isLost bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	in, err := durable.NewQueue("in", store, durable.Config{
		MinDelay: time.Millisecond, Poll: 5 * time.Millisecond,
		Observer: func(_ context.Context, o durable.Observation) {
			count, err := direct.(*sqlstore.Store).Count(ctx, "in")
			if err != nil {
				t.Error(err)
			}
			if count.Waiting == 0 {
				isLost = o.Lost
				cancel()
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	out := newQueue(t, store, "out", 1)
	_ = in.Run(ctx, func(ctx context.Context, i *durable.Item) error {
		attempts = append(attempts, i.Attempt)
		tx, err := sqlstore.Tx(ctx)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, fmt.Sprintf("INSERT INTO books (entry, attempt) VALUES ('%s', %d)", i.ID, i.Attempt))
		if err != nil {
			return err
		}
		_, err = out.Add(ctx, "of-"+i.ID, "", nil)
		return err
	})
	if len(attempts) == 0 {
		t.Fatal("the item was not worked on")
	}
	return attempts, isLost
}

// A gate whose Begin gives an error has claimed nothing, also if the answer to the commit was lost.
func TestGateConnectionCut(t *testing.T) {
	t.Parallel()
	servers(t, func(t *testing.T, e engine) {
		t.Parallel()
		direct := newGate(t, e, sqlstore.GateConfig{})
		c, open := startCutter(t, direct.DB())
		cuts(t, func(t *testing.T, n int, isAfter bool) bool {
			through := openGate(t, e, open(), sqlstore.GateConfig{})
			id := fmt.Sprintf("%d-%v", n, isAfter)
			c.arm(n, isAfter)
			_, failed := through.Begin(t.Context(), id, "digest", "signature "+id)
			isCut := c.disarm()
			_ = through.DB().Close()
			if failed == nil {
				return isCut
			}
			for _, m := range [][3]string{
				{id, "another digest", "another signature " + id}, {"another " + id, "digest", "signature " + id},
			} {
				claim, err := direct.Begin(t.Context(), m[0], m[1], m[2])
				if err != nil || claim.State != qimen.ClaimNew || claim.IsConflict {
					t.Errorf("cut at %s: Begin gave the error %v; afterwards %q is %s, conflict %v, %v; want it new",
						id, failed, m, claim.State, claim.IsConflict, err)
				}
			}
			return isCut
		})
	})
}
