package qimen

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/fliggy-go/rentcar/durable"
)

// InboxQueue is the queue that an Inbox uses in its store.
const InboxQueue = "fliggy.inbox"

// An Inbox stores verified events durably before they are acknowledged, and hands
// them to the function of [OnEvent] from there, also after a crash: what Fliggy was
// told is taken is taken. Make it with [NewInbox], mount it in the place of its handler, and
// keep [Inbox.Run] running.
//
// A push that the store has already is acknowledged and not stored again. One that
// has the same key with other content is stored beside it, with
// [Delivery.IsConflict] set. A signed event that cannot be read is refused, and stored all the
// same, unless it is garbled: Run parks it, for a version that can.
type Inbox struct {
	handler *Handler // of what is stored
	front   *Handler // of what arrives
	queue   *durable.Queue
}

// NewInbox makes an inbox before a handler, which needs [OnEvent]. Whatever else the
// handler serves, a merchant's renewals, is answered as it is without the inbox: their reply
// cannot wait. An attempt has the shorter of durable.WithTimeout and [WithHandlerTimeout].
//
// All inboxes on one store share its queue, and Run hands over what any of them has
// stored: handlers with other functions, or of another environment, need a queue of their own
// (durable.WithName) or a store of their own.
//
// The observer and the logger of the handler hear of an event when it is stored, and at
// every attempt.
func NewInbox(h *Handler, store durable.Store, opts ...durable.Option) (*Inbox, error) {
	if h == nil {
		return nil, errors.New("qimen: NewInbox: the handler is nil")
	}
	if h.onEvent == nil {
		return nil, errors.New("qimen: NewInbox: the handler has no function for events: pass OnEvent(...) to NewHandler")
	}
	timeout := durable.WithTimeout(min(h.timeout, 24*time.Hour) + time.Second)
	queue, err := durable.NewQueue(InboxQueue, store, append([]durable.Option{timeout}, opts...)...)
	if err != nil {
		return nil, fmt.Errorf("qimen: NewInbox: %w", err)
	}
	in := &Inbox{handler: h, front: &Handler{config: h.config}, queue: queue}
	in.front.operations = maps.Clone(h.operations)
	in.front.operations[h.eventMethod] = in.receive
	return in, nil
}

// ServeHTTP is [Handler.ServeHTTP], but for events, which it stores. An event that could
// not be stored is answered with HTTP 500.
func (in *Inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) { in.front.ServeHTTP(w, r) }

// Handle is [Handler.Handle], but for events, which it stores.
func (in *Inbox) Handle(ctx context.Context, p *Push) Reply { return in.front.Handle(ctx, p) }

// Run hands stored events to the function of [OnEvent] until ctx ends, as
// durable.Queue.Run tells: one at a time unless durable.WithWorkers says more, an event whose
// function fails again and again, with growing waits, and beside the transaction
// of the store that the context carries. [Delivery.Attempt] counts. An error of
// [Refuse], or one marked by durable.Permanent, parks the event. The function's deadline,
// observer and logger are those of the handler; its gate is not asked again.
//
// The observer hears of an accepted event before the store has marked it; how the whole
// attempt ended is told by durable.WithObserver.
//
// It returns the cause of ctx. Events are acknowledged whether Run runs or not.
func (in *Inbox) Run(ctx context.Context) error { return in.queue.Run(ctx, in.work) }

// receive is the operation of an event that arrives: its work is to be stored. One that
// cannot be read is stored too, beside its refusal: it is signed, and a later version may
// read it.
func (in *Inbox) receive(h *Handler, d *Delivery, o *Observation) (task, error) {
	t, unread := handleEvent(h, d, o)
	if t.isUnread = unread != nil; t.isUnread {
		if d.Push == nil {
			return t, unread
		}
		t.digest = digestOf(d, d.Push.Body)
		t.key = messageKey("event/unread", d.AppKey, t.digest)
	}
	t.run = func(ctx context.Context) (Reason, []byte, error) {
		err := in.store(ctx, d, t.digest)
		o.IsConflict = d.IsConflict // the store may know of one that the gate does not
		if err != nil {
			return ReasonNotStored, nil, errors.Join(unread, err)
		}
		o.IsStored = true
		if unread != nil {
			return ReasonUndecodable, nil, unread
		}
		return ReasonAccepted, nil, nil
	}
	return t, nil
}

// A record is an event in the store: what arrived, and what its verification found.
type record struct {
	AppKey     string      `json:"app_key"`
	RawQuery   string      `json:"raw_query"`
	Header     http.Header `json:"header"`
	Body       []byte      `json:"body"`
	IsConflict bool        `json:"is_conflict,omitempty"`
}

func (in *Inbox) store(ctx context.Context, d *Delivery, digest string) error {
	if d.Push == nil {
		return errors.New("qimen: inbox: the delivery has no push to store")
	}
	add := func(id string) error {
		data, err := json.Marshal(record{d.AppKey, d.Push.RawQuery, d.Push.Header, d.Push.Body, d.IsConflict})
		if err == nil {
			_, err = in.queue.Add(ctx, id, digest, data)
		}
		return err
	}
	// What the gate knows does not choose the id: it may have forgotten when the same
	// push comes again.
	err := add(d.Key)
	if errors.Is(err, durable.ErrConflict) {
		d.IsConflict = true
		err = add(d.Key + "+" + digest)
	}
	if err != nil {
		return fmt.Errorf("qimen: inbox: %w", err)
	}
	return nil
}

// work handles a stored event.
func (in *Inbox) work(ctx context.Context, item *durable.Item) error {
	start := time.Now()
	d, err := readRecord(item.Data)
	if err != nil {
		return durable.Permanent(fmt.Errorf("qimen: inbox: %w", err))
	}
	d.Attempt = item.Attempt
	o, own := in.handler.perform(ctx, d, nil, "")
	_ = in.handler.finish(&o, own, start)
	in.handler.report(ctx, o)
	switch o.Reason {
	case ReasonAccepted:
		return nil
	case ReasonRefused, ReasonUndecodable:
		return durable.Permanent(o.Err)
	}
	return o.Err
}

// readRecord makes a delivery of what was stored. It trusts the store: neither
// the signature nor the time is looked at, since the secret may be another by now.
func readRecord(data []byte) (*Delivery, error) {
	var r record
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("the stored event cannot be read: %w", err)
	}
	p := &Push{RawQuery: r.RawQuery, Header: r.Header, Body: r.Body}
	s, err := readSigned(p)
	if err != nil {
		return nil, err
	}
	d := s.delivery(p, r.AppKey)
	d.IsConflict = r.IsConflict
	return d, nil
}
