package storetest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar/durable"
)

// A toy is a store that keeps the contract, but for the one flaw that it is given.
type toy struct {
	flaw string

	mu   sync.Mutex
	rows map[string]row
	disk map[string]row // what a restart leaves

	meeting chan struct{} // for races: see meet
	met     int
}

type row struct {
	durable.Item
	state string // waiting, claimed, done or parked
	first time.Time
	order int
}

func newToy(flaw string) *toy {
	return &toy{flaw: flaw, rows: map[string]row{}, disk: map[string]row{}, meeting: make(chan struct{})}
}

func (s *toy) has(flaw string) bool { return s.flaw == flaw }

// open makes the same store again, of what is on its disk.
func (s *toy) open() *toy {
	again := newToy(s.flaw)
	again.disk = maps.Clone(s.disk)
	again.rows = maps.Clone(s.disk)
	return again
}

// always is no flaw.
const always = "-"

// write keeps a row, on disk too unless the flaw of this name is there.
func (s *toy) write(i *durable.Item, r row, unless string) {
	s.rows[s.key(i)] = r
	if !s.has(unless) {
		s.disk[s.key(i)] = r
	}
}

// meet lets callers go on together: each waits for one other. It is called with
// the lock, which is free meanwhile.
func (s *toy) meet() {
	s.met++
	c := s.meeting
	if s.met%2 == 0 {
		close(c)
		s.meeting = make(chan struct{})
	}
	s.mu.Unlock()
	late := time.NewTimer(100 * time.Millisecond) // the last one is alone
	defer late.Stop()
	select {
	case <-c:
	case <-late.C:
	}
	s.mu.Lock()
}

func (s *toy) key(i *durable.Item) string {
	id := i.ID
	switch {
	case s.has("IDs are cut"):
		id = id[:min(len(id), 255)]
	case s.has("IDs have no case"):
		id = strings.ToLower(id)
	case s.has("names run together"):
		return i.Queue + "/" + id
	}
	return i.Queue + "\x00" + id
}

func (s *toy) time(t time.Time) time.Time {
	switch {
	case s.has("times to the second"):
		return t.Truncate(time.Second)
	case s.has("zones are dropped"):
		return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	}
	return t
}

func (s *toy) data(data []byte) []byte {
	switch {
	case s.has("data is text"):
		return []byte(strings.ToValidUTF8(string(data), "?"))
	case s.has("data is short"):
		return slices.Clone(data[:min(len(data), 1<<16)])
	}
	return slices.Clone(data)
}

type toyTx struct{ added map[string]row }

type toyTxKey struct{}

func (s *toy) Add(ctx context.Context, item *durable.Item) (*durable.Item, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil && s.has("Add that is over says nothing") {
		return nil, nil
	}
	key := s.key(item)
	r, isKnown := s.rows[key]
	if s.has("Add looks before it stores") {
		s.meet()
	}
	tx, _ := ctx.Value(toyTxKey{}).(*toyTx)
	if s.has("no transactions") {
		tx = nil
	}
	if tx != nil && !isKnown && !s.has("a transaction does not see its writes") {
		r, isKnown = tx.added[key]
	}
	if isKnown {
		return s.addKnown(item, r), nil
	}
	r = row{Item: *item, state: "waiting", first: item.Due, order: len(s.rows)}
	r.Attempt, r.Added, r.Due = 0, s.time(item.Added), s.time(item.Due)
	if !s.has("Add keeps the caller's data") {
		r.Data = s.data(item.Data)
	}
	if s.has("no digest") {
		r.Digest = ""
	}
	if s.has("no trace") {
		r.Trace = ""
	}
	switch {
	case tx != nil && s.has("what Do adds is dropped"):
	case tx != nil:
		tx.added[key] = r
		if s.has("transactions are seen before they end") {
			s.write(item, r, always)
		}
	default:
		s.write(item, r, "Add is in memory")
	}
	return nil, nil
}

func (s *toy) addKnown(item *durable.Item, r row) *durable.Item {
	switch {
	case s.has("a second Add replaces the first"):
		r.Item = *item
	case s.has("a second Add makes due"):
		r.Due = item.Due
	case s.has("a second Add releases"):
		if r.state == "parked" {
			r.state = "waiting"
		}
	case s.has("a second Add forgets what is done"):
		if r.state == "done" {
			r.state = "waiting"
		}
	}
	s.write(item, r, always)
	known := r.Item
	if !s.has("Add gives its own data") {
		known.Data = slices.Clone(known.Data)
	}
	if s.has("Add gives no data") {
		known.Data = nil
	}
	if s.has("Add gives what it was given") {
		known.Digest = item.Digest
	}
	return &known
}

// before is the order of Claim.
func (s *toy) before(a, b row) bool {
	const layout = "2006-01-02T15:04:05.999999999Z07:00"
	switch {
	case s.has("order of IDs"):
		return a.ID < b.ID
	case s.has("order of addition"):
		return a.order < b.order
	case s.has("order of the first due times"):
		return a.first.Before(b.first)
	case s.has("order of times as text"):
		return a.Due.UTC().Format(layout) < b.Due.UTC().Format(layout)
	case s.has("order of times as local text"):
		return a.Due.Format(layout) < b.Due.Format(layout)
	}
	return a.Due.Before(b.Due)
}

func (s *toy) isDue(r row, queue string, now time.Time) bool {
	isOf := r.Queue == queue || s.has("Claim takes all queues") ||
		s.has("Claim takes queues that begin so") && strings.HasPrefix(r.Queue, queue)
	isDue := !r.Due.After(now)
	switch {
	case s.has("due times are ignored"):
		isDue = true
	case s.has("due a little later"):
		isDue = r.Due.Before(now)
	}
	return isOf && isDue && (r.state == "waiting" || r.state == "claimed")
}

func (s *toy) Claim(ctx context.Context, queue string, now, until time.Time) (*durable.Item, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil && s.has("Claim that is over says nothing") {
		return nil, nil
	}
	found := s.due(queue, s.time(now))
	if len(found) == 0 {
		if s.has("nothing is an error") {
			return nil, errors.New("no rows")
		}
		return nil, nil
	}
	if s.has("Claim looks before it marks") {
		s.meet()
	}
	return s.hand(found[0], s.time(until)), nil
}

func (s *toy) ClaimBatch(
	ctx context.Context, queue string, n int, now, until time.Time,
) (items []*durable.Item, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil && s.has("ClaimBatch that is over says nothing") {
		return nil, nil
	}
	found := s.due(queue, s.time(now))
	switch {
	case len(found) == 0 && s.has("nothing is an error"):
		return nil, errors.New("no rows")
	case s.has("batches are of one"):
		n = 1
	case s.has("batches are of any size"):
		n = len(found)
	case s.has("batches are full or empty") && len(found) < n:
		return nil, nil
	case s.has("a batch looks before it marks"):
		s.meet()
	}
	for _, r := range found[:min(n, len(found))] {
		items = append(items, s.hand(r, s.time(until)))
	}
	if s.has("batches have no order") {
		slices.Reverse(items)
	}
	return items, nil
}

// due lists what is due, in order.
func (s *toy) due(queue string, now time.Time) (found []row) {
	for _, r := range s.rows {
		if s.isDue(r, queue, now) {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b row) int {
		if s.before(a, b) {
			return -1
		}
		return 1
	})
	return found
}

// hand claims a row and hands it out.
func (s *toy) hand(r row, until time.Time) *durable.Item {
	switch {
	case s.has("a claim does not last"):
		until = r.Due
	case s.has("a claim lasts for ever"):
		until = far.Add(time.Hour)
	}
	r.Due, r.state = until, "claimed"
	if !s.has("Attempt is not raised") {
		r.Attempt++
	}
	s.write(&r.Item, r, "Claim is in memory")
	given := r.Item
	if !s.has("Claim gives its own data") {
		given.Data = slices.Clone(given.Data)
	}
	if s.has("Attempt is raised too late") {
		given.Attempt--
	}
	if s.has("claims have no end") {
		given.Due = r.first
	}
	return &given
}

func (s *toy) Now(ctx context.Context) (time.Time, error) {
	switch {
	case ctx.Err() != nil && s.has("Now that is over says nothing"):
		return time.Time{}, nil
	case ctx.Err() != nil:
		return time.Time{}, ctx.Err()
	case s.has("the clock stands still"):
		return start, nil
	case s.has("the clock runs backwards"):
		return start.Add(time.Until(start)), nil
	case s.has("the clock counts from its own year"):
		return time.Unix(0, 0).Add(time.Since(start)), nil
	case s.has("the clock fails"):
		return time.Time{}, errors.New("no such function")
	}
	return time.Now(), nil
}
