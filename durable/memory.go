package durable

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// A MemoryStore is a [Store] in the memory of one process. It is not durable: what
// it holds is gone when the process ends. It is for tests, and for programs that
// can live with that. The zero value is an empty store, as [NewMemoryStore] makes it.
//
// Its Do is a transaction: items that work adds with the context it was given are
// stored when work succeeds, and not at all otherwise. Where another has added an item of the
// same queue and ID meanwhile, Do fails, and the next attempt finds that item. By
// [MemoryStore.Atomically] other things take part in it.
type MemoryStore struct {
	mu    sync.Mutex
	items map[memoryKey]*memoryItem
	due   map[string]*dueHeap // the waiting items of each queue
	added uint64              // how many ever
}

type memoryKey struct{ queue, id string }

func keyOf(i *Item) memoryKey { return memoryKey{i.Queue, i.ID} }

type memoryState uint8

const (
	waiting memoryState = iota
	done
	parked
)

type memoryItem struct {
	Item
	state  memoryState
	isHeld bool   // claimed
	number uint64 // in order of addition
	reason string
	index  int // in the heap
}

// NewMemoryStore makes an empty store.
func NewMemoryStore() *MemoryStore { return &MemoryStore{} }

// A memoryTx is what the work of a transaction has added, and the parts that others have in it. It is over when added
// is nil.
type memoryTx struct {
	added map[memoryKey]*memoryItem
	parts []MemoryPart
	err   error // of a part that failed: nothing is stored
}

// A MemoryPart is what something else stores in a transaction of a [MemoryStore]. Both functions may be nil. They are
// called while the store is locked, so they must not use it: Check of all parts first and, if none returns an error,
// each Commit.
type MemoryPart struct {
	Check  func() error
	Commit func()
}

type memoryTxKey struct{ store *MemoryStore }

// Add is part of [Store]. It fails when ctx is over, or the Do that gave it.
func (s *MemoryStore) Add(ctx context.Context, item *Item) (known *Item, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := keyOf(item)
	held := s.items[key]
	tx, _ := ctx.Value(memoryTxKey{s}).(*memoryTx)
	if tx != nil {
		if tx.added == nil {
			return nil, errTxOver
		}
		held = cmp.Or(held, tx.added[key])
	}
	if held != nil {
		return held.copy(), nil
	}
	s.added++
	added := &memoryItem{Item: *item, number: s.added}
	added.Data, added.Attempt = slices.Clone(item.Data), 0
	if tx != nil {
		tx.added[key] = added
	} else {
		s.put(added)
	}
	return nil, nil
}

func (i *memoryItem) copy() *Item {
	c := i.Item
	c.Data = slices.Clone(c.Data)
	return &c
}

// put stores an item that has the state waiting.
func (s *MemoryStore) put(i *memoryItem) {
	if s.items == nil {
		s.items = map[memoryKey]*memoryItem{}
	}
	if s.due == nil {
		s.due = map[string]*dueHeap{}
	}
	s.items[keyOf(&i.Item)] = i
	if s.due[i.Queue] == nil {
		s.due[i.Queue] = &dueHeap{}
	}
	heap.Push(s.due[i.Queue], i)
}

// Count is part of [CountStore], by the clock of the process.
func (s *MemoryStore) Count(ctx context.Context, queue string) (c Counts, err error) {
	if err := ctx.Err(); err != nil {
		return c, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, item := range s.items {
		switch {
		case key.queue != queue:
		case item.state == parked:
			c.Parked++
		case item.state == waiting:
			c.Waiting++
			c.Age = max(c.Age, time.Since(item.Due))
		}
	}
	return c, nil
}

// Claim is part of [Store]. Of items due at the same time the one added first is
// handed out first.
func (s *MemoryStore) Claim(ctx context.Context, queue string, now, until time.Time) (*Item, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.due[queue]
	if h == nil || h.Len() == 0 || (*h)[0].Due.After(now) {
		return nil, nil
	}
	i := (*h)[0]
	i.Attempt++
	i.Due, i.isHeld = until, true
	heap.Fix(h, i.index)
	return i.copy(), nil
}

// held finds the item of a claim.
func (s *MemoryStore) held(item *Item) (*memoryItem, error) {
	i := s.items[keyOf(item)]
	if i == nil || !i.isHeld || i.Attempt != item.Attempt {
		return nil, ErrLost
	}
	return i, nil
}

// Do is part of [Store].
func (s *MemoryStore) Do(ctx context.Context, item *Item, work func(ctx context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	_, err := s.held(item)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	tx := &memoryTx{added: map[memoryKey]*memoryItem{}}
	defer s.end(tx) // also after a panic
	if err := work(context.WithValue(ctx, memoryTxKey{s}, tx)); err != nil {
		return err
	}
	return s.commit(tx, item)
}

var (
	errTxOver = errors.New("durable: MemoryStore: the transaction of this context is over")
	errPanic  = errors.New("durable: MemoryStore: a part of the transaction has panicked")
)

// Atomically makes what work adds with its context, and the part that it returns, one transaction: all of it is stored
// when Atomically returns nil, and nothing otherwise. So a store of other things in memory can be one with this. With
// the context that Do or Atomically gave, it takes part in their transaction: after an error, that stores nothing.
func (s *MemoryStore) Atomically(ctx context.Context, work func(ctx context.Context) (MemoryPart, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	tx, joins := ctx.Value(memoryTxKey{s}).(*memoryTx)
	if !joins {
		tx = &memoryTx{added: map[memoryKey]*memoryItem{}}
		defer s.end(tx)
		ctx = context.WithValue(ctx, memoryTxKey{s}, tx)
	}
	if s.isOver(tx) {
		return errTxOver
	}
	err := errPanic
	defer func() { s.fail(tx, err) }()
	var part MemoryPart
	part, err = work(ctx)
	if err == nil {
		err = s.join(tx, part, !joins)
	}
	return err
}

func (s *MemoryStore) isOver(tx *memoryTx) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return tx.added == nil
}

// fail keeps a transaction from being stored after an error.
func (s *MemoryStore) fail(tx *memoryTx, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tx.err = cmp.Or(tx.err, err)
}

// join makes a part one of a transaction, and stores that if this is its end.
func (s *MemoryStore) join(tx *memoryTx, part MemoryPart, ends bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if tx.added == nil {
		return errTxOver
	}
	tx.parts = append(tx.parts, part)
	if !ends {
		return nil
	}
	return s.store(tx)
}

func (s *MemoryStore) end(tx *memoryTx) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tx.added = nil
}

func (s *MemoryStore) commit(tx *memoryTx, item *Item) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.held(item)
	if err != nil {
		return err
	}
	if err := s.store(tx); err != nil {
		return err
	}
	s.finish(i, done)
	i.Data = nil
	return nil
}

// store stores all of a transaction, or nothing.
func (s *MemoryStore) store(tx *memoryTx) error {
	if tx.err != nil {
		return tx.err
	}
	for _, part := range tx.parts {
		if part.Check == nil {
			continue
		}
		if err := part.Check(); err != nil {
			return err
		}
	}
	// After the parts, whose errors may say that the transaction is worth another try.
	for key := range tx.added {
		if s.items[key] != nil {
			return fmt.Errorf("durable: MemoryStore: %s %s was added by another meanwhile", key.queue, key.id)
		}
	}
	for _, part := range tx.parts {
		if part.Commit != nil {
			part.Commit()
		}
	}
	for _, added := range tx.added {
		s.put(added)
	}
	tx.added = nil
	return nil
}

// finish ends the claim of an item that waits no more.
func (s *MemoryStore) finish(i *memoryItem, state memoryState) {
	heap.Remove(s.due[i.Queue], i.index)
	i.state, i.isHeld = state, false
}

// Retry is part of [Store].
func (s *MemoryStore) Retry(ctx context.Context, item *Item, due time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.held(item)
	if err != nil {
		return err
	}
	i.Due, i.isHeld = due, false
	heap.Fix(s.due[i.Queue], i.index)
	return nil
}

// Park is part of [Store]. [MemoryStore.Parked] lists what was parked, and
// [MemoryStore.Release] brings it back.
func (s *MemoryStore) Park(ctx context.Context, item *Item, reason string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.held(item)
	if err != nil {
		return err
	}
	s.finish(i, parked)
	i.reason = reason
	return nil
}

// A ParkedItem is an item that was set aside, and why.
type ParkedItem struct {
	Item   Item
	Reason string
}

// Parked lists the parked items of a queue in the order in which they were added.
func (s *MemoryStore) Parked(queue string) []ParkedItem {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*memoryItem
	for _, i := range s.items {
		if i.Queue == queue && i.state == parked {
			found = append(found, i)
		}
	}
	slices.SortFunc(found, func(a, b *memoryItem) int { return cmp.Compare(a.number, b.number) })
	list := make([]ParkedItem, len(found))
	for n, i := range found {
		list[n] = ParkedItem{Item: *i.copy(), Reason: i.reason}
	}
	return list
}

// Release makes a parked item wait again, due at once. Its Attempt goes on from
// where it was. The error says that there is no such item.
func (s *MemoryStore) Release(queue, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.items[memoryKey{queue, id}]
	if i == nil || i.state != parked {
		return fmt.Errorf("durable: MemoryStore: Release: queue %.80q has no parked item %.80q", queue, id)
	}
	i.state, i.reason, i.Due = waiting, "", i.Added
	s.put(i)
	return nil
}

// Forget drops the done items that were added before a time, so that a repeat of one
// counts as new from then on, and tells how many those were. Without it the store
// keeps the names of done items, not their Data, as long as it lives.
func (s *MemoryStore) Forget(before time.Time) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := map[memoryKey]*memoryItem{} // a new one: a map that has grown does not shrink
	for key, i := range s.items {
		if i.state != done || !i.Added.Before(before) {
			kept[key] = i
		}
	}
	dropped := len(s.items) - len(kept)
	s.items = kept
	return dropped
}

// String tells how many items the store holds.
func (s *MemoryStore) String() string {
	if s == nil {
		return "MemoryStore(nil)"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var count [3]int
	for _, i := range s.items {
		count[i.state]++
	}
	return fmt.Sprintf(
		"MemoryStore(%d waiting, %d parked, %d done, content redacted)", count[waiting], count[parked], count[done],
	)
}

// Format writes String for every verb.
func (s *MemoryStore) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue logs what String tells.
func (s *MemoryStore) LogValue() slog.Value { return slog.StringValue(s.String()) }

// dueHeap has the item that is due first at its head.
type dueHeap []*memoryItem

func (h dueHeap) Len() int { return len(h) }
func (h dueHeap) Less(a, b int) bool {
	return cmp.Or(h[a].Due.Compare(h[b].Due), cmp.Compare(h[a].number, h[b].number)) < 0
}

func (h dueHeap) Swap(a, b int) {
	h[a], h[b] = h[b], h[a]
	h[a].index, h[b].index = a, b
}

// Push is for package heap.
func (h *dueHeap) Push(x any) {
	i := x.(*memoryItem)
	i.index = len(*h)
	*h = append(*h, i)
}

// Pop is for package heap.
func (h *dueHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = nil
	if *h = old[:len(old)-1]; len(*h) == 0 {
		*h = nil // a slice that has grown does not stay
	}
	return last
}
