package fliggytest

import (
	"context"
	"errors"
	"iter"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

// kinds tells activities apart.
func kind(a Activity) string {
	switch {
	case a.Push != nil:
		return a.Push.ID
	case a.Request == nil:
		return "state"
	case a.Request.Answer.Done:
		return "answered"
	}
	return "arrived"
}

func TestActivity(t *testing.T) {
	t.Parallel()
	g := start(t)
	g.PushToHandler(swallow)
	c := connect(t, g)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	next, stop := iter.Pull(g.Activity(ctx, 0))
	defer stop()
	one := func() Activity {
		a, ok := next()
		if !ok {
			t.Fatal("the stream ended")
		}
		return a
	}
	id := submit(t, c, submitRequest())
	// The request was over when submit returned, so that both activities show it so.
	if a, b := one(), one(); kind(a) != "answered" || a.Seq != 1 || b.Seq != 2 || a.Request.ID != b.Request.ID {
		t.Errorf("got %+v, %+v", a, b)
	}
	// What comes is seen by one who waits.
	arrived := make(chan string)
	go func() {
		defer close(arrived)
		for range 3 {
			arrived <- kind(one())
		}
	}()
	if res := g.Accept(id); res.ID != "push-1" {
		t.Errorf("result %+v", res)
	}
	g.AddOrder(Order{OutOrderID: "1"})
	var got []string
	for k := range arrived {
		got = append(got, k)
	}
	if diff := cmp.Diff([]string{"state", "push-1", "state"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// One who was away, or knew another gateway, goes on where he was, or begins again.
	for after, want := range map[uint64]uint64{3: 4, 99: 1} {
		for a := range g.Activity(ctx, after) {
			if a.Seq != want {
				t.Errorf("after %d: got %d, want %d", after, a.Seq, want)
			}
			break
		}
	}
	g.Forget()
	cancel()
	if a, ok := next(); ok {
		t.Errorf("after the end: %+v", a)
	}
}

func TestActivityEndsWithGateway(t *testing.T) {
	t.Parallel()
	g := start(t)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range g.Activity(context.Background(), 0) {
			t.Error("nothing happened")
		}
	}()
	g.Close()
	<-ended
}

// A gateway with a capacity keeps the newest of everything but orders.
func TestCapacity(t *testing.T) {
	t.Parallel()
	const most = 5
	g := start(t, WithCapacity(most))
	g.PushToHandler(swallow)
	c := connect(t, g)
	ctx := context.Background()
	var ids []fliggy.ID
	var quotes []string
	for range 2 * most {
		quote, err := c.Renewals.Quote(ctx, quoteRequest())
		noError(t, err)
		quotes = append(quotes, quote.ItemID)
		ids = append(ids, submit(t, c, submitRequest()))
		g.RequestRefund(ids[len(ids)-1], Refund{Amount: fliggy.MustYuan("1.00"), PayTradeNo: "T"})
		bill := rentcar.Bill{BillNo: "B"}
		_, err = g.state.notifyBill(moment{}, &rentcar.BillNotifyRequest{Bills: []rentcar.Bill{bill}})
		noError(t, err)
		agency := &rentcar.AgencyCreateOrderRequest{AgentOrderNo: string(ids[len(ids)-1])}
		_, err = g.state.createAgencyOrder(moment{}, agency)
		noError(t, err)
		g.AddOrder(Order{OutOrderID: string(ids[len(ids)-1])})
	}
	held := g.Snapshot()
	for name, n := range map[string]int{
		"requests": len(g.Requests()), "pushes": len(g.Pushes()), "activities": len(g.log.happened),
		"quotes": len(g.state.quotes), "renewals": len(held.Renewals), "by id": len(g.state.renewalsByID),
		"by order": len(g.state.renewalsByOrder[SampleOrderID]), "by own id": len(g.state.renewalsByOut[ownRenewalID]),
		"refunds": len(g.state.refunds["T"]), "bills": len(held.Bills), "agency": len(held.AgencyOrders),
		"agency by id": len(g.state.agencyByID), "agency by number": len(g.state.agencyByNo),
	} {
		if n != most {
			t.Errorf("%s: %d are kept, want %d", name, n, most)
		}
	}
	if n := len(held.Orders); n != 2*most+1 {
		t.Errorf("%d orders are kept", n)
	}
	if held.Renewals[0].RenewalOrderID != ids[most] || held.AgencyOrders[0].Create.AgentOrderNo != string(ids[most]) {
		t.Errorf("the oldest that is kept: %s", held.Renewals[0].RenewalOrderID)
	}
	// The ids count on, and what was forgotten is unknown.
	if id := submit(t, c, submitRequest()); id != numbered(firstRenewalID, 2*most) {
		t.Errorf("id %s", id)
	}
	if res := g.Accept(ids[0]); !errors.Is(res.Err, errUnknownRenewal) {
		t.Errorf("accepted one that was forgotten: %v", res)
	}
	req := submitRequest()
	req.ItemID = quotes[0]
	if _, err := c.Renewals.Submit(ctx, req); code(err) != RetQuoteNotFound {
		t.Errorf("a quote that was forgotten: %v", err)
	}
}

func TestReset(t *testing.T) {
	t.Parallel()
	g := start(t)
	g.PushToHandler(swallow)
	c := connect(t, g)
	first := submit(t, c, submitRequest())
	g.AddOrder(Order{OutOrderID: "1"})
	g.Fail(Unavailable().Always())
	g.AutoAccept()
	g.RequestRefund(SampleOrderID, Refund{Amount: fliggy.MustYuan("1.00")})
	if o, _ := g.Order(SampleOrderID); len(o.Refunds) != 1 || o.Refunds[0].State != RefundRequested {
		t.Errorf("refunds of the order: %+v", o.Refunds)
	}
	g.Reset()
	if diff := cmp.Diff(start(t).Snapshot(), g.Snapshot()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(g.Requests()) != 0 || len(g.Pushes()) != 0 || len(g.ActiveFaults()) != 0 {
		t.Errorf("%d requests, %d pushes, faults %v", len(g.Requests()), len(g.Pushes()), g.ActiveFaults())
	}
	if again := submit(t, c, submitRequest()); again != first {
		t.Errorf("the first renewal is %s, it was %s", again, first)
	}
	if res := g.Push(t.Context(), &events.RenewalAccepted{}); !res.Accepted {
		t.Errorf("the target is gone: %v", res)
	}
	if r := g.Renewals()[0]; r.State != RenewalSubmitted {
		t.Errorf("decided by itself: %s", r.State)
	}
}
