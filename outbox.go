package rentcar

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
	"github.com/fliggy-go/rentcar/internal/top"
)

// OutboxQueue is the queue that an Outbox uses in its store.
const OutboxQueue = "fliggy.outbox"

// An Outbox keeps callbacks and bills in a store, and sends them until Fliggy has
// confirmed each. Make it with [NewOutbox], keep [Outbox.Run] running, and hand over
// with [Outbox.AddCallback] and [Outbox.AddBill] what must not be lost.
//
// What becomes of an item after an attempt:
//
//	success                                              done
//	success=false; codes 40, 41, 43; sub codes isv.*     parked: Fliggy has refused what it says
//	signature, session, permission, clock, API name      again: it goes out once that is put right
//	flow control (限流)                                   again; while a ban lasts nothing is sent
//	not sent, unknown, unavailable, not understood       again
//
// Again means later, with growing waits and without end. So what may have been
// carried out is sent again, which a call alone never does, and Fliggy can get an
// item twice. It finds the refund of a callback by its trade number (B2B guide), and a
// batch has bill_no and req_batch_no; that it tells repeats by them is inferred. A
// repeat of something that was carried out may also be refused, and is parked then:
// the reason says that it was not the first attempt.
//
// Items are begun in the order in which they became due; one that failed is
// overtaken. An outbox sends whatever any outbox has put into its queue of the store:
// clients of different apps need a queue (durable.WithName) or a store each. Errors and logs show nothing of a payload
// but the ids by which an item is named: its order, trade, bill and batch numbers, or a trace id.
type Outbox struct {
	client *Client
	queue  *durable.Queue
}

// NewOutbox makes an outbox that sends with client. The options are those of
// durable.NewQueue. durable.WithTimeout bounds one attempt, which is one call with the
// client's own retry policy: a minute without it, or the client's timeout where that
// is longer, a day at most.
//
// durable.WithObserver learns how each attempt ended. Result.Err has the error of the
// call inside, for errors.As and errors.Is; its text leaves out messages of the platform.
func NewOutbox(client *Client, store durable.Store, opts ...durable.Option) (*Outbox, error) {
	if client == nil {
		return nil, errors.New("rentcar: new outbox: the client is nil")
	}
	timeout := min(max(durable.DefaultTimeout, client.cfg.timeout), 24*time.Hour)
	queue, err := durable.NewQueue(OutboxQueue, store, append([]durable.Option{durable.WithTimeout(timeout)}, opts...)...)
	if err != nil {
		return nil, fmt.Errorf("rentcar: new outbox: %w", err)
	}
	return &Outbox{client, queue}, nil
}

// String names the client, never what is stored.
func (o *Outbox) String() string { return fmt.Sprintf("rentcar.Outbox{%v}", o.client) }

// Format writes String for every verb.
func (o *Outbox) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(o.String())) }

// LogValue is String.
func (o *Outbox) LogValue() slog.Value { return slog.StringValue(o.String()) }

// AddCallback stores a callback durably, to be sent by [Outbox.Run]. It is
// validated as Callbacks.Send does; a channel that it lacks is the client's of now.
// With the context of durable.Store.Do, such as that of a function of qimen.Inbox, it is
// part of that transaction where the store is the same.
//
// The same callback added again is sent once, also when it was sent long ago, as far as
// the store remembers. The same is: type, orderId, outOrderId, renewalOrderId,
// renewalOutOrderId and payTradeNo, or traceId where there is no payTradeNo; give
// callbacks of types 10, 11 and 220 a TraceID where an order can have several. With
// another content it is an error that matches durable.ErrConflict. One that is parked
// stays parked: send a correction with Callbacks.Send. A 271 after a 270
// for one trade number is another callback, and is sent: which one counts, Fliggy
// decides.
func (o *Outbox) AddCallback(ctx context.Context, cb *events.Callback) error {
	req, err := o.client.Callbacks.request(cb, false)
	if err != nil {
		return err
	}
	d := &cb.Data
	id := itemID("callback", strconv.Itoa(int(cb.EventType)), string(cb.OrderID), cb.OutOrderID,
		string(d.RenewalOrderID), d.RenewalOutOrderID, cmp.Or(d.PayTradeNo, cb.TraceID))
	return addRequest(ctx, o, api.Callback, id, req)
}

// AddBill stores one batch of a bill durably, to be sent by [Outbox.Run]. It is
// validated as Bills.Notify does, and goes out through the channel that the client has
// now. With the context of durable.Store.Do it is part of that transaction.
//
// The same batch, by its BillNo and BatchNo, is sent once. With another content it is an
// error that matches durable.ErrConflict: a corrected batch needs a number of its own.
func (o *Outbox) AddBill(ctx context.Context, bill *Bill) error {
	if bill == nil {
		return invalid(api.BillNotify.Method, "bill", "must not be nil")
	}
	req := &BillNotifyRequest{Bills: []Bill{*bill}}
	req.defaultChannel(o.client.cfg.channel)
	return addRequest(ctx, o, api.BillNotify, itemID("bill", bill.BillNo, bill.BatchNo), req)
}

// addRequest stores a request as JSON under the names of the documentation, so that names
// which are corrected later count when it is sent.
func addRequest[Req any](ctx context.Context, o *Outbox, op *api.Operation, id string, req *Req) error {
	if ctx == nil {
		return invalid(op.Method, "context", "must not be nil")
	}
	if err := validate(op, req); err != nil {
		return err
	}
	plan, err := top.PlanFor(reflect.TypeFor[Req]())
	if err != nil {
		return err
	}
	data, err := plan.AppendJSON(nil, req, top.EncodeOptions{})
	if err == nil { // what could not be read again is refused now
		err = plan.DecodeJSON(data, new(Req))
	}
	if err != nil {
		return invalidValue(op.Method, err)
	}
	if _, err := o.queue.Add(ctx, id, "", data); err != nil {
		return fmt.Errorf("rentcar: outbox: %w", err)
	}
	return nil
}

// maxItemID is the length of an id that every store takes.
const maxItemID = 300

// itemID names an item by its kind and ids, readably where they are short.
func itemID(kind string, ids ...string) string {
	id := kind
	for _, part := range ids {
		id += "/" + url.PathEscape(part)
	}
	if len(id) > maxItemID {
		id = kind + "/sha256-" + durable.Digest([]byte(id))
	}
	return id
}

// Run sends what is stored until ctx ends, as durable.Queue.Run tells: one item at a
// time unless durable.WithWorkers says more. What is being sent then has the time of
// its attempt to end. Run returns the cause of ctx. Any number of processes may run an
// outbox on one store.
func (o *Outbox) Run(ctx context.Context) error { return o.queue.Run(ctx, o.send) }

// senders send what is stored, by the kind of its id.
var senders = map[string]func(context.Context, *Client, []byte) error{
	"callback": sendStored(opCallback),
	"bill":     sendStored(opBillNotify),
}

func sendStored[Req, Res any, R resultOf[Res]](op operation[Req, Res]) func(context.Context, *Client, []byte) error {
	return func(ctx context.Context, c *Client, data []byte) error {
		req := new(Req)
		plan, err := top.PlanFor(reflect.TypeFor[Req]())
		if err == nil {
			err = plan.DecodeJSON(data, req)
		}
		if err != nil {
			return invalidValue(op.Method, err)
		}
		_, err = invoke[Req, Res, R](ctx, c, op, req, nil)
		return err
	}
}

// send makes one attempt.
func (o *Outbox) send(ctx context.Context, item *durable.Item) error {
	kind, _, _ := strings.Cut(item.ID, "/")
	sender, ok := senders[kind]
	if !ok { // a later version may have put it there
		return fmt.Errorf("rentcar: outbox: %s is of a kind that this version does not know", item.ID)
	}
	err := sender(ctx, o.client, item.Data)
	switch {
	case err == nil:
		return nil
	case !isFinal(err):
		return &unconfirmed{withoutMessages(err), err}
	case item.Attempt > 1:
		return durable.Permanent(&unconfirmed{withoutMessages(err) + " (not the first attempt: an earlier one may have been carried out)", err})
	}
	return durable.Permanent(&unconfirmed{withoutMessages(err), err})
}

// isFinal reports whether a call failed for what its request says, so that sending it
// again changes nothing.
func isFinal(err error) bool {
	switch e := err.(type) { //nolint:errorlint // as the call returned it; one that was stopped between attempts may be sent again
	case *fliggy.ValidationError, *BusinessError:
		return true
	case *GatewayError:
		return e.Is(fliggy.ErrInvalidRequest) && e.Outcome() == OutcomeRejected && isAboutContent(e.Code, e.SubCode)
	}
	return false
}

// contentCodes are the main codes that blame the arguments of a call. Others that call
// it malformed are about what all calls have in common, such as the timestamp.
var contentCodes = []string{"40", "41", "43", "MissingParameter"}

func isAboutContent(code, subCode string) bool {
	if lookUp(code, subCode).main != "" { // it decides by itself
		return slices.Contains(contentCodes, code)
	}
	return !strings.Contains(subCode, "permission") // isv.invalid-permission
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
	var gateway *GatewayError
	var business *BusinessError
	text := ""
	switch {
	case errors.As(err, &gateway):
		own := *gateway
		own.Msg, own.SubMsg = "", ""
		text = own.Error()
	case errors.As(err, &business):
		own := *business
		own.Message = ""
		text = own.Error()
	default:
		return err.Error()
	}
	if why := notAgain(err); why != "" {
		text += " (" + why + ")"
	}
	return text
}
