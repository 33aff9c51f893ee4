package durable

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
)

// OutboxQueue is the queue that an Outbox uses in its store.
const OutboxQueue = "fliggy.outbox"

// An Outbox keeps callbacks and bills in a store, and sends them until Fliggy has confirmed each. Make it with
// [NewOutbox], hand over with AddCallback and AddBill what must not be lost, and keep Run running.
//
// What becomes of an item after an attempt:
//
//	success                                              done
//	success=false; codes 40, 41, 43; sub codes isv.*     parked: Fliggy has refused what it says
//	signature, session, permission, clock, API name      again: it goes out once that is put right
//	flow control (限流)                                   again; while a ban lasts nothing is sent
//	not sent, unknown, unavailable, not understood       again
//
// Parked is what rentcar.IsFinal reports. Again means later, after waits that grow, and without end. So what may have
// been carried out is sent again, which a call alone never does, and Fliggy can get an item twice. It finds the refund
// of a callback by its trade number (B2B guide), and a batch has bill_no and req_batch_no; that it recognises repeats
// by them is inferred. A repeat of something that was carried out may also be refused. It is parked then, and the
// reason says that it was not the first attempt.
//
// Items are begun in the order in which they became due; one that failed is overtaken. An outbox sends whatever any
// outbox has put into its queue of the store: clients of different apps need a queue, see Name of [Config], or a
// store each. Errors and logs show nothing of an item but the ids by which it is named: its order, trade, bill and
// batch numbers, or a trace id.
type Outbox struct {
	client *rentcar.Client
	queue  *Queue
}

// NewOutbox makes an outbox that sends with client. Timeout of cfg bounds one attempt, which is one call with the
// client's own retry policy: without it [DefaultTimeout], or the client's timeout where that is longer, and a day at
// most.
//
// The observation of an attempt, see Observer of [Config], has the error of the call, for errors.As and errors.Is;
// its text leaves out messages of the platform.
func NewOutbox(client *rentcar.Client, store Store, cfg Config) (*Outbox, error) {
	if client == nil {
		return nil, errors.New("durable: new outbox: the client is nil")
	}
	cfg.Timeout = cmp.Or(cfg.Timeout, min(max(DefaultTimeout, client.Timeout()), 24*time.Hour))
	queue, err := NewQueue(OutboxQueue, store, cfg)
	if err != nil {
		return nil, err
	}
	return &Outbox{client, queue}, nil
}

// String names the client, never what is stored.
func (o *Outbox) String() string { return fmt.Sprintf("durable.Outbox{%v}", o.client) }

// Format writes String for every verb.
func (o *Outbox) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(o.String())) }

// LogValue is String.
func (o *Outbox) LogValue() slog.Value { return slog.StringValue(o.String()) }

// AddCallback stores a callback, to be sent by [Outbox.Run]. It is validated as rentcar.CallbackService.Send does; a
// channel that it lacks is the client's of now. With the context of [Store].Do, such as that of the function for events
// behind an [Inbox], it is part of that transaction where the store is the same.
//
// The same callback added again is sent once, also when it was sent long ago, as far as the store remembers. The same
// is: type, orderId, outOrderId, renewalOrderId, renewalOutOrderId and payTradeNo, or traceId where there is no
// payTradeNo; give callbacks of types 10, 11 and 220 a TraceID where an order can have several. With another content it
// is an error that matches [ErrConflict]. One that is parked stays parked: send a correction with Send. A 271 after a
// 270 for one trade number is another callback, and is sent: which one counts, Fliggy decides.
func (o *Outbox) AddCallback(ctx context.Context, cb *events.Callback) error {
	req, err := o.client.Callbacks.NewRequest(cb)
	if err != nil {
		return err
	}
	d := &cb.Data
	return o.add(ctx, req, kindCallback, strconv.Itoa(int(cb.EventType)), string(cb.OrderID), cb.OutOrderID,
		string(d.RenewalOrderID), d.RenewalOutOrderID, cmp.Or(d.PayTradeNo, cb.TraceID))
}

// AddBill stores one batch of a bill, to be sent by [Outbox.Run]. It is validated as rentcar.BillService.Notify does,
// and goes out through the channel that the client has now. With the context of [Store].Do it is part of that
// transaction.
//
// The same batch, by its BillNo and BatchNo, is sent once. With another content it is an error that matches
// [ErrConflict]: a corrected batch needs a number of its own.
func (o *Outbox) AddBill(ctx context.Context, bill *rentcar.Bill) error {
	req, err := o.client.Bills.NewRequest(bill)
	if err != nil {
		return err
	}
	return o.add(ctx, req, kindBill, bill.BillNo, bill.BatchNo)
}

// The kinds of requests, by which their items are named.
const (
	kindCallback = "callback"
	kindBill     = "bill"
)

// add stores a valid request. It is stored by its fields, so that names on the wire which are corrected later, see
// rentcar.WithNames, count when it is sent.
func (o *Outbox) add(ctx context.Context, req any, kind string, ids ...string) error {
	data, err := json.Marshal(req)
	if err == nil {
		_, err = o.queue.Add(ctx, itemID(kind, ids...), "", data)
	}
	return err
}

// itemID names an item by its kind and ids, readably where they are short.
func itemID(kind string, ids ...string) string {
	id := kind
	for _, part := range ids {
		id += "/" + url.PathEscape(part)
	}
	if len(id) > maxID {
		id = kind + "/sha256-" + digestOf([]byte(id))
	}
	return id
}

// Run sends what is stored until ctx ends, and returns the cause of ctx. It works as [Queue.Run] does: one item at a
// time unless Workers of [Config] says more. What is being sent when ctx ends has the time of its attempt. Any
// number of processes may run an outbox on one store.
func (o *Outbox) Run(ctx context.Context) error { return o.queue.Run(ctx, o.send) }

// send makes one attempt.
func (o *Outbox) send(ctx context.Context, item *Item) error {
	var err error
	switch kind, _, _ := strings.Cut(item.ID, "/"); kind {
	case kindCallback:
		err = sendStored(ctx, item, o.client.Callbacks.SendRequest)
	case kindBill:
		err = sendStored(ctx, item, o.client.Bills.NotifyAll)
	default: // a later version may have put it there
		err = fmt.Errorf("durable: outbox: %s is of a kind that this version does not know", item.ID)
	}
	switch {
	case err == nil:
		return nil
	case !rentcar.IsFinal(err):
		return &unconfirmed{withoutMessages(err), err}
	case item.Attempt > 1:
		return Permanent(
			&unconfirmed{withoutMessages(err) + " (not the first attempt: an earlier one may have been carried out)", err},
		)
	}
	return Permanent(&unconfirmed{withoutMessages(err), err})
}

// sendStored sends the request that an item holds.
func sendStored[Req, Res any](
	ctx context.Context, item *Item, send func(context.Context, *Req, ...rentcar.CallOption) (*Res, error),
) error {
	req := new(Req)
	if err := json.Unmarshal(item.Data, req); err != nil { // whose text may quote what is stored
		return Permanent(&unconfirmed{"durable: outbox: the stored request cannot be read", err})
	}
	_, err := send(ctx, req)
	return err
}

// An unconfirmed is the error of an attempt. Its text, which gets into logs, leaves out
// what the platform wrote: that may quote the payload.
type unconfirmed struct {
	text string
	err  error
}

func (e *unconfirmed) Error() string { return e.text }
func (e *unconfirmed) Unwrap() error { return e.err }

// withoutMessages is the text of a call's error without messages of the platform.
func withoutMessages(err error) string {
	var gateway *rentcar.GatewayError
	var business *rentcar.BusinessError
	var whole, short string
	switch {
	case errors.As(err, &gateway):
		own := *gateway
		own.Msg, own.SubMsg = "", ""
		whole, short = gateway.Error(), own.Error()
	case errors.As(err, &business):
		own := *business
		own.Message = ""
		whole, short = business.Error(), own.Error()
	}
	// Around it may stand why the call was not sent again.
	if before, after, found := strings.Cut(err.Error(), whole); found {
		return before + short + after
	}
	return short
}
