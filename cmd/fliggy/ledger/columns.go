package ledger

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
)

// A column is a member of a line of a bill: the headings that it may have, and how its text is read.
type column struct {
	name     string   // that of the API, in lower case
	headings []string // further ones
	required bool
	set      func(line *rentcar.BillLine, text string) error
}

// columns are all columns. A file may have them in any order, and leave out those that are not required.
var columns = []column{
	{"order_id", []string{"飞猪订单号"}, true, func(l *rentcar.BillLine, s string) error {
		l.OrderID = fliggy.ID(s)
		return checkID(s)
	}},
	{"out_order_id", []string{"分销商订单号", "渠道订单号"}, true, func(l *rentcar.BillLine, s string) error {
		l.OutOrderID = s
		return checkID(s)
	}},
	{"trade_type", []string{"交易类型", "收支类型"}, false, func(l *rentcar.BillLine, s string) (err error) {
		l.TradeType, err = oneOf(s, tradeTypes)
		return err
	}},
	{"biz_type", []string{"业务类型"}, true, func(l *rentcar.BillLine, s string) (err error) {
		l.BizType, err = oneOf(s, bizTypes)
		return err
	}},
	{"order_amount", []string{"金额", "订单金额", "金额(元)", "金额（元）"}, true, amount(func(l *rentcar.BillLine) *fliggy.Yuan {
		return &l.OrderAmount
	})},
	{"pay_trade_no", []string{"交易流水号", "支付流水号", "流水号"}, true, func(l *rentcar.BillLine, s string) error {
		l.PayTradeNo = s
		return checkID(s)
	}},
	{"pay_time", []string{"交易时间", "支付时间"}, true, func(l *rentcar.BillLine, s string) (err error) {
		l.PayTime, err = parseTime(s)
		return err
	}},
	{"pay_type", []string{"支付方式"}, false, func(l *rentcar.BillLine, s string) (err error) {
		l.PayType, err = oneOf(s, payTypes)
		return err
	}},
	{"user_real_pay_amount", []string{"用户实付", "用户实付金额"}, false, amount(func(l *rentcar.BillLine) *fliggy.Yuan {
		return &l.CustomerPaidAmount
	})},
	{"real_consume_amount", []string{"实际消费", "实际消费金额"}, false, amount(func(l *rentcar.BillLine) *fliggy.Yuan {
		return &l.RealConsumeAmount
	})},
	{"discount_amount", []string{"飞猪优惠", "飞猪承担优惠"}, false, amount(func(l *rentcar.BillLine) *fliggy.Yuan {
		return &l.DiscountAmount
	})},
	{"distributor_discount_amount", []string{"分销商优惠", "分销商承担优惠"}, false, amount(
		func(l *rentcar.BillLine) *fliggy.Yuan { return &l.DistributorDiscountAmount },
	)},
	{"commission_amount", []string{"佣金"}, false, amount(func(l *rentcar.BillLine) *fliggy.Yuan {
		return &l.CommissionAmount
	})},
	{"pay_channel_amount", []string{"支付通道费"}, false, amount(func(l *rentcar.BillLine) *fliggy.Yuan {
		return &l.PayChannelAmount
	})},
	{"order_status", []string{"订单状态"}, false, func(l *rentcar.BillLine, s string) error {
		l.OrderStatus = s
		return checkText(s)
	}},
	{"ext", []string{"扩展信息"}, false, func(l *rentcar.BillLine, s string) error {
		l.Ext = s
		return checkText(s)
	}},
}

// columnOf finds the column of a heading, nil if there is none.
func columnOf(heading string) *column {
	heading = strings.ToLower(strings.TrimSpace(heading))
	for i := range columns {
		c := &columns[i]
		if heading == c.name {
			return c
		}
		for _, other := range c.headings {
			if heading == other {
				return c
			}
		}
	}
	return nil
}

// The words for values that the API has numbers for.
var (
	tradeTypes = map[string]fliggy.TradeType{"收入": fliggy.TradeIncome, "退款": fliggy.TradeRefund}
	bizTypes   = map[string]fliggy.BillBizType{
		"订单费用": fliggy.BillOrderFee, "车损押金扣款": fliggy.BillVehicleDamageDeduction,
		"违章押金扣款": fliggy.BillTrafficViolationDeduction, "押金扣款": fliggy.BillDepositDeduction,
		"有损取消": fliggy.BillCancelPenalty, "订单费用退款": fliggy.BillOrderFeeRefund,
		"车损押金扣款退款": fliggy.BillVehicleDamageDeductionRefund, "违章押金扣款退款": fliggy.BillTrafficViolationDeductionRefund,
		"押金扣款退款": fliggy.BillDepositDeductionRefund, "有损取消退款": fliggy.BillCancelPenaltyRefund,
	}
	payTypes = map[string]fliggy.PayType{
		"支付宝": fliggy.PayAlipay, "微信": fliggy.PayWeChat, "微信支付": fliggy.PayWeChat, "滴滴支付": fliggy.PayDidi,
	}
)

// oneOf reads a number of the API, or a word for it. Numbers that are not listed are wrong here: a typing error must
// not become a movement of an unknown kind.
func oneOf[T ~int](s string, words map[string]T) (T, error) {
	if v, ok := words[s]; ok {
		return v, nil
	}
	known := map[T]bool{}
	for _, v := range words {
		known[v] = true
	}
	if n, err := strconv.Atoi(s); err == nil && known[T(n)] {
		return T(n), nil
	}
	return 0, fmt.Errorf("want one of the numbers of the API, such as %s", examples(known))
}

// examples lists numbers in their order.
func examples[T ~int](known map[T]bool) string {
	var out []string
	for n := range 100 {
		if known[T(n)] {
			out = append(out, strconv.Itoa(n))
		}
	}
	return strings.Join(out, ", ")
}

var (
	amountForm = regexp.MustCompile(`^[0-9]+(\.[0-9]{1,2})?$`)
	scientific = regexp.MustCompile(`^[0-9](\.[0-9]+)?[eE]\+?[0-9]+$`)
)

// amount reads an amount in yuan, exactly: neither rounded nor guessed.
func amount(of func(*rentcar.BillLine) *fliggy.Yuan) func(*rentcar.BillLine, string) error {
	return func(l *rentcar.BillLine, s string) error {
		if !amountForm.MatchString(s) {
			return fmt.Errorf("want yuan with two decimals at most, such as 1234.50: no sign, no comma, no currency")
		}
		y, err := fliggy.ParseYuan(s)
		*of(l) = y
		return err
	}
}

// maxText is how many bytes an id or another text may have.
const maxText = 4096

// checkID finds ids that a spreadsheet has spoilt.
func checkID(s string) error {
	if scientific.MatchString(s) {
		return errors.New("the spreadsheet has rounded the number: format the column as text and enter it again")
	}
	return checkText(s)
}

// checkText finds what is no text of a bill.
func checkText(s string) error {
	if strings.ContainsFunc(s, unicode.IsControl) {
		return errors.New("a control character, such as a tab or a line break, is in it: remove it")
	}
	if len(s) > maxText {
		return fmt.Errorf("%d bytes long: want %d at most", len(s), maxText)
	}
	return nil
}

// timeForms are those of the API and of spreadsheets in Chinese.
var timeForms = []string{"2006-01-02 15:04:05", "2006-01-02 15:04", "2006/1/2 15:04:05", "2006/1/2 15:04"}

// parseTime reads a time in GMT+8.
func parseTime(s string) (fliggy.Time, error) {
	for _, form := range timeForms {
		if t, err := time.ParseInLocation(form, s, fliggy.Zone()); err == nil && t.Year() >= 2000 {
			return fliggy.At(t), nil
		}
	}
	return fliggy.Time{}, fmt.Errorf("want a time such as 2026-12-01 10:00:00 or 2026/12/1 10:00, in GMT+8")
}
