package durable_test

import (
	"encoding/json"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

const (
	methodBill     = "alitrip.rentcar.btb.bill.notify"
	methodCallback = "alitrip.rentcar.btb.distribution.callback"
)

// A wire keeps what reaches it, byte for byte, and answers yes to everything.
type wire struct{ sent []string }

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	w.sent = append(w.sent, r.Method+" "+r.URL.String()+"\n"+string(body))
	return answer(`{"successful":true}`)(r)
}

// wireClient signs with the time of a clock that stands still: equal calls are equal
// bytes.
func wireClient(t testing.TB, opts ...rentcar.Option) (*wire, *rentcar.Client) {
	t.Helper()
	w := &wire{}
	own := []rentcar.Option{
		rentcar.WithHTTPClient(&http.Client{Transport: w}),
		rentcar.WithClock(func() time.Time { return time.UnixMilli(1675404000000).UTC() }),
		rentcar.WithChannel(fliggy.ChannelHello),
	}
	client, err := rentcar.NewClient("24700001", "0123456789abcdef", append(own, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return w, client
}

// sameOnWire sends something directly and through an outbox that is made anew, and
// compares what left: every byte, signature included. What the call refuses to send
// the outbox refuses to store, with the same words.
func sameOnWire(
	t failer, w *wire, client *rentcar.Client, call func() error, add func(*durable.Outbox) error,
) (sent bool) {
	t.Helper()
	w.sent = nil
	direct := call()
	store := durable.NewMemoryStore()
	stored := add(newOutbox(t, client, store, durable.Config{}))
	if direct != nil || stored != nil {
		if direct == nil || stored == nil || direct.Error() != stored.Error() || len(w.sent) != 0 {
			t.Fatalf("call: %v\nstored: %v\nsent: %d", direct, stored, len(w.sent))
		}
		return false
	}
	if results := drain(t, client, store, 1); !results[0].Done {
		t.Fatalf("not done: %v", results)
	}
	if len(w.sent) != 2 {
		t.Fatalf("sent %d times", len(w.sent))
	}
	if diff := cmp.Diff(w.sent[0], w.sent[1]); diff != "" {
		t.Fatalf("direct and from the outbox:\n%s", diff)
	}
	return true
}

// wireText is any text; wireID often digits, as many as they may be.
func wireText() *rapid.Generator[string] {
	return rapid.OneOf(rapid.String(), rapid.String(), rapid.Just(""), rapid.SampledFrom([]string{
		"null", " ", "\x00\u0085\u2028", `"\/<&>`, "😀 张三", "{\"a\":1}", "a=b&c=%25+", "\ufeff", "\xff",
	}))
}

func wireID() *rapid.Generator[string] {
	return rapid.OneOf(rapid.StringMatching(`[0-9]{1,30}`), rapid.StringMatching(`[A-Za-z0-9_-]{1,20}`), wireText())
}

func wireYuan() *rapid.Generator[fliggy.Yuan] {
	return rapid.Custom(func(t *rapid.T) fliggy.Yuan {
		text := rapid.OneOf(rapid.SampledFrom([]string{"", "0", "0.00", "-0.0", "0.000000000000000001", "10.10", "1e3"}),
			rapid.StringMatching(`-?(0|[1-9][0-9]{0,15})(\.[0-9]{1,6})?`)).Draw(t, "yuan")
		y, _ := fliggy.ParseYuan(text) // empty text is the unset amount
		return y
	})
}

func wireTime() *rapid.Generator[fliggy.Time] {
	return rapid.Custom(func(t *rapid.T) fliggy.Time {
		if rapid.IntRange(0, 9).Draw(t, "unset") == 0 {
			return fliggy.Time{}
		}
		return fliggy.At(
			time.Unix(
				rapid.Int64Range(-60e9, 250e9).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds"),
			),
		)
	})
}

func wireExtra() *rapid.Generator[map[string]json.RawMessage] {
	value := rapid.Custom(func(t *rapid.T) json.RawMessage {
		return json.RawMessage(rapid.SampledFrom([]string{
			`null`, `1.50`, `123456789012345678901234567890`, `"\u00e9\/ <"`, `{"b":[1, {"b":2,"b":3}],"a":"{\"x\":1}"}`, `[ ]`,
			`"null"`, ` -0.0 `, `{`,
		}).Draw(t, "value"))
	})
	return rapid.MapOfN(rapid.OneOf(rapid.StringMatching(`[a-z]{1,8}`), wireText()), value, 0, 3)
}

func wireCallback() *rapid.Generator[*events.Callback] {
	return rapid.Custom(func(t *rapid.T) *events.Callback {
		text, id := wireText(), wireID()
		cb := &events.Callback{
			Envelope: events.Envelope{
				EventType: rapid.OneOf(rapid.SampledFrom(
					[]events.Type{10, 11, 210, 220, 230, 260, 261, 270, 271},
				), rapid.Custom(func(t *rapid.T) events.Type {
					return events.Type(rapid.IntRange(0, math.MaxInt32).Draw(t, "type"))
				})).Draw(t, "type"),
				OrderID: fliggy.ID(id.Draw(t, "order")), OutOrderID: text.Draw(t, "out order"),
				ChannelID: fliggy.Channel(rapid.SampledFrom([]string{"", "80001", "a channel of its own / 高德"}).Draw(t, "channel")),
			},
			Data: events.CallbackData{
				RenewalOrderID: fliggy.ID(id.Draw(t, "renewal")), RenewalOutOrderID: id.Draw(t, "out renewal"),
				RefundType: fliggy.RefundType(rapid.IntRange(-1, 5).Draw(t, "refund type")), Amount: wireYuan().Draw(t, "amount"),
				PayTradeNo: id.Draw(t, "trade"),
			},
		}
		if rapid.Bool().Draw(t, "rare members") {
			cb.TraceID, cb.Exts = text.Draw(t, "trace"), fliggy.Exts(text.Draw(t, "exts"))
			cb.Extra, cb.Data.ExtraData = wireExtra().Draw(t, "extra"), wireExtra().Draw(t, "extra data")
			cb.Data.Reason, cb.Data.ErrorCode, cb.Data.ErrorMessage = text.Draw(t, "reason"), text.Draw(t, "code"), text.Draw(
				t, "message",
			)
		}
		return cb
	})
}

func wireBill() *rapid.Generator[*rentcar.Bill] {
	line := rapid.Custom(func(t *rapid.T) rentcar.BillLine {
		text, id, yuan := wireText(), wireID(), wireYuan()
		trade := rapid.IntRange(1, 2).Draw(t, "trade type")
		l := rentcar.BillLine{
			OrderID: fliggy.ID(id.Draw(t, "order")), OutOrderID: id.Draw(t, "out order"), PayTradeNo: id.Draw(t, "trade"),
			TradeType: fliggy.TradeType(trade), BizType: fliggy.BillBizType(trade*10 + rapid.IntRange(0, 4).Draw(t, "business")),
			OrderAmount: yuan.Filter(func(y fliggy.Yuan) bool { return !y.IsNegative() }).Draw(t, "amount"),
			PayTime:     wireTime().Draw(t, "pay time"),
		}
		if rapid.Bool().Draw(t, "rare members") {
			l.PayType = fliggy.PayType(rapid.IntRange(-1, 9).Draw(t, "pay type"))
			l.CustomerPaidAmount, l.RealConsumeAmount = yuan.Draw(t, "paid"), yuan.Draw(t, "consumed")
			l.DiscountAmount, l.DistributorDiscountAmount = yuan.Draw(t, "discount"), yuan.Draw(t, "own discount")
			l.CommissionAmount, l.PayChannelAmount = yuan.Draw(t, "commission"), yuan.Draw(t, "channel fee")
			l.OrderStatus, l.Ext = text.Draw(t, "status"), text.Draw(t, "ext")
		}
		return l
	})
	return rapid.Custom(func(t *rapid.T) *rentcar.Bill {
		b := &rentcar.Bill{
			BillNo: wireID().Draw(t, "bill"), BatchNo: wireID().Draw(t, "batch"),
			TotalAmount: wireYuan().Draw(t, "total"), Remark: wireText().Draw(t, "remark"),
		}
		if rapid.Bool().Draw(t, "lines") {
			b.Lines = rapid.SliceOfN(line, 0, 3).Draw(t, "lines") // none differs from an empty list
		}
		return b
	})
}

// A callback is stored without loss.
func TestOutboxCallbackOnWire(t *testing.T) {
	t.Parallel()
	w, client := wireClient(t)
	sent, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		cb := wireCallback().Draw(t, "callback")
		if sameOnWire(t, w, client, func() error { return second(client.Callbacks.Send(t.Context(), cb)) },
			func(o *durable.Outbox) error { return o.AddCallback(t.Context(), cb) }) {
			sent++
		} else {
			refused++
		}
	})
	checkBoth(t, sent, refused)
}

// A bill is stored without loss.
func TestOutboxBillOnWire(t *testing.T) {
	t.Parallel()
	w, client := wireClient(t)
	sent, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		bill := wireBill().Draw(t, "bill")
		if sameOnWire(t, w, client, func() error { return second(client.Bills.Notify(t.Context(), bill)) },
			func(o *durable.Outbox) error { return o.AddBill(t.Context(), bill) }) {
			sent++
		} else {
			refused++
		}
	})
	checkBoth(t, sent, refused)
}

// checkBoth fails where a property has seen one side only.
func checkBoth(t *testing.T, sent, refused int) {
	t.Helper()
	if sent == 0 || refused == 0 {
		t.Errorf("%d were sent, %d refused", sent, refused)
	}
}

// What waits in the store goes out under the names that the client has when it is
// sent: correcting them mends what is stored. The channel stays that of the day it was
// added.
func TestOutboxSendsUnderCorrectedNames(t *testing.T) {
	t.Parallel()
	_,
		client := wireClient(t, rentcar.WithNames(
		methodBill, rentcar.Names{Request: map[string]string{"distributor_bill_list.bill_no": "no"}},
	),
		rentcar.WithNames(methodCallback, rentcar.Names{Request: map[string]string{"event_data": "event"}}))
	store := durable.NewMemoryStore()
	outbox := newOutbox(t, client, store, durable.Config{})
	mustAdd(t, outbox.AddBill(t.Context(), outboxBill("1")))
	mustAdd(t, outbox.AddCallback(t.Context(), paidCallback("T1")))
	names := []rentcar.Option{
		rentcar.WithNames(
			methodBill, rentcar.Names{Param: "bills_req", Request: map[string]string{"distributor_bill_list.bill_no": "number"}},
		),
		rentcar.WithNames(methodCallback, rentcar.Names{Request: map[string]string{"event_data": "data"}}),
	}
	w, corrected := wireClient(t, append(names, rentcar.WithChannel(fliggy.ChannelDidi))...)
	drain(t, corrected, store, 2)
	_, same := wireClient(t, append(names, rentcar.WithHTTPClient(&http.Client{Transport: w}))...)
	for _, err := range []error{
		second(same.Bills.Notify(t.Context(), outboxBill("1"))), second(same.Callbacks.Send(t.Context(), paidCallback("T1"))),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(w.sent) != 4 || !strings.Contains(w.sent[0], "bills_req") {
		t.Fatalf("sent %q", w.sent)
	}
	if diff := cmp.Diff(w.sent[2:], w.sent[:2]); diff != "" {
		t.Error(diff)
	}
}
