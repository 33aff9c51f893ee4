package boltstore

import (
	"errors"
	"fmt"
	"math"

	"go.etcd.io/bbolt"

	"github.com/fliggy-go/rentcar/durable"
)

// ErrNotParked says that no item of this id is parked.
var ErrNotParked = errors.New("boltstore: no such item is parked")

// Parked lists the parked items of a queue in the order in which they were parked, and
// why; their Due is when that was. One whose record could not be read is there as well, with
// the bytes of that record as its Data.
func (s *Store) Parked(queue string) ([]durable.ParkedItem, error) {
	var list []durable.ParkedItem
	err := s.db.View(func(tx *bbolt.Tx) error {
		for _, e := range entries(tx, parked, prefixOf(queue), nil, math.MaxInt) {
			r, err := read(tx, e.queue, e.id)
			if err != nil && (r == nil || !errors.Is(err, ErrUnreadable)) {
				return err
			}
			list = append(list, durable.ParkedItem{Item: *r.item(), Reason: r.Reason})
		}
		return nil
	})
	return list, err
}

// Release makes a parked item due at once. Its attempts count on. ErrUnreadable for one that is
// parked because its record could not be read.
func (s *Store) Release(queue, id string) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		r, err := read(tx, queue, id)
		if errors.Is(err, errUnknown) || err == nil && r.State != parked {
			return fmt.Errorf("%s: %.80q: %w", queue, id, ErrNotParked)
		}
		if err != nil {
			return err
		}
		r.Reason = ""
		return r.move(tx, waiting, r.Added)
	})
}

// Counts tells how many items of a queue stand where.
type Counts struct{ Waiting, Claimed, Parked, Done int }

// Count counts the items of a queue, for metrics and alarms.
func (s *Store) Count(queue string) (Counts, error) {
	var c Counts
	err := s.db.View(func(tx *bbolt.Tx) error {
		for state, n := range map[state]*int{waiting: &c.Waiting, claimed: &c.Claimed, parked: &c.Parked, done: &c.Done} {
			*n = len(entries(tx, state, prefixOf(queue), nil, math.MaxInt))
		}
		return nil
	})
	return c, err
}
