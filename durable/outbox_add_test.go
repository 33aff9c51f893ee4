package durable_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/qimen"
)

// idStore notes the ids of what is added.
type idStore struct {
	durable.Store
	ids []string
}

func (s *idStore) Add(ctx context.Context, item *durable.Item) (*durable.Item, error) {
	s.ids = append(s.ids, item.ID)
	return s.Store.Add(ctx, item)
}

// The ids of items, and that every part of them tells callbacks apart.
func TestOutboxIDs(t *testing.T) {
	t.Parallel()
	_, client := newOutboxGateway(t)
	store := &idStore{Store: durable.NewMemoryStore()}
	outbox := newOutbox(t, client, store, durable.Config{})
	renewal := func(change ...func(*events.Callback)) *events.Callback {
		c := &events.Callback{
			Envelope: events.Envelope{EventType: 270, OrderID: "31", OutOrderID: "RC1"},
			Data: events.CallbackData{
				RenewalOrderID: "32", RenewalOutOrderID: "RC2", PayTradeNo: "32_142_2_1", RefundType: 2,
				Amount: fliggy.MustYuan("1"),
			},
		}
		for _, f := range change {
			f(c)
		}
		return c
	}
	cancelFailed := events.NewOrderCancelFailed(events.Order{OrderID: "31"}, "7", "no")
	again := events.NewOrderCancelFailed(events.Order{OrderID: "31"}, "7", "no")
	again.TraceID = "second try"
	for _, cb := range []*events.Callback{
		renewal(),
		renewal(func(c *events.Callback) { c.EventType = 271 }),
		renewal(func(c *events.Callback) { c.OrderID = "a/b 中%" }),
		renewal(func(c *events.Callback) { c.OutOrderID = "" }),
		renewal(func(c *events.Callback) { c.Data.RenewalOrderID = "320" }),
		renewal(func(c *events.Callback) { c.Data.RenewalOutOrderID = "RC3" }),
		renewal(func(c *events.Callback) { c.Data.PayTradeNo, c.TraceID = "T", "no part of it" }),
		cancelFailed, again,
		renewal(func(c *events.Callback) { c.Data.PayTradeNo = strings.Repeat("9", 300) }),
	} {
		mustAdd(t, outbox.AddCallback(t.Context(), cb))
	}
	for _, numbers := range [][2]string{{"ID1", "1"}, {"ID1/1", "\n"}, {strings.Repeat("单", 40), "1"}} {
		bill := outboxBill(numbers[1] + "x")
		bill.BillNo = numbers[0]
		mustAdd(t, outbox.AddBill(t.Context(), bill))
	}
	want := []string{
		"callback/270/31/RC1/32/RC2/32_142_2_1",
		"callback/271/31/RC1/32/RC2/32_142_2_1",
		"callback/270/a%2Fb%20%E4%B8%AD%25/RC1/32/RC2/32_142_2_1",
		"callback/270/31//32/RC2/32_142_2_1",
		"callback/270/31/RC1/320/RC2/32_142_2_1",
		"callback/270/31/RC1/32/RC3/32_142_2_1",
		"callback/270/31/RC1/32/RC2/T",
		"callback/11/31////",
		"callback/11/31////second%20try",
		"callback/sha256-" + sha256Of("callback/270/31/RC1/32/RC2/"+strings.Repeat("9", 300)),
		"bill/ID1/1x",
		"bill/ID1%2F1/%0Ax",
		"bill/sha256-" + sha256Of("bill/"+strings.Repeat("%E5%8D%95", 40)+"/1x"),
	}
	if diff := cmp.Diff(want, store.ids); diff != "" {
		t.Error(diff)
	}
}

// What cannot be sent is not stored, and says why as the call does.
func TestOutboxRefusesToStore(t *testing.T) {
	t.Parallel()
	_, client := newOutboxGateway(t)
	store := &idStore{Store: durable.NewMemoryStore()}
	outbox := newOutbox(t, client, store, durable.Config{})
	noTime := outboxBill("1")
	noTime.Lines[0].PayTime = fliggy.At(time.Date(1, 1, 1, 0, 0, 0, 7, time.UTC)) // is written as what stands for no time
	for want, err := range map[string]error{
		"callback: must not be nil": outbox.AddCallback(t.Context(), nil),
		"bill: must not be nil":     outbox.AddBill(t.Context(), nil),
		"eventType":                 outbox.AddCallback(t.Context(), &events.Callback{}),
		"total_amount: is required": outbox.AddBill(t.Context(), &rentcar.Bill{BillNo: "1", BatchNo: "1"}),
		"pay_time":                  outbox.AddBill(t.Context(), noTime),
	} {
		var invalid *fliggy.ValidationError
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if len(store.ids) != 0 {
		t.Errorf("stored: %q", store.ids)
	}
	gw := fliggytest.NewGateway()
	defer gw.Close()
	silent, err := gw.Client() // without a channel
	if err != nil {
		t.Fatal(err)
	}
	if err := newOutbox(
		t, silent, store, durable.Config{},
	).AddBill(t.Context(), outboxBill("1")); !errors.Is(
		err, fliggy.ErrInvalidRequest,
	) || !strings.Contains(err.Error(), "channel_id") {
		t.Errorf("a bill without a channel: %v", err)
	}
	broken := newOutbox(t, client, brokenStore{}, durable.Config{})
	if err := broken.AddBill(t.Context(), outboxBill("1")); !errors.Is(err, errBrokenStore) {
		t.Errorf("a store that fails: %v", err)
	}
}

var errBrokenStore = errors.New("the disk is full")

type brokenStore struct{ durable.Store }

func (brokenStore) Add(context.Context, *durable.Item) (*durable.Item, error) {
	return nil, errBrokenStore
}

func TestNewOutboxRefuses(t *testing.T) {
	t.Parallel()
	_, client := newOutboxGateway(t)
	for want, err := range map[string]error{
		"durable: new outbox: the client is nil": second(
			durable.NewOutbox(nil, durable.NewMemoryStore(), durable.Config{}),
		),
		"durable: the store is nil": second(durable.NewOutbox(client, nil, durable.Config{})),
		"durable: Config.Workers: -1: want 1 at least": second(
			durable.NewOutbox(client, durable.NewMemoryStore(), durable.Config{Workers: -1}),
		),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// What somebody else has put into the queue is not sent: an item that cannot be read
// is parked, one of an unknown kind may be one of a later version.
func TestOutboxForeignItems(t *testing.T) {
	t.Parallel()
	gw, client := newOutboxGateway(t)
	store := durable.NewMemoryStore()
	now := time.Now()
	for i, item := range []durable.Item{
		{ID: "bill/1/1", Data: []byte(`{"distributor_bill_list":[{`)},
		{ID: "bill/1/2", Data: []byte(`{"channel_id":"80001"}`)},
		{ID: "callback/1", Data: nil},
		{ID: "voucher/1", Data: []byte(`{}`)},
	} {
		item.Queue, item.Added, item.Due = durable.OutboxQueue, now, now.Add(time.Duration(i-10)*time.Second)
		if _, err := store.Add(t.Context(), &item); err != nil {
			t.Fatal(err)
		}
	}
	results := drain(t, client, store, 4)
	if diff := cmp.Diff([]string{"parked", "parked", "parked", "again"}, fates(results)); diff != "" {
		t.Error(diff)
	}
	if text := fmt.Sprint(
		results[3].Err,
	); text != "durable: outbox: voucher/1 is of a kind that this version does not know" {
		t.Error(text)
	}
	if n := len(gw.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// A function of an inbox that adds a callback: what it has added in vain is not sent,
// and the attempt that succeeds sends it once.
func TestOutboxInsideInbox(t *testing.T) {
	t.Parallel()
	gw, client := newOutboxGateway(t)
	store := durable.NewMemoryStore()
	outbox := newOutbox(t, client, store, durable.Config{})
	calls := 0
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	inbox, err := durable.NewInbox(store, quick(durable.Config{Observer: func(_ context.Context, r durable.Observation) {
		if r.Done && calls == 3 {
			stop()
		}
	}}))
	if err != nil {
		t.Fatal(err)
	}
	handler, err := qimen.NewHandler(qimen.Secrets{
		gw.AppKey(): {gw.AppSecret()},
	}, qimen.WithStore(inbox.Add), qimen.OnEvent(func(ctx context.Context, _ *qimen.Delivery, e events.Event) error {
		refund, isRefund := e.(*events.RenewalFeeRefund)
		if !isRefund {
			return nil
		}
		calls++
		callback := refund.SuccessCallback()
		if calls == 1 {
			callback = refund.FailureCallback() // it would be sent if the transaction were not undone
		}
		if err := outbox.AddCallback(ctx, callback); err != nil {
			return err
		}
		if calls < 3 {
			return errors.New("the process is unwell")
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	gw.PushToHandler(handler)
	renewal := refundedRenewal(t, gw, client)
	if err := inbox.Run(ctx, handler); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	drain(t, client, store, 1)
	nothingIsDue(t, store)
	if got := gw.Callbacks(); len(got) != 1 || got[0].Message.EventType != 270 {
		t.Errorf("received: %+v", got)
	}
	for _, r := range gw.Renewals() {
		if r.RenewalOrderID == renewal && r.Refunds[0].State != fliggytest.RefundSucceeded {
			t.Errorf("refunds: %+v", r.Refunds)
		}
	}
}

// refundedRenewal books a renewal and has its fee refunded: event 142 is pushed.
func refundedRenewal(t *testing.T, gw *fliggytest.Gateway, client *rentcar.Client) fliggy.ID {
	t.Helper()
	booked, err := client.Renewals.Submit(t.Context(), &rentcar.RenewalSubmitRequest{
		OrderID: fliggytest.SampleOrderID, OutOrderID: fliggytest.SampleOutOrderID, RenewalOutOrderID: "RC20221120000000001",
		CarUseTime: fliggy.MustTime("2022-11-24 10:00:00"), CarReturnTime: fliggy.MustTime("2022-11-25 10:30:00"),
		TotalFee: fliggy.MustYuan("16.02"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := gw.RequestRefund(
		booked.RenewalOrderID, fliggytest.Refund{Type: 2, Amount: fliggy.MustYuan("16.02")},
	); !r.Accepted {
		t.Fatalf("the push of 142 was not accepted: %s, %v", r.Body, r.Err)
	}
	return booked.RenewalOrderID
}
