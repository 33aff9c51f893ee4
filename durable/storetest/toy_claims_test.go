package storetest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/fliggy-go/rentcar/durable"
)

// held finds the row of a claim.
func (s *toy) held(item *durable.Item, method string) (row, error) {
	r, isKnown := s.rows[s.key(item)]
	switch {
	case !isKnown && s.has("no item is no error"):
		return row{Item: *item, state: "done"}, nil
	case !isKnown:
		return r, durable.ErrLost
	case r.Attempt != item.Attempt && s.has(method+" takes old claims"):
		return r, nil
	case r.state == "waiting" && r.Attempt == item.Attempt && s.has(method+" takes what is put back"):
		return r, nil
	case r.state == "done" && s.has(method+" takes what is done"):
		return r, nil
	case r.state == "parked" && s.has(method+" takes what is parked"):
		return r, nil
	case r.state != "claimed" || r.Attempt != item.Attempt:
		return r, durable.ErrLost
	}
	return r, nil
}

func (s *toy) Do(ctx context.Context, item *durable.Item, work func(context.Context) error) error {
	if ctx.Err() != nil && s.has("Do that is over says nothing") {
		return nil
	}
	s.mu.Lock()
	_, lost := s.held(item, "Do")
	before := maps.Clone(s.rows)
	if s.has("Do writes back all it has read") {
		s.meet()
	}
	s.mu.Unlock()
	tx := &toyTx{added: map[string]row{}}
	inner := context.WithValue(ctx, toyTxKey{}, tx)
	switch {
	case s.has("work has a context of its own"):
		inner = context.WithValue(context.Background(), toyTxKey{}, tx)
	case s.has("work is not cancelled"):
		inner = context.WithoutCancel(inner)
	}
	var err error
	if !s.has("work is not called") {
		err = work(inner)
	}
	if s.has("work is called twice") {
		err = work(inner)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, lostSince := s.held(item, "Do")
	if s.has("claims are checked before work only") {
		lostSince = lost
	}
	return s.end(item, r, tx, before, err, lostSince)
}

func (s *toy) end(item *durable.Item, r row, tx *toyTx, before map[string]row, failed, lost error) error {
	isKept := failed == nil && lost == nil
	if s.has("what is lost is written") && lost != nil || s.has("what failed is written") && failed != nil {
		isKept = true
	}
	if s.has("Do writes back all it has read") {
		s.rows = before
	}
	for _, added := range tx.added {
		if isKept {
			s.write(&added.Item, added, always)
		} else if s.has("transactions are seen before they end") {
			delete(s.rows, s.key(&added.Item))
			delete(s.disk, s.key(&added.Item))
		}
	}
	switch {
	case failed != nil && s.has("failed work is done"):
		lost = nil
	case failed != nil:
		if s.has("failed work ends the claim") && lost == nil {
			r.Due = start
			s.write(item, r, always)
		}
		if s.has("failed work loses the claim") && lost == nil {
			r.Attempt++
			s.write(item, r, always)
		}
		if s.has("errors of work are hidden") {
			return errors.New("rolled back")
		}
		return failed
	}
	if lost != nil {
		if s.has("lost is another error") {
			return errors.New("no rows")
		}
		return lost
	}
	if !s.has("done is not marked") {
		r.state = "done"
	}
	s.write(item, r, "done is in memory")
	if s.has("Do marks the whole queue") {
		for _, other := range s.rows {
			other.state = "done"
			s.write(&other.Item, other, always)
		}
	}
	if s.has("done is deleted") {
		delete(s.rows, s.key(item))
		delete(s.disk, s.key(item))
	}
	return nil
}

func (s *toy) Retry(ctx context.Context, item *durable.Item, due time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil && s.has("Retry that is over says nothing") {
		return nil
	}
	r, err := s.held(item, "Retry")
	if err != nil {
		return err
	}
	if s.has("Retry stores the caller's item") {
		r.Item = *item
		r.Data = slices.Clone(r.Data)
	}
	switch {
	case s.has("Retry is at once"):
		r.Due = start
	case s.has("Retry waits for the end of the claim") && r.Due.After(due):
	default:
		r.Due = s.time(due)
	}
	if s.has("Retry begins to count again") {
		r.Attempt = 0
	}
	if s.has("Retry drops the data") {
		r.Data = nil
	}
	r.state = "waiting"
	s.write(item, r, "Retry is in memory")
	return nil
}

func (s *toy) Park(ctx context.Context, item *durable.Item, _ string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil && s.has("Park that is over says nothing") {
		return nil
	}
	r, err := s.held(item, "Park")
	if err != nil {
		return err
	}
	if !s.has("Park does nothing") {
		r.state = "parked"
	}
	if s.has("Park marks as waiting for long") {
		r.state, r.Due = "waiting", in(1000)
	}
	if s.has("Park drops the data") {
		r.Data = nil
	}
	s.write(item, r, "Park is in memory")
	return nil
}
