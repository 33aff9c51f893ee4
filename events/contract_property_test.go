package events_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Any trade number is returned byte for byte.
func TestPropertyPayTradeNo(t *testing.T) {
	t.Parallel()
	base := sample(t, "event-142.json")
	texts := rapid.OneOf(
		rapid.String(), rapid.StringMatching(`[ "\\/_0-9\t\n\x00-\x1f\x7f-\x9f\x{2028}\x{fffd}订\x{1F697}]*`),
	)
	rapid.Check(t, func(t *rapid.T) {
		no := texts.Draw(t, "trade number")
		quoted, err := json.Marshal(no)
		if err != nil {
			t.Fatal(err)
		}
		var m struct {
			ChannelID, OrderID, OutOrderID string
			EventType                      int
			EventData                      map[string]any
		}
		if err := json.Unmarshal(base, &m); err != nil {
			t.Fatal(err)
		}
		m.EventData["payTradeNo"] = json.RawMessage(quoted)
		payload, err := json.Marshal(map[string]any{
			"channelId": m.ChannelID, "orderId": m.OrderID, "outOrderId": m.OutOrderID, "eventType": m.EventType,
			"eventData": m.EventData,
		})
		if err != nil {
			t.Fatal(err)
		}
		e, err := events.Parse(payload)
		if err != nil {
			t.Fatal(err)
		}
		refund := e.(*events.RenewalFeeRefund)
		if refund.PayTradeNo != no {
			t.Fatalf("read %q, want %q", refund.PayTradeNo, no)
		}
		for _, c := range []*events.Callback{refund.SuccessCallback(), refund.FailureCallback()} {
			direct, err := c.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			escaped, err := json.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range [][]byte{direct, escaped} {
				if got := sentTradeNo(text); got != no {
					t.Fatalf("%s: %q, want %q", text, got, no)
				}
				if again, err := events.ParseCallback(text); err != nil || again.Data.PayTradeNo != no {
					t.Fatalf("%s: read back %+v, %v", text, again, err)
				}
			}
		}
	})
}

var (
	idText   = rapid.StringMatching(`0|[1-9][0-9]{0,30}|fz[0-9]{7}`)
	anyText  = rapid.String()
	someJSON = rapid.SampledFrom(
		[]string{`null`, `1.0`, `1e400`, `"<&>"`, `{"a":[true,{}]}`, `"{\"eventType\":1}"`, `3187983531024266527`},
	)
	extras = rapid.MapOf(
		rapid.StringMatching(`x[a-z"\\订]{0,5}`),
		rapid.Map(someJSON, func(s string) json.RawMessage { return json.RawMessage(s) }),
	)
	amounts = rapid.Map(rapid.StringMatching(`-?[1-9][0-9]{0,9}(\.[0-9]{1,4})?`), fliggy.MustYuan)
)

func drawEnvelope(t *rapid.T) events.Envelope {
	exts := fliggy.Exts("")
	if rapid.Bool().Draw(t, "has exts") {
		exts = fliggy.ExtsOf(map[string]string{"k": anyText.Draw(t, "exts")})
	}
	return events.Envelope{
		ChannelID: fliggy.Channel(rapid.StringMatching(`8000[1-9]`).Draw(t, "channel")),
		OrderID:   fliggy.ID(idText.Draw(t, "order id")), OutOrderID: anyText.Draw(t, "own order id"),
		TraceID: anyText.Draw(t, "trace id"), Exts: exts, Extra: noneIfEmpty(extras.Draw(t, "extra")),
	}
}

func noneIfEmpty(m map[string]json.RawMessage) map[string]json.RawMessage {
	if len(m) == 0 {
		return nil
	}
	return m
}

func drawEvent(t *rapid.T) events.Event {
	env, data := drawEnvelope(t), noneIfEmpty(extras.Draw(t, "extra data"))
	// 0 is a bean's way to have none
	id := fliggy.ID(idText.Filter(func(id string) bool { return id != "0" }).Draw(t, "renewal id"))
	refund := events.FeeRefundData{
		RefundType: fliggy.RefundType(rapid.IntRange(-2, 9).Draw(t, "refund type")), Amount: amounts.Draw(t, "amount"),
		Reason: anyText.Draw(t, "reason"), PayTradeNo: anyText.Draw(t, "trade number"),
		DeductPayTradeNo: anyText.Draw(t, "deduction"), ExtraData: data,
	}
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		env.EventType = events.TypeRenewalAccepted
		at := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "created"), 0)
		return &events.RenewalAccepted{
			Envelope: env, RenewalOrderID: id, CreatedTime: fliggy.At(at), PayTradeNo: refund.PayTradeNo, ExtraData: data,
		}
	case 1:
		env.EventType = events.TypeRenewalRejected
		return &events.RenewalRejected{
			Envelope: env, RenewalOrderID: id, ErrorCode: refund.PayTradeNo, ErrorMessage: refund.Reason, ExtraData: data,
		}
	case 2:
		env.EventType = rapid.SampledFrom([]events.Type{events.TypeRenewalFeeRefund, events.TypeFeeRefund}).Draw(t, "type")
		canceller := fliggy.Canceller(rapid.StringMatching(`[0-9]?`).Draw(t, "canceller"))
		return &events.RenewalFeeRefund{
			Envelope: env, RenewalOrderID: id, RenewalOutOrderID: refund.Reason, Canceller: canceller, FeeRefundData: refund,
		}
	case 3:
		env.EventType = events.TypeFeeRefund
		return &events.FeeRefund{Envelope: env, FeeRefundData: refund}
	}
	env.EventType = events.Type(rapid.IntRange(300, 1e9).Draw(t, "type"))
	e := &events.Unknown{Envelope: env}
	if raw := someJSON.Draw(t, "data"); raw != "null" && raw[0] != '"' { // text of an object is read as the object
		e.Data = json.RawMessage(raw)
	}
	return e
}

// An event that was not parsed survives encoding and decoding in every shape.
func TestPropertyByHand(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := drawEvent(t)
		payload, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(0, 3).Draw(t, "wrappers") {
			inner := string(payload)
			if rapid.Bool().Draw(t, "as text") {
				inner = quote(payload)
			}
			form := rapid.SampledFrom(
				[]string{`{"eventData":%s}`, `{"event_data":%s}`, `{"req":%s}`, `{"a":"{","field":%s,"n":1}`},
			).Draw(t, "wrapper")
			payload = fmt.Appendf(nil, form, inner)
		}
		again, err := events.Parse(payload)
		if err != nil {
			t.Fatalf("%s: %v", payload, err)
		}
		if diff := cmp.Diff(e, again, sameEvent); diff != "" {
			t.Fatalf("%s (-made +parsed):\n%s", payload, diff)
		}
		text, err := json.Marshal(again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := diffJSON(payload, text); diff != "" {
			t.Fatal(diff)
		}
	})
}

// A callback that Validate accepts can be encoded and decoded.
func TestPropertyCallback(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		env := drawEnvelope(t)
		env.EventType = events.Type(rapid.SampledFrom([]int{0, 4, 10, 11, 210, 220, 230, 260, 261, 270, 271}).Draw(t, "type"))
		c := &events.Callback{Envelope: env, Data: events.CallbackData{
			RenewalOrderID: fliggy.ID(idText.Draw(t, "renewal id")), RenewalOutOrderID: anyText.Draw(t, "own renewal id"),
			RefundType: fliggy.RefundType(rapid.IntRange(-2, 9).Draw(t, "refund type")), Amount: amounts.Draw(t, "amount"),
			Reason: anyText.Draw(t, "reason"), PayTradeNo: anyText.Draw(t, "trade number"),
			ErrorCode: anyText.Draw(t, "code"), ErrorMessage: anyText.Draw(t, "message"),
			ExtraData: noneIfEmpty(extras.Draw(t, "extra data")),
		}}
		if c.Validate() != nil {
			return
		}
		text, err := c.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		again, err := events.ParseCallback(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if diff := cmp.Diff(c, again, sameEvent); diff != "" {
			t.Fatalf("%s (-made +parsed):\n%s", text, diff)
		}
	})
}
