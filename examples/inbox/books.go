package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"time"

	"go.etcd.io/bbolt"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/examples/inbox/boltstore"
	"github.com/fliggy-go/rentcar/fliggy"
)

// The books of the service are buckets in the same database. Rows are appended, never
// replaced: what is done twice is seen twice.
type books struct{ store *boltstore.Store }

const (
	renewals = "renewals" // accepted ones
	refunds  = "refunds"  // money that went back to customers
)

// A row is an entry of the books.
type row struct {
	Key     string      `json:"key"`     // of the event
	Attempt int         `json:"attempt"` // that wrote it
	Time    fliggy.Time `json:"time"`
	Order   fliggy.ID   `json:"order"` // of the renewal

	MainOrder  fliggy.ID   `json:"main_order,omitempty"`
	OutOrder   string      `json:"out_order,omitempty"`
	Amount     fliggy.Yuan `json:"amount,omitzero"`
	PayTradeNo string      `json:"pay_trade_no,omitempty"`
}

// enter appends a row, in the transaction of ctx.
func (b *books) enter(ctx context.Context, book string, r row) error {
	r.Time = fliggy.At(time.Now())
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return b.store.Write(ctx, func(tx *bbolt.Tx) error {
		bucket, err := tx.CreateBucketIfNotExists([]byte(book))
		if err != nil {
			return err
		}
		number, err := bucket.NextSequence()
		if err != nil {
			return err
		}
		return bucket.Put(binary.BigEndian.AppendUint64(nil, number), data)
	})
}

// rows reads a book.
func (b *books) rows(book string) ([]row, error) {
	var list []row
	err := b.store.Read(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket([]byte(book))
		if bucket == nil {
			return nil // nothing has been entered yet
		}
		return bucket.ForEach(func(_, data []byte) error {
			var r row
			err := json.Unmarshal(data, &r)
			list = append(list, r)
			return err
		})
	})
	return list, err
}

// The number of the one settlement bill that there is here, and of its one batch.
const billNo, batchNo = "ID20221130", "20221130001"

// sendBill hands the settlement bill to the outbox. However often that is done, the
// bill is sent once.
func (s *service) sendBill(ctx context.Context) error {
	list, err := s.rows(refunds)
	if err != nil {
		return err
	}
	bill := rentcar.NewBill(billNo, batchNo)
	for _, r := range list {
		bill.Refund(rentcar.BillLine{
			OrderID: r.MainOrder, OutOrderID: r.OutOrder, // never the renewal's own
			BizType: fliggy.BillCancelPenaltyRefund, OrderAmount: r.Amount, PayTradeNo: r.PayTradeNo,
			PayTime: r.Time, PayType: fliggy.PayAlipay,
		})
	}
	built, err := bill.Build()
	if err != nil {
		return err
	}
	return s.outbox.AddBill(ctx, built)
}
