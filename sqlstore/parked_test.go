package sqlstore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/sqlstore"
)

func TestParked(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		s, _ := newStore(t, e)
		for _, id := range []string{"a", "b", "c"} {
			if err := s.Park(t.Context(), claim(t, s, "in", id), "the amount of "+id+" is missing: 缺少金额"); err != nil {
				t.Fatal(err)
			}
		}
		list, err := s.Parked(t.Context(), "in", 2)
		if err != nil || len(list) != 2 || list[0].Item.ID != "a" || list[1].Item.ID != "b" {
			t.Fatalf("%v, %v", list, err)
		}
		one, err := s.ParkedItem(t.Context(), "in", "c")
		if err != nil || string(one.Item.Data) != "data of c" || one.Reason != "the amount of c is missing: 缺少金额" ||
			time.Since(one.Item.Due).Abs() > time.Hour || one.Item.Attempt != 1 {
			t.Fatalf("%+v, %v", one, err)
		}
		if err := s.Release(t.Context(), "in", "c"); err != nil {
			t.Fatal(err)
		}
		if err := s.Drop(t.Context(), "in", "a"); err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{
			s.Release(t.Context(), "in", "c"), s.Release(t.Context(), "in", "a"), s.Drop(t.Context(), "in", "c"),
			s.Drop(t.Context(), "other", "b"),
		} {
			if !errors.Is(err, sqlstore.ErrNotParked) {
				t.Error(err)
			}
		}
		if _, err := s.ParkedItem(t.Context(), "in", "c"); !errors.Is(err, sqlstore.ErrNotParked) {
			t.Error(err)
		}
		later := time.Now().Add(time.Hour) // the clock of the server may differ
		again, err := s.Claim(t.Context(), "in", later, later.Add(time.Minute))
		if err != nil || again == nil || again.ID != "c" || again.Attempt != 2 {
			t.Errorf("%v, %v", again, err)
		}
		if known, err := s.Add(t.Context(), item("in", "a")); known != nil || err != nil {
			t.Errorf("a dropped item is known: %v, %v", known, err)
		}
	})
}

func TestDropDoneAndCount(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		s, _ := newStore(t, e)
		if c, err := s.Count(t.Context(), "in"); c != (durable.Counts{}) || err != nil {
			t.Error(c, err)
		}
		for _, id := range []string{"a", "b"} {
			if err := s.Do(t.Context(), claim(t, s, "in", id), func(context.Context) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Park(t.Context(), claim(t, s, "in", "c"), "why"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Add(t.Context(), item("in", "d")); err != nil {
			t.Fatal(err)
		}
		c, err := s.Count(t.Context(), "in")
		if err != nil || c.Waiting != 1 || c.Parked != 1 || c.Age < 24*time.Hour {
			t.Errorf("%+v, %v", c, err)
		}
		if n, err := s.DropDone(t.Context(), "in", time.Now().Add(-time.Hour)); n != 0 || err != nil {
			t.Error(n, err)
		}
		if known, err := s.Add(t.Context(), item("in", "a")); known == nil || err != nil {
			t.Error("a done item is not known", err)
		}
		if n, err := s.DropDone(t.Context(), "in", time.Now().Add(time.Hour)); n != 2 || err != nil {
			t.Error(n, err)
		}
		if known, err := s.Add(t.Context(), item("in", "a")); known != nil || err != nil {
			t.Error(known, err)
		}
	})
}
