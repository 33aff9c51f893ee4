package rentcar

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/fliggy-go/rentcar/internal/top"
)

// billOf is a bill with that many lines.
func billOf(lines int) *Bill {
	b := &Bill{BillNo: "ID20230203", BatchNo: "20230203001", Remark: "备注: a/b \"c\"\n", Lines: make([]BillLine, lines)}
	for i := range b.Lines {
		n := strconv.Itoa(i)
		b.Lines[i] = BillLine{
			OrderID: ID("31879835310242" + n), OutOrderID: "OUT/" + n, TradeType: TradeIncome, BizType: BillOrderFee,
			OrderAmount: MustYuan("200.98"), PayTradeNo: "2023020322001" + n, PayTime: MustTime("2023-02-03 19:23:32"), PayType: PayAlipay,
			CustomerPaidAmount: MustYuan("190.98"), RealConsumeAmount: MustYuan("200.98"), DiscountAmount: MustYuan("10.00"),
			DistributorDiscountAmount: MustYuan("0.00"), CommissionAmount: MustYuan("20.10"), PayChannelAmount: MustYuan("1.2"),
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
	plan, err := top.PlanFor(opBillNotify.request)
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
			param := opBillNotify.param
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
				}, WithSignMethod(method), WithRetry(RetryPolicy{}), withFakeTime(&fakeTime{}), WithNames(opBillNotify.method, names))
				for _, lines := range []int{1, 10, 13, 14, 15, 16, 17, 18, 60, 300} {
					fails = true
					req := &BillNotifyRequest{ChannelID: ChannelAmap, Bills: []Bill{*billOf(lines)}}
					before := g.count()
					_, err := c.Bills.NotifyAll(t.Context(), req, WithParam("a", "/1 "), WithParam("zz", "飞猪"))
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

// A payload reads the same in any cut, any number of times, until it is closed.
func TestPayload(t *testing.T) {
	t.Parallel()
	plan, err := top.PlanFor(opBillNotify.request)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		req := &BillNotifyRequest{Bills: []Bill{*billOf(rapid.IntRange(0, 50).Draw(t, "lines"))}}
		others := top.Merge([]top.Param{{Name: rapid.SampledFrom([]string{"a", "z"}).Draw(t, "name"), Value: "1 /"}})
		m := &message{name: "req", plan: plan, request: req}
		if _, err := m.prepare(func() *top.Digest { return nil }); err != nil {
			t.Fatal(err)
		}
		text, err := plan.AppendJSON(nil, req, top.EncodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		want := top.AppendForm(nil, top.Merge([]top.Param{{Name: "req", Value: string(text)}}, others))
		p := &payload{content: formContent(m, others)}
		if p.size != int64(len(want)) {
			t.Fatalf("size %d of %d", p.size, len(want))
		}
		for range 2 {
			r := p.open()
			var got bytes.Buffer
			piece := make([]byte, rapid.IntRange(1, 50_000).Draw(t, "piece"))
			if _, err := io.CopyBuffer(struct{ io.Writer }{&got}, struct{ io.Reader }{r}, piece); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Fatalf("%d bytes, want %d: %.200s", got.Len(), len(want), got.Bytes())
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			if n, err := r.Read(piece); n != 0 || err != io.EOF {
				t.Fatalf("after the end: %d, %v", n, err)
			}
		}
		if m.text != nil { // it is a copy
			p.close()
			m.release()
			if got, err := io.ReadAll(p.open()); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("after the call: %.200s, %v", got, err)
			}
			return
		}
		begun, closed := p.open(), p.open()
		if n, err := begun.Read(make([]byte, 5)); n != 5 || err != nil {
			t.Fatal(n, err)
		}
		_ = closed.Close()
		p.close()
		m.release()
		for _, r := range []io.Reader{begun, closed, p.open()} {
			if n, err := r.Read(make([]byte, 5)); n != 0 || !errors.Is(err, errPayloadClosed) {
				t.Fatalf("after the call: %d, %v", n, err)
			}
		}
	})
}

// A request that changes while it is sent is not sent as something else.
func TestRequestChangedMeanwhile(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Bill){
		"longer":  func(b *Bill) { b.Lines[290].Ext += "+" },
		"shorter": func(b *Bill) { b.Lines[290].Ext = "" },
		"invalid": func(b *Bill) { b.Lines[290].OrderID = "\xff" },
	} {
		bill := billOf(300)
		c := testClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			change(bill)
			if n, err := io.Copy(io.Discard, r.Body); err != nil || n == r.ContentLength {
				return nil, err
			}
			return replyJSON(`{"successful":true}`)(r)
		}))
		_, err := c.Bills.Notify(t.Context(), bill, CallSession("x"), WithMember("channel_id", "80001"))
		if !errors.Is(err, errPayloadChanged) || OutcomeOf(err) != OutcomeUnknown {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A round tripper that reads on after the call gets nothing of what others may use
// by then: the same as before of a short body, nothing of a long one.
func TestBodyIsReadAfterTheCall(t *testing.T) {
	t.Parallel()
	const begun = 100
	for _, lines := range []int{1, 300} {
		var sent bytes.Buffer
		var body io.ReadCloser
		var again func() (io.ReadCloser, error)
		c := testClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			body, again = r.Body, r.GetBody
			other, err := again()
			if err != nil {
				return nil, err
			}
			if _, err := sent.ReadFrom(other); err != nil {
				return nil, err
			}
			if _, err := io.ReadFull(body, make([]byte, begun)); err != nil {
				return nil, err
			}
			return replyJSON(`{"successful":true}`)(r)
		}), WithChannel(ChannelAmap))
		if _, err := c.Bills.Notify(t.Context(), billOf(lines)); err != nil {
			t.Fatal(err)
		}
		other, err := again()
		if err != nil {
			t.Fatal(err)
		}
		for r, rest := range map[io.ReadCloser]string{body: sent.String()[begun:], other: sent.String()} {
			b, err := io.ReadAll(r)
			switch {
			case lines == 1 && (err != nil || string(b) != rest):
				t.Errorf("a short body: %q, %v", b, err)
			case lines > 1 && (len(b) > 0 || !errors.Is(err, errPayloadClosed)):
				t.Errorf("a long body: %q, %v", b, err)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// What a buffer has held is gone when others get it.
func TestBuffersAreWiped(t *testing.T) {
	t.Parallel()
	b := &buffer{bytes: []byte(strings.Repeat("13800000000", 10))}
	kept := b.bytes[:cap(b.bytes)]
	b.release()
	if strings.Trim(string(kept), "\x00") != "" || len(b.bytes) != 0 {
		t.Errorf("left: %q", kept)
	}
}
