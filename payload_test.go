package rentcar

import (
	"net/http"
	"reflect"
	"strconv"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
)

// billOf is a bill with that many lines.
func billOf(lines int) *Bill {
	b := &Bill{BillNo: "ID20230203", BatchNo: "20230203001", Remark: "备注: a/b \"c\"\n", Lines: make([]BillLine, lines)}
	for i := range b.Lines {
		n := strconv.Itoa(i)
		b.Lines[i] = BillLine{
			OrderID: fliggy.ID("31879835310242" + n), OutOrderID: "OUT/" + n, TradeType: fliggy.TradeIncome, BizType: fliggy.BillOrderFee,
			OrderAmount: fliggy.MustYuan("200.98"), PayTradeNo: "2023020322001" + n, PayTime: fliggy.MustTime("2023-02-03 19:23:32"), PayType: fliggy.PayAlipay,
			CustomerPaidAmount: fliggy.MustYuan("190.98"), RealConsumeAmount: fliggy.MustYuan("200.98"), DiscountAmount: fliggy.MustYuan("10.00"),
			DistributorDiscountAmount: fliggy.MustYuan("0.00"), CommissionAmount: fliggy.MustYuan("20.10"), PayChannelAmount: fliggy.MustYuan("1.2"),
			OrderStatus: "已完成", Ext: `{"city":"上海"}`,
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
				}, WithSignMethod(method), WithRetry(RetryPolicy{}), withFakeTime(&fakeTime{}), WithNames(opBillNotify.Method, names))
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
