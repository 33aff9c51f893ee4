package merchantcheck

import (
	"context"
	"fmt"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
)

// A booking is a renewal that the merchant booked, or may have booked.
type booking struct {
	orderID fliggy.ID
	trade   string // its trade number, or which submit it was where it has none
	renewal string // the merchant's id of it; empty while it is not known
	unsure  bool   // no answer says that it is booked
	over    bool   // cancelled
}

// held reports whether it is booked and can be cancelled.
func (b booking) held() bool { return b.renewal != "" && !b.over }

// left says what is left of it, if anything.
func (b booking) left() string {
	switch {
	case b.over:
		return ""
	case b.unsure:
		return fmt.Sprintf("order %q, trade number %s: a submit got no clear answer", b.orderID, b.trade)
	case b.renewal == "":
		return fmt.Sprintf("order %q, trade number %s: a submit was accepted without an outOrderId", b.orderID, b.trade)
	}
	return fmt.Sprintf("renewal order %q of order %q: it could not be cancelled", b.renewal, b.orderID)
}

// note keeps what the answer to a submit says about a booking.
func (run *selfTest) note(request *qimen.RenewalSubmitRequest, x *trial) {
	b := booking{orderID: request.OrderID, trade: request.PayTradeNo, unsure: !x.yes}
	if b.trade == "" {
		b.trade = "none, trace id " + request.TraceID
	}
	if x.no {
		return
	}
	if x.yes {
		b.renewal = x.reply.member("outOrderId").text()
	}
	for i, known := range run.bookings {
		if known.trade == b.trade && (known.renewal == b.renewal || known.unsure || b.unsure) {
			if known.unsure {
				run.bookings[i] = b
			}
			return
		}
	}
	run.bookings = append(run.bookings, b)
}

func (run *selfTest) cancelled(renewal string) {
	for i := range run.bookings {
		if run.bookings[i].renewal == renewal {
			run.bookings[i].over = true
		}
	}
}

// undo cancels everything that is booked, once more where a cancellation failed.
// The end of ctx does not keep it from that, the timeout of the merchant does.
func (run *selfTest) undo(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	for _, b := range run.bookings {
		if !b.held() {
			continue
		}
		x := &trial{}
		x.took(run.m.cancel(ctx, run.cancelRequest(b.orderID, b.renewal)))
		if x.regular() {
			run.cancelled(b.renewal)
		}
	}
}
