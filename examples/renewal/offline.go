package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// patience bounds the offline story, which takes well under a second.
const patience = 30 * time.Second

// offline tells the story against an in-process Fliggy, which plays the
// platform, the merchant and customer service.
func offline(ctx context.Context, p *plan, s *screen) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	// Two days before the rental of the documents' sample order ends.
	clock := func() time.Time { return fliggy.MustTime("2022-11-22 16:00:00").Time }
	gw := fliggytest.NewGateway(fliggytest.WithClock(clock))
	defer gw.Close()
	gw.AddOrder(fliggytest.SampleOrder()) // with the times of the documents, not of the clock: cancelling costs something
	client, err := gw.Client(append(p.options(), rentcar.WithChannel(fliggy.ChannelAmap))...)
	if err != nil {
		return err
	}
	d := &distributor{
		screen: s, client: client, inbox: make(chan events.Event, 16),
		mainOrder: fliggytest.SampleOrderID, ours: fliggytest.SampleOutOrderID, renewal: "RC202212191604667539969978361",
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	stop, err := d.serve(l, gw.AppKey(), gw.AppSecret(), clock)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer stop()
	gw.PushTo("http://" + l.Addr().String() + pushPath)

	s.title("A rental is kept longer (续租): %s, %s, scenario %s", p.format, p.sign, p.scenario)
	s.printf("    Fliggy, in this process   %s\n    our endpoint for events   http://%s%s\n", gw.URL(), l.Addr(), pushPath)
	if err := d.story(ctx, gw, p.scenario); err != nil {
		return err
	}
	return epilogue(s, gw, p.scenario)
}

// story tells it to its end. What gw does here others do in real life.
func (d *distributor) story(ctx context.Context, gw *fliggytest.Gateway, scenario string) error {
	b, err := d.quote(ctx, 24*time.Hour+30*time.Minute)
	if err != nil {
		return err
	}
	b.payTrade = "2022112222001492421107773"
	if err := d.submit(ctx, b); err != nil {
		return err
	}
	id := b.order.RenewalOrderID
	decide := func() fliggytest.PushResult { return gw.Accept(id) }
	if scenario == rejected {
		decide = func() fliggytest.PushResult { return gw.Reject(id, "71008", "商家接单失败") }
	}
	if err := pushed(decide()); err != nil {
		return err
	}
	took, err := d.answer(ctx, b)
	switch {
	case err != nil:
		return err
	case took != (scenario != rejected):
		return errors.New("the merchant's answer arrived as its opposite")
	case !took:
		return nil
	}
	penalty, err := d.cancel(ctx, b)
	if err != nil {
		return err
	}
	err = pushed(gw.RequestRefund(id, fliggytest.Refund{
		Type: fliggy.RefundCancelPenalty, Amount: penalty, Reason: "用户不认同违约金",
	}))
	if err != nil {
		return err
	}
	refund, err := d.refund(ctx, scenario != refundFailed)
	if err != nil {
		return err
	}
	if scenario == refundFailed {
		refund = nil // no money moved
	}
	return d.bill(ctx, b, penalty, refund, fliggy.MustTime("2022-11-30 12:00:00"))
}

// pushed makes an error of a push that our endpoint did not take.
func pushed(r fliggytest.PushResult) error {
	if r.Accepted {
		return nil
	}
	return errors.Join(fmt.Errorf("our endpoint answered a push with HTTP %d %s", r.Status, r.Answer), r.Err)
}

// endings is what Fliggy must hold when a scenario is over.
var endings = map[string]struct {
	renewal fliggytest.State
	refund  fliggytest.State // of the one refund, empty for none
	bill    string           // total of the one bill, empty for none
}{
	accepted:     {fliggytest.RenewalCancelled, fliggytest.RefundSucceeded, "0.00"},
	rejected:     {fliggytest.RenewalRejected, "", ""},
	refundFailed: {fliggytest.RenewalCancelled, fliggytest.RefundFailed, "3.20"},
}

// epilogue compares what we were told with what Fliggy holds.
func epilogue(s *screen, gw *fliggytest.Gateway, scenario string) error {
	s.next("What Fliggy has seen of it", "the in-process gateway's own records")
	calls, pushes := gw.Requests(), gw.Pushes()
	for _, r := range calls {
		if r.Signature != fliggytest.SignatureValid || r.Answer.Code != "" {
			return fmt.Errorf("call %s: signature %s, answered with code %q", r.Method, r.Signature, r.Answer.Code)
		}
	}
	for _, p := range pushes {
		if !p.Accepted {
			return fmt.Errorf("a push of %s was not taken", p.Method)
		}
	}
	s.fact("calls", fmt.Sprintf("%d, every signature valid", len(calls)))
	s.fact("pushes", fmt.Sprintf("%d, every one taken", len(pushes)))
	want := endings[scenario]
	renewal, refund, bill := fliggytest.State(""), fliggytest.State(""), ""
	for _, r := range gw.Renewals() {
		s.fact("renewal order", fmt.Sprintf("%s %s", r.RenewalOrderID, r.State))
		renewal += r.State
		for _, f := range r.Refunds {
			s.fact("refund", fmt.Sprintf("%s yuan %s", f.Amount, f.State))
			refund += f.State
		}
	}
	for _, b := range gw.Bills() {
		s.fact("bill", fmt.Sprintf("%s, %d lines, total %s", b.Message.BillNo, len(b.Message.Lines), b.Message.TotalAmount))
		bill += b.Message.TotalAmount.String()
	}
	if renewal != want.renewal || refund != want.refund || bill != want.bill {
		return fmt.Errorf(
			"the story ended with renewal %q, refund %q, bill %q; want %q, %q, %q", renewal, refund, bill, want.renewal,
			want.refund, want.bill,
		)
	}
	return nil
}
