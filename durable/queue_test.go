package durable_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/durable"
)

// otherDigest is that of nothing known.
const otherDigest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestAdd(t *testing.T) {
	t.Parallel()
	store := durable.NewMemoryStore()
	now := time.Date(2026, 11, 22, 9, 0, 0, 5, time.UTC)
	q := newQueue(t, store, durable.Config{Clock: func() time.Time { return now }})
	other, err := durable.NewQueue("other", store, durable.Config{})
	if err != nil {
		t.Fatal(err)
	}
	data := []byte("data")
	const digest = "3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7" // SHA-256
	for _, c := range []struct {
		name, id, digest string
		data             []byte
		wantNew          bool
		wantErr          error
	}{
		{"new", "a", "", data, true, nil},
		{"repeat", "a", "", data, false, nil},
		{"repeat by its digest", "a", digest, []byte("told otherwise"), false, nil},
		{"other content", "a", "", []byte("other"), false, durable.ErrConflict},
		{"other digest", "a", otherDigest, data, false, durable.ErrConflict},
		{"new with a digest", "b", otherDigest, data, true, nil},
		{"no data", "c", "", nil, true, nil},
	} {
		isNew, err := q.Add(t.Context(), c.id, c.digest, c.data)
		if isNew != c.wantNew || !errors.Is(err, c.wantErr) {
			t.Errorf("%s: Add = %v, %v; want %v, %v", c.name, isNew, err, c.wantNew, c.wantErr)
		}
	}
	const conflict = "durable: another item has this id: test.queue: a"
	if _, err := q.Add(t.Context(), "a", otherDigest, nil); err == nil || err.Error() != conflict {
		t.Errorf("the error of a conflict is %v", err)
	}
	if isNew, err := other.Add(t.Context(), "a", otherDigest, nil); !isNew || err != nil {
		t.Errorf("Add to another queue = %v, %v; want a new item", isNew, err)
	}
	got, err := store.Claim(t.Context(), "test.queue", now, now.Add(time.Hour))
	want := &durable.Item{Queue: "test.queue", ID: "a", Digest: digest, Data: data, Attempt: 1,
		Added: now, Due: now.Add(time.Hour)}
	if diff := cmp.Diff(fields(want), fields(got)); diff != "" || err != nil {
		t.Errorf("the stored item (-want +got), error %v:\n%s", err, diff)
	}
}

// fields shows what an Item does not.
func fields(i *durable.Item) any {
	type open durable.Item
	return (*open)(i)
}

func TestAddRefusesNames(t *testing.T) {
	t.Parallel()
	q := newQueue(t, durable.NewMemoryStore(), durable.Config{})
	const rule = "want printable ASCII, 300 bytes at most"
	const wrongDigest = "durable: test.queue: a: the digest: want 64 lower-case hexadecimal digits"
	for _, c := range []struct{ id, digest, want string }{
		{"", "", `durable: test.queue: item id "": ` + rule},
		{"a b", "", `durable: test.queue: item id "a b": ` + rule},
		{"a\n", "", `durable: test.queue: item id "a\n": ` + rule},
		{"\x7f", "", `durable: test.queue: item id "\x7f": ` + rule},
		{"订单", "", `durable: test.queue: item id "订单": ` + rule},
		{strings.Repeat("x", 301), "", `durable: test.queue: item id "` + strings.Repeat("x", 80) + `": ` + rule},
		{"a", otherDigest[1:], wrongDigest},
		{"a", otherDigest + "0", wrongDigest},
		{"a", otherDigest[1:] + "g", wrongDigest},
		{"a", otherDigest + "\n", wrongDigest},
		{"a", strings.ToUpper(otherDigest), wrongDigest},
	} {
		isNew, err := q.Add(t.Context(), c.id, c.digest, nil)
		if isNew || err == nil || err.Error() != c.want {
			t.Errorf("Add(%.20q, %.20q) = %v, %v; want the error %s", c.id, c.digest, isNew, err, c.want)
		}
	}
	var none context.Context
	if isNew, err := q.Add(
		none, "a", "", nil,
	); isNew || err == nil || err.Error() != "durable: test.queue: storing a: the context is nil" {
		t.Errorf("Add without a context = %v, %v", isNew, err)
	}
	if isNew, err := q.Add(t.Context(), strings.Repeat("~", 299)+"!", otherDigest, nil); !isNew || err != nil {
		t.Errorf("Add of the longest name = %v, %v; want a new item", isNew, err)
	}
}

func TestNewQueueListsAllProblems(t *testing.T) {
	t.Parallel()
	_, err := durable.NewQueue("a queue", nil, durable.Config{Workers: -1, Poll: -1})
	want := `durable: the store is nil
durable: queue name "a queue": want printable ASCII, 100 bytes at most
durable: Config.Workers: -1: want 1 at least, or 0 for the default
durable: Config.Poll: -1ns: want more than zero, a year at most, or 0 for the default`
	if err == nil || err.Error() != want {
		t.Errorf("the error is\n%v\nwant\n%s", err, want)
	}
	var none *durable.MemoryStore
	if _, err := durable.NewQueue("q", none, durable.Config{}); err == nil || err.Error() != "durable: the store is nil" {
		t.Errorf("NewQueue on a nil MemoryStore gives the error %v", err)
	}
	for _, name := range []string{"", "é", strings.Repeat("q", 101)} {
		if _, err := durable.NewQueue(
			name, durable.NewMemoryStore(), durable.Config{},
		); err == nil || !strings.Contains(err.Error(), "queue name") {
			t.Errorf("NewQueue(%q) gives the error %v; want one about the name", name, err)
		}
		if name == "" {
			continue // in a Config that is the default
		}
		_, err := durable.NewQueue("q", durable.NewMemoryStore(), durable.Config{Name: name})
		if err == nil || !strings.Contains(err.Error(), "durable: Config.Name: ") {
			t.Errorf("Config.Name %q gives the error %v; want one about the name", name, err)
		}
	}
}
