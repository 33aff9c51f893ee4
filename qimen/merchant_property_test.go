package qimen

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/fliggy-go/rentcar/fliggy"
)

var (
	freeText = rapid.String()
	someText = rapid.String().Filter(func(s string) bool { return !javaBlank(s) })
	amount   = rapid.Map(rapid.StringMatching(`(0|[1-9][0-9]{0,9})(\.[0-9]{1,4})?`), fliggy.MustYuan)
	anAmount = rapid.OneOf(rapid.Just(fliggy.Yuan{}), amount)
	number   = rapid.Map(rapid.StringMatching(`-?(0|[1-9][0-9]{0,4})(\.[0-9]{1,3})?`), fliggy.MustDecimal)
	second   = rapid.Map(
		rapid.Int64Range(-62135596799, 253402271999), func(s int64) fliggy.Time { return fliggy.At(time.Unix(s, 0)) },
	)
	aSecond = rapid.OneOf(rapid.Just(fliggy.Time{}), second)
	aMinute = rapid.Map(
		rapid.Int64Range(0, 4e7), func(m int64) fliggy.Time { return fliggy.At(time.Unix(60*m, 0).UTC()) },
	)
	day = rapid.Map(
		rapid.IntRange(0, 3_000_000), func(n int) fliggy.Date { return fliggy.Date{Year: 1, Month: 1, Day: 1}.AddDays(n) },
	)
	textLists = rapid.SliceOfN(freeText, 0, 3)
	extraText = rapid.SampledFrom(
		[]string{`null`, `1.0`, `1e400`, `"<&>"`, `{"a":[true,{}]}`, `"{\"success\":false}"`, `31755207628979011223175520`},
	)
	extras = rapid.Map(rapid.MapOf(
		rapid.StringMatching(`x[a-z"\\订]{0,5}`), extraText,
	), func(m map[string]string) map[string]json.RawMessage {
		var out map[string]json.RawMessage
		for name, text := range m {
			if out == nil {
				out = map[string]json.RawMessage{}
			}
			out[name] = json.RawMessage(text)
		}
		return out
	})
	extension = rapid.OneOf(
		rapid.Just(fliggy.Exts("")),
		rapid.Map(freeText, func(s string) fliggy.Exts { return fliggy.ExtsOf(map[string]string{"k": s}) }),
	)
)

func drawReply(t *rapid.T) message {
	switch rapid.IntRange(0, 3).Draw(t, "reply") {
	case 0:
		return &RenewalSubmitReply{
			OutOrderID: someText.Draw(t, "id"), CreatedTime: second.Draw(t, "created"), Extra: extras.Draw(t, "extra"),
		}
	case 1:
		return &RenewalCancelReply{Extra: extras.Draw(t, "extra")}
	}
	count := rapid.Int()
	service := rapid.Custom(func(t *rapid.T) AddedService {
		return AddedService{
			ServiceType: fliggy.ServiceType(count.Filter(func(n int) bool { return n != 0 }).Draw(t, "type")),
			ServiceCode: someText.Draw(t, "code"), ServiceName: someText.Draw(t, "name"),
			ServiceDesc: freeText.Draw(t, "description"),
			Price:       amount.Draw(t, "price"), Quantity: number.Draw(t, "quantity"), Amount: amount.Draw(t, "amount"),
			FlatPrice: rapid.Bool().Draw(t, "flat"), Mandatory: rapid.Bool().Draw(t, "mandatory"),
			ListInclude: textLists.Draw(t, "include"), ListExclude: textLists.Draw(t, "exclude"), Extra: extras.Draw(t, "extra"),
		}
	})
	started := rapid.Custom(func(t *rapid.T) DailyPrice {
		return DailyPrice{
			Date: day.Draw(t, "date"), DayPrice: amount.Draw(t, "day price"), ScatteredPrice: anAmount.Draw(t, "scattered"),
			ScatteredMinutes: count.Draw(t, "minutes"),
		}
	})
	rule := rapid.Custom(func(t *rapid.T) fliggy.ScatteredPriceRule {
		return fliggy.ScatteredPriceRule{
			Value: number.Draw(t, "value"), StartTime: count.Draw(t, "start"), EndTime: count.Draw(t, "end"),
		}
	})
	tier := rapid.Custom(func(t *rapid.T) fliggy.CancelRule {
		return fliggy.CancelRule{Num: count.Draw(t, "num"), Time: count.Draw(t, "time")}
	})
	return &RenewalPricesReply{
		AddedServices: rapid.SliceOfN(service, 0, 4).Draw(t, "services"),
		CancelPolicy: fliggy.CancelPolicy{
			Rules: rapid.SliceOfN(tier, 0, 6).Draw(t, "tiers"), ManualCheckTime: count.Draw(t, "manual"),
			CancelType:    count.Filter(func(n int) bool { return n != 0 }).Draw(t, "cancel type"),
			SupportCancel: rapid.Bool().Draw(t, "support"),
		},
		Price: RenewalPrice{
			StandardPrice: amount.Draw(t, "standard"), StandardUnitPrice: amount.Draw(t, "unit"),
			PoundageFee:     amount.Draw(t, "poundage"),
			BasicServiceFee: anAmount.Draw(t, "basic"), Quantity: number.Draw(t, "days"), PriceMark: someText.Draw(t, "mark"),
			CalendarPrice:       rapid.SliceOfN(started, 1, 5).Draw(t, "calendar"),
			ScatteredPriceRules: fliggy.ScatteredPriceRules{Rules: rapid.SliceOfN(rule, 0, 3).Draw(t, "rules")},
			Extra:               extras.Draw(t, "price extra"),
		},
		Extra: extras.Draw(t, "extra"),
	}
}

// A requestText draws the texts of a request; the bodies other than JSON cannot carry all of them.
type requestText struct {
	text   *rapid.Generator[string]
	exts   *rapid.Generator[fliggy.Exts]
	extras *rapid.Generator[map[string]json.RawMessage]
}

func (g requestText) draw(t *rapid.T) message {
	orderID, outOrderID := fliggy.ID(g.text.Draw(t, "order")), g.text.Draw(t, "own order")
	pressure, trace, exts, extra := rapid.Bool().Draw(
		t, "pressure",
	), g.text.Draw(t, "trace"), g.exts.Draw(t, "exts"), g.extras.Draw(t, "extra")
	from, to := aMinute.Draw(t, "from"), aMinute.Draw(t, "to")
	switch rapid.IntRange(0, 2).Draw(t, "request") {
	case 0:
		return &RenewalPricesRequest{
			OrderID: orderID, OutOrderID: outOrderID, IsPressureTest: pressure, TraceID: trace, Exts: exts, Extra: extra,
			CarUseTime: from, CarReturnTime: to,
		}
	case 1:
		return &RenewalSubmitRequest{
			OrderID: orderID, OutOrderID: outOrderID, IsPressureTest: pressure, TraceID: trace, Exts: exts, Extra: extra,
			CarUseTime: from, CarReturnTime: to,
			RenewalOrderTotalAmount: anAmount.Draw(t, "total"), PriceMark: g.text.Draw(t, "mark"),
			PayTradeNo: g.text.Draw(t, "trade number"),
		}
	default:
		return &RenewalCancelRequest{
			OrderID: orderID, OutOrderID: outOrderID, IsPressureTest: pressure, TraceID: trace, Exts: exts, Extra: extra,
			CancelTime: aSecond.Draw(t, "cancelled"), CancelMessage: g.text.Draw(t, "message"),
			PenaltyAmount: anAmount.Draw(t, "penalty"),
		}
	}
}

// A request or valid reply that is written reads as the same again: directly, and through encoding/json.
func TestMessageRoundTripProperty(t *testing.T) {
	t.Parallel()
	free := requestText{freeText, extension, extras}
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.OneOf(rapid.Custom(drawReply), rapid.Custom(free.draw)).Draw(t, "message")
		_, isRequest := m.(interface{ pressureTest() bool })
		if err := m.Validate(); err != nil && !isRequest {
			t.Fatal(err)
		}
		direct, err := m.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		escaped, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		// encoding/json escapes inside of unknown members, too.
		unescaped := cmp.Comparer(func(a, b json.RawMessage) bool {
			var x, y bytes.Buffer
			json.HTMLEscape(&x, a)
			json.HTMLEscape(&y, b)
			return x.String() == y.String()
		})
		for i, opts := range []cmp.Options{{exact, cmpopts.EquateEmpty()}, {exact, cmpopts.EquateEmpty(), unescaped}} {
			text, again := [][]byte{direct, escaped}[i], freshOf(m)
			if err := json.Unmarshal(text, again); err != nil {
				t.Fatalf("%v in %s", err, text)
			}
			if diff := cmp.Diff(m, again, opts); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", text, diff)
			}
		}
	})
}

func freshOf(m message) message { return reflect.New(reflect.TypeOf(m).Elem()).Interface().(message) }

// Any request that names an order comes out of the whole handler as it went in, in every kind of body and charset.
func TestMerchantBodiesProperty(t *testing.T) {
	t.Parallel()
	// What GBK has and XML keeps. A form makes blank text empty.
	legible := rapid.StringOf(
		rapid.SampledFrom([]rune("商家接单失败油费A1 ab_~*+%&=?\"{}:;,.<>'\\/　")),
	).Filter(func(s string) bool {
		return s == "" || strings.TrimFunc(s, unicode.IsSpace) == s
	})
	some := requestText{
		legible,
		rapid.OneOf(
			rapid.Just(fliggy.Exts("")),
			rapid.Map(legible, func(s string) fliggy.Exts { return fliggy.ExtsOf(map[string]string{"k": s}) }),
		),
		rapid.Just(map[string]json.RawMessage(nil)),
	}
	rapid.Check(t, func(rt *rapid.T) {
		m := rapid.Custom(some.draw).Filter(func(m message) bool {
			orderID, outOrderID := m.(interface{ ids() (fliggy.ID, string) }).ids()
			return orderID != "" || outOrderID != ""
		}).Draw(rt, "request")
		text, err := m.MarshalJSON()
		if err != nil {
			rt.Fatal(err)
		}
		var members map[string]string // a request has no other values
		if err := json.Unmarshal(text, &members); err != nil {
			rt.Fatal(err)
		}
		var pairs []pair
		for name, value := range members {
			pairs = append(pairs, pair{name, value})
		}
		slices.SortFunc(pairs, func(a, b pair) int { return strings.Compare(a.name, b.name) })
		method := map[reflect.Type]string{
			reflect.TypeFor[*RenewalPricesRequest](): RenewalPricesMethod,
			reflect.TypeFor[*RenewalSubmitRequest](): RenewalSubmitMethod,
			reflect.TypeFor[*RenewalCancelRequest](): RenewalCancelMethod,
		}[reflect.TypeOf(m)]
		all := bodies(pairs)
		body := all[rapid.IntRange(0, len(all)-1).Draw(rt, "body")]
		k := newDesk()
		if w := post(t, k.handler(t), method, body[0], body[1]); w.Code != 200 || len(k.requests) != 1 {
			rt.Fatalf("%s %q: %d %s, %v", body[0], body[1], w.Code, w.Body, k.last(t).Err)
		}
		if diff := cmp.Diff(any(m), k.requests[0], exact); diff != "" {
			rt.Fatalf("%s %q (-want +got):\n%s", body[0], body[1], diff)
		}
		if diff := cmp.Diff(findings(m.Validate()), k.given.Findings); diff != "" {
			rt.Fatalf("findings (-want +got):\n%s", diff)
		}
	})
}
