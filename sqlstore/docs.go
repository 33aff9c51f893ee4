package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar/lifecycle"
)

var _ lifecycle.Store = (*Store)(nil)

// Atomically is part of [lifecycle.Store]. With the context of Do or [WithTx] it takes part in that transaction, where
// the caller tries again after a conflict; else it has one of its own, in which Add takes part too, and [Tx] returns.
// After an error the transaction of a Do stores nothing. That of WithTx is as it was before, and goes on.
func (s *Store) Atomically(ctx context.Context, f func(ctx context.Context, tx lifecycle.Tx) error) error {
	switch t := joined(ctx, s.db); {
	case t == nil:
		return again(ctx, func() error { return s.atomically(ctx, f) })
	case t.db == nil:
		return s.withinTx(ctx, t, f)
	default:
		return s.takePart(ctx, t, f)
	}
}

// InTransaction reports whether ctx carries a transaction that Atomically takes part in.
func (s *Store) InTransaction(ctx context.Context) bool { return joined(ctx, s.db) != nil }

// atomically calls f in a transaction of its own.
func (s *Store) atomically(ctx context.Context, f func(ctx context.Context, tx lifecycle.Tx) error) error {
	tx, err := s.begin(ctx)
	if err != nil {
		return err
	}
	t := &transaction{db: s.db, tx: tx}
	defer func() {
		t.end()
		_ = tx.Rollback() // of what was not committed
	}()
	if err := s.takePart(context.WithValue(ctx, txKey{}, t), t, f); err != nil {
		return err
	}
	t.end()
	if t.err != nil { // f passed it by
		return t.err
	}
	if err := s.check(ctx, tx); err != nil {
		return wrap("storing documents", err)
	}
	return wrap("storing documents", tx.Commit())
}

var errPanic = errors.New("sqlstore: a part of the transaction has panicked")

// takePart calls f in a transaction of the store, which it ends after an error or a panic.
func (s *Store) takePart(
	ctx context.Context, t *transaction, f func(ctx context.Context, tx lifecycle.Tx) error,
) error {
	err := errPanic
	defer func() { t.fail(err) }()
	own := &docTx{store: s, tx: t.get}
	if err = f(ctx, own); err == nil {
		err = own.err
	}
	return err
}

// withinTx calls f in a transaction of the user, and undoes what it has done there after an error or a panic.
func (s *Store) withinTx(
	ctx context.Context, t *transaction, f func(ctx context.Context, tx lifecycle.Tx) error,
) (err error) {
	tx, err := t.get()
	if err != nil {
		return err
	}
	name := t.savepoint()
	if _, err := tx.ExecContext(ctx, "SAVEPOINT "+name); err != nil {
		return wrap("beginning a part of a transaction", err)
	}
	err = errPanic
	defer func() {
		if err == nil {
			return
		}
		undoing, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockTime)
		defer cancel()
		if _, failed := tx.ExecContext(undoing, "ROLLBACK TO SAVEPOINT "+name); failed != nil {
			err = errors.Join(err, wrap("undoing a part of a transaction", failed))
		}
	}()
	own := &docTx{store: s, tx: t.get}
	if err = f(ctx, own); err != nil {
		return err
	}
	if own.err != nil {
		return own.err
	}
	_, err = tx.ExecContext(ctx, "RELEASE SAVEPOINT "+name)
	return wrap("storing documents", err)
}

// Get is part of [lifecycle.Store].
func (s *Store) Get(ctx context.Context, kind, id string) (*lifecycle.Doc, error) {
	return s.getDoc(ctx, s.db, kind, id)
}

func (s *Store) getDoc(ctx context.Context, q querier, kind, id string) (*lifecycle.Doc, error) {
	doc, err := scanDoc(q.QueryRowContext(ctx, s.sql.doc, kind, id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return doc, wrap("reading "+kind+" "+id, err)
}

// List is part of [lifecycle.Store].
func (s *Store) List(ctx context.Context, q lifecycle.Query) ([]*lifecycle.Doc, error) {
	text, by := s.sql.byState, q.State
	switch {
	case q.Limit < 1 || (q.State == "") == (q.Key == ""):
		return nil, fmt.Errorf("sqlstore: List: want a limit, and a state or a key: %+v", q)
	case q.Key != "":
		text, by = s.sql.byKey, q.Key
	}
	before := int64(math.MaxInt64)
	if !q.Before.IsZero() {
		before = q.Before.Add(time.Millisecond - 1).UnixMilli() // rounded up
	}
	after := q.After.At.UnixMilli()
	docs, err := queryDocs(ctx, s.db, text, q.Kind, by, after, after, q.After.ID, before, q.Limit)
	return docs, wrap("listing "+q.Kind, err)
}

// Due is part of [lifecycle.Store], by the clock of the database.
func (s *Store) Due(ctx context.Context, limit int) ([]*lifecycle.Doc, error) {
	docs, err := queryDocs(ctx, s.db, s.sql.docsDue, limit)
	return docs, wrap("asking for what is due", err)
}

func queryDocs(ctx context.Context, q querier, text string, args ...any) (list []*lifecycle.Doc, err error) {
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		doc, err := scanDoc(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, doc)
	}
	return list, rows.Err()
}

// scanDoc reads docColumns.
func scanDoc(row interface{ Scan(dest ...any) error }) (*lifecycle.Doc, error) {
	var d lifecycle.Doc
	var at int64
	var due sql.NullInt64
	var names string
	if err := row.Scan(&d.Kind, &d.ID, &d.Version, &d.State, &at, &due, &names, &d.Data); err != nil {
		return nil, err
	}
	d.At = timeOf(at)
	if due.Valid {
		d.Due = timeOf(due.Int64)
	}
	for name := range strings.SplitSeq(names, "\n") {
		if key, isUnique := strings.CutPrefix(name, "!"); isUnique {
			d.Unique = append(d.Unique, key)
		} else if key, isKey := strings.CutPrefix(name, "-"); isKey {
			d.Keys = append(d.Keys, key)
		}
	}
	return &d, nil
}

// timeOf is the inverse of UnixMilli, for the zero time too.
func timeOf(ms int64) time.Time {
	if ms == (time.Time{}).UnixMilli() {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// namesOf is how a document has its keys in its row: one in a line, with a mark for the unique ones.
func namesOf(d *lifecycle.Doc) string {
	var b strings.Builder
	for _, key := range d.Keys {
		b.WriteString("-" + key + "\n")
	}
	for _, key := range d.Unique {
		b.WriteString("!" + key + "\n")
	}
	return b.String()
}

// A docTx is a [lifecycle.Tx].
type docTx struct {
	store *Store
	tx    func() (*sql.Tx, error)
	err   error             // of what it could not write: its part of the transaction is undone
	now   time.Time         // once it was asked
	named map[docID]docKeys // what the documents that were read have in the table of keys
}

type docID struct{ kind, id string }

// docKeys are the rows of a document in the table of keys.
type docKeys struct {
	names string
	at    int64
}

func (t *docTx) know(docs ...*lifecycle.Doc) {
	if t.named == nil {
		t.named = map[docID]docKeys{}
	}
	for _, d := range docs {
		t.named[docID{d.Kind, d.ID}] = docKeys{namesOf(d), d.At.UnixMilli()}
	}
}

// Now is part of [lifecycle.Tx].
func (t *docTx) Now(ctx context.Context) (time.Time, error) {
	if !t.now.IsZero() {
		return t.now, nil
	}
	if t.store.dialect == SQLite {
		t.now = time.Now().UTC().Truncate(time.Millisecond)
		return t.now, nil
	}
	tx, err := t.tx()
	if err != nil {
		return time.Time{}, err
	}
	var ms int64
	if err := tx.QueryRowContext(ctx, "SELECT "+t.store.dialect.now()).Scan(&ms); err != nil {
		return time.Time{}, wrap("asking for the time", err)
	}
	t.now = timeOf(ms)
	return t.now, nil
}

// Get is part of [lifecycle.Tx].
func (t *docTx) Get(ctx context.Context, kind, id string) (*lifecycle.Doc, error) {
	tx, err := t.tx()
	if err != nil {
		return nil, err
	}
	doc, err := t.store.getDoc(ctx, tx, kind, id)
	if doc != nil {
		t.know(doc)
	}
	return doc, err
}

// Find is part of [lifecycle.Tx].
func (t *docTx) Find(ctx context.Context, kind, key string) ([]*lifecycle.Doc, error) {
	tx, err := t.tx()
	if err != nil {
		return nil, err
	}
	docs, err := queryDocs(ctx, tx, t.store.sql.docs, kind, key)
	t.know(docs...)
	return docs, wrap("finding "+kind, err)
}

// Put is part of [lifecycle.Tx].
func (t *docTx) Put(ctx context.Context, doc *lifecycle.Doc) error {
	return t.write("storing", doc, func(tx *sql.Tx) error {
		if err := t.put(ctx, tx, doc); err != nil {
			return err
		}
		doc.Version++
		t.know(doc)
		return nil
	})
}

// write calls f, whose error ends the transaction.
func (t *docTx) write(what string, doc *lifecycle.Doc, f func(*sql.Tx) error) error {
	tx, err := t.tx()
	if err == nil {
		err = f(tx)
	}
	err = wrapDoc(what, doc, err)
	t.err = cmp.Or(t.err, err)
	return err
}

func (t *docTx) put(ctx context.Context, tx *sql.Tx, doc *lifecycle.Doc) error {
	keys := docKeys{namesOf(doc), doc.At.UnixMilli()}
	if size := len(doc.Data) + len(keys.names); size > t.store.limit {
		return fmt.Errorf("it has %d bytes: the database takes %d in a statement; see %s",
			size, t.store.limit, limitSetting[t.store.dialect])
	}
	var due sql.NullInt64
	if !doc.Due.IsZero() {
		due = sql.NullInt64{Int64: doc.Due.UnixMilli(), Valid: true}
	}
	data := doc.Data
	if data == nil {
		data = []byte{}
	}
	if doc.Version == 0 {
		n, err := affected(tx.ExecContext(ctx, t.store.sql.addDoc,
			doc.Kind, doc.ID, 1, doc.State, keys.at, due, keys.names, data))
		if isDuplicate(err) || err == nil && n == 0 {
			return lifecycle.ErrExists
		}
		if err != nil {
			return err
		}
		return t.addKeys(ctx, tx, doc, keys)
	}
	n, err := affected(tx.ExecContext(ctx, t.store.sql.setDoc,
		doc.Version+1, doc.State, keys.at, due, keys.names, data, doc.Kind, doc.ID, doc.Version))
	if err != nil {
		return err
	}
	if n == 0 {
		return lifecycle.ErrStale
	}
	if old, ok := t.named[docID{doc.Kind, doc.ID}]; ok && old == keys {
		return nil
	}
	if _, err := tx.ExecContext(ctx, t.store.sql.delKeys, doc.Kind, doc.ID); err != nil {
		return err
	}
	return t.addKeys(ctx, tx, doc, keys)
}

// addKeys inserts the rows of a document in the table of keys.
func (t *docTx) addKeys(ctx context.Context, tx *sql.Tx, doc *lifecycle.Doc, keys docKeys) error {
	var args []any
	add := func(name string, only any) { args = append(args, doc.Kind, name, keys.at, doc.ID, only) }
	unique := slices.Compact(slices.Sorted(slices.Values(doc.Unique)))
	for _, name := range unique {
		add(name, name)
	}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(doc.Keys))) {
		if !slices.Contains(unique, name) {
			add(name, nil)
		}
	}
	rows := len(args) / 5
	if rows == 0 {
		return nil
	}
	text := t.store.sql.addKeys + strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?, ?), ", rows), ", ")
	if t.store.dialect != MySQL {
		text += " ON CONFLICT DO NOTHING"
	}
	n, err := affected(tx.ExecContext(ctx, t.store.dialect.bind(text), args...))
	if isDuplicate(err) || err == nil && n < int64(rows) {
		return lifecycle.ErrExists
	}
	return err
}

// Delete is part of [lifecycle.Tx].
func (t *docTx) Delete(ctx context.Context, doc *lifecycle.Doc) error {
	return t.write("deleting", doc, func(tx *sql.Tx) error {
		n, err := affected(tx.ExecContext(ctx, t.store.sql.delDoc, doc.Kind, doc.ID, doc.Version))
		if err == nil && n == 0 {
			err = lifecycle.ErrStale
		}
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, t.store.sql.delKeys, doc.Kind, doc.ID)
		return err
	})
}

func affected(result sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// wrapDoc says what failed. Errors of the interface are as it has them.
func wrapDoc(what string, doc *lifecycle.Doc, err error) error {
	if errors.Is(err, lifecycle.ErrExists) || errors.Is(err, lifecycle.ErrStale) {
		return fmt.Errorf("%w: %s %s", err, doc.Kind, doc.ID)
	}
	return wrap(what+" "+doc.Kind+" "+doc.ID, err)
}
