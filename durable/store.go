// Package durable keeps work until it is done, also across a crash. An [Inbox] does so for pushed events that were
// acknowledged, an [Outbox] for callbacks and bills that Fliggy has to confirm.
//
// Both keep their items in a [Store]: yours, on the database that you have. Package storetest checks one. A [Queue]
// takes items from a store and works on them, for whatever else must not be lost: an item is stored before anyone is
// told that it was taken, retried with backoff after a failure or a crash, and marked when its work is done. One that
// no retry can help is parked: a dead letter, kept with the reason.
package durable

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// ErrLost is what a Store answers to the holder of a claim that is over: it ran
// out and the item was handed out again, or the item was put back, is done or parked.
var ErrLost = errors.New("durable: the claim is over")

// A Store keeps the items of any number of queues. All methods are called by many
// goroutines at once, and what they have done is durable when they return nil.
//
// An item is waiting, done or parked. A waiting item is handed out when it is due.
// Items taken and given are copies: what is done to them later changes nothing in the
// store. Times are kept to the millisecond at least. A method whose ctx is over may fail or do
// its work, but not both.
type Store interface {
	// Add stores a new item as waiting. An item that the store knows by queue and
	// ID, done or parked ones included, is left as it is and returned; a done one
	// without Data if the store has dropped that. Called with the context that Do gave, it takes
	// part in the transaction of that Do where the store has transactions. No other
	// method is called with that context.
	//
	// The store may forget a done item when no repeat of it is to be expected.
	Add(ctx context.Context, item *Item) (known *Item, err error)
	// Claim hands out the waiting item of queue that has been due longest at now,
	// nil where none is. Before it returns, it has raised the item's Attempt and set
	// its Due to until: if the holder dies, the item is due again then. A store that only
	// one process can open may make all claims due when it is opened.
	Claim(ctx context.Context, queue string, now, until time.Time) (*Item, error)
	// Do calls work once, and marks the claimed item as done if work returns nil. A store
	// with transactions makes work's writes, as far as they go through the context
	// that it gives, and the mark one: both happen or none. That context is derived from
	// ctx. The error is that of work, that of the store, or ErrLost when the claim is
	// over, which is found before the mark at the latest; then no write of the
	// transaction stays. After an error the claim is what it was.
	Do(ctx context.Context, item *Item, work func(ctx context.Context) error) error
	// Retry ends a claim without success: the item is waiting, and due at due, which
	// may be before or after the end of the claim. The claim is over from then on, not
	// only when the item is handed out again. ErrLost when the claim is over.
	Retry(ctx context.Context, item *Item, due time.Time) error
	// Park ends a claim and sets the item aside with its Data, and with the reason in
	// words, which are UTF-8 without zero bytes, 1,000 bytes at most: it is not handed
	// out, and not forgotten. How it comes back is the store's own. ErrLost when the
	// claim is over.
	Park(ctx context.Context, item *Item, reason string) error
}

// A BatchStore is a [Store] that can hand out several items in one step. A [Queue] uses ClaimBatch in place of Claim
// where the store has it.
type BatchStore interface {
	Store
	// ClaimBatch does for the n items that have been due longest what Claim does for one, and returns them in that
	// order. It returns fewer where fewer are due, or where others hold them for a moment.
	ClaimBatch(ctx context.Context, queue string, n int, now, until time.Time) ([]*Item, error)
}

// A ClockStore is a [Store] with a clock that all processes on it share, such as that of its database. A [Queue] goes
// by it unless [Config.Clock] is set: so a process whose own clock is wrong neither takes items from others nor lets
// them wait.
type ClockStore interface {
	Store
	// Now returns the time of the store. The queue asks once a minute, and counts from there by the monotonic clock of
	// its process.
	Now(ctx context.Context) (time.Time, error)
}

// A CountStore is a [Store] that knows how many items it has, for metrics and alarms.
type CountStore interface {
	Store
	// Count counts the items of a queue.
	Count(ctx context.Context, queue string) (Counts, error)
}

// Counts are numbers of items of one queue.
type Counts struct {
	Waiting int64         // claimed ones included
	Parked  int64         // dead letters
	Age     time.Duration // how long the waiting item that has been due longest is due; 0 if none is
}

// An Item is a piece of work.
//
// It formats and logs without its content, which may carry signatures and personal
// data, and has no JSON: store its fields one by one.
type Item struct {
	// Queue names the queue, such as "fliggy.inbox". Printable ASCII.
	Queue string
	// ID names the item in its queue: the same for every repeat. Printable ASCII,
	// 300 bytes at most.
	ID string
	// Digest is the SHA-256 of the content that ID stands for: 64 lower-case hexadecimal
	// digits. It tells a repeat from something else under the same ID.
	Digest string
	// Data is the work itself.
	Data []byte
	// Trace is what the tracer of whoever added the item lets travel with it, see [Tracer]: printable ASCII without
	// spaces, 1,000 bytes at most, empty for nothing. It is no part of what the item is: of an item that is added
	// again, the first stays.
	Trace string
	// Attempt counts how often the item was handed out, this time included. It also
	// tells claims apart: the holder of attempt 1 has lost the item when attempt 2
	// is out.
	Attempt int
	// Added is when the item was added, Due when it may be handed out at the
	// earliest.
	Added time.Time
	Due   time.Time
}

// String tells everything but the content.
func (i Item) String() string {
	return fmt.Sprintf("Item(%s %s, attempt %d, due %s, %d bytes, redacted)",
		i.Queue, i.ID, i.Attempt, i.Due.UTC().Format(time.RFC3339), len(i.Data))
}

// Format writes String for every verb.
func (i Item) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, i.String()) }

// LogValue logs what String tells.
func (i Item) LogValue() slog.Value { return slog.StringValue(i.String()) }

// MarshalJSON gives an error: what marshals a value may be a log, and a summary would
// be lost data where it is a store.
func (i Item) MarshalJSON() ([]byte, error) {
	return nil, errors.New("durable: an Item has no JSON, so that no log shows it: store its fields")
}
