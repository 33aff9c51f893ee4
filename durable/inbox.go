package durable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/fliggy-go/rentcar/qimen"
)

// InboxQueue is the queue that an Inbox uses in its store.
const InboxQueue = "fliggy.inbox"

// An Inbox keeps pushed events in a store, from before they are acknowledged until the function for them has
// succeeded: an event of which Fliggy was told that it is taken survives a crash. Make it with [NewInbox], give its Add
// to the handler, and keep Run running:
//
//	inbox, err := durable.NewInbox(store, durable.Config{})
//	handler, err := qimen.NewHandler(secrets, qimen.WithStore(inbox.Add), qimen.OnEvent(...))
//	http.Handle("/fliggy/events", handler)
//	go inbox.Run(ctx, handler)
type Inbox struct{ queue *Queue }

// NewInbox makes an inbox on a store. Where cfg has no Timeout, an attempt has as long as the handler gives its
// function, see qimen.WithHandlerTimeout, and a day at most; with it, the shorter of both.
//
// Inboxes on one store share its queue: Run hands over what any of them has stored. Handlers with other functions, or
// of another environment, need a queue of their own, see Name of [Config], or a store of their own.
func NewInbox(store Store, cfg Config) (*Inbox, error) {
	queue, err := NewQueue(InboxQueue, store, cfg)
	if err != nil {
		return nil, err
	}
	queue.config.Timeout = cfg.Timeout // where it is zero, Run asks the handler
	return &Inbox{queue}, nil
}

// A record is a delivery in the store: what arrived, and what its verification found.
type record struct {
	AppKey     string      `json:"app_key"`
	RawQuery   string      `json:"raw_query"`
	Header     http.Header `json:"header"`
	Body       []byte      `json:"body"`
	IsConflict bool        `json:"is_conflict,omitempty"`
}

// Add stores an event, for qimen.WithStore. One that the store has already, done or not, is not stored again. One with
// the same Key and another Digest is stored beside it, with IsConflict set.
func (in *Inbox) Add(ctx context.Context, d *qimen.Delivery) error {
	if d == nil || d.Push == nil {
		return errors.New("durable: inbox: the delivery has no push to store")
	}
	// Whether the gate knows of a conflict does not choose the id: it may have forgotten when the push comes again.
	err := in.add(ctx, d.Key, d)
	if errors.Is(err, ErrConflict) {
		d.IsConflict = true
		err = in.add(ctx, d.Key+"+"+d.Digest, d)
	}
	return err
}

func (in *Inbox) add(ctx context.Context, id string, d *qimen.Delivery) error {
	data, err := json.Marshal(record{d.AppKey, d.Push.RawQuery, d.Push.Header, d.Push.Body, d.IsConflict})
	if err == nil {
		_, err = in.queue.Add(ctx, id, d.Digest, data)
	}
	return err
}

// Run gives stored events to the function of h, see qimen.OnEvent, until ctx ends, and returns the cause of ctx. It
// works as [Queue.Run] does: on one event at a time unless Workers of [Config] says more, on an event whose function
// fails again and again, and in the transaction of the store, which the context of the function carries.
// Delivery.Attempt counts. An error of qimen.Refuse, or one marked by [Permanent], parks the event, and so does an
// event that cannot be read. Deadline, observer and logger are those of h; its gate is not asked again.
//
// The observer of h is called before the store has marked the event as done; that of [Config] afterwards. Events
// are stored and acknowledged whether Run runs or not.
func (in *Inbox) Run(ctx context.Context, h *qimen.Handler) error {
	if h == nil {
		return errors.New("durable: inbox: Run: the handler is nil")
	}
	queue := *in.queue
	if queue.config.Timeout == 0 {
		queue.config.Timeout = min(h.Timeout(), 24*time.Hour) + time.Second
	}
	return queue.Run(ctx, func(ctx context.Context, item *Item) error { return work(ctx, h, item) })
}

// work makes one attempt.
func work(ctx context.Context, h *qimen.Handler, item *Item) error {
	var r record
	if err := json.Unmarshal(item.Data, &r); err != nil {
		return Permanent(fmt.Errorf("durable: inbox: the stored event cannot be read: %w", err))
	}
	switch reason, err := h.Work(ctx, &qimen.Delivery{
		AppKey: r.AppKey, IsConflict: r.IsConflict, Attempt: item.Attempt,
		Push: &qimen.Push{RawQuery: r.RawQuery, Header: r.Header, Body: r.Body},
	}); reason {
	case qimen.ReasonAccepted:
		return nil
	case qimen.ReasonRefused, qimen.ReasonUndecodable:
		return Permanent(err)
	default:
		return err
	}
}
