package acceptance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

// A kind is a kind of operation that moves money.
type kind string

const (
	kindSubmit   kind = "submit"
	kindCancel   kind = "cancel"
	kindBill     kind = "bill"
	kindCallback kind = "callback"
)

var chaosKinds = []kind{kindSubmit, kindCancel, kindBill, kindCallback}

// A told is what the caller of an operation believes after all that he was told. It
// changes only once, from unknown to one of the others.
type told string

const (
	toldDone     told = "done"
	toldRejected told = "rejected"
	toldUnknown  told = "still unknown"
)

// An operation is one write, as the distributor has it in his books.
type operation struct {
	kind kind
	key  string // by which the gateway's records name it
	told told
	// By whom: of a submit, whether the merchant refused the renewal that was placed.
	byMerchant bool
	err        error // of the call

	// Of a submit: what was sent, and Fliggy's id once it is known. Of a cancel: the
	// submit that it takes back.
	submit *rentcar.RenewalSubmitRequest
	id     fliggy.ID
	of     *operation
}

// A distributor drives the client through its public API. The careful one does what
// the documentation says; the mutants have another habit.
type distributor struct {
	world     *world
	habits    habits
	ops       []*operation
	inbox     []events.Event
	refunds   map[string]bool // trade numbers that were seen
	answers   []*events.Callback
	cancels   []rentcar.CallOption // a renewal cannot be cancelled twice: so its cancel may be repeated
	settledBy map[string]int
	broken    []violation // seen while the world lived
}

// habits are what distributors differ in.
type habits struct {
	writes []rentcar.CallOption               // options of every write
	hear   func(err error) told               // what is believed of a call
	probe  func(client *rentcar.Client) probe // nil for the default
	eager  bool                               // takes a renewal without an id for none
	again  bool                               // submits again what is unknown
	deaf   bool                               // settles without the events
	forget bool                               // makes every write with a new client
}

// careful is the distributor that the documentation has in mind.
func careful() habits { return habits{hear: hear} }

// blind is the careful distributor whose probe is no help, and says nonsense.
func blind() habits {
	return habits{hear: hear, probe: func(*rentcar.Client) probe {
		return func(context.Context, *rentcar.RenewalSubmitRequest) (rentcar.Verdict, error) {
			return rentcar.VerdictRejected, errors.New("the probe cannot answer")
		}
	}}
}

func hear(err error) told {
	switch {
	case err == nil:
		return toldDone
	case errors.Is(err, rentcar.ErrOutcomeUnknown):
		return toldUnknown
	}
	return toldRejected
}

// act does one operation.
func (d *distributor) act() {
	switch n := d.world.rng.IntN(100); {
	case n < 45:
		d.submit()
	case n < 62:
		d.cancel()
	case n < 82:
		d.answer()
	default:
		d.bill()
	}
}

// write makes a call and notes what it told.
func (d *distributor) write(o *operation, call func(ctx context.Context) error) {
	if d.habits.forget {
		d.world.client, _ = d.world.connect() // as it did before
	}
	ctx, done := d.world.call()
	o.err = call(ctx)
	done()
	o.told = d.habits.hear(o.err)
	d.ops = append(d.ops, o)
	if unknown := rentcar.OutcomeOf(o.err) == rentcar.OutcomeUnknown; unknown != errors.Is(
		o.err, rentcar.ErrOutcomeUnknown,
	) {
		d.report(ruleAgree, o, fmt.Sprintf("outcome %v, but: %v", rentcar.OutcomeOf(o.err), o.err))
	}
	var limited *rentcar.RateLimitError
	if errors.As(o.err, &limited) && limited.Err == nil && limited.RetryAfter != d.world.net.banned(limited.Method) {
		d.report(ruleBan, o, fmt.Sprintf("for %v by the books, error: %v", d.world.net.banned(limited.Method), o.err))
	}
}

// report notes what went wrong while the world lived.
func (d *distributor) report(r rule, o *operation, text string) {
	d.broken = append(d.broken, violation{r, o, text})
}

func (d *distributor) key(prefix string) string {
	return fmt.Sprintf("%s-%d-%d", prefix, d.world.seed, len(d.ops))
}

func (d *distributor) submit() {
	w := d.world
	order := w.orders[1+w.rng.IntN(len(w.orders)-1)]
	start := w.clock.now().Add(20 * 24 * time.Hour)
	if w.chance(0.05) {
		start = w.clock.now().Add(3 * time.Minute) // soon there is no cancelling any more
	}
	req := &rentcar.RenewalSubmitRequest{
		OrderID: order.id, OutOrderID: order.out, RenewalOutOrderID: d.key("RN"),
		CarUseTime: fliggy.At(start), CarReturnTime: fliggy.At(start.Add(24 * time.Hour)), TotalFee: fliggy.MustYuan("11.01"),
	}
	if w.chance(0.4) {
		ctx, done := w.call()
		quote, err := w.client.Renewals.Quote(ctx, &rentcar.RenewalQuoteRequest{
			OrderID: req.OrderID, CarUseTime: req.CarUseTime, CarReturnTime: req.CarReturnTime,
		})
		done()
		if err == nil {
			req.ItemID = quote.ItemID
			if req.TotalFee, err = quote.Total(); err != nil {
				d.broken = append(d.broken, violation{rule: "a quote has a total", text: err.Error()})
			}
		}
	}
	if w.chance(0.08) { // an order that will be refused
		switch w.rng.IntN(4) {
		case 0:
			req.OrderID = w.orders[0].id
		case 1:
			req.OrderID = "1"
		case 2:
			req.ItemID = "of another order"
		default:
			req.CarReturnTime = req.CarUseTime
		}
	}
	o := &operation{kind: kindSubmit, key: req.RenewalOutOrderID, submit: req}
	place := func(ctx context.Context) error {
		res, err := w.client.Renewals.Submit(ctx, req, d.habits.writes...)
		if err == nil {
			o.id = res.RenewalOrderID
		}
		return err
	}
	d.write(o, func(ctx context.Context) error {
		err := place(ctx)
		if d.habits.again && errors.Is(err, rentcar.ErrOutcomeUnknown) {
			return place(ctx)
		}
		return err
	})
}

// cancel takes back a renewal that is known to exist, one that has been taken back
// included.
func (d *distributor) cancel() {
	w := d.world
	var of *operation
	for range 20 {
		if len(d.ops) == 0 {
			break
		}
		if o := d.ops[w.rng.IntN(len(d.ops))]; o.kind == kindSubmit && o.told == toldDone {
			of = o
			break
		}
	}
	if of == nil {
		d.bill()
		return
	}
	o := &operation{kind: kindCancel, key: d.key("CX"), of: of}
	check := &rentcar.RenewalCheckCancelRequest{RenewalOrderID: of.id}
	req := &rentcar.RenewalCancelRequest{RenewalOrderID: of.id, CancelMessage: o.key}
	if of.id == "" {
		check.OutOrderID, req.OutOrderID = of.key, of.key
	}
	if w.chance(0.3) {
		ctx, done := w.call()
		if res, err := w.client.Renewals.CheckCancel(ctx, check); err == nil {
			req.CancelFee = res.CancelFee
		}
		done()
	}
	d.write(o, func(ctx context.Context) error {
		_, err := w.client.Renewals.Cancel(ctx, req, slices.Concat(d.cancels, d.habits.writes)...)
		return err
	})
}

func (d *distributor) bill() {
	w := d.world
	order := w.orders[w.rng.IntN(len(w.orders))]
	o := &operation{kind: kindBill, key: d.key("B")}
	bill, err := rentcar.NewBill("ID20230203", o.key).Income(rentcar.BillLine{
		OrderID: order.id, OutOrderID: order.out, BizType: fliggy.BillOrderFee, OrderAmount: fliggy.MustYuan("11.01"),
		PayTradeNo: o.key, PayTime: fliggy.At(w.clock.now()),
	}).Build()
	if err != nil {
		panic(err)
	}
	d.write(o, func(ctx context.Context) error {
		_, err := w.client.Bills.Notify(ctx, bill, d.habits.writes...)
		return err
	})
}

// answer sends a callback: 270 or 271 for a refund that was ordered, or one for a
// refund that nobody has ordered.
func (d *distributor) answer() {
	w := d.world
	if len(d.answers) == 0 {
		d.bill()
		return
	}
	n := w.rng.IntN(len(d.answers))
	cb := *d.answers[n]
	if w.chance(0.1) {
		cb.Data.PayTradeNo = d.key("never ordered")
	} else {
		d.answers = slices.Delete(d.answers, n, n+1)
	}
	o := &operation{kind: kindCallback, key: callbackKey(&cb)}
	d.write(o, func(ctx context.Context) error {
		_, err := w.client.Callbacks.Send(ctx, &cb, d.habits.writes...)
		return err
	})
}

func callbackKey(cb *events.Callback) string {
	return fmt.Sprintf("%d of %s", cb.EventType, cb.Data.PayTradeNo)
}

// receive takes an event in, whatever its order. Repeated ones change nothing.
func (d *distributor) receive(e events.Event) {
	d.inbox = append(d.inbox, e)
	switch e := e.(type) {
	case *events.RenewalAccepted:
		d.learn(e.OutOrderID, e.RenewalOrderID)
	case *events.RenewalFeeRefund:
		d.learn(e.RenewalOutOrderID, e.RenewalOrderID)
		if d.refunds[e.PayTradeNo] {
			return
		}
		d.refunds[e.PayTradeNo] = true
		if d.world.chance(0.3) { // the refund fails, and may be made after all
			d.answers = append(d.answers, e.FailureCallback())
			if d.world.chance(0.7) {
				return
			}
		}
		d.answers = append(d.answers, e.SuccessCallback())
	}
}

// learn notes Fliggy's id of a renewal.
func (d *distributor) learn(own string, id fliggy.ID) {
	for _, o := range d.ops {
		if o.kind == kindSubmit && o.key == own {
			o.id = id
		}
	}
}

// open are the submits that are still unknown.
func (d *distributor) open() (open []*operation) {
	for _, o := range d.ops {
		if o.kind == kindSubmit && o.told == toldUnknown {
			open = append(open, o)
		}
	}
	return open
}

func (d *distributor) settleOne() {
	if open := d.open(); len(open) > 0 {
		d.settle(open[d.world.rng.IntN(len(open))])
	}
}

// settleAll settles until nothing more is learnt: an id that one learns helps another.
func (d *distributor) settleAll() {
	for before := -1; before != len(d.open()); {
		open := d.open()
		before = len(open)
		for _, o := range open {
			d.settle(o)
		}
	}
}

func (d *distributor) settle(o *operation) {
	w := d.world
	seen := slices.Clone(d.inbox)
	w.rng.Shuffle(len(seen), func(i, j int) { seen[i], seen[j] = seen[j], seen[i] })
	others := d.others(o)
	req := &rentcar.SettleRequest{Submit: o.submit, Events: seen, Others: others, OthersKnown: others != nil}
	if d.habits.deaf {
		req.Events = nil
	}
	if d.habits.probe != nil {
		req.Probe = d.habits.probe(w.client)
	}
	ctx, done := w.call()
	defer done()
	res, err := w.client.Renewals.Settle(ctx, req)
	if err != nil {
		d.report(ruleAgree, o, fmt.Sprintf("settle: %v", err))
		return
	}
	if res.RenewalOrderID != "" {
		o.id = res.RenewalOrderID
	}
	by := "the probe"
	if res.Event != nil {
		by = res.Event.Type().String()
	}
	switch res.Verdict {
	case rentcar.VerdictDone:
		o.told = toldDone
	case rentcar.VerdictRejected:
		o.told, o.byMerchant = toldRejected, res.Event != nil
	default:
		return
	}
	d.settledBy[string(o.told)+" by "+by]++
}

// others are Fliggy's ids of the other renewals of the main order, nil where not all of
// them are known: of a submit that is open, and of one that only the probe has settled,
// there may be one without.
func (d *distributor) others(o *operation) []fliggy.ID {
	ids := []fliggy.ID{}
	for _, other := range d.ops {
		if other == o || other.kind != kindSubmit || other.submit.OrderID != o.submit.OrderID {
			continue
		}
		if other.id != "" {
			ids = append(ids, other.id)
		} else if other.told == toldUnknown || other.told == toldDone && !d.habits.eager {
			return nil
		}
	}
	return ids
}

// A probe asks whether a renewal exists; see rentcar.SettleRequest.
type probe = func(ctx context.Context, submit *rentcar.RenewalSubmitRequest) (rentcar.Verdict, error)
