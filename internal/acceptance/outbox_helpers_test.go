package acceptance

import (
	"cmp"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// newOutboxGateway is a gateway, and a client that sends every call once.
func newOutboxGateway(t testing.TB) (*fliggytest.Gateway, *rentcar.Client) {
	t.Helper()
	gw := fliggytest.NewGateway()
	t.Cleanup(gw.Close)
	client, err := gw.Client(
		rentcar.WithChannel(fliggy.ChannelAmap), rentcar.WithRetry(rentcar.RetryPolicy{MaxAttempts: 1}),
	)
	if err != nil {
		t.Fatal(err)
	}
	return gw, client
}

// quick makes a queue look and try again at once, where cfg does not say otherwise.
func quick(cfg durable.Config) durable.Config {
	cfg.MinDelay, cfg.MaxDelay = cmp.Or(cfg.MinDelay, time.Millisecond), cmp.Or(cfg.MaxDelay, time.Millisecond)
	cfg.Poll = cmp.Or(cfg.Poll, time.Millisecond)
	return cfg
}

func newOutbox(t testing.TB, client *rentcar.Client, store durable.Store, cfg durable.Config) *durable.Outbox {
	t.Helper()
	outbox, err := durable.NewOutbox(client, store, quick(cfg))
	if err != nil {
		t.Fatal(err)
	}
	return outbox
}

// nothingIsDue fails where the store would hand something out, however late it is.
func nothingIsDue(t testing.TB, store durable.Store) {
	t.Helper()
	now := time.Now().Add(24 * time.Hour)
	if item, err := store.Claim(t.Context(), durable.OutboxQueue, now, now.Add(time.Hour)); item != nil || err != nil {
		t.Errorf("due: %v, %v", item, err)
	}
}

func mustAdd(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("adding: %v", err)
	}
}

func paidCallback(tradeNo string) *events.Callback {
	return events.NewRefundPaid(
		events.Order{OrderID: fliggytest.SampleOrderID, OutOrderID: fliggytest.SampleOutOrderID}, fliggy.MustYuan("16.02"),
		tradeNo,
	)
}

func outboxBill(batchNo string) *rentcar.Bill {
	return &rentcar.Bill{
		BillNo: "ID20230203", BatchNo: batchNo, TotalAmount: fliggy.MustYuan("16.02"), Remark: "二月 <&> /",
		Lines: []rentcar.BillLine{{
			OrderID: fliggytest.SampleOrderID, OutOrderID: fliggytest.SampleOutOrderID, TradeType: fliggy.TradeIncome,
			BizType:     fliggy.BillOrderFee,
			OrderAmount: fliggy.MustYuan("16.02"), PayTradeNo: "2022112222001492421107773",
			PayTime:        fliggy.MustTime("2022-11-22 10:00:00"),
			DiscountAmount: fliggy.MustYuan("0.00"),
		}},
	}
}

var errBrokenStore = errors.New("the disk is full")

type brokenStore struct{ durable.Store }

func (brokenStore) Add(context.Context, *durable.Item) (*durable.Item, error) {
	return nil, errBrokenStore
}
