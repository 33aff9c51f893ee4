package fliggytest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

func TestDecisions(t *testing.T) {
	t.Parallel()
	g := start(t)
	e := newEndpoint(t, g)
	g.PushToHandler(e)
	c := connect(t, g)
	state := func(id fliggy.ID) State { r, _ := g.Renewal(id); return r.State }

	id := submit(t, c, submitRequest())
	for range 2 { // a repeated event is nothing special
		if res := g.Accept(id); !res.Accepted || state(id) != RenewalAccepted {
			t.Errorf("accept: %+v, %s", res, state(id))
		}
		got := (<-e.events).(*events.RenewalAccepted)
		if got.RenewalOrderID != id || got.OrderID != id || got.OutOrderID != ownRenewalID ||
			!got.CreatedTime.Equal(testNow) {
			t.Errorf("event %+v", got)
		}
	}
	if res := g.Reject(id, "1", "x"); res.Err == nil || state(id) != RenewalAccepted {
		t.Errorf("rejected what was accepted: %+v", res)
	}
	if res := g.Accept("none"); res.Err == nil {
		t.Error("accepted nothing")
	}
	id = submit(t, c, &rentcar.RenewalSubmitRequest{OrderID: SampleOrderID})
	if res := g.Reject(id, "71008", "商家接单失败"); !res.Accepted || state(id) != RenewalRejected {
		t.Errorf("reject: %+v, %s", res, state(id))
	}
	if got := (<-e.events).(*events.RenewalRejected); got.RenewalOrderID != id || got.OrderID != SampleOrderID ||
		got.OutOrderID != SampleOutOrderID || got.ErrorCode != "71008" || got.ErrorMessage != "商家接单失败" {
		t.Errorf("event %+v", got)
	}
	if res := g.Accept(id); res.Err == nil {
		t.Error("accepted what was rejected")
	}
	id = submit(t, c, &rentcar.RenewalSubmitRequest{OrderID: SampleOrderID})
	if res := g.Accept(id, Push{BadSignature: true}); res.Accepted || res.Status != 200 || state(id) != RenewalAccepted {
		t.Errorf("accept with a bad signature: %+v", res)
	}
	if res := g.Accept(id); !res.Accepted {
		t.Errorf("accept: %+v", res)
	}
	if got := (<-e.events).(*events.RenewalAccepted); got.OutOrderID != SampleOutOrderID {
		t.Errorf("event %+v", got)
	}
	if _, err := c.Renewals.Cancel(context.Background(), &rentcar.RenewalCancelRequest{RenewalOrderID: id}); err != nil {
		t.Error(err)
	}
	if res := g.Accept(id); res.Err == nil {
		t.Error("accepted what was cancelled")
	}
}

func TestAutomaticDecisions(t *testing.T) {
	t.Parallel()
	g := start(t)
	g.AutoReject("71008", "商家接单失败")
	g.PushToHandler(swallow)
	c := connect(t, g)
	decided := func() State {
		id := submit(t, c, submitRequest())
		noError(t, g.WaitPushes(context.Background()))
		r, _ := g.Renewal(id)
		return r.State
	}
	var got []State
	got = append(got, decided())
	g.AutoAccept()
	got = append(got, decided())
	g.DecideByHand()
	got = append(got, decided())
	g.AutoReject("1", "x")
	got = append(got, decided())
	want := []State{RenewalRejected, RenewalAccepted, RenewalSubmitted, RenewalRejected}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if n := len(g.Pushes()); n != 3 {
		t.Errorf("%d pushes", n)
	}
	if r := g.Renewals()[3]; r.ErrorCode != "1" || r.ErrorMessage != "x" {
		t.Errorf("held %+v", r)
	}
	// What is refused is not decided on.
	if _, err := c.Renewals.Submit(
		context.Background(), &rentcar.RenewalSubmitRequest{OrderID: "1"},
	); code(err) != RetOrderNotFound {
		t.Error(err)
	}
	noError(t, g.WaitPushes(context.Background()))
	if n := len(g.Pushes()); n != 3 {
		t.Errorf("%d pushes", n)
	}
}

// TestSlowMerchant decides after its time, and pushes as it is told.
func TestSlowMerchant(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := NewGateway(WithOrigin("http://gateway"), WithClock(time.Now))
		defer g.Close()
		g.PushToHandler(swallow)
		for state, auto := range map[State]func(...Push){
			RenewalAccepted: g.AutoAccept,
			RenewalRejected: func(how ...Push) { g.AutoReject("1", "x", how...) },
		} {
			g.Forget()
			auto(Push{Late: time.Hour, Times: 2})
			o, _ := g.Order(SampleOrderID)
			res, err := g.state.submit(moment{now: g.now()}, &rentcar.RenewalSubmitRequest{OrderID: o.OrderID})
			noError(t, err)
			g.decideSoon(res.RenewalOrderID)()
			time.Sleep(time.Hour - time.Nanosecond)
			synctest.Wait()
			if r, _ := g.Renewal(res.RenewalOrderID); r.State != RenewalSubmitted {
				t.Errorf("%s too early", r.State)
			}
			time.Sleep(time.Nanosecond)
			noError(t, g.WaitPushes(t.Context()))
			if r, _ := g.Renewal(res.RenewalOrderID); r.State != state || len(g.Pushes()) != 2 {
				t.Errorf("%s, %d pushes, want %s", r.State, len(g.Pushes()), state)
			}
		}
		// One that was never decided does not keep the gateway from closing.
		g.AutoAccept(Push{Late: time.Hour})
		res, err := g.state.submit(moment{now: g.now()}, &rentcar.RenewalSubmitRequest{OrderID: SampleOrderID})
		noError(t, err)
		g.decideSoon(res.RenewalOrderID)()
		g.Close()
		if r, _ := g.Renewal(res.RenewalOrderID); r.State != RenewalSubmitted {
			t.Errorf("%s by a gateway that is closed", r.State)
		}
	})
}
