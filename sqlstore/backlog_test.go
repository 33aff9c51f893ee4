package sqlstore_test

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/sqlstore"
)

var backlog = flag.Int("backlog", 400, "how many items TestBacklog works off, such as 100000")

// A stopwatch is a store that notes how long claims take.
type stopwatch struct {
	*sqlstore.Store

	mu    sync.Mutex
	taken []time.Duration
}

func (s *stopwatch) ClaimBatch(
	ctx context.Context, queue string, n int, now, until time.Time,
) ([]*durable.Item, error) {
	start := time.Now()
	items, err := s.Store.ClaimBatch(ctx, queue, n, now, until)
	if len(items) > 0 {
		s.mu.Lock()
		s.taken = append(s.taken, time.Since(start))
		s.mu.Unlock()
	}
	return items, err
}

// percentiles says how long the claims from one part of all to another took.
func (s *stopwatch) percentiles(from, to int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.Sorted(slices.Values(s.taken[len(s.taken)*from/100 : len(s.taken)*to/100]))
	if len(list) == 0 {
		return "none"
	}
	at := func(percent int) time.Duration { return list[(len(list)-1)*percent/100].Round(100 * time.Microsecond) }
	return fmt.Sprintf("p50 %v p99 %v", at(50), at(99))
}

// wait adds n items that are due, numbered from first.
func wait(t *testing.T, db *sql.DB, d sqlstore.Dialect, first, n, size int) {
	t.Helper()
	series := fmt.Sprintf("WITH RECURSIVE s(n) AS (SELECT %d UNION ALL SELECT n + 1 FROM s WHERE n < %d) ",
		first, first+n-1)
	insert := "INSERT INTO rentcar_items (queue, id, digest, trace, data, added, due) "
	values := "SELECT 'q', %s, '', '', %s, n, n FROM s"
	statements := []string{series + insert + fmt.Sprintf(values, "'id-' || n", fmt.Sprintf("zeroblob(%d)", size))}
	switch d {
	case sqlstore.PostgreSQL:
		data := fmt.Sprintf("convert_to(repeat(md5(n::text), %d), 'UTF8')", size/32)
		statements[0] = series + insert + fmt.Sprintf(values, "'id-' || n", data)
	case sqlstore.MySQL:
		limit := "cte_max_recursion_depth"
		if isMariaDB(t, db) {
			limit = "max_recursive_iterations"
		}
		statements = []string{
			"SET SESSION " + limit + " = 1000000",
			insert + series + fmt.Sprintf(values, "CONCAT('id-', n)", fmt.Sprintf("REPEAT('x', %d)", size)),
		}
	}
	conn := oneConn(t, db)
	defer func() { _ = conn.Close() }()
	for _, statement := range statements {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// heap is what is in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// workOffAll works off so many items, and returns by how much the heap grew at most.
func workOffAll(t *testing.T, s *stopwatch, n int) (grown int64) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	before := heap()
	var done atomic.Int64
	var most atomic.Int64
	q, err := durable.NewQueue("q", s, durable.Config{
		Workers: 16, Poll: 10 * time.Millisecond,
		Observer: func(_ context.Context, o durable.Observation) {
			if !o.Done {
				t.Error(o.Err)
				return
			}
			now := done.Add(1)
			if now%int64(n/10) == 0 {
				most.Store(max(most.Load(), int64(heap())-int64(before)))
			}
			if now == int64(n) {
				stop()
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = q.Run(ctx, func(context.Context, *durable.Item) error { return nil })
	if count, err := s.Count(t.Context(), "q"); err != nil || count.Waiting != 0 || done.Load() != int64(n) {
		t.Errorf("%d items are done, %+v, %v; want %d", done.Load(), count, err, n)
	}
	return most.Load()
}

// A backlog is worked off with a heap that does not grow with it, and by claims that go by an index. How long these
// take is told; make backlog does so for 100,000 items.
func TestBacklog(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		sizes := []int{*backlog}
		if *backlog > 10_000 {
			sizes = []int{1000, *backlog}
		}
		for _, n := range sizes {
			const limit = 10 << 20
			size := 1500
			if n == *backlog {
				size = max(size, 3*limit/n) // so that few items are more than the limit too
			}
			s, db := newStore(t, e)
			wait(t, db, e.dialect, 1, n, size)
			plan := explain(t, db, e.dialect, "claim", s.Statements()["claim"])
			t.Logf("plan of a claim:\n%s", plan)
			wantPlan(t, e.dialect, plan, "rentcar_items_due")
			start, watch := time.Now(), &stopwatch{Store: s}
			grown := workOffAll(t, watch, n)
			if grown > limit {
				t.Errorf("the heap has grown by %d KiB while %d KiB of items were worked off", grown>>10, n*size>>10)
			}
			t.Logf("%d items of %d bytes in %v; heap %+d KiB; claims: all %s, the first tenth %s, the last %s", n, size,
				time.Since(start).Round(time.Millisecond), grown>>10,
				watch.percentiles(0, 100), watch.percentiles(0, 10), watch.percentiles(90, 100))
		}
	})
}

// A transaction that stays open keeps PostgreSQL from forgetting the done items of the backlog: claims have to pass by
// them. It is told how much longer they take.
func TestBacklogBesideTransaction(t *testing.T) {
	e := engine{sqlstore.PostgreSQL, openPostgres}
	s, db := newStore(t, e)
	n := max(*backlog/2, 1000)
	wait(t, db, e.dialect, 1, n, 1500)
	began := time.Now()
	tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	var rows int
	if err := tx.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM rentcar_items").Scan(&rows); err != nil {
		t.Fatal(err)
	}
	for _, change := range []string{
		"claimed = TRUE, attempt = 1, due = due + 120000", "state = 1, data = NULL, ended = due",
	} {
		if _, err := db.ExecContext(t.Context(), "UPDATE rentcar_items SET "+change); err != nil {
			t.Fatal(err)
		}
	}

	watch := &stopwatch{Store: s}
	more := func(when string) {
		t.Helper()
		const more = 500
		wait(t, db, e.dialect, n+1, more, 1500)
		n += more
		watch.taken = nil
		workOffAll(t, watch, more)
		t.Logf("500 more beside %d done ones, %s; claims: %s", n-more, when, watch.percentiles(0, 100))
	}
	const isOpen = "the transaction is open"
	more(isOpen)
	for *backlog > 10_000 && time.Since(began) < time.Minute {
		more(isOpen)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	more("it has ended")
	if _, err := db.ExecContext(t.Context(), "VACUUM rentcar_items"); err != nil {
		t.Fatal(err)
	}
	more("and a vacuum")
}
