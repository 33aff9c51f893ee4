package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar/durable"
)

// A Store is a [durable.Store] and a [lifecycle.Store] on a SQL database. Make it with [New]. It formats without what
// it holds.
type Store struct {
	database
	sql   statements
	limit int // of the bytes of an item
}

var (
	_ durable.BatchStore = (*Store)(nil)
	_ durable.ClockStore = (*Store)(nil)
)

// Add is part of [durable.Store]. With the context that Do gave, or that of [WithTx], it takes part in that
// transaction.
func (s *Store) Add(ctx context.Context, item *durable.Item) (known *durable.Item, err error) {
	if len(item.Data) > s.limit {
		return nil, fmt.Errorf("sqlstore: item %s of %s has %d bytes: the database takes %d in a statement; see %s",
			item.ID, item.Queue, len(item.Data), s.limit, limitSetting[s.dialect])
	}
	if t := joined(ctx, s.db); t != nil {
		tx, err := t.get()
		if err != nil {
			return nil, err
		}
		return s.add(ctx, tx, item)
	}
	err = again(ctx, func() error {
		known, err = s.add(ctx, s.db, item)
		return err
	})
	return known, err
}

// limitSetting is where a database says how large a statement may be.
var limitSetting = map[Dialect]string{
	PostgreSQL: "the type bytea", MySQL: "max_allowed_packet of server and driver", SQLite: "SQLITE_MAX_LENGTH",
}

// add inserts an item, or returns the one that is there.
func (s *Store) add(ctx context.Context, q querier, item *durable.Item) (*durable.Item, error) {
	data := item.Data
	if data == nil {
		data = []byte{} // NULL is that of a done item
	}
	result, err := q.ExecContext(ctx, s.sql.insert,
		item.Queue, item.ID, item.Digest, data, item.Trace, item.Added.UnixMilli(), item.Due.UnixMilli())
	if err == nil && s.dialect != MySQL { // which gives an error for a duplicate
		var n int64
		if n, err = result.RowsAffected(); err == nil && n > 0 {
			return nil, nil
		}
	} else if err == nil {
		return nil, nil
	}
	if err != nil && !isDuplicate(err) {
		return nil, wrap("adding "+item.ID, err)
	}
	known, err := scanItem(q.QueryRowContext(ctx, s.sql.known, item.Queue, item.ID))
	if errors.Is(err, sql.ErrNoRows) { // it was dropped between the two
		err = fmt.Errorf("sqlstore: item %s of %s was there and is gone: add it again", item.ID, item.Queue)
	}
	return known, wrap("adding "+item.ID, err)
}

// Claim is part of [durable.Store].
func (s *Store) Claim(ctx context.Context, queue string, now, until time.Time) (*durable.Item, error) {
	items, err := s.ClaimBatch(ctx, queue, 1, now, until)
	if len(items) == 0 {
		return nil, err
	}
	return items[0], nil
}

// ClaimBatch is part of [durable.BatchStore]. Rows that other workers are claiming are passed by.
func (s *Store) ClaimBatch(
	ctx context.Context, queue string, n int, now, until time.Time,
) (items []*durable.Item, err error) {
	claim := s.claimInTwo
	if s.dialect == PostgreSQL {
		claim = s.claimInOne
	}
	err = s.inTx(ctx, s.dialect == PostgreSQL && s.plain, func(q querier) error {
		items, err = claim(ctx, q, queue, n, now.UnixMilli(), until.UnixMilli())
		return err
	})
	return items, wrap("claiming", err)
}

// A claimed item, and its place among the others.
type claimed struct {
	item     *durable.Item
	due, seq int64 // before the claim
}

// claimInOne claims by UPDATE ... RETURNING, which returns the rows in any order.
func (s *Store) claimInOne(
	ctx context.Context, q querier, queue string, n int, now, until int64,
) ([]*durable.Item, error) {
	rows, err := query(ctx, q, s.sql.claim, queue, now, n, until)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b claimed) int { return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.seq, b.seq)) })
	items := make([]*durable.Item, len(rows))
	for i, row := range rows {
		items[i] = row.item
	}
	return items, nil
}

// claimInTwo claims by SELECT and UPDATE, in a transaction.
func (s *Store) claimInTwo(
	ctx context.Context, q querier, queue string, n int, now, until int64,
) ([]*durable.Item, error) {
	rows, err := query(ctx, q, s.sql.claim, queue, now, n)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	items, args := make([]*durable.Item, len(rows)), []any{until}
	for i, row := range rows {
		items[i] = row.item
		items[i].Attempt++
		items[i].Due = time.UnixMilli(until)
		args = append(args, row.seq)
	}
	_, err = q.ExecContext(ctx, s.sql.claimed+strings.Repeat("?, ", len(rows)-1)+"?)", args...)
	return items, err
}

// query reads items with their places.
func query(ctx context.Context, q querier, text string, args ...any) (list []claimed, err error) {
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var c claimed
		if c.item, err = scanItem(rows, &c.due, &c.seq); err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, rows.Err()
}

// scanItem reads itemColumns, and what follows them.
func scanItem(row interface{ Scan(dest ...any) error }, more ...any) (*durable.Item, error) {
	var item durable.Item
	var added, due int64
	err := row.Scan(append([]any{
		&item.Queue, &item.ID, &item.Digest, &item.Data, &item.Trace, &item.Attempt, &added, &due,
	}, more...)...)
	if err != nil {
		return nil, err
	}
	item.Added, item.Due = time.UnixMilli(added), time.UnixMilli(due)
	return &item, nil
}

// Do is part of [durable.Store]. work reaches the transaction by [Tx]. None is open before the first Tx or Add of
// work, and if it calls neither, only the mark is written.
func (s *Store) Do(ctx context.Context, item *durable.Item, work func(ctx context.Context) error) error {
	t := &transaction{db: s.db, begin: func() (*sql.Tx, error) { return s.begin(ctx) }}
	defer func() {
		if tx := t.end(); tx != nil {
			_ = tx.Rollback() // of what was not committed
		}
	}()
	if err := work(context.WithValue(ctx, txKey{}, t)); err != nil {
		return err
	}
	tx := t.end()
	if t.err != nil { // work passed it by
		return t.err
	}
	if tx == nil {
		return s.end(ctx, item, "marking", s.sql.mark)
	}
	err := s.check(ctx, tx)
	if err == nil {
		err = held(ctx, tx, item, s.sql.mark)
	}
	if err != nil {
		return wrap("marking "+item.ID, err)
	}
	return wrap("committing "+item.ID, tx.Commit())
}

// begin begins the transaction of Do. MySQL ends a transaction whose statement met a deadlock, and SQLite one whose
// statement was interrupted: what follows is stored at once, the mark too. So there is a savepoint that ends with it.
// PostgreSQL takes nothing more after an error.
func (s *Store) begin(ctx context.Context) (*sql.Tx, error) {
	tx, err := s.db.BeginTx(ctx, s.options())
	if err == nil && s.dialect != PostgreSQL {
		if _, err = tx.ExecContext(ctx, "SAVEPOINT rentcar_do"); err != nil {
			_ = tx.Rollback()
		}
	}
	if err != nil {
		return nil, wrap("beginning a transaction", err)
	}
	return tx, nil
}

// check returns an error if the database has ended the transaction that begin began.
func (s *Store) check(ctx context.Context, tx *sql.Tx) error {
	if s.dialect == PostgreSQL {
		return nil
	}
	_, err := tx.ExecContext(ctx, "RELEASE SAVEPOINT rentcar_do")
	return err
}

// Retry is part of [durable.Store].
func (s *Store) Retry(ctx context.Context, item *durable.Item, due time.Time) error {
	return s.end(ctx, item, "putting back", s.sql.retry, due.UnixMilli())
}

// Park is part of [durable.Store].
func (s *Store) Park(ctx context.Context, item *durable.Item, reason string) error {
	return s.end(ctx, item, "parking", s.sql.park, reason)
}

// end ends the claim of an item.
func (s *Store) end(ctx context.Context, item *durable.Item, what, query string, args ...any) error {
	err := s.inTx(ctx, s.plain, func(q querier) error { return held(ctx, q, item, query, args...) })
	return wrap(what+" "+item.ID, err)
}

// held changes an item as long as its claim holds. The error is durable.ErrLost otherwise.
func held(ctx context.Context, q querier, item *durable.Item, query string, args ...any) error {
	result, err := q.ExecContext(ctx, query, append(args, item.Queue, item.ID, item.Attempt)...)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return cmp.Or(err, durable.ErrLost)
	}
	return nil
}

// Now is part of [durable.ClockStore]: the time of the database server. SQLite has that of this host. With the context
// of [WithTx] it asks on that transaction, since the pool may have no other connection.
func (s *Store) Now(ctx context.Context) (time.Time, error) {
	if s.dialect == SQLite { // whose only connection may be that of a transaction
		return time.Now(), nil
	}
	var q querier = s.db
	if t := joined(ctx, s.db); t != nil && t.db == nil {
		tx, err := t.get()
		if err != nil {
			return time.Time{}, err
		}
		q = tx
	}
	var ms int64
	err := q.QueryRowContext(ctx, "SELECT "+s.dialect.now()).Scan(&ms)
	return time.UnixMilli(ms), wrap("asking for the time", err)
}

// wrap says what failed, and what to do where that is known. Errors of the claim are as the interface has them.
func wrap(what string, err error) error {
	if err == nil || errors.Is(err, durable.ErrLost) {
		return err
	}
	return fmt.Errorf("sqlstore: %s: %s%w", what, advice(err), err)
}

// String names the dialect.
func (s *Store) String() string {
	if s == nil {
		return "sqlstore.Store(nil)"
	}
	return fmt.Sprintf("sqlstore.Store(%s, contents redacted)", s.dialect)
}

// Format writes String for every verb.
func (s *Store) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }
