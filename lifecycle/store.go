package lifecycle

import (
	"context"
	"errors"
	"time"

	"github.com/fliggy-go/rentcar/durable"
)

// The errors of a [Tx]. Both end the transaction: return them.
var (
	// ErrExists says that a new document has the id, or one of the unique keys, of another of its kind.
	ErrExists = errors.New("lifecycle: a document with this id or unique key is there")
	// ErrStale says that a document was changed since it was read: read it again.
	ErrStale = errors.New("lifecycle: the document was changed by another meanwhile")
)

// A Store keeps the journal: documents, and beside them, in the same database, the items of inbox and outbox.
// [MemoryStore] is one, package sqlstore has one for PostgreSQL, MySQL and SQLite, and package lifecycletest checks
// one. All methods are called by many goroutines and processes at once.
//
// A store that can tell has InTransaction(ctx) bool too, which reports whether ctx carries a transaction that
// Atomically would be a part of: Submit and Cancel refuse such a context.
//
// Documents taken and given are copies. Times are kept to the millisecond, rounded down.
type Store interface {
	durable.Store
	// Atomically calls f, and makes what f does by its Tx, and what it adds to queues of the store with its context, one
	// transaction: all of it is stored when Atomically returns nil, and nothing otherwise. With the context that Do
	// gave it is part of the transaction of that Do. f may be called again, after a conflict with another transaction.
	// An error of f is returned as it is, and f does nothing that takes long.
	Atomically(ctx context.Context, f func(ctx context.Context, tx Tx) error) error
	// Get returns a document, nil where there is none. It is not called within Atomically, nor are List and Due.
	Get(ctx context.Context, kind, id string) (*Doc, error)
	// List returns documents in the order of At and ID.
	List(ctx context.Context, q Query) ([]*Doc, error)
	// Due returns at most limit documents whose Due has come by the clock of the store, those first that have been due
	// longest. Any number of callers may get the same one: who changes its Due by Put first, has it.
	Due(ctx context.Context, limit int) ([]*Doc, error)
}

// A Tx reads and writes documents in a transaction. It sees what it has written.
type Tx interface {
	// Now returns the time by the clock that all processes on the store share. It does not change within a Tx.
	Now(ctx context.Context) (time.Time, error)
	// Get returns a document, nil where there is none.
	Get(ctx context.Context, kind, id string) (*Doc, error)
	// Find returns the documents of a kind that have key among their Keys or Unique, in the order of At and ID.
	Find(ctx context.Context, kind, key string) ([]*Doc, error)
	// Put stores a document with its keys in the place of those that it had. One of Version 0 is new; any other is
	// stored only over that Version. It raises doc.Version by one. The error matches ErrExists or ErrStale where another
	// was first, at the latest when the transaction is committed.
	Put(ctx context.Context, doc *Doc) error
	// Delete removes a document with its keys, if it has doc.Version. The error matches ErrStale otherwise.
	Delete(ctx context.Context, doc *Doc) error
}

// A Doc is a document of the journal. Kind, ID, State and keys are printable ASCII without spaces, 255 bytes at most;
// kinds and states 32.
type Doc struct {
	Kind    string
	ID      string // unique in its kind
	Version int64  // 0 for a new one
	State   string
	At      time.Time // its place in lists
	Due     time.Time // when work on it is due; zero for never
	Keys    []string  // by which it is found
	Unique  []string  // the same, and no other document of its kind has them
	Data    []byte
}

// A Query asks for documents of a kind in a state, or with a key.
type Query struct {
	Kind  string
	State string // those in this state
	Key   string // those that have it among their Keys or Unique; in place of State
	// After is the place of the last document of the page before: only those behind it are listed.
	After Cursor
	// Before, unless zero, lists only those whose At is before it.
	Before time.Time
	Limit  int // at most so many; at least 1
}

// A Cursor is a place in a list. The zero Cursor is the beginning.
type Cursor struct {
	At time.Time
	ID string
}

// The kinds of documents.
const (
	kindMeta    = "meta"
	kindRenewal = "renewal"
	kindLine    = "line"
	kindBill    = "bill"
	kindBatch   = "batch"
	kindStray   = "stray"
)
