package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"sync"
)

var (
	errNoTx   = errors.New("sqlstore: Tx: the context is none that Do or WithTx gave")
	errTxOver = errors.New("sqlstore: the transaction of this context is over")
	errNilTx  = errors.New("sqlstore: WithTx: the transaction is nil")
)

type txKey struct{}

// A transaction is one that Add, and the function given to a queue, can take part in.
type transaction struct {
	db    *sql.DB // nil for one of the user's
	begin func() (*sql.Tx, error)

	mu    sync.Mutex
	tx    *sql.Tx
	err   error // why there is none, or none that may be committed
	over  bool
	parts int // how many there were in it
}

// get returns the transaction, which it begins if it has not begun.
func (t *transaction) get() (*sql.Tx, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return nil, errTxOver
	}
	if t.tx == nil && t.err == nil {
		t.tx, t.err = t.begin()
	}
	return t.tx, t.err
}

// fail keeps the transaction from being committed after an error.
func (t *transaction) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = err
	}
}

// savepoint returns the name of a savepoint that the transaction has not had.
func (t *transaction) savepoint() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.parts++
	return "rentcar_part" + strconv.Itoa(t.parts)
}

// end returns the transaction if it has begun. No other can begin.
func (t *transaction) end() *sql.Tx {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	return t.tx
}

// Tx returns the transaction in which an item is marked as done: what your function writes with it, the mark, and what
// it adds to an outbox of the same database happen together, or not at all. In the function of lifecycle.OnChange it is
// the transaction of the change. ctx is the one that the function was called with. The first Tx, or the first Add,
// begins the transaction; before it, none is open. Do not end the transaction yourself, and do not use it after the
// function has returned. Return the error of a statement that fails: a deadlock of MySQL, or a statement of SQLite that
// its context cut off, undoes what was written before, and on MySQL statements that change tables commit it. The item
// is not marked then, and comes again.
func Tx(ctx context.Context) (*sql.Tx, error) {
	t, ok := ctx.Value(txKey{}).(*transaction)
	if !ok {
		return nil, errNoTx
	}
	return t.get()
}

// WithTx returns a context in which Add of any store takes part in tx: what it adds is stored when you commit. The
// transaction has to be one of the database of that store.
func WithTx(ctx context.Context, tx *sql.Tx) context.Context {
	return context.WithValue(ctx, txKey{}, &transaction{tx: tx, begin: func() (*sql.Tx, error) { return nil, errNilTx }})
}

// joined returns the transaction of ctx that a store on db takes part in, or nil.
func joined(ctx context.Context, db *sql.DB) *transaction {
	t, ok := ctx.Value(txKey{}).(*transaction)
	if !ok || t.db != nil && t.db != db {
		return nil
	}
	return t
}
