package rentcar

import (
	"errors"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
)

// as finds the error of a type in err; it is nil, and the test fails, where there
// is none.
func as[T error](t testing.TB, err error) T {
	t.Helper()
	found, ok := errors.AsType[T](err)
	if !ok {
		t.Errorf("got %T, want %T: %v", err, found, err)
	}
	return found
}

// someBill is a bill of one line that is in order.
func someBill(t testing.TB) *Bill {
	t.Helper()
	bill, err := NewBill("ID20230203", "20230203001").Income(billLine(fliggy.BillOrderFee, "16.02")).Build()
	if err != nil {
		t.Fatal(err)
	}
	return bill
}

func billLine(biz fliggy.BillBizType, amount string) BillLine {
	return BillLine{
		OrderID: mainOrder, OutOrderID: outOrder, BizType: biz, OrderAmount: fliggy.MustYuan(amount),
		PayTradeNo: "1122334411", PayTime: fliggy.MustTime("2023-02-03 19:23:32"),
	}
}

func someQuote() *RenewalQuoteRequest {
	return &RenewalQuoteRequest{
		OrderID: mainOrder, CarUseTime: fliggy.MustTime("2022-11-22 10:22:00"), CarReturnTime: fliggy.MustTime("2022-11-23 10:52:00"), ChannelID: fliggy.ChannelAmap,
	}
}
