package boltstore

import (
	"errors"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/fliggy-go/rentcar/durable"
)

// damages are what can be found in place of a record.
var damages = map[string]string{
	"no JSON":             "{",
	"of another type":     `{"number":"one"}`,
	"empty":               "{}",
	"of another state":    `{"number":1,"state":"done"}`,
	"nothing, not at all": "",
}

// damage writes something else in place of a record.
func damage(t *testing.T, s *Store, id, data string) {
	t.Helper()
	err := s.db.Update(func(tx *bbolt.Tx) error {
		if data == "" {
			return bucket(tx, items).Delete(itemKey(queue, id))
		}
		return bucket(tx, items).Put(itemKey(queue, id), []byte(data))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// wantAside wants the item to be parked with data, and to stay there.
func wantAside(t *testing.T, s *Store, id, data string) {
	t.Helper()
	list, err := s.Parked(queue)
	if err != nil || len(list) != 1 || list[0].Item.ID != id || string(list[0].Item.Data) != data ||
		list[0].Reason != ErrUnreadable.Error() {
		t.Errorf("parked %+v, %v", list, err)
	}
	if err := s.Release(queue, id); !errors.Is(err, ErrUnreadable) {
		t.Errorf("Release: %v", err)
	}
	if _, err := s.Add(t.Context(), itemOf(id, "")); !errors.Is(err, ErrUnreadable) {
		t.Errorf("Add: %v", err)
	}
}

// An item that cannot be read does not stop those behind it: it is set aside.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	for name, data := range damages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			for _, id := range []string{"a", "b"} {
				if _, err := s.Add(t.Context(), itemOf(id, id)); err != nil {
					t.Fatal(err)
				}
			}
			damage(t, s, "a", data)
			reclaim(t, s, "b", now)
			wantCounts(t, s, Counts{Claimed: 1, Parked: 1})
			if item, err := s.Claim(t.Context(), queue, now, later); item != nil || err != nil {
				t.Errorf("then claimed %v, %v", item, err)
			}
			wantAside(t, s, "a", data)
		})
	}
}

// Nor does it stop the store from being opened when it was claimed, and who holds it has lost it.
func TestUnreadableClaim(t *testing.T) {
	t.Parallel()
	for name, data := range damages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			item := claim(t, s, "a")
			claim(t, s, "b")
			damage(t, s, "a", data)
			s = restart(t, s)
			wantCounts(t, s, Counts{Waiting: 1, Parked: 1})
			wantAside(t, s, "a", data)
			if err := s.Retry(t.Context(), item, now); !errors.Is(err, durable.ErrLost) {
				t.Errorf("Retry: %v", err)
			}
		})
	}
}
