package rentcar

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
	"github.com/fliggy-go/rentcar/internal/contain"
)

// BillService pushes settlement bills (结算单) to Fliggy.
type BillService struct{ client *Client }

var opBillNotify = bind[BillNotifyRequest, BillNotifyResult](api.BillNotify)

// Notify pushes one batch of a bill (租车分销账单推送). Build it with NewBill, cut a
// long one with Bill.Split. When the error matches ErrOutcomeUnknown the batch
// may have been booked; whether Fliggy tells repeats apart by the batch number is
// not documented. The bill is encoded before it is sent, once as JSON and once as a
// form, and may be changed as soon as the call has returned.
//
// API: alitrip.rentcar.btb.bill.notify.
func (s *BillService) Notify(ctx context.Context, bill *Bill, opts ...CallOption) (*BillNotifyResult, error) {
	if bill == nil {
		return nil, s.client.refused(ctx, api.BillNotify.Method, bill.Validate(), nil)
	}
	return s.NotifyAll(ctx, &BillNotifyRequest{Bills: []Bill{*bill}}, opts...)
}

// NewRequest returns what Notify sends for a bill, for whoever stores it first: the bill is validated, and the channel
// is the client's. [BillService.NotifyAll] sends it.
func (s *BillService) NewRequest(bill *Bill) (*BillNotifyRequest, error) {
	if bill == nil {
		return nil, bill.Validate()
	}
	req := &BillNotifyRequest{Bills: []Bill{*bill}}
	req.defaultChannel(s.client.cfg.channel)
	if err := req.Validate(); err != nil {
		return nil, err
	}
	return req, nil
}

// NotifyAll pushes several batches in one call. Do not change them before it has
// returned.
//
// API: alitrip.rentcar.btb.bill.notify.
func (s *BillService) NotifyAll(
	ctx context.Context, req *BillNotifyRequest, opts ...CallOption,
) (*BillNotifyResult, error) {
	return invoke(ctx, s.client, opBillNotify, req, opts)
}

// A BillNotifyRequest is one push of settlement bills.
//
// Source: alitrip.rentcar.btb.bill.notify.
type BillNotifyRequest struct {
	// Bills are the batches. Optional by the page; one at least is required here.
	Bills []Bill `top:"distributor_bill_list,wrap=distributor_bill"`
	// ChannelID is the distribution channel (分销渠道); empty takes the client's.
	// Required.
	ChannelID fliggy.Channel `top:"channel_id,required"`
	// TraceID is an id of your choice, for troubleshooting only. Optional.
	TraceID string `top:"trace_id"`
	// Exts is extension data (扩展信息), the text of a JSON object. Optional.
	Exts fliggy.Exts `top:"exts"`
}

// Validate lists what is wrong with the request in a *ValidationError. The channel
// counts as missing here even if the client would fill it.
func (r *BillNotifyRequest) Validate() error { return validate(api.BillNotify, r) }

func (r *BillNotifyRequest) defaultChannel(c fliggy.Channel) { setDefault(&r.ChannelID, c) }

func (r *BillNotifyRequest) rules(ps *fliggy.Problems) {
	if len(r.Bills) == 0 {
		ps.Add("distributor_bill_list", "must hold a bill")
	}
	for i := range r.Bills {
		*ps = append(*ps, inBill(i, r.Bills[i].lineProblems())...)
	}
}

// Warnings lists totals that differ from their lines.
func (r *BillNotifyRequest) Warnings() []fliggy.Problem {
	var ps fliggy.Problems
	for i := range r.Bills {
		ps = append(ps, inBill(i, r.Bills[i].Warnings())...)
	}
	return ps
}

// inBill says which bill problems are of.
func inBill(i int, ps fliggy.Problems) fliggy.Problems {
	if len(ps) == 0 {
		return nil
	}
	return ps.In(fmt.Sprintf("distributor_bill_list[%d]", i))
}

// A Bill is one batch of a settlement bill (账单): movements of money that were
// transferred at once.
//
// Source: alitrip.rentcar.btb.bill.notify.
type Bill struct {
	// BillNo is the distributor's number of the settlement bill (结算单号); all
	// batches of one settlement period share it. Required.
	BillNo string `top:"bill_no,required"`
	// BatchNo is the number of this batch (通知批次号). Required.
	BatchNo string `top:"req_batch_no,required"`
	// TotalAmount is what was transferred, in yuan; negative when refunds exceed
	// income. Required.
	TotalAmount fliggy.Yuan `top:"total_amount,required"`
	// Remark is a remark (备注). Optional.
	Remark string `top:"remark"`
	// Lines are the movements (订单明细). Optional by the page; a batch without any
	// is a warning.
	Lines []BillLine `top:"bill_detail_list,wrap=bill_detail"`
}

// A BillLine is one movement of money on an order.
//
// Source: alitrip.rentcar.btb.bill.notify; for renewals the B2B renewal guide.
type BillLine struct {
	// OrderID is Fliggy's order id (飞猪订单号), sent as text, not necessarily digits.
	// For a renewal it is the id of the MAIN order, although the renewal has an
	// order of its own. Required.
	OrderID fliggy.ID `top:"order_id,required"`
	// OutOrderID is the distributor's order id (分销商订单号). For a renewal it is the
	// id of the MAIN order. Required.
	OutOrderID string `top:"out_order_id,required"`
	// TradeType is income or refund (交易类型); NewBill sets it. Required.
	TradeType fliggy.TradeType `top:"trade_type,required"`
	// BizType is what the movement is for (业务类型): 10 to 14 income, 20 to 24
	// refunds. Required.
	BizType fliggy.BillBizType `top:"biz_type,required"`
	// OrderAmount is the amount of the movement in yuan, always positive. Required.
	OrderAmount fliggy.Yuan `top:"order_amount,required"`
	// PayTradeNo is the trade number of the movement (交易流水号). Required.
	PayTradeNo string `top:"pay_trade_no,required"`
	// PayTime is when the money was transferred, China time. Required.
	PayTime fliggy.Time `top:"pay_time,required"`
	// PayType is how the customer paid (支付方式). Optional.
	PayType fliggy.PayType `top:"pay_type"`
	// CustomerPaidAmount is what the customer actually paid (实付), in yuan. Optional.
	CustomerPaidAmount fliggy.Yuan `top:"user_real_pay_amount"`
	// RealConsumeAmount is the real consumption, online and offline, in yuan.
	// Optional.
	RealConsumeAmount fliggy.Yuan `top:"real_consume_amount"`
	// DiscountAmount is the discount that Fliggy bears, in yuan. Optional.
	DiscountAmount fliggy.Yuan `top:"discount_amount"`
	// DistributorDiscountAmount is the discount that the distributor bears, in
	// yuan. Optional.
	DistributorDiscountAmount fliggy.Yuan `top:"distributor_discount_amount"`
	// CommissionAmount is the commission (佣金) in yuan. Optional.
	CommissionAmount fliggy.Yuan `top:"commission_amount"`
	// PayChannelAmount is the payment channel fee (支付通道费) in yuan. Optional.
	PayChannelAmount fliggy.Yuan `top:"pay_channel_amount"`
	// OrderStatus is the status of the order in the distributor's terms. Optional.
	OrderStatus string `top:"order_status"`
	// Ext is extension data, JSON text (ext here, not exts). Optional.
	Ext string `top:"ext"`
}

// Validate lists what is wrong with the batch in a *ValidationError.
func (b *Bill) Validate() error {
	if b == nil {
		return invalid(api.BillNotify.Method, "bill", "must not be nil")
	}
	req := BillNotifyRequest{ChannelID: "any", Bills: []Bill{*b}}
	return req.Validate()
}

// lineProblems checks what the tags cannot say.
func (b *Bill) lineProblems() fliggy.Problems {
	var ps fliggy.Problems
	for i := range b.Lines {
		l := &b.Lines[i]
		add := func(field, rule string) { ps.Add(fmt.Sprintf("bill_detail_list[%d].%s", i, field), "%s", rule) }
		if l.OrderAmount.IsSet() && !l.OrderAmount.IsPositive() {
			add("order_amount", "must be positive: trade_type says whether it is income or refund")
		}
		income, refund := l.BizType.IsIncome(), l.BizType.IsRefund()
		if l.TradeType == fliggy.TradeIncome && refund || l.TradeType == fliggy.TradeRefund && income {
			add("biz_type", "contradicts trade_type: 10 to 14 are income, 20 to 24 refunds")
		}
	}
	return ps
}

// LineTotal returns the income of the lines less their refunds, in yuan: the total
// that NewBill proposes. It is unset, with a *ValidationError that names the
// members, when a line has no amount, or is neither income nor a refund.
func (b *Bill) LineTotal() (fliggy.Yuan, error) {
	var ps fliggy.Problems
	fen, rest := int64(0), decimal.New(0, -2) // a sum of decimals would allocate for each line
	for i := range b.Lines {
		l := &b.Lines[i]
		if l.TradeType != fliggy.TradeIncome && l.TradeType != fliggy.TradeRefund {
			ps.Add(fmt.Sprintf("bill_detail_list[%d].trade_type", i), "must be income or refund for a total")
		}
		if !l.OrderAmount.IsSet() {
			ps.Add(fmt.Sprintf("bill_detail_list[%d].order_amount", i), "is missing, so that there is no total")
			continue
		}
		n, ok := smallFen(l.OrderAmount.String())
		if l.TradeType == fliggy.TradeRefund {
			n = -n
		}
		if ok {
			fen += n
			continue
		}
		amount, _ := l.OrderAmount.Decimal()
		if l.TradeType == fliggy.TradeRefund {
			amount = amount.Neg()
		}
		rest = rest.Add(amount)
	}
	switch err := ps.Err(api.BillNotify.Method); {
	case err != nil:
		return fliggy.Yuan{}, err
	case rest.IsZero() && rest.Exponent() == -2: // nothing was added to it
		return fliggy.FenOf(fen).Yuan(), nil
	}
	return fliggy.YuanOf(rest.Add(decimal.New(fen, -2))), nil
}

// smallFen reads an amount of at most two decimals, so small that no number of them
// in memory overflows.
func smallFen(yuan string) (fen int64, ok bool) {
	unsigned := strings.TrimPrefix(yuan, "-")
	whole, fraction, _ := strings.Cut(unsigned, ".")
	if len(whole) > 8 || len(fraction) > 2 {
		return 0, false
	}
	for _, digits := range [...]string{whole, (fraction + "00")[:2]} {
		for i := range len(digits) {
			digit := digits[i] - '0'
			if digit > 9 { // of a number in scientific notation
				return 0, false
			}
			fen = 10*fen + int64(digit)
		}
	}
	if unsigned != yuan {
		fen = -fen
	}
	return fen, true
}

// Warnings says when there are no lines, or when the total differs from them, or
// cannot be compared with them.
// That refuses nothing: what else enters the total, such as commission, is not
// documented.
func (b *Bill) Warnings() []fliggy.Problem {
	var ps fliggy.Problems
	if len(b.Lines) == 0 {
		ps.Add("bill_detail_list", "is empty: the batch has no movement")
	}
	sum, err := b.LineTotal()
	switch {
	case !b.TotalAmount.IsSet() || len(b.Lines) == 0: // there is nothing to compare
	case err != nil:
		ps.Add("total_amount", "cannot be compared with the lines, see LineTotal")
	case !sum.Equal(b.TotalAmount):
		ps.Add("total_amount", "differs from income less refunds of the lines, see LineTotal")
	}
	return ps
}

// Split cuts a bill into batches of at most size lines that share its number and
// remark. batchNo names the batches, from 0, in place of the bill's BatchNo; the batches' totals add up to the
// bill's: each is the total of its lines, and where the bill's total differs from
// its lines the last batch carries the difference. A line without an amount or a
// trade type is an error, as in LineTotal; a panic of batchNo is one that holds a
// *PanicError.
func (b *Bill) Split(size int, batchNo func(i int) string) ([]*Bill, error) {
	if size <= 0 {
		return nil, errors.New("rentcar: split bill: the size must be positive")
	}
	if batchNo == nil {
		return nil, errors.New("rentcar: split bill: batchNo is nil: name each batch")
	}
	rest, err := b.LineTotal()
	if err != nil {
		return nil, fmt.Errorf("rentcar: split bill: %w", err)
	}
	if b.TotalAmount.IsSet() {
		rest = b.TotalAmount
	}
	seen := map[string]bool{}
	var out []*Bill
	for at := 0; at == 0 || at < len(b.Lines); at += size {
		end := min(at+size, len(b.Lines))
		var number string
		if err := contain.Call("batchNo", func() error { number = batchNo(len(out)); return nil }); err != nil {
			return nil, fmt.Errorf("rentcar: split bill: batch %d: %w", len(out), err)
		}
		part := &Bill{BillNo: b.BillNo, BatchNo: number, Remark: b.Remark, Lines: b.Lines[at:end:end]}
		if seen[part.BatchNo] {
			return nil, fmt.Errorf("rentcar: split bill: batch %d has the number of an earlier one", len(out))
		}
		seen[part.BatchNo] = true
		part.TotalAmount = rest
		if end < len(b.Lines) {
			part.TotalAmount, _ = part.LineTotal() // the bill has one, so has each of its parts
		}
		rest = rest.Sub(part.TotalAmount)
		out = append(out, part)
	}
	return out, nil
}

// A BillNotifyResult says that the bills were taken.
//
// Source: alitrip.rentcar.btb.bill.notify.
type BillNotifyResult struct {
	Meta
	Status
}

// A BillBuilder collects the lines of a bill. Make one with NewBill.
type BillBuilder struct{ bill Bill }

// NewBill starts a batch of the settlement bill billNo (结算单号) with the batch
// number batchNo (通知批次号). Lines of renewals carry the ids of the main order.
//
//	bill, err := rentcar.NewBill("ID20230203", "20230203001").
//		Income(rentcar.BillLine{OrderID: mainOrder, OutOrderID: mine, BizType: fliggy.BillOrderFee, ...}).
//		Refund(rentcar.BillLine{OrderID: mainOrder, OutOrderID: mine, BizType: fliggy.BillOrderFeeRefund, ...}).
//		Build()
func NewBill(billNo, batchNo string) *BillBuilder {
	return &BillBuilder{Bill{BillNo: billNo, BatchNo: batchNo}}
}

// Income adds lines of income (收入): it sets their trade type.
func (b *BillBuilder) Income(lines ...BillLine) *BillBuilder { return b.add(fliggy.TradeIncome, lines) }

// Refund adds lines of refunds (退款): it sets their trade type.
func (b *BillBuilder) Refund(lines ...BillLine) *BillBuilder { return b.add(fliggy.TradeRefund, lines) }

func (b *BillBuilder) add(t fliggy.TradeType, lines []BillLine) *BillBuilder {
	for _, l := range lines {
		l.TradeType = t
		b.bill.Lines = append(b.bill.Lines, l)
	}
	return b
}

// Total sets what was transferred, where it is not income less refunds of the
// lines.
func (b *BillBuilder) Total(amount fliggy.Yuan) *BillBuilder {
	b.bill.TotalAmount = amount
	return b
}

// Remark sets the remark.
func (b *BillBuilder) Remark(text string) *BillBuilder {
	b.bill.Remark = text
	return b
}

// Build returns the bill with its total, or everything that is wrong with it in
// one *ValidationError.
func (b *BillBuilder) Build() (*Bill, error) {
	bill := b.bill
	bill.Lines = append([]BillLine(nil), b.bill.Lines...)
	if !bill.TotalAmount.IsSet() {
		bill.TotalAmount, _ = bill.LineTotal() // what it lacks for that, Validate names too
	}
	if err := bill.Validate(); err != nil {
		return nil, err
	}
	return &bill, nil
}
