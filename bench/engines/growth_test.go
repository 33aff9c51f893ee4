package engines

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/lifecycle"
	"github.com/fliggy-go/rentcar/sqlstore"
)

var journalSize = flag.Int("journal", 2000, "how many renewals the larger journal of BenchmarkGrowth has")

// BenchmarkGrowth does what is done with a journal, by one worker, in one of 1,000 renewals and in a larger one.
func BenchmarkGrowth(b *testing.B) {
	for _, dialect := range []sqlstore.Dialect{sqlstore.PostgreSQL, sqlstore.MySQL, sqlstore.SQLite} {
		b.Run("db="+string(dialect), func(b *testing.B) {
			for _, size := range []int{1000, *journalSize} {
				b.Run(fmt.Sprint("renewals=", size), func(b *testing.B) { newStage(b, dialect, 1).grown(b, size) })
			}
		})
	}
}

// grown fills a journal and works on it.
func (s *stage) grown(b *testing.B, size int) {
	b.Helper()
	order := orderOf(0)
	order.OrderID, order.OutOrderID = "7700000000", "Mtemplate"
	p := newPlatform(b)
	p.gateway.AddOrder(order)
	book := s.open(b, p.client)
	s.fill(b, book, size)
	nth := func(i int) string { return fmt.Sprintf("%08d", 1+i*7919%(size-1)) }
	for _, op := range []struct {
		name string
		do   func(ctx context.Context, i int, id string) error
	}{
		{"submit", func(ctx context.Context, i int, id string) error {
			_, err := book.Submit(ctx, &lifecycle.SubmitRequest{RenewalSubmitRequest: *renewal(i, id), PaidTime: time.Now()})
			return err
		}},
		{"get", func(ctx context.Context, i int, _ string) error {
			_, err := book.Get(ctx, "R"+nth(i))
			return err
		}},
		{"of-an-order", func(ctx context.Context, i int, _ string) error {
			return one(book.List(ctx, lifecycle.Filter{OrderID: fliggy.ID("77" + nth(i))}))
		}},
		{"of-a-state", func(ctx context.Context, _ int, _ string) error {
			return one(book.List(ctx, lifecycle.Filter{State: lifecycle.Accepted, Limit: 1}))
		}},
		{"needs-person", func(ctx context.Context, _ int, _ string) error {
			_, err := book.List(ctx, lifecycle.Filter{NeedsPerson: true})
			return err
		}},
		{"due", func(ctx context.Context, _ int, _ string) error {
			_, err := s.store.Due(ctx, 16)
			return err
		}},
		{"bill", func(ctx context.Context, _ int, id string) error {
			_, err := book.Bill(ctx, "B"+id, time.Now().Add(-time.Minute))
			return err
		}},
	} {
		b.Run("op="+op.name, func(b *testing.B) {
			p.sell(b.N)
			_, id := freshIDs()
			measure(b, 1, func(ctx context.Context, i int) error { return op.do(ctx, i, id(i)) })
		})
	}
}

// one wants a page of one renewal.
func one(page lifecycle.Page, err error) error {
	if err == nil && len(page.Renewals) != 1 {
		err = fmt.Errorf("%d renewals, want 1", len(page.Renewals))
	}
	return err
}

// fill lets a journal have so many renewals that were accepted and billed: copies of one.
func (s *stage) fill(b *testing.B, book *lifecycle.Book, size int) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	over := make(chan struct{})
	go func() { defer close(over); _ = book.Run(ctx) }()
	r := s.template(b, book)
	cancel()
	<-over
	copied := func(column string) string {
		for old, prefix := range map[string]string{
			r.ID: "R", r.Request.OutOrderID: "M", string(r.Request.OrderID): "77", string(r.RenewalOrderID): "99",
		} {
			column = fmt.Sprintf("REPLACE(%s, '%s', %s)", column, old, s.numbered(prefix))
		}
		return column
	}
	data := map[sqlstore.Dialect]string{
		sqlstore.PostgreSQL: "convert_to(" + copied("convert_from(data, 'UTF8')") + ", 'UTF8')",
		sqlstore.MySQL:      copied("data"),
		sqlstore.SQLite:     "CAST(" + copied("CAST(data AS TEXT)") + " AS BLOB)",
	}[s.dialect]
	of := " WHERE (kind = 'renewal' AND id = '" + r.ID + "') OR (kind = 'line' AND id = '" + r.ID + "/paid')"
	docs := "SELECT kind, " + copied("id") + ", version, state, at - n, due, " + copied("names") + ", " + data +
		" FROM rentcar_docs, s" + of
	keys := "SELECT kind, " + copied("name") + ", at - n, " + copied("id") + ", " + copied("sole") +
		" FROM rentcar_keys, s" + of
	const step = 50_000
	for from := 1; from < size; from += step {
		to := min(from+step, size) - 1
		s.inSeries(b, from, to, "INSERT INTO rentcar_docs (kind, id, version, state, at, due, names, data) ", docs)
		s.inSeries(b, from, to, "INSERT INTO rentcar_keys (kind, name, at, id, sole) ", keys)
	}
	if s.dialect == sqlstore.MySQL {
		s.exec(b, "ANALYZE TABLE rentcar_docs, rentcar_keys")
	} else {
		s.exec(b, "ANALYZE")
	}
}

// template makes a renewal that was accepted and billed.
func (s *stage) template(b *testing.B, book *lifecycle.Book) lifecycle.Renewal {
	b.Helper()
	req := lifecycle.SubmitRequest{RenewalSubmitRequest: *renewal(0, "Rtemplate"), PaidTime: time.Now()}
	req.OrderID, req.OutOrderID = "7700000000", "Mtemplate"
	_, err := book.Submit(b.Context(), &req)
	check(b, err)
	accepted := lifecycle.Resolution{State: lifecycle.Accepted, By: "bench", Note: "bench"}
	r, err := book.Resolve(b.Context(), "Rtemplate", accepted)
	check(b, err)
	for no := 0; ; no++ { // the line opens in the present millisecond
		_, err = book.Bill(b.Context(), fmt.Sprint("template", no), time.Now())
		check(b, err)
		lines, err := book.Lines(b.Context(), r.ID)
		check(b, err)
		if len(lines) == 1 && lines[0].State == lifecycle.LineBilled {
			return r
		}
		<-time.After(10 * time.Millisecond)
	}
}

// numbered is an SQL expression: a prefix with the number n of eight digits.
func (s *stage) numbered(prefix string) string {
	switch s.dialect {
	case sqlstore.PostgreSQL:
		return "'" + prefix + "' || LPAD(CAST(n AS TEXT), 8, '0')"
	case sqlstore.MySQL:
		return "CONCAT('" + prefix + "', LPAD(n, 8, '0'))"
	default:
		return "'" + prefix + "' || SUBSTR('0000000' || n, -8)"
	}
}

// inSeries inserts what a query selects for each n of a range.
func (s *stage) inSeries(b *testing.B, from, to int, insert, query string) {
	b.Helper()
	series := fmt.Sprintf("WITH RECURSIVE s(n) AS (SELECT %d UNION ALL SELECT n + 1 FROM s WHERE n < %d) ", from, to)
	conn, err := s.db.Conn(b.Context())
	check(b, err)
	defer func() { _ = conn.Close() }()
	statements := []string{series + insert + query}
	if s.dialect == sqlstore.MySQL {
		statements = []string{recursionLimit(b, conn), insert + series + query}
	}
	for _, statement := range statements {
		_, err := conn.ExecContext(b.Context(), statement)
		check(b, err)
	}
}

func recursionLimit(b *testing.B, conn *sql.Conn) string {
	b.Helper()
	var version string
	check(b, conn.QueryRowContext(b.Context(), "SELECT VERSION()").Scan(&version))
	if strings.Contains(version, "MariaDB") {
		return "SET SESSION max_recursive_iterations = 1000000"
	}
	return "SET SESSION cte_max_recursion_depth = 1000000"
}

// open opens a book on the store.
func (s *stage) open(b *testing.B, client *rentcar.Client) *lifecycle.Book {
	b.Helper()
	book, err := lifecycle.Open(client, s.store, lifecycle.OnRefund(
		func(context.Context, lifecycle.Refund) (lifecycle.RefundResult, error) {
			return lifecycle.RefundResult{}, nil
		},
	))
	check(b, err)
	return book
}
