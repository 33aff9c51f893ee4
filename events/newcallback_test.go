package events_test

import (
	"encoding/json"
	"testing"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/google/go-cmp/cmp"
)

type depositData struct {
	Amount  fliggy.Yuan `top:"amount"`
	Deposit fliggy.ID   `top:"depositId,number"`
	Kind    string      `json:"kind,omitempty"`
	Lines   []line      `json:"lines"`
}

type line struct {
	No int `json:"no"`
}

func TestNewCallback(t *testing.T) {
	t.Parallel()
	order := events.Order{ChannelID: "80002", OrderID: "1", OutOrderID: "RC1"}
	deposit := depositData{Amount: fliggy.MustYuan("10.00"), Deposit: "3187983531024266527", Kind: "k", Lines: []line{{1}, {2}}}
	full := events.CallbackData{
		Amount: fliggy.MustYuan("10.00"),
		ExtraData: map[string]json.RawMessage{
			"depositId": json.RawMessage("3187983531024266527"), "kind": json.RawMessage(`"k"`), "lines": json.RawMessage(`[{"no":1},{"no":2}]`),
		},
	}
	for name, c := range map[string]struct {
		data any
		want events.CallbackData
	}{
		"nil":                  {nil, events.CallbackData{}},
		"nil pointer":          {(*depositData)(nil), events.CallbackData{}},
		"empty raw":            {json.RawMessage(nil), events.CallbackData{}},
		"raw null":             {json.RawMessage(" null\n"), events.CallbackData{}},
		"raw object":           {json.RawMessage(` {"amount":10.00,"depositId":3187983531024266527,"kind":"k","lines":[{"no":1},{"no":2}]} `), full},
		"empty object":         {json.RawMessage(`{}`), events.CallbackData{}},
		"struct":               {deposit, full},
		"pointer":              {&deposit, full},
		"data of this package": {events.CallbackData{PayTradeNo: "p", RenewalOrderID: "2"}, events.CallbackData{PayTradeNo: "p", RenewalOrderID: "2"}},
	} {
		got, err := events.NewCallback(900, order, c.data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := &events.Callback{Envelope: events.Envelope{ChannelID: "80002", OrderID: "1", OutOrderID: "RC1", EventType: 900}, Data: c.want}
		if diff := cmp.Diff(want, got, sameEvent); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if err := got.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNewCallbackRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		data any
		part string
	}{
		{map[string]any{"a": 1}, "a map has no fixed wire format: use a struct or a json.RawMessage"},
		{map[string]string(nil), "a map has no fixed wire format"},
		{&map[string]any{"a": 1}, "no wire format"},
		{struct{ M map[string]any }{}, "M: "},
		{"text", "expected a struct, a pointer to one or the json.RawMessage of an object, got string"},
		{7, "got int"},
		{[]int{1}, "got []int"},
		{[]byte(`{"a":1}`), "json.RawMessage"},
		{fliggy.MustYuan("1"), "got fliggy.Yuan"},
		{json.RawMessage(`[1]`), "got json.RawMessage"},
		{json.RawMessage(`"{}"`), "got json.RawMessage"},
		{json.RawMessage(`{"a":`), "not JSON"},
		{json.RawMessage(`{"a":1} {}`), "not JSON at byte 8"},
		{json.RawMessage("{\"a\":\"\xff\"}"), "not valid UTF-8"},
		{json.RawMessage(`{"amount":"much"}`), "amount: "},
		{struct {
			Amount bool `json:"amount"`
		}{true}, "amount: "},
		{func() {}, "no wire format"},
	} {
		got, err := events.NewCallback(900, events.Order{OrderID: "1"}, c.data)
		if got != nil {
			t.Errorf("%T: a callback with its error", c.data)
		}
		wantError(t, err, "events: new callback 900: data: ", c.part)
	}
}

// The data stays the caller's.
func TestNewCallbackOwnership(t *testing.T) {
	t.Parallel()
	raw := json.RawMessage(`{"kind":"k","payTradeNo":"p"}`)
	c, err := events.NewCallback(900, events.Order{OrderID: "1"}, raw)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		raw[i] = 'x'
	}
	text, err := json.Marshal(c)
	if want := `{"orderId":"1","eventType":900,"eventData":{"payTradeNo":"p","kind":"k"}}`; err != nil || string(text) != want {
		t.Errorf("%s, %v, want %s", text, err, want)
	}
}
