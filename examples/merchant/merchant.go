package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/pricing"
	"github.com/fliggy-go/rentcar/qimen"
)

// A rental is a car that a customer has.
type rental struct {
	orderID    fliggy.ID // Fliggy's id
	outOrderID string    // ours
	ends       fliggy.Time
}

// A renewal is a renewal order that was booked.
type renewal struct {
	outOrderID string
	rental     *rental
	from, to   fliggy.Time
	createdAt  fliggy.Time
	test       bool // load-test traffic, which is kept out of the books
	cancelled  bool
}

// A submitKey is what tells a repeated submit from a new one.
type submitKey struct {
	delivery string // qimen.Delivery.Key
	test     bool   // load tests have books of their own
}

// A merchant rents cars out. It keeps everything in memory; a real one has a
// database there, with a unique index on the fields of submitKey.
type merchant struct {
	plan *pricing.Plan
	now  func() time.Time

	mu       sync.Mutex
	rentals  []*rental
	submits  map[submitKey]*renewal
	renewals map[string]*renewal // by our id
}

func newMerchant(now func() time.Time, rentals ...rental) *merchant {
	m := &merchant{plan: ratePlan(), now: now, submits: map[submitKey]*renewal{}, renewals: map[string]*renewal{}}
	for _, r := range rentals {
		m.rentals = append(m.rentals, &r)
	}
	return m
}

// ratePlan has the prices of the platform's guide. It asks merchants to test with
// their own.
func ratePlan() *pricing.Plan {
	return &pricing.Plan{
		DayPrice:    fliggy.MustYuan("10.00"),
		PoundageFee: fliggy.MustYuan("1.00"),
		ScatteredRules: []fliggy.ScatteredPriceRule{
			{Value: fliggy.MustDecimal("50"), StartTime: 0, EndTime: 420},     // up to seven hours cost half a day
			{Value: fliggy.MustDecimal("100"), StartTime: 421, EndTime: 1440}, // beyond, a whole day
		},
		Services: []pricing.Service{{
			Type: fliggy.ServiceTypeBasic, Code: qimen.BasicServiceCode, Name: "基础服务费", Desc: "基础服务费",
			Price: fliggy.MustYuan("0.01"), Include: []string{"基础保障"},
		}},
		CancelPolicy: fliggy.CancelPolicy{
			CancelType: 1, SupportCancel: true,
			Rules: []fliggy.CancelRule{
				{Num: 0, Time: 72}, {Num: 10, Time: 48}, {Num: 20, Time: 24}, {Num: 30, Time: 2}, {Num: 50, Time: 0},
			},
		},
	}
}

// handler serves the merchant's three functions.
func (m *merchant) handler(appKey, appSecret string, logger *slog.Logger) (*qimen.Handler, error) {
	return qimen.NewHandler(qimen.Secrets{appKey: {appSecret}},
		qimen.WithClock(m.now),
		qimen.WithLogger(logger),
		qimen.OnRenewalPrices(m.prices),
		qimen.OnRenewalSubmit(m.submit),
		qimen.OnRenewalCancel(m.cancel))
}

func (m *merchant) prices(
	_ context.Context, _ *qimen.Delivery, r *qimen.RenewalPricesRequest,
) (*qimen.RenewalPricesReply, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, quote, err := m.quote(r.OrderID, r.OutOrderID, r.CarUseTime, r.CarReturnTime)
	return quote, err
}

// quote finds the rental and prices its renewal. The caller holds the lock.
func (m *merchant) quote(
	orderID fliggy.ID, outOrderID string, from, to fliggy.Time,
) (*rental, *qimen.RenewalPricesReply, error) {
	rented := m.find(orderID, outOrderID)
	if rented == nil {
		return nil, nil, qimen.Refuse("order-not-found", "没有这个订单")
	}
	if !from.Equal(rented.ends.Time) {
		return nil, nil, qimen.Refuse("wrong-start", "续租开始时间不是当前还车时间")
	}
	quote, err := m.plan.Quote(from, to)
	if errors.Is(err, pricing.ErrPeriod) {
		return nil, nil, qimen.Refuse("period-not-possible", "续租时间不可用")
	}
	return rented, quote, err
}

// find takes a rental for the one that is meant when no id contradicts.
func (m *merchant) find(orderID fliggy.ID, outOrderID string) *rental {
	for _, r := range m.rentals {
		if (orderID == r.orderID || orderID == "") && (outOrderID == r.outOrderID || outOrderID == "") {
			return r
		}
	}
	return nil
}

func (m *merchant) submit(
	_ context.Context, d *qimen.Delivery, r *qimen.RenewalSubmitRequest,
) (*qimen.RenewalSubmitReply, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := submitKey{d.Key, r.IsPressureTest}
	if booked := m.submits[key]; booked != nil { // Fliggy did not learn our answer: the same one again
		return booked.reply(), nil
	}
	rented, quote, err := m.quote(r.OrderID, r.OutOrderID, r.CarUseTime, r.CarReturnTime)
	if err != nil {
		return nil, err
	}
	if r.PriceMark != quote.Price.PriceMark { // plan and period give the same mark again
		return nil, qimen.Refuse("price-changed", "价格已变化,请重新询价")
	}
	if err := pricing.CheckTotal(quote, r.RenewalOrderTotalAmount); err != nil {
		return nil, qimen.Refuse("wrong-total", "订单总额与报价不一致")
	}
	booked := &renewal{
		outOrderID: fmt.Sprintf("R%09d", len(m.renewals)+1), rental: rented,
		from: r.CarUseTime, to: r.CarReturnTime, createdAt: fliggy.At(m.now()), test: r.IsPressureTest,
	}
	m.submits[key], m.renewals[booked.outOrderID] = booked, booked
	if !booked.test {
		rented.ends = booked.to
	}
	return booked.reply(), nil
}

func (r *renewal) reply() *qimen.RenewalSubmitReply {
	return &qimen.RenewalSubmitReply{OutOrderID: r.outOrderID, CreatedTime: r.createdAt}
}

func (m *merchant) cancel(
	_ context.Context, _ *qimen.Delivery, r *qimen.RenewalCancelRequest,
) (*qimen.RenewalCancelReply, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	booked := m.renewals[r.OutOrderID] // that Fliggy names the renewal here, and not the rental, is inferred
	switch {
	case booked == nil, r.IsPressureTest && !booked.test: // a load test cancels none but its own
		return nil, qimen.Refuse("order-not-found", "没有这个续租订单")
	case booked.cancelled: // Fliggy did not learn our answer
		return &qimen.RenewalCancelReply{}, nil
	case !booked.test && !booked.rental.ends.Equal(booked.to.Time):
		return nil, qimen.Refuse("renewed-again", "该续租之后还有续租")
	}
	if _, err := pricing.TierAt(m.plan.CancelPolicy, booked.from, fliggy.At(m.now())); err != nil {
		return nil, qimen.Refuse("not-cancellable", "续租已开始,不可取消")
	}
	booked.cancelled = true
	if !booked.test {
		booked.rental.ends = booked.from
	}
	return &qimen.RenewalCancelReply{}, nil
}

// books counts the renewals in force, without load tests.
func (m *merchant) books() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, r := range m.renewals {
		if !r.test && !r.cancelled {
			n++
		}
	}
	return n
}
