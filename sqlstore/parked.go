package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/fliggy-go/rentcar/durable"
)

// ErrNotParked says that no item of this id is parked.
var ErrNotParked = errors.New("sqlstore: no such item is parked")

// Parked returns the n items of a queue that have been parked longest, with the reasons. Their Due is when they were
// parked.
func (s *Store) Parked(ctx context.Context, queue string, n int) (list []durable.ParkedItem, err error) {
	rows, err := s.db.QueryContext(ctx, s.sql.parked, queue, n)
	if err != nil {
		return nil, wrap("listing parked items", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		item, err := scanParked(rows)
		if err != nil {
			return nil, wrap("listing parked items", err)
		}
		list = append(list, *item)
	}
	return list, wrap("listing parked items", rows.Err())
}

// ParkedItem returns one parked item. The error is [ErrNotParked] if there is none of this id.
func (s *Store) ParkedItem(ctx context.Context, queue, id string) (*durable.ParkedItem, error) {
	item, err := scanParked(s.db.QueryRowContext(ctx, s.sql.one, queue, id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, notParked(queue, id)
	}
	return item, wrap("looking at "+id, err)
}

func scanParked(row interface{ Scan(dest ...any) error }) (*durable.ParkedItem, error) {
	var reason string
	var ended int64
	item, err := scanItem(row, &reason, &ended)
	if err != nil {
		return nil, err
	}
	item.Due = time.UnixMilli(ended)
	return &durable.ParkedItem{Item: *item, Reason: reason}, nil
}

// Release makes a parked item due at once. Its attempts count on. The error is [ErrNotParked] if there is none of this
// id.
func (s *Store) Release(ctx context.Context, queue, id string) error {
	now, err := s.Now(ctx)
	if err != nil {
		return err
	}
	return s.change(ctx, "releasing "+id, s.sql.release, notParked(queue, id), now.UnixMilli(), queue, id)
}

// Drop forgets a parked item: a repeat of it would be a new one. The error is [ErrNotParked] if there is none of this
// id.
func (s *Store) Drop(ctx context.Context, queue, id string) error {
	return s.change(ctx, "dropping "+id, s.sql.drop, notParked(queue, id), queue, id)
}

func notParked(queue, id string) error {
	return fmt.Errorf("%w: %.100q of %.100q", ErrNotParked, id, queue)
}

// change executes a statement, and returns none if it has changed nothing.
func (s *Store) change(ctx context.Context, what, text string, none error, args ...any) error {
	return again(ctx, func() error {
		result, err := s.db.ExecContext(ctx, text, args...)
		if err != nil {
			return wrap(what, err)
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(wrap(what, err), none)
		}
		return nil
	})
}

// sweepSize is how many rows are deleted at once, so that no lock is held for long.
const sweepSize = 1000

// DropDone forgets the items of a queue that were done before a time, and returns how many. A repeat of one would be a
// new item: keep them as long as repeats may come, a week or more for pushed events.
func (s *Store) DropDone(ctx context.Context, queue string, before time.Time) (dropped int64, err error) {
	for {
		var n int64
		err := again(ctx, func() error {
			result, err := s.db.ExecContext(ctx, s.sql.sweep, queue, before.UnixMilli(), sweepSize)
			if err == nil {
				n, err = result.RowsAffected()
			}
			return err
		})
		dropped += n
		if err != nil || n < sweepSize {
			return dropped, wrap("dropping done items", err)
		}
	}
}

// Count is part of [durable.CountStore].
func (s *Store) Count(ctx context.Context, queue string) (durable.Counts, error) {
	now, err := s.Now(ctx)
	if err != nil {
		return durable.Counts{}, err
	}
	var all int64
	var c durable.Counts
	var due sql.NullInt64
	if err := s.db.QueryRowContext(ctx, s.sql.counts, queue).Scan(&all, &c.Parked, &due); err != nil {
		return durable.Counts{}, wrap("counting", err)
	}
	c.Waiting = all - c.Parked
	if due.Valid {
		c.Age = max(0, now.Sub(time.UnixMilli(due.Int64)))
	}
	return c, nil
}
