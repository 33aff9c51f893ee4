package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/sqlstore"
)

// The books of the service are a table in the same database. Rows are appended, never replaced, and the table takes the
// same one again: what is done twice is seen twice.
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

// enter appends a row, in the transaction in which the event of ctx is marked as done.
func (d *database) enter(ctx context.Context, book string, r row) error {
	r.Time = fliggy.At(time.Now())
	entry, err := json.Marshal(r)
	if err != nil {
		return err
	}
	tx, err := sqlstore.Tx(ctx)
	if err != nil {
		return err
	}
	insert := "INSERT INTO books (book, entry) VALUES (?, ?)"
	if d.dialect == sqlstore.PostgreSQL {
		insert = "INSERT INTO books (book, entry) VALUES ($1, $2)"
	}
	_, err = tx.ExecContext(ctx, insert, book, entry)
	return err
}

// A snapshot is what the database holds at one moment: the books, and how many items there are.
type snapshot struct {
	books map[string][]row
	items map[string]counts // by queue
}

// counts are numbers of items.
type counts struct{ Left, Done, Parked int }

// look reads all with one statement, so that a transaction is in all of it or in nothing.
func (d *database) look(ctx context.Context) (s snapshot, err error) {
	s = snapshot{map[string][]row{}, map[string]counts{}}
	rows, err := d.QueryContext(ctx, "SELECT book, 0, entry FROM books"+
		" UNION ALL SELECT queue, state, '' FROM "+sqlstore.DefaultPrefix+"items")
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name, entry string
		var state int
		if err := rows.Scan(&name, &state, &entry); err != nil {
			return s, err
		}
		if entry == "" {
			c := s.items[name]
			*[]*int{&c.Left, &c.Done, &c.Parked}[state]++
			s.items[name] = c
			continue
		}
		var r row
		if err := json.Unmarshal([]byte(entry), &r); err != nil {
			return s, err
		}
		s.books[name] = append(s.books[name], r)
	}
	return s, rows.Err()
}

// The number of the one settlement bill that there is here, and of its one batch.
const billNo, batchNo = "ID20221130", "20221130001"

// sendBill hands the settlement bill to the outbox. However often that is done, the
// bill is sent once.
func (s *service) sendBill(ctx context.Context) error {
	now, err := s.look(ctx)
	if err != nil {
		return err
	}
	bill := rentcar.NewBill(billNo, batchNo)
	for _, r := range now.books[refunds] {
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
