package lifecycle

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar/durable"
)

// A MemoryStore is a [Store] in the memory of one process, for tests and examples: what it holds is gone when the
// process ends. Make it with [NewMemoryStore].
type MemoryStore struct {
	*durable.MemoryStore

	mu     sync.Mutex
	docs   map[docName]*Doc
	byKey  map[docName]map[string]bool // ids, by kind and key
	states map[docName]map[string]bool // ids, by kind and state
}

// A docName is a kind with an id, a key or a state.
type docName struct{ kind, name string }

// NewMemoryStore makes an empty store.
func NewMemoryStore() *MemoryStore {
	return &MemoryStore{
		MemoryStore: durable.NewMemoryStore(), docs: map[docName]*Doc{}, byKey: map[docName]map[string]bool{},
		states: map[docName]map[string]bool{},
	}
}

// Now is part of [durable.ClockStore]: the time of the process.
func (s *MemoryStore) Now(context.Context) (time.Time, error) {
	return time.Now().Truncate(time.Millisecond), nil
}

// Do is part of [durable.Store].
func (s *MemoryStore) Do(ctx context.Context, item *durable.Item, work func(ctx context.Context) error) error {
	return s.MemoryStore.Do(context.WithValue(ctx, memoryTxKey{s}, s.begin()), item, work)
}

// Atomically is part of [Store].
func (s *MemoryStore) Atomically(ctx context.Context, f func(ctx context.Context, tx Tx) error) error {
	tx, joins := ctx.Value(memoryTxKey{s}).(*memoryTx)
	if !joins {
		tx = s.begin()
		ctx = context.WithValue(ctx, memoryTxKey{s}, tx)
	}
	return s.MemoryStore.Atomically(ctx, func(ctx context.Context) (durable.MemoryPart, error) {
		own := &memoryPart{memoryTx: tx, now: time.Now().Truncate(time.Millisecond)}
		if err := cmp.Or(f(ctx, own), own.err); err != nil {
			return durable.MemoryPart{}, err
		}
		if tx.isPart { // several times within a Do
			return durable.MemoryPart{}, nil
		}
		tx.isPart = true
		return durable.MemoryPart{Check: tx.check, Commit: tx.commit}, nil
	})
}

// InTransaction reports whether ctx is one that Do or Atomically of this store gave.
func (s *MemoryStore) InTransaction(ctx context.Context) bool {
	_, is := ctx.Value(memoryTxKey{s}).(*memoryTx)
	return is
}

func (s *MemoryStore) begin() *memoryTx {
	return &memoryTx{store: s, changed: map[docName]*Doc{}, read: map[docName]int64{}}
}

type memoryTxKey struct{ store *MemoryStore }

// A memoryTx is what a transaction has changed. A document that it has deleted is nil.
type memoryTx struct {
	store   *MemoryStore
	changed map[docName]*Doc
	read    map[docName]int64 // the versions over which it stores
	isPart  bool              // of the transaction of the queues
}

// A memoryPart is the [Tx] of one Atomically.
type memoryPart struct {
	*memoryTx
	now time.Time
	err error // of what it could not write: its transaction stores nothing
}

// Now is part of [Tx].
func (p *memoryPart) Now(context.Context) (time.Time, error) { return p.now, nil }

// Put is part of [Tx].
func (p *memoryPart) Put(ctx context.Context, doc *Doc) error { return p.keep(p.put(ctx, doc)) }

// Delete is part of [Tx].
func (p *memoryPart) Delete(ctx context.Context, doc *Doc) error { return p.keep(p.remove(ctx, doc)) }

func (p *memoryPart) keep(err error) error {
	p.err = cmp.Or(p.err, err)
	return err
}

// Get is part of [Tx].
func (tx *memoryTx) Get(ctx context.Context, kind, id string) (*Doc, error) {
	if doc, ok := tx.changed[docName{kind, id}]; ok {
		return doc.copy(), ctx.Err()
	}
	return tx.store.Get(ctx, kind, id)
}

// Find is part of [Tx].
func (tx *memoryTx) Find(ctx context.Context, kind, key string) ([]*Doc, error) {
	tx.store.mu.Lock()
	defer tx.store.mu.Unlock()
	list := tx.having(kind, key)
	slices.SortFunc(list, compareDocs)
	return copies(list, len(list)), ctx.Err()
}

// having returns the documents that have a key, as the transaction sees them.
func (tx *memoryTx) having(kind, key string) (list []*Doc) {
	for id := range tx.store.byKey[docName{kind, key}] {
		if _, ok := tx.changed[docName{kind, id}]; !ok {
			list = append(list, tx.store.docs[docName{kind, id}])
		}
	}
	for name, doc := range tx.changed {
		if name.kind == kind && doc != nil && slices.Contains(doc.keys(), key) {
			list = append(list, doc)
		}
	}
	return list
}

func (tx *memoryTx) put(ctx context.Context, doc *Doc) error {
	name := docName{doc.Kind, doc.ID}
	if err := tx.checkVersion(name, doc.Version); err != nil {
		return err
	}
	doc.Version++
	kept := doc.copy()
	kept.At, kept.Due = kept.At.Truncate(time.Millisecond), kept.Due.Truncate(time.Millisecond)
	tx.changed[name] = kept
	tx.store.mu.Lock()
	defer tx.store.mu.Unlock()
	return cmp.Or(tx.checkUnique(kept), ctx.Err())
}

func (tx *memoryTx) remove(ctx context.Context, doc *Doc) error {
	name := docName{doc.Kind, doc.ID}
	if err := tx.checkVersion(name, doc.Version); err != nil {
		return err
	}
	tx.changed[name] = nil
	return ctx.Err()
}

// checkVersion checks that a document has the version over which it is stored.
func (tx *memoryTx) checkVersion(name docName, version int64) error {
	if doc, ok := tx.changed[name]; ok {
		return compareVersions(doc, version)
	}
	tx.store.mu.Lock()
	defer tx.store.mu.Unlock()
	if err := compareVersions(tx.store.docs[name], version); err != nil {
		return err
	}
	tx.read[name] = version
	return nil
}

func compareVersions(doc *Doc, version int64) error {
	switch {
	case doc == nil && version != 0:
		return ErrStale
	case doc != nil && version == 0:
		return ErrExists
	case doc != nil && doc.Version != version:
		return ErrStale
	}
	return nil
}

// checkUnique checks that nobody else has the unique keys of a document.
func (tx *memoryTx) checkUnique(doc *Doc) error {
	for _, key := range doc.Unique {
		for _, other := range tx.having(doc.Kind, key) {
			if other.ID != doc.ID && slices.Contains(other.Unique, key) {
				return fmt.Errorf("%w: %s %s has %s", ErrExists, doc.Kind, other.ID, key)
			}
		}
	}
	return nil
}

// check checks everything again before the transaction is stored.
func (tx *memoryTx) check() error {
	tx.store.mu.Lock()
	defer tx.store.mu.Unlock()
	for name, version := range tx.read {
		if err := compareVersions(tx.store.docs[name], version); err != nil {
			return err
		}
	}
	for _, doc := range tx.changed {
		if doc != nil {
			if err := tx.checkUnique(doc); err != nil {
				return err
			}
		}
	}
	return nil
}

// commit stores what was changed.
func (tx *memoryTx) commit() {
	tx.store.mu.Lock()
	defer tx.store.mu.Unlock()
	for name, doc := range tx.changed {
		tx.store.set(name, doc)
	}
}

// set puts a document in the place of the one that it was; nil for none.
func (s *MemoryStore) set(name docName, doc *Doc) {
	if old := s.docs[name]; old != nil {
		for _, key := range old.keys() {
			remove(s.byKey, docName{name.kind, key}, name.name)
		}
		remove(s.states, docName{name.kind, old.State}, name.name)
	}
	if doc == nil {
		delete(s.docs, name)
		return
	}
	s.docs[name] = doc
	for _, key := range doc.keys() {
		insert(s.byKey, docName{name.kind, key}, name.name)
	}
	insert(s.states, docName{name.kind, doc.State}, name.name)
}

func insert(index map[docName]map[string]bool, name docName, id string) {
	if index[name] == nil {
		index[name] = map[string]bool{}
	}
	index[name][id] = true
}

func remove(index map[docName]map[string]bool, name docName, id string) {
	delete(index[name], id)
	if len(index[name]) == 0 {
		delete(index, name)
	}
}

// Get is part of [Store].
func (s *MemoryStore) Get(ctx context.Context, kind, id string) (*Doc, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.docs[docName{kind, id}].copy(), ctx.Err()
}

// List is part of [Store].
func (s *MemoryStore) List(ctx context.Context, q Query) ([]*Doc, error) {
	if q.Limit < 1 || (q.State == "") == (q.Key == "") {
		return nil, fmt.Errorf("lifecycle: MemoryStore: List: want a limit, and a state or a key: %+v", q)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := s.states[docName{q.Kind, q.State}]
	if q.Key != "" {
		ids = s.byKey[docName{q.Kind, q.Key}]
	}
	var list []*Doc
	for id := range ids {
		doc := s.docs[docName{q.Kind, id}]
		place := &Doc{At: q.After.At, ID: q.After.ID}
		if (q.After == Cursor{} || compareDocs(doc, place) > 0) && (q.Before.IsZero() || doc.At.Before(q.Before)) {
			list = append(list, doc)
		}
	}
	slices.SortFunc(list, compareDocs)
	return copies(list, q.Limit), ctx.Err()
}

// Due is part of [Store]. It looks at all documents, which is 30 microseconds for a thousand of them.
func (s *MemoryStore) Due(ctx context.Context, limit int) ([]*Doc, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	var list []*Doc
	for _, doc := range s.docs {
		if !doc.Due.IsZero() && !doc.Due.After(now) {
			list = append(list, doc)
		}
	}
	slices.SortFunc(list, func(a, b *Doc) int { return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.ID, b.ID)) })
	return copies(list, limit), ctx.Err()
}

// copies copies the first documents of a list.
func copies(list []*Doc, limit int) (first []*Doc) {
	for _, doc := range list[:max(0, min(len(list), limit))] {
		first = append(first, doc.copy())
	}
	return first
}

// keys are all keys of a document.
func (d *Doc) keys() []string { return slices.Concat(d.Keys, d.Unique) }

// copy returns a copy that shares nothing; nil of nil.
func (d *Doc) copy() *Doc {
	if d == nil {
		return nil
	}
	c := *d
	c.Keys, c.Unique, c.Data = slices.Clone(d.Keys), slices.Clone(d.Unique), slices.Clone(d.Data)
	return &c
}

// compareDocs orders documents as lists have them.
func compareDocs(a, b *Doc) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) }

// String tells how many documents of each kind there are, and what the queues hold.
func (s *MemoryStore) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := map[string]int{}
	for name := range s.docs {
		count[name.kind]++
	}
	text := "lifecycle.MemoryStore("
	for _, kind := range slices.Sorted(maps.Keys(count)) {
		text += fmt.Sprintf("%d %s, ", count[kind], kind)
	}
	return text + s.MemoryStore.String() + ")"
}

// Format writes String for every verb.
func (s *MemoryStore) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }
