package acceptance

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

const whyItemID = "an item is named by the ids of what it is about, and the docs of Outbox say so"

// outboxed are a callback and a bill with markers in every member but those that name
// them.
func outboxed() (*events.Callback, *rentcar.Bill) {
	cb := events.NewOrderCancelFailed(events.Order{OrderID: "1", OutOrderID: "2"}, markBody.text, markName.text)
	cb.Data.Reason, cb.Exts = markPhone.text, fliggy.ExtsOf(map[string]string{"k": markCard.text})
	return cb, &rentcar.Bill{BillNo: "1", BatchNo: "2", TotalAmount: fliggy.MustYuan(
		markDigits.text,
	), Remark: markName.text, Lines: []rentcar.BillLine{{
		OrderID: fliggy.ID(markDigits.text), OutOrderID: markBody.text, TradeType: fliggy.TradeIncome,
		BizType:     fliggy.BillOrderFee,
		OrderAmount: fliggy.MustYuan(markDigits.text), PayTradeNo: markBody.text, PayTime: fliggy.At(leakTime()),
		Ext: markMail.text,
	}}}
}

// outbox is one that the stage listens to.
func (s *leakStage) outbox(client *rentcar.Client, store durable.Store, cfg durable.Config) *durable.Outbox {
	s.t.Helper()
	cfg.Logger = s.logger()
	return newOutbox(s.t, client, store, cfg)
}

// attempts adds a callback and a bill, and gives the errors of an attempt for each.
func (s *leakStage) attempts(cb *events.Callback, bill *rentcar.Bill, opts ...rentcar.Option) (errs []error) {
	s.t.Helper()
	ctx, stop := context.WithTimeout(s.t.Context(), time.Minute)
	defer stop()
	store := durable.NewMemoryStore()
	outbox := s.outbox(s.client(opts...), store, durable.Config{Observer: func(_ context.Context, r durable.Observation) {
		s.observe(r)
		if errs = append(errs, r.Err); len(errs) == 2 {
			stop()
		}
	}})
	mustAdd(s.t, errors.Join(outbox.AddCallback(ctx, cb), outbox.AddBill(ctx, bill)))
	if err := outbox.Run(ctx); !errors.Is(err, context.Canceled) {
		s.t.Error(err)
	}
	for _, p := range store.Parked(durable.OutboxQueue) {
		s.observe(leakText(p.Reason)) // where it is kept, logs may be
		s.observe(p.Item)
	}
	s.observe(store)
	return errs
}

// outboxRows are callbacks and bills that are refused, or sent in vain.
func outboxRows() []leakRow {
	adds := []string{"durable.Outbox.AddCallback", "durable.Outbox.AddBill"}
	rows := []leakRow{{
		name: "outbox that cannot be made", covers: []string{"durable.NewOutbox"}, want: "new outbox",
		run: func(_ *testing.T, s *leakStage) []any {
			outbox := s.outbox(s.client(), durable.NewMemoryStore(), durable.Config{})
			return append(all(
				second(durable.NewOutbox(nil, nil, durable.Config{})),
				second(durable.NewOutbox(s.client(), nil, durable.Config{})),
			), outbox, outbox.LogValue())
		},
	}, {
		name: "outbox, invalid", covers: append(adds, "rentcar.CallbackService.NewRequest", "rentcar.BillService.NewRequest"),
		want: "not valid",
		run: func(t *testing.T, s *leakStage) []any {
			outbox := s.outbox(s.client(), durable.NewMemoryStore(), durable.Config{})
			cb, bill := outboxed()
			cb.Data.Reason, bill.BatchNo, bill.Remark = markBody.text+"\xff", "", markBody.text+"\xff"
			odd, late := outboxed()
			odd.Extra = map[string]json.RawMessage{"x": json.RawMessage(markBody.text)}
			late.Lines[0].PayTime = fliggy.At(time.Date(1, 1, 1, 0, 0, 0, 7, time.UTC))
			return all(outbox.AddCallback(t.Context(), cb), outbox.AddBill(
				t.Context(), bill,
			), outbox.AddCallback(t.Context(), odd),
				outbox.AddBill(t.Context(), late), outbox.AddCallback(t.Context(), nil), outbox.AddBill(t.Context(), nil))
		},
	}, {
		name: "outbox, conflict", covers: adds, want: "another item has this id",
		may: leakReasons{markBody: whyItemID, markDigits: whyItemID},
		run: func(t *testing.T, s *leakStage) []any {
			outbox := s.outbox(s.client(), durable.NewMemoryStore(), durable.Config{})
			cb, bill := outboxed()
			cb.OrderID, cb.Data.PayTradeNo, bill.BillNo = fliggy.ID(markDigits.text), markBody.text, markBody.text
			mustAdd(t, errors.Join(outbox.AddCallback(t.Context(), cb), outbox.AddBill(t.Context(), bill)))
			cb.Data.Reason, bill.Remark = markMail.text, markMail.text
			return all(outbox.AddCallback(t.Context(), cb), outbox.AddBill(t.Context(), bill))
		},
	}, {
		name: "outbox, ids in the log", covers: []string{"durable.Outbox.Run"}, want: "deadline exceeded",
		mayLog: leakReasons{markBody: whyItemID, markDigits: whyItemID},
		run: func(_ *testing.T, s *leakStage) []any {
			s.respond = failing(func(*http.Request) error { return context.DeadlineExceeded })
			cb, bill := outboxed()
			cb.OrderID, cb.Data.PayTradeNo, bill.BillNo = fliggy.ID(markDigits.text), markBody.text, markBody.text
			return all(s.attempts(cb, bill)...)
		},
	}, {
		name: "outbox, store that fails", covers: adds, want: "disk is full",
		run: func(t *testing.T, s *leakStage) []any {
			outbox := s.outbox(s.client(), brokenStore{}, durable.Config{})
			cb, bill := outboxed()
			return all(outbox.AddCallback(t.Context(), cb), outbox.AddBill(t.Context(), bill))
		},
	}}
	for _, class := range leakClasses {
		rows = append(rows, leakRow{
			name: "outbox, " + class.name, covers: []string{"durable.Outbox.Run"}, want: class.want, may: class.may,
			mayLog: class.mayLog,
			run: func(t *testing.T, s *leakStage) []any {
				s.respond = class.respond
				cb, bill := outboxed()
				errs := s.attempts(cb, bill, class.opts...)
				if len(s.signatures()) == 0 {
					t.Errorf("nothing was sent: %v", errs)
				}
				return all(errs...)
			},
		})
	}
	return rows
}
