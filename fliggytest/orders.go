package fliggytest

import (
	_ "embed" // the sample order
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
	"github.com/fliggy-go/rentcar/internal/top"
)

func init() {
	serve(api.OrderQuery, (*state).queryOrder)
	serve(api.OrderCheckCancel, (*state).checkCancelOrder)
}

// The ids of the sample order: those of the guide's events.
const (
	SampleOrderID    fliggy.ID = "3104050285204362836"
	SampleOutOrderID string    = "RC202212191604667539969978368"
)

// An Order is a main order (主订单) that the platform holds.
type Order struct {
	OrderID    fliggy.ID      // Fliggy's id
	OutOrderID string         // the distributor's id
	ChannelID  fliggy.Channel // of the events about the order
	// Details is what order.query answers. The order can be renewed if its service
	// types hold 3 (fliggy.OrderServiceRenewal).
	Details rentcar.OrderQueryResult
	// CancelFee is what order.cancelcheck answers, in yuan; 0.00 where it is unset.
	CancelFee fliggy.Yuan
	// CancelMessage explains the fee.
	CancelMessage string
	// Refunds are the fee refunds ordered for it, in their order. Those of a renewal are in the [Renewal].
	Refunds []Refund
}

//go:embed data/order.xml
var sampleXML []byte

// SampleOrder is the example of the documentation of order.query, with the ids of
// the guide's events and with service types 1, 2 and 3. The example's error code
// and message, which contradict its success, are left out. Its times lie in 2022; a
// gateway has the order with times that follow from its clock: see [Gateway.Order].
func SampleOrder() Order {
	o := Order{OrderID: SampleOrderID, OutOrderID: SampleOutOrderID, ChannelID: fliggy.ChannelAmap}
	if plan, err := top.PlanFor(reflect.TypeFor[rentcar.OrderQueryResult]()); err == nil {
		_ = plan.DecodeXML(sampleXML, &o.Details) // a file of this package
	}
	o.Details.RetCode, o.Details.RetMsg = "", ""
	o.Details.Info.ServiceTypes = []fliggy.OrderServiceType{
		fliggy.OrderServiceChangeDriver, fliggy.OrderServiceChangePickUpReturn, fliggy.OrderServiceRenewal,
	}
	return o
}

// sampleOrder is the sample order as a gateway has it: rented from tomorrow 10:00, GMT+8,
// for the three days that it says, so that a renewal can be cancelled for nothing whatever
// the hour is now.
func sampleOrder(now time.Time) Order {
	o := SampleOrder()
	today := now.In(fliggy.Zone())
	ten := func(days int) fliggy.Time {
		return fliggy.At(time.Date(today.Year(), today.Month(), today.Day()+days, 10, 0, 0, 0, fliggy.Zone()))
	}
	o.Details.Info.CreateTime, o.Details.Info.PayTime = ten(-1), ten(-1)
	o.Details.Booking.CarUseTime, o.Details.Booking.CarReturnTime = ten(1), ten(4)
	return o
}

// AddOrder adds a copy of an order, in place of one with the same OrderID, and
// returns its OrderID: an order without one gets one. Of several orders with one
// OutOrderID, requests that name no order_id find the one that was added last.
func (g *Gateway) AddOrder(o Order) fliggy.ID {
	defer g.log.stateChanged()
	g.state.mu.Lock()
	defer g.state.mu.Unlock()
	return g.state.addOrder(o)
}

func (s *state) addOrder(o Order) fliggy.ID {
	for n := len(s.orders); o.OrderID == ""; n++ {
		if id := numbered(firstOrderID, n); s.orders[id] == nil {
			o.OrderID = id
		}
	}
	own := snapshot(o)
	if old := s.orders[o.OrderID]; old != nil && s.ordersByOut[old.OutOrderID] == old {
		delete(s.ordersByOut, old.OutOrderID)
	}
	s.orders[o.OrderID] = &own
	if o.OutOrderID != "" {
		s.ordersByOut[o.OutOrderID] = &own
	}
	return o.OrderID
}

// Orders returns copies of all orders, sorted by id.
func (g *Gateway) Orders() []Order {
	g.state.mu.Lock()
	defer g.state.mu.Unlock()
	return g.state.sortedOrders()
}

func (s *state) sortedOrders() []Order {
	out := copies(slices.Collect(maps.Values(s.orders)))
	slices.SortFunc(out, func(a, b Order) int { return strings.Compare(string(a.OrderID), string(b.OrderID)) })
	return out
}

// Order returns a copy of the order with Fliggy's id id.
func (g *Gateway) Order(id fliggy.ID) (Order, bool) {
	g.state.mu.Lock()
	defer g.state.mu.Unlock()
	o := g.state.orders[id]
	if o == nil {
		return Order{}, false
	}
	return snapshot(*o), true
}

// findOrder finds an order by the ids that are given; those must agree.
func (s *state) findOrder(id fliggy.ID, out string) (*Order, error) {
	o := s.orders[id]
	if id == "" {
		o = s.ordersByOut[out]
	}
	if o == nil || out != "" && o.OutOrderID != out {
		return nil, refuse(RetOrderNotFound, "订单不存在")
	}
	return o, nil
}

func (s *state) queryOrder(_ moment, req *rentcar.OrderQueryRequest) (*rentcar.OrderQueryResult, error) {
	o, err := s.findOrder(req.OrderID, req.OutOrderID)
	if err != nil {
		return nil, err
	}
	res := o.Details // what an Order that is held refers to never changes
	res.Successful = true
	return &res, nil
}

func (s *state) checkCancelOrder(
	_ moment, req *rentcar.OrderCheckCancelRequest,
) (*rentcar.OrderCheckCancelResult, error) {
	o, err := s.findOrder(req.OrderID, req.OutOrderID)
	if err != nil {
		return nil, err
	}
	res := &rentcar.OrderCheckCancelResult{Status: success(), CancelFee: o.CancelFee, CancelMessage: o.CancelMessage}
	if !res.CancelFee.IsSet() {
		res.CancelFee = fliggy.FenOf(0).Yuan()
	}
	if res.CancelMessage == "" && !res.CancelFee.IsPositive() {
		res.CancelMessage = "免费取消"
	}
	return res, nil
}
