package fliggytest

import (
	"encoding/json"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
)

func TestSnapshotsAreCopies(t *testing.T) {
	t.Parallel()
	g := start(t)
	o := SampleOrder()
	o.Details.Extra = map[string]json.RawMessage{"later": json.RawMessage(`{"a":1}`)}
	o.OrderID = g.AddOrder(Order{OrderID: "1", OutOrderID: "first"})
	g.AddOrder(o)
	o.Details.Info.ServiceTypes[2] = "9"
	o.Details.Booking.Stores[0].Name = "changed"
	got, _ := g.Order("1")
	got.Details.Extra["later"][2] = 'x'
	got.Details.Info.ServiceTypes[0] = "8"
	again, ok := g.Order("1")
	if !ok || !again.Details.SupportsRenewal() || again.Details.Booking.Stores[0].Name == "changed" ||
		again.Details.Info.ServiceTypes[0] != fliggy.OrderServiceChangeDriver || string(
		again.Details.Extra["later"],
	) != `{"a":1}` {
		t.Errorf("the order held changed with a copy: %+v", again.Details)
	}
	if _, ok := g.Order("none"); ok {
		t.Error("found an order that is not there")
	}
	if a, b := g.AddOrder(Order{}), g.AddOrder(Order{}); a == b || a == "" || len(a) != 19 {
		t.Errorf("made-up order ids: %q, %q", a, b)
	}
	submit(t, connect(t, g), submitRequest())
	requests := g.Requests()
	requests[0].Params["x"], requests[0].Protocol["y"] = "z", "z"
	requests[0].Body[0] = 'X'
	requests[0].Header.Set("X-New", "1")
	if r := g.Requests()[0]; r.Params["x"] != "" || r.Protocol["y"] != "" || r.Body[0] == 'X' ||
		r.Header.Get("X-New") != "" {
		t.Error("the log changed with a copy")
	}
	g.Forget()
	if len(g.Requests()) != 0 || len(g.Renewals()) != 1 {
		t.Error("Forget forgets requests, not renewals")
	}
	if _, ok := g.Renewal("none"); ok {
		t.Error("found a renewal that is not there")
	}
}
