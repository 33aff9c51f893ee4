package boltstore

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"go.etcd.io/bbolt"

	"github.com/fliggy-go/rentcar/durable"
)

// The bucket of items has every item, under its queue and id. Beside it there is an index
// for each state, a bucket of its name, where the item has an entry under queue, time and
// number: the first entry of a queue is what is due first, whatever else there is.
const items = "items"

// bucket is one of this package's own.
func bucket(tx *bbolt.Tx, name string) *bbolt.Bucket { return tx.Bucket(bucketName(name)) }

func bucketName(name string) []byte { return []byte("durable." + name) }

// A state is where an item stands, and the name of the index that it is in.
type state string

const (
	waiting state = "waiting" // by the time when it is due
	claimed state = "claimed" // by the time when the claim runs out
	parked  state = "parked"  // by the time when it was parked
	done    state = "done"    // by the time when it was done
)

// A record is an item in its bucket.
type record struct {
	queue, id string

	Number  uint64    `json:"number"` // in order of addition
	Digest  string    `json:"digest"`
	Data    []byte    `json:"data,omitempty"`
	Attempt int       `json:"attempt"`
	Added   time.Time `json:"added"`
	State   state     `json:"state"`
	Since   time.Time `json:"since"` // the time of the index
	Claimed time.Time `json:"claimed,omitzero"`
	Reason  string    `json:"reason,omitempty"` // why it is parked

	// Unreadable says that this stands for a record that could not be read: Data is all that
	// was found.
	Unreadable bool `json:"unreadable,omitempty"`
}

var errUnknown = errors.New("boltstore: there is no such item")

// ErrUnreadable says that the record of an item cannot be read: the file is damaged, or of
// another version.
var ErrUnreadable = errors.New("boltstore: the record of the item cannot be read")

// read reads an item. With ErrUnreadable it returns a record where the item was set aside.

func read(tx *bbolt.Tx, queue, id string) (*record, error) {
	data := bucket(tx, items).Get(itemKey(queue, id))
	if data == nil {
		return nil, errUnknown
	}
	r := &record{queue: queue, id: id}
	if err := json.Unmarshal(data, r); err != nil { // not told: it may quote the content
		return nil, fmt.Errorf("%s: %.80q: %w", queue, id, ErrUnreadable)
	}
	if r.Unreadable {
		return r, fmt.Errorf("%s: %.80q: %w", queue, id, ErrUnreadable)
	}
	return r, nil
}

// move writes the record with a new state and the time that goes with it.
func (r *record) move(tx *bbolt.Tx, to state, at time.Time) error {
	if r.State != "" {
		if err := bucket(tx, string(r.State)).Delete(r.entry().key); err != nil {
			return err
		}
	}
	r.State, r.Since = to, at.UTC()
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("boltstore: %s: %s: %w", r.queue, r.id, err)
	}
	if err := bucket(tx, items).Put(itemKey(r.queue, r.id), data); err != nil {
		return err
	}
	return bucket(tx, string(to)).Put(r.entry().key, []byte(r.id))
}

func (r *record) item() *durable.Item {
	return &durable.Item{
		Queue: r.queue, ID: r.id, Digest: r.Digest, Data: r.Data, Attempt: r.Attempt, Added: r.Added, Due: r.Since,
	}
}

func (r *record) entry() entry {
	return entry{r.State, r.queue, r.id, indexKey(r.queue, r.Since, r.Number)}
}

// An entry is one of an index: its value is the id of the item.
type entry struct {
	state     state
	queue, id string
	key       []byte
}

// read reads the item of an entry, nil where that cannot be done: then the item is set aside,
// so that it does not stop those behind it, parked with all that was found in its place.
func (e entry) read(tx *bbolt.Tx, now time.Time) (*record, error) {
	r, err := read(tx, e.queue, e.id)
	if err == nil && r.State == e.state && bytes.Equal(r.entry().key, e.key) {
		return r, nil
	}
	number, err := bucket(tx, items).NextSequence() // that of the item is unknown
	if err != nil {
		return nil, err
	}
	if err := bucket(tx, string(e.state)).Delete(e.key); err != nil {
		return nil, err
	}
	r = &record{
		queue: e.queue, id: e.id, Number: number, Added: now.UTC(),
		Data: bucket(tx, items).Get(itemKey(e.queue, e.id)), Unreadable: true, Reason: ErrUnreadable.Error(),
	}
	return nil, r.move(tx, parked, now)
}

// delete forgets an item.
func (e entry) delete(tx *bbolt.Tx) error {
	if err := bucket(tx, items).Delete(itemKey(e.queue, e.id)); err != nil {
		return err
	}
	return bucket(tx, string(e.state)).Delete(e.key)
}

// separator ends a queue's name, which is printable.
const separator = 0

func prefixOf(queue string) []byte { return append([]byte(queue), separator) }

func itemKey(queue, id string) []byte { return append(prefixOf(queue), id...) }

// indexKey has the order of queues, times and numbers.
func indexKey(queue string, at time.Time, number uint64) []byte {
	key := prefixOf(queue)
	//nolint:gosec // the sign bit is turned, so 1969 comes first
	key = binary.BigEndian.AppendUint64(key, uint64(at.Unix())^1<<63)
	key = binary.BigEndian.AppendUint32(key, uint32(at.Nanosecond())) //nolint:gosec // it is below 1e9
	return binary.BigEndian.AppendUint64(key, number)
}

// lastKey is the last key that an entry of this queue and time can have.
func lastKey(queue string, at time.Time) []byte { return indexKey(queue, at, math.MaxUint64) }

// entries lists at most limit entries of an index that begin with prefix, those up to the
// key last where there is one.
func entries(tx *bbolt.Tx, s state, prefix, last []byte, limit int) []entry {
	var found []entry
	c := bucket(tx, string(s)).Cursor()
	for key, id := c.Seek(prefix); key != nil && bytes.HasPrefix(key, prefix) && len(found) < limit; key, id = c.Next() {
		if last != nil && bytes.Compare(key, last) > 0 {
			break
		}
		queue, _, _ := bytes.Cut(key, []byte{separator})
		found = append(found, entry{s, string(queue), string(id), bytes.Clone(key)}) // bbolt's bytes end with the transaction
	}
	return found
}

// firstDue is the entry of the item that has been due longest, without a key where none is
// due: a waiting one, or one whose claim has run out.
func firstDue(tx *bbolt.Tx, queue string, now time.Time) (first entry) {
	for _, s := range []state{waiting, claimed} {
		for _, e := range entries(tx, s, prefixOf(queue), lastKey(queue, now), 1) {
			if first.key == nil || bytes.Compare(e.key, first.key) < 0 {
				first = e
			}
		}
	}
	return first
}
