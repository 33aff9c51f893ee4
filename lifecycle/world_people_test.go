package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/internal/api"
	"github.com/fliggy-go/rentcar/lifecycle"
)

// customer wants one renewal, and may want it back.
func (w *world) customer(i int) {
	r := w.rand(fmt.Sprint("customer", i))
	time.Sleep(time.Duration(r.Int64N(int64(busyFor / 2))))
	order := w.orders[r.IntN(len(w.orders))]
	main, _ := w.gw.Order(order)
	until := main.Details.Booking.CarReturnTime
	price := fliggy.FenOf(int64(1+r.IntN(50)) * 1000).Yuan()
	req := lifecycle.SubmitRequest{
		RenewalSubmitRequest: rentcar.RenewalSubmitRequest{
			OrderID: order, OutOrderID: main.OutOrderID, RenewalOutOrderID: fmt.Sprint("R", i, "a"),
			CarUseTime: until, CarReturnTime: fliggy.At(until.AddDate(0, 0, 1)),
			TotalFee: price, Payment: price, PayTradeNo: fmt.Sprint("P", i, "a"),
		},
		PaidTime: time.Now().Truncate(time.Second),
	}
	if r.IntN(10) == 0 {
		req.Payment = fliggy.FenOf(0).Yuan()
	}
	for try := range 4 {
		_, err := w.any(r).book.Submit(context.Background(), &req)
		var open *lifecycle.OpenError
		isOther := errors.As(err, &open) && open.ID != req.RenewalOutOrderID
		if err == nil {
			break
		}
		time.Sleep(time.Duration(r.Int64N(int64(12 * time.Hour))))
		if !isOther && r.IntN(20) == 0 { // clicks again: another id, another payment
			req.RenewalOutOrderID, req.PayTradeNo = fmt.Sprint("R", i, "b", try), fmt.Sprint("P", i, "b", try)
		}
	}
	if r.IntN(2) > 0 {
		return
	}
	time.Sleep(time.Duration(r.Int64N(int64(48 * time.Hour))))
	for range 3 {
		p := w.any(r)
		fee, err := p.book.CancelFee(context.Background(), req.RenewalOutOrderID)
		if err == nil {
			_, err = p.book.Cancel(context.Background(), req.RenewalOutOrderID, lifecycle.CancelRequest{MaxFee: fee})
		}
		if err == nil {
			if r.IntN(2) == 0 { // a bill between the cancellation and what goes back
				time.Sleep(time.Second)
				w.bill(p)
			}
			return
		}
		time.Sleep(time.Duration(r.Int64N(int64(6 * time.Hour))))
	}
}

// merchant decides on renewals, and customer service orders refunds.
func (w *world) merchant() {
	r := w.rand("merchant")
	var pushes sync.WaitGroup
	for !w.isQuiet() {
		time.Sleep(time.Duration(r.Int64N(int64(time.Hour))))
		for _, g := range w.gw.Renewals() {
			if !w.decides(g) || r.IntN(10) == 0 { // or never answers
				continue
			}
			accepts, refunds, changes := r.IntN(3) > 0, r.IntN(3) == 0, r.IntN(5) == 0
			how := fliggytest.Push{Times: 1 + r.IntN(3), Late: time.Duration(r.Int64N(int64(time.Minute)))}
			if r.IntN(5) == 0 {
				how.Late = time.Duration(r.Int64N(int64(72 * time.Hour)))
			}
			pause, early := time.Duration(r.Int64N(int64(24*time.Hour))), r.IntN(4) == 0
			wait := rand.New(rand.NewPCG(w.seed, r.Uint64()))
			pushes.Go(func() {
				if refunds && early { // the order of a refund overtakes the decision
					w.refund(g, 0, false, wait)
					time.Sleep(pause)
				}
				switch lies := wait.IntN(15) == 0 && w.isFar(g); {
				case lies && accepts && wait.IntN(2) == 0: // and the truth is late
					w.lie(g, false, 0)
					how.Late = 48*time.Hour + pause
				case lies:
					accepted := wait.IntN(2) == 0
					pushes.Go(func() { w.lie(g, accepted, 5*pause) })
				}
				w.deliver(w.decision(g, accepts, how))
				if accepts && refunds && !early {
					w.refund(g, pause, changes, wait)
				}
			})
		}
	}
	pushes.Wait()
}

// decides reports whether the merchant has not seen a renewal, which it has now. That of another is not for it.
func (w *world) decides(g fliggytest.Renewal) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	isFirst := !w.decided[g.RenewalOrderID] && !isOther(g.RenewalOutOrderID)
	w.decided[g.RenewalOrderID] = true
	return isFirst
}

func (w *world) decision(g fliggytest.Renewal, accepts bool, how ...fliggytest.Push) fliggytest.PushResult {
	if accepts {
		return w.gw.Accept(g.RenewalOrderID, how...)
	}
	return w.gw.Reject(g.RenewalOrderID, "1", "no car", how...)
}

// isFar reports whether a renewal begins after everything is settled. Once it has begun, checkcancel refuses it, alive
// or not: what an untrue event says cannot be found out then.
func (w *world) isFar(g fliggytest.Renewal) bool {
	return slices.Contains(w.orders[:farOrders], g.OrderID)
}

// isOther reports whether an id is that of somebody else's renewal.
func isOther(id string) bool { return strings.HasPrefix(id, "X") }

// outsider is somebody else who renews the order of a submit, which is on its way, and is refused.
func (w *world) outsider(submit string) {
	for _, order := range w.orders[:farOrders] {
		main, _ := w.gw.Order(order)
		if !strings.Contains(submit, main.OutOrderID) {
			continue
		}
		until := main.Details.Booking.CarReturnTime
		id := fmt.Sprint("X", time.Now().UnixNano())
		_, err := w.other.Renewals.Submit(context.Background(), &rentcar.RenewalSubmitRequest{
			OrderID: order, OutOrderID: main.OutOrderID, RenewalOutOrderID: id, CarUseTime: until,
			CarReturnTime: fliggy.At(until.AddDate(0, 0, 2)), TotalFee: fliggy.MustYuan("10"), Payment: fliggy.MustYuan("10"),
			PayTradeNo: "P" + id,
		})
		if err != nil { // a fault of the network
			return
		}
		for _, g := range w.gw.Renewals() {
			if g.RenewalOutOrderID == id {
				w.deliver(w.decision(g, false))
			}
		}
	}
}

// lieOfCancel says of a renewal whose cancellation is on its way that it was rejected.
func (w *world) lieOfCancel(cancel string) {
	for _, g := range w.gw.Renewals() {
		if strings.Contains(cancel, string(g.RenewalOrderID)) && w.isFar(g) && g.State == fliggytest.RenewalAccepted {
			w.lie(g, false, 0)
		}
	}
}

// lie pushes an event that is not true.
func (w *world) lie(g fliggytest.Renewal, accepted bool, pause time.Duration) {
	time.Sleep(pause)
	head := events.Envelope{ChannelID: g.ChannelID, OrderID: g.OrderID, OutOrderID: g.OutOrderID}
	var e events.Event = &events.RenewalRejected{Envelope: head, RenewalOrderID: g.RenewalOrderID}
	if accepted {
		head.OrderID, head.OutOrderID = g.RenewalOrderID, g.RenewalOutOrderID
		e = &events.RenewalAccepted{Envelope: head, RenewalOrderID: g.RenewalOrderID}
	}
	w.deliver(w.gw.Push(context.Background(), e))
}

// refund orders a refund, and says another amount later.
func (w *world) refund(g fliggytest.Renewal, pause time.Duration, changes bool, r *rand.Rand) {
	time.Sleep(pause)
	refund := fliggytest.Refund{
		Type: fliggy.RefundEarlyReturn, Amount: fliggy.FenOf(int64(1 + r.IntN(1500))).Yuan(), Reason: "early",
		PayTradeNo: string(g.RenewalOrderID) + "_142_1_1",
	}
	w.deliver(w.gw.RequestRefund(g.RenewalOrderID, refund))
	if changes {
		refund.Amount = refund.Amount.Add(fliggy.MustYuan("0.01"))
		time.Sleep(pause)
		w.deliver(w.gw.RequestRefund(g.RenewalOrderID, refund))
	}
}

// deliver pushes again what was not accepted, as Fliggy does.
func (w *world) deliver(p fliggytest.PushResult) {
	for !p.Accepted && len(p.Body) > 0 {
		time.Sleep(10 * time.Minute)
		p = w.gw.PushRaw(context.Background(), p.Body)
	}
}

// faults are those of the network and of the platform.
func (w *world) faults() {
	r := w.rand("faults")
	methods := []string{
		api.RenewalSubmit.Method, api.RenewalCancel.Method, api.RenewalCheckCancel.Method, api.Callback.Method,
		api.BillNotify.Method,
	}
	refusal := fliggytest.Failed(&rentcar.BusinessError{Code: "012", Message: "no"})
	// After these nothing was carried out. A check that is refused though the renewal lives would be one lie too many.
	truths := []fliggytest.Fault{refusal, refusal, fliggytest.Banned(10*time.Minute, "")}
	all := slices.Concat(truths, []fliggytest.Fault{
		fliggytest.CutOff(), fliggytest.Dropped(), fliggytest.Unavailable(), fliggytest.HTTPStatus(502),
		fliggytest.NoFlag(), fliggytest.TruncatedGzip(), fliggytest.Delayed(time.Minute), fliggytest.InGBK(),
		fliggytest.Hanging(), fliggytest.RawBody(200, "text/html", []byte("<html>")),
	})
	var stops []func()
	for !w.isQuiet() {
		time.Sleep(time.Duration(r.Int64N(int64(2 * time.Hour))))
		n := r.IntN(len(all))
		method := methods[r.IntN(len(methods))]
		if n < len(truths) && method == api.RenewalCheckCancel.Method {
			method = api.BillNotify.Method
		}
		f := all[n].On(method).Times(1 + r.IntN(3))
		if r.IntN(2) == 0 && n >= len(truths) {
			f = f.AfterCommit()
		}
		stops = append(stops, w.gw.Fail(f))
	}
	for _, stop := range stops {
		stop()
	}
}

// finance makes bills.
func (w *world) finance() {
	r := w.rand("finance")
	for !w.isQuiet() {
		time.Sleep(time.Duration(r.Int64N(int64(24 * time.Hour))))
		w.bill(w.any(r))
	}
}

// bill makes a bill, after a person has looked at the batches that were refused. A process may die of it.
func (w *world) bill(p *process) {
	w.mu.Lock()
	w.bills++
	name, refused := fmt.Sprint("B", w.bills), slices.Sorted(maps.Keys(w.refused))
	w.mu.Unlock()
	if r := w.rand(name); !w.isQuiet() && r.IntN(4) == 0 {
		p.mu.Lock()
		p.fuse, p.after = r.IntN(8), r.IntN(2) == 0
		p.mu.Unlock()
	}
	for _, no := range refused {
		booked := slices.ContainsFunc(w.gw.Bills(), func(b fliggytest.Received[rentcar.Bill]) bool {
			return b.Message.BatchNo == no
		})
		decision := lifecycle.BatchDecision{Booked: booked, By: "li", Note: "seen at Fliggy"}
		err := p.book.ResolveBatch(context.Background(), no, decision)
		if err == nil || errors.Is(err, lifecycle.ErrFinal) {
			w.mu.Lock()
			delete(w.refused, no)
			w.mu.Unlock()
			of, _, _ := strings.Cut(no, "-")
			w.cut(p, of) // goes on with the lines that are open again
		}
	}
	w.correct(p, name)
	w.cut(p, name)
}

// cut makes a bill, or goes on with it.
func (w *world) cut(p *process, name string) {
	w.mu.Lock()
	if w.until[name].IsZero() {
		w.until[name] = time.Now()
	}
	until := w.until[name]
	w.mu.Unlock()
	_, err := p.book.Bill(context.Background(), name, until)
	if err != nil && !errors.Is(err, errDead) && (w.isQuiet() || errors.Is(err, durable.ErrConflict)) {
		w.breaks("I10", "bill %s: %v", name, err)
	}
}

// correct lowers the fees of some cancellations.
func (w *world) correct(p *process, name string) {
	page, err := p.book.List(context.Background(), lifecycle.Filter{State: lifecycle.Cancelled, Limit: 1000})
	if err != nil || w.isQuiet() || w.rand(name).IntN(4) > 0 {
		return
	}
	for _, r := range page.Renewals {
		c := lifecycle.FeeCorrection{Fee: r.CancelFee.Sub(fliggy.MustYuan("1")), By: "li", Note: "a flood"}
		if !c.Fee.IsNegative() {
			_, _ = p.book.CorrectFee(context.Background(), r.ID, c)
		}
	}
}
