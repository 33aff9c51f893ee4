package rentcar

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
	"github.com/fliggy-go/rentcar/internal/top"
)

func init() {
	goldenCases = append(goldenCases, []goldenCase{
		{op: api.BillNotify, sample: "alitrip.rentcar.btb.bill.notify.request.json", call: func(
			ctx context.Context, c *Client,
		) (any, error) {
			return c.Bills.NotifyAll(ctx, &BillNotifyRequest{
				TraceID: "3048786216231969001", ChannelID: fliggy.ChannelDidi, Exts: someExts,
				Bills: []Bill{{
					BillNo: "ID20230203", BatchNo: "20230203001", TotalAmount: fliggy.MustYuan("10000"), Remark: "备注",
					Lines: []BillLine{{
						OrderID: "fz2939293", OutOrderID: "fx123111", TradeType: fliggy.TradeIncome, BizType: fliggy.BillOrderFee,
						OrderAmount: fliggy.MustYuan("100"),
						PayTradeNo:  "1122334411", PayTime: fliggy.MustTime("2023-02-03 19:23:32"), PayType: fliggy.PayAlipay,
						CustomerPaidAmount: fliggy.MustYuan("100"), RealConsumeAmount: fliggy.MustYuan("100"),
						DiscountAmount:            fliggy.MustYuan("0"),
						DistributorDiscountAmount: fliggy.MustYuan("0"), CommissionAmount: fliggy.MustYuan("10"),
						PayChannelAmount: fliggy.MustYuan("0"),
						OrderStatus:      "1", Ext: `{"key":"value"}`,
					}},
				}},
			})
		}},
	}...)
}

func TestBillBuilder(t *testing.T) {
	t.Parallel()
	b := NewBill("ID1", "B1").
		Income(billLine(fliggy.BillOrderFee, "100.00"), billLine(fliggy.BillCancelPenalty, "20")).
		Refund(billLine(fliggy.BillOrderFeeRefund, "150.5")).
		Remark("备注")
	bill, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	types := []fliggy.TradeType{bill.Lines[0].TradeType, bill.Lines[1].TradeType, bill.Lines[2].TradeType}
	diff(t, "trade types", []fliggy.TradeType{fliggy.TradeIncome, fliggy.TradeIncome, fliggy.TradeRefund}, types)
	diff(
		t, "bill", []string{"ID1", "B1", "备注", "-30.50"},
		[]string{bill.BillNo, bill.BatchNo, bill.Remark, bill.TotalAmount.String()},
	)
	if w := bill.Warnings(); len(w) != 0 {
		t.Errorf("warnings %v", w)
	}

	// A total of the caller's wins, and is a warning.
	own, err := b.Total(fliggy.MustYuan("-31")).Build()
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "total", "-31", own.TotalAmount.String())
	diff(
		t, "warnings",
		[]fliggy.Problem{{Field: "total_amount", Rule: "differs from income less refunds of the lines, see LineTotal"}},
		own.Warnings(),
	)

	// What was built stays as it was while the builder goes on.
	if _, err := b.Income(billLine(fliggy.BillOrderFee, "1")).Build(); err != nil {
		t.Fatal(err)
	}
	own.Lines[0].OrderID = "changed"
	if len(bill.Lines) != 3 || bill.Lines[0].OrderID == "changed" {
		t.Errorf("a built bill changed: %+v", bill.Lines)
	}
	whole, err := NewBill("ID1", "B1").Income(
		billLine(fliggy.BillOrderFee, "1"), billLine(fliggy.BillOrderFee, "2"),
	).Build()
	if err != nil || whole.TotalAmount.String() != "3.00" {
		t.Errorf("the total of whole yuan is %v, %v; want it with fen", whole, err)
	}
	// A total of another scale is the same total.
	same, err := NewBill("ID1", "B1").Income(billLine(fliggy.BillOrderFee, "1")).Total(fliggy.MustYuan("1")).Build()
	if err != nil || len(same.Warnings()) != 0 {
		t.Errorf("%v, %v", same, err)
	}
}

func TestBillRefusals(t *testing.T) {
	t.Parallel()
	_, err := NewBill("", " ").Income(
		BillLine{}, billLine(fliggy.BillOrderFeeRefund, "1"), billLine(fliggy.BillOrderFee, "-1"),
		billLine(fliggy.BillOrderFee, "0.00"),
	).Refund(billLine(fliggy.BillOrderFee, "1")).Build()
	const at = "distributor_bill_list[0]."
	contradicts := "contradicts trade_type: 10 to 14 are income, 20 to 24 refunds"
	positive := "must be positive: trade_type says whether it is income or refund"
	var want []fliggy.Problem
	add := func(field, rule string) { want = append(want, fliggy.Problem{Field: at + field, Rule: rule}) }
	add("bill_no", "is required")
	add("req_batch_no", "is required, got white space only")
	add("total_amount", "is required") // without all amounts there is none to propose
	for _, name := range []string{"order_id", "out_order_id", "biz_type", "order_amount", "pay_trade_no", "pay_time"} {
		add("bill_detail_list[0]."+name, "is required")
	}
	add("bill_detail_list[1].biz_type", contradicts)
	add("bill_detail_list[2].order_amount", positive)
	add("bill_detail_list[3].order_amount", positive)
	add("bill_detail_list[4].biz_type", contradicts)
	diff(
		t, "error", &fliggy.ValidationError{Method: opBillNotify.Method, Problems: want}, as[*fliggy.ValidationError](t, err),
	)

	// An unknown kind of movement is not contradicted, and a line needs no type of
	// its own beyond the required ones.
	line := billLine(fliggy.BillBizType(99), "1")
	if _, err := NewBill("1", "1").Income(line).Refund(line).Build(); err != nil {
		t.Errorf("an unknown biz type: %v", err)
	}
	for biz, income := range map[fliggy.BillBizType]bool{
		fliggy.BillOrderFee: true, fliggy.BillVehicleDamageDeduction: true, fliggy.BillTrafficViolationDeduction: true,
		fliggy.BillDepositDeduction: true, fliggy.BillCancelPenalty: true,
		fliggy.BillOrderFeeRefund: false, fliggy.BillVehicleDamageDeductionRefund: false,
		fliggy.BillTrafficViolationDeductionRefund: false, fliggy.BillDepositDeductionRefund: false,
		fliggy.BillCancelPenaltyRefund: false,
	} {
		_, asIncome := NewBill("1", "1").Income(billLine(biz, "1")).Build()
		_, asRefund := NewBill("1", "1").Refund(billLine(biz, "1")).Build()
		if (asIncome == nil) != income || (asRefund == nil) == income {
			t.Errorf("%d: as income %v, as refund %v", int(biz), asIncome, asRefund)
		}
	}
}

func TestBillNotify(t *testing.T) {
	t.Parallel()
	c, g := clientFor(t, replyJSON(okReply), WithChannel(fliggy.ChannelAmap))
	bill, err := NewBill("ID1", "B1").Income(billLine(fliggy.BillOrderFee, "16.02")).Total(fliggy.MustYuan("0.00")).Build()
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Bills.Notify(context.Background(), bill)
	if err != nil {
		t.Fatal(err)
	}
	diff(
		t, "warnings",
		[]fliggy.Problem{
			{
				Field: "distributor_bill_list[0].total_amount",
				Rule:  "differs from income less refunds of the lines, see LineTotal",
			},
		},
		res.Warnings,
	)
	want := `{"distributor_bill_list":[{"bill_no":"ID1","req_batch_no":"B1","total_amount":"0.00","bill_detail_list":[{` +
		`"order_id":"3104050285204362836",` +
		`"out_order_id":"RC202212191604667539969978368","trade_type":1,"biz_type":10,"order_amount":"16.02","pay_trade_no"` +
		`:"1122334411","pay_time":"2023-02-03 19:23:32"}]}],"channel_id":"80001"}`
	diff(t, "request", want, g.last(t).form(t)[opBillNotify.Param])
	// A batch without lines is what the page allows.
	if _, err := c.Bills.Notify(
		context.Background(), &Bill{BillNo: "1", BatchNo: "1", TotalAmount: fliggy.MustYuan("0")},
	); err != nil {
		t.Error(err)
	}
	second := []Bill{*bill, {BillNo: "2"}}
	_, err = c.Bills.NotifyAll(context.Background(), &BillNotifyRequest{Bills: second})
	diff(t, "problems", []fliggy.Problem{
		{Field: "distributor_bill_list[1].req_batch_no", Rule: "is required"},
		{Field: "distributor_bill_list[1].total_amount", Rule: "is required"},
	}, as[*fliggy.ValidationError](t, err).Problems)
}

// NotifyAll sends what NewRequest has made, as Notify does, and NewRequest refuses what Notify refuses.
func TestBillNewRequest(t *testing.T) {
	t.Parallel()
	c, g := clientFor(t, replyJSON(okReply), WithChannel(fliggy.ChannelAmap))
	bill := &Bill{BillNo: "1", BatchNo: "1", TotalAmount: fliggy.MustYuan("0")}
	req, err := c.Bills.NewRequest(bill)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Bills.NotifyAll(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	stored := g.last(t).form(t)[opBillNotify.Param]
	if _, err := c.Bills.Notify(t.Context(), bill); err != nil {
		t.Fatal(err)
	}
	diff(t, "request", g.last(t).form(t)[opBillNotify.Param], stored)
	for _, bad := range []*Bill{nil, {BillNo: "1"}} {
		_, stored := c.Bills.NewRequest(bad)
		_, sent := c.Bills.Notify(t.Context(), bad)
		diff(t, "problems", as[*fliggy.ValidationError](t, sent), as[*fliggy.ValidationError](t, stored))
	}
}

func drawBill(rt *rapid.T) *Bill {
	b := NewBill("ID1", "B1")
	cents := rapid.Int64Range(1, 1_000_000_00)
	for range rapid.IntRange(0, 12).Draw(rt, "lines") {
		amount := decimal.New(cents.Draw(rt, "cents"), -2).StringFixed(2)
		if rapid.Bool().Draw(rt, "income") {
			b.Income(billLine(fliggy.BillOrderFee, amount))
		} else {
			b.Refund(billLine(fliggy.BillOrderFeeRefund, amount))
		}
	}
	if rapid.Bool().Draw(rt, "own total") {
		b.Total(fliggy.YuanOf(decimal.New(rapid.Int64Range(-1e9, 1e9).Draw(rt, "total"), -2)))
	}
	bill, err := b.Build()
	if err != nil {
		rt.Fatal(err)
	}
	return bill
}

// Splitting loses no line, changes no order, keeps number and remark, and leaves
// the sum of the totals what it was.
func TestBillSplitPreserves(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		bill := drawBill(rt)
		bill.Remark = "r"
		size := rapid.IntRange(1, 15).Draw(rt, "size")
		parts, err := bill.Split(size, func(i int) string { return fmt.Sprintf("B1-%02d", i) })
		if err != nil {
			rt.Fatal(err)
		}
		var lines []BillLine
		total := fliggy.MustYuan("0")
		for i, p := range parts {
			if len(p.Lines) > size || len(p.Lines) == 0 && len(bill.Lines) > 0 {
				rt.Fatalf("batch %d has %d lines of %d", i, len(p.Lines), size)
			}
			if p.BillNo != bill.BillNo || p.Remark != bill.Remark || p.BatchNo != fmt.Sprintf("B1-%02d", i) {
				rt.Fatalf("batch %d: %+v", i, p)
			}
			sum, err := p.LineTotal()
			if err != nil || !p.TotalAmount.IsSet() || i+1 < len(parts) && !p.TotalAmount.Equal(sum) {
				rt.Fatalf("batch %d has the total %v of %v, %v", i, p.TotalAmount, sum, err)
			}
			if err := p.Validate(); err != nil {
				rt.Fatal(err)
			}
			lines = append(lines, p.Lines...)
			total = total.Add(p.TotalAmount)
		}
		if want := (len(bill.Lines) + size - 1) / size; len(parts) != max(want, 1) {
			rt.Fatalf("%d batches, want %d", len(parts), want)
		}
		diff(t, "lines", bill.Lines, lines)
		if !total.Equal(bill.TotalAmount) {
			rt.Fatalf("the totals add up to %v, want %v", total, bill.TotalAmount)
		}
		// A batch that grows leaves its neighbours alone.
		before := len(lines)
		parts[0].Lines = append(parts[0].Lines, BillLine{OrderID: "new"})
		for _, p := range parts[1:] {
			if p.Lines[0].OrderID == "new" {
				rt.Fatalf("batch grew into the next of %d lines", before)
			}
		}
	})
}

func TestBillSplitRefusals(t *testing.T) {
	t.Parallel()
	bill := someBill(t)
	bill.Lines = append(bill.Lines, bill.Lines[0])
	number := func(i int) string { return fmt.Sprint(i) }
	for name, tc := range map[string]struct {
		size  int
		batch func(int) string
		want  string
	}{
		"no size":       {0, number, "rentcar: split bill: the size must be positive"},
		"negative size": {-1, number, "rentcar: split bill: the size must be positive"},
		"no numbers":    {1, nil, "rentcar: split bill: batchNo is nil: name each batch"},
		"one number": {
			1, func(int) string { return "B1" }, "rentcar: split bill: batch 1 has the number of an earlier one",
		},
	} {
		if parts, err := bill.Split(tc.size, tc.batch); parts != nil || err == nil || err.Error() != tc.want {
			t.Errorf("%s: %v, %v; want %s", name, parts, err, tc.want)
		}
	}
	for _, size := range []int{2, 3, math.MaxInt} {
		if parts, err := bill.Split(size, number); err != nil || len(parts) != 1 {
			t.Errorf("size %d: %d batches, %v", size, len(parts), err)
		}
	}
	// Without a total the lines are the total.
	open := &Bill{BillNo: "1", Lines: bill.Lines}
	parts, err := open.Split(1, number)
	if err != nil || parts[0].TotalAmount.String() != "16.02" || parts[1].TotalAmount.String() != "16.02" {
		t.Errorf("%v, %v", parts, err)
	}
	// Batches are checked like any bill before they are sent.
	blank, err := bill.Split(1, func(i int) string { return strings.Repeat(" ", i) })
	if err != nil {
		t.Fatal(err)
	}
	if as[*fliggy.ValidationError](t, blank[0].Validate()) == nil {
		t.Error("a batch without a number is in order")
	}
}

// A bill whose lines lack an amount or a trade type has no total and no parts, and
// one that says a total anyway is told that nobody could compare it.
func TestBillWithoutAmounts(t *testing.T) {
	t.Parallel()
	whole := billLine(fliggy.BillOrderFee, "5")
	whole.TradeType = fliggy.TradeIncome
	noAmount, noType, unknownType := whole, whole, whole
	noAmount.OrderAmount, noType.TradeType, unknownType.TradeType = fliggy.Yuan{}, 0, 3
	for field, line := range map[string]BillLine{
		"order_amount": noAmount, "trade_type": noType, " trade_type": unknownType,
	} {
		field = "bill_detail_list[1]." + strings.TrimSpace(field)
		b := &Bill{BillNo: "1", BatchNo: "1", TotalAmount: fliggy.MustYuan("5.00"), Lines: []BillLine{whole, line}}
		total, err := b.LineTotal()
		if ps := as[*fliggy.ValidationError](t, err).Problems; total.IsSet() || len(ps) != 1 || ps[0].Field != field {
			t.Errorf("%s: total %q, %v", field, total, err)
		}
		diff(
			t, field, []fliggy.Problem{{Field: "total_amount", Rule: "cannot be compared with the lines, see LineTotal"}},
			b.Warnings(),
		)
		if parts, err := b.Split(
			1, func(i int) string { return fmt.Sprint(i) },
		); parts != nil || err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: split into %v, %v", field, parts, err)
		}
	}
}

func TestSplitWithNamesThatPanic(t *testing.T) {
	t.Parallel()
	parts, err := billOf(3).Split(1, func(i int) string { return []string{"a", "b"}[i] })
	if parts != nil || !isPanic(err) || !strings.HasPrefix(
		err.Error(), "rentcar: split bill: batch 2: panic in batchNo: ",
	) {
		t.Errorf("%v, %v", parts, err)
	}
}

// A bill is built once as JSON and once as a form: a call allocates at most four times
// its JSON.
func TestMemoryOfBills(t *testing.T) {
	rt := newSteady()
	plan, err := top.PlanFor(reflect.TypeFor[BillNotifyRequest]())
	if err != nil {
		t.Fatal(err)
	}
	c := testClient(t, rt, WithChannel(fliggy.ChannelAmap))
	notify := func(bill *Bill) {
		if _, err := c.Bills.Notify(t.Context(), bill); err != nil {
			t.Fatal(err)
		}
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection would empty the pools
	for _, lines := range []int{10, 100, 1_000, 10_000, 100_000} {
		if poolsLose {
			lines /= 10 // it is slow
		}
		bill := billOf(lines)
		text, err := plan.AppendJSON(nil, &BillNotifyRequest{Bills: []Bill{*bill}}, top.EncodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		limit := uint64(64<<10 + 4*len(text))
		if poolsLose { // the race detector allocates too
			limit += limit / 2
		}
		calls := 1 + 1000/lines
		notify(billOf(100)) // fills the pools
		rt.read = 0
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range calls {
			notify(bill)
		}
		runtime.ReadMemStats(&after)
		if allocated := (after.TotalAlloc - before.TotalAlloc) / uint64(calls); allocated > limit {
			t.Errorf("%d lines: %d bytes allocated in a call, want at most %d", lines, allocated, limit)
		}
		if per := rt.read / int64(calls*lines); per < 400 || per > 1500 {
			t.Errorf("%d lines: %d bytes sent for each", lines, per)
		}
	}
}

// The total is that of exact decimals, whatever the amounts look like; and there is
// none as soon as one line lacks its amount, or says not whether it is income. (Both
// counted as 0 and as income here before: money moved on a guess.)
func TestLineTotalProperty(t *testing.T) {
	t.Parallel()
	amounts := rapid.OneOf(
		rapid.StringMatching(`-?[0-9]{1,12}(\.[0-9]{1,4})?`),
		rapid.SampledFrom([]string{"0", "0.00", "-0.01", "99999999.99", "-99999999.9", "100000000", "1e20", "1.5e-30"}),
	)
	rapid.Check(t, func(t *rapid.T) {
		var b Bill
		want := decimal.New(0, -2)
		for _, text := range rapid.SliceOf(amounts).Draw(t, "amounts") {
			l := BillLine{
				TradeType:   rapid.SampledFrom([]fliggy.TradeType{fliggy.TradeIncome, fliggy.TradeRefund}).Draw(t, "type"),
				OrderAmount: fliggy.MustYuan(text),
			}
			if rapid.IntRange(0, 20).Draw(t, "huge") == 0 {
				l.OrderAmount = fliggy.YuanOf(decimal.New(5, 1100)) // which has no plain notation
			}
			b.Lines = append(b.Lines, l)
			amount, _ := l.OrderAmount.Decimal()
			if l.TradeType == fliggy.TradeRefund {
				amount = amount.Neg()
			}
			want = want.Add(amount)
		}
		if got, err := b.LineTotal(); err != nil || got != fliggy.YuanOf(want) {
			t.Fatalf("got %v, %v, want %v", got, err, want)
		}
		if len(b.Lines) == 0 {
			return
		}
		broken := &b.Lines[rapid.IntRange(0, len(b.Lines)-1).Draw(t, "broken")]
		if rapid.Bool().Draw(t, "of unknown type") {
			broken.TradeType = rapid.SampledFrom([]fliggy.TradeType{0, 3}).Draw(t, "other type")
		} else {
			broken.OrderAmount = fliggy.Yuan{}
		}
		if got, err := b.LineTotal(); err == nil || got.IsSet() {
			t.Fatalf("got %v, %v without an amount or type", got, err)
		}
	})
}

// billOf is a bill with that many lines.
func billOf(lines int) *Bill {
	b := &Bill{BillNo: "ID20230203", BatchNo: "20230203001", Remark: "备注: a/b \"c\"\n", Lines: make([]BillLine, lines)}
	for i := range b.Lines {
		n := strconv.Itoa(i)
		b.Lines[i] = BillLine{
			OrderID: fliggy.ID("31879835310242" + n), OutOrderID: "OUT/" + n, TradeType: fliggy.TradeIncome,
			BizType:     fliggy.BillOrderFee,
			OrderAmount: fliggy.MustYuan("200.98"), PayTradeNo: "2023020322001" + n,
			PayTime: fliggy.MustTime("2023-02-03 19:23:32"), PayType: fliggy.PayAlipay,
			CustomerPaidAmount: fliggy.MustYuan("190.98"), RealConsumeAmount: fliggy.MustYuan("200.98"),
			DiscountAmount:            fliggy.MustYuan("10.00"),
			DistributorDiscountAmount: fliggy.MustYuan("0.00"), CommissionAmount: fliggy.MustYuan("20.10"),
			PayChannelAmount: fliggy.MustYuan("1.2"),
			OrderStatus:      "已完成", Ext: `{"city":"上海"}`,
		}
	}
	b.TotalAmount, _ = b.LineTotal()
	return b
}

// wantSigned checks what was sent against the protocol: the parameters of query and
// form together, signed, and the request as one would encode it whole.
func wantSigned(t *testing.T, s sent, m SignMethod, name string, req *BillNotifyRequest) {
	t.Helper()
	query, form := s.query(t), s.form(t)
	plan, err := top.PlanFor(reflect.TypeFor[BillNotifyRequest]())
	if err != nil {
		t.Fatal(err)
	}
	text, err := plan.AppendJSON(nil, req, top.EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if form[name] != string(text) {
		t.Errorf("%d lines: %d bytes sent, want %d", len(req.Bills[0].Lines), len(form[name]), len(text))
	}
	all := map[string]string{}
	for _, part := range []map[string]string{query, form} {
		for name, value := range part {
			all[name] = value
		}
	}
	want, err := Sign(m, testSecret, all, nil)
	if err != nil || query["sign"] != want {
		t.Errorf("%d lines: signature %s, want %s", len(req.Bills[0].Lines), query["sign"], want)
	}
}

// A bill is the same whether it is held or not, and each attempt is signed.
func TestLongBillsAreSignedAndSent(t *testing.T) {
	t.Parallel()
	for name, names := range map[string]Names{
		"as documented":                 {},
		"named to stand behind all":     {Param: "zzz"},
		"named to stand before all":     {Param: "Bill/req"},
		"named to stand after the time": {Param: "timestamp_"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			param := opBillNotify.Param
			if names.Param != "" {
				param = names.Param
			}
			for _, method := range []SignMethod{MD5, HMACMD5, HMACSHA256} {
				fails := true
				var lengths []int64
				c, g := clientFor(t, func(r *http.Request) (*http.Response, error) {
					lengths = append(lengths, r.ContentLength)
					if fails = !fails; !fails {
						return replyJSON(`{"error_response":{"code":7,"sub_code":"accesscontrol.limited-by-api-access-count"}}`)(r)
					}
					return replyJSON(`{"successful":true}`)(r)
				}, WithSignMethod(method), WithRetry(RetryPolicy{}), withFakeTime(&fakeTime{}), WithNames(
					opBillNotify.Method, names,
				))
				for _, lines := range []int{1, 10, 13, 14, 15, 16, 17, 18, 60, 300} {
					fails = true
					req := &BillNotifyRequest{ChannelID: fliggy.ChannelAmap, Bills: []Bill{*billOf(lines)}}
					before := g.count()
					_, err := c.Bills.NotifyAll(t.Context(), req, CallParam("a", "/1 "), CallParam("zz", "飞猪"))
					if err != nil || g.count() != before+2 {
						t.Fatalf("%d lines: %d attempts, %v", lines, g.count()-before, err)
					}
					for i, s := range g.sent[before:] {
						wantSigned(t, s, method, param, req)
						if length := lengths[before+i]; length != int64(len(s.body)) {
							t.Errorf("%d lines: length %d of %d", lines, length, len(s.body))
						}
					}
				}
			}
		})
	}
}
