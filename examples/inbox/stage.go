package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/examples/inbox/boltstore"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// What happens behind the story.

// begin starts the service and lets Fliggy push to it.
func (t *story) begin(ctx context.Context, flags ...string) error {
	service, err := start(ctx, t.stderr, append([]string{"-serve", "-db", t.database}, flags...), environment(t.gw))
	if err != nil {
		return err
	}
	t.service = service
	e, err := service.find(ctx, func(e entry) bool { return e.Msg == saysListening })
	if err != nil {
		return err
	}
	t.fact("service", fmt.Sprintf("process %d, %s", service.cmd.Process.Pid, e.URL))
	t.gw.PushTo(e.URL)
	return nil
}

// environment is that of a service which is an app of gw.
func environment(gw *fliggytest.Gateway) []string {
	return []string{"FLIGGY_APP_KEY=" + gw.AppKey(), "FLIGGY_APP_SECRET=" + gw.AppSecret(), "FLIGGY_URL=" + gw.URL()}
}

// stop stops the service as it should be.
func (t *story) stop() error {
	service := t.service
	t.service = nil
	return service.stop()
}

// settled waits until this process of the service is done with so many events, and
// has sent so many callbacks and bills.
func (t *story) settled(ctx context.Context, events, sent int) error {
	err := t.service.await(ctx, func(log []entry) bool {
		return count(log, durable.InboxQueue) >= events && count(log, durable.OutboxQueue) >= sent
	})
	if err != nil {
		return err
	}
	log := t.service.entries()
	handled, confirmed := count(log, durable.InboxQueue), count(log, durable.OutboxQueue)
	if handled != events || confirmed != sent {
		return fmt.Errorf("%d events handled and %d messages sent; want %d and %d", handled, confirmed, events, sent)
	}
	if events > 0 {
		t.fact("handled", fmt.Sprintf("%d so far by this process", events))
	}
	t.fact("confirmed", fmt.Sprintf("%d so far to this process", sent))
	return nil
}

func count(log []entry, queue string) int {
	n := 0
	for _, e := range log {
		if e.Msg == saysDone && e.Queue == queue {
			n++
		}
	}
	return n
}

// look opens the database of a service that has ended.
func (t *story) look(at func(b *books, inbox, outbox boltstore.Counts) error) (err error) {
	store, err := boltstore.Open(t.database, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	inbox, err := store.Count(durable.InboxQueue)
	if err != nil {
		return err
	}
	outbox, err := store.Count(durable.OutboxQueue)
	if err != nil {
		return err
	}
	return at(&books{store}, inbox, outbox)
}

// taken makes an error of a push that was not acknowledged.
func taken(r fliggytest.PushResult) error {
	if r.Accepted {
		return nil
	}
	return errors.Join(fmt.Errorf("a push was answered with HTTP %d %s", r.Status, r.Body), r.Err)
}

// once reports whether each renewal that was accepted and each refund that was ordered is in
// the books once, and Fliggy knows of each refund.
func once(gw *fliggytest.Gateway, accepted, refunded []row) error {
	var wantAccepted, wantRefunded, gotAccepted, gotRefunded []string
	for _, r := range gw.Renewals() {
		if r.State == fliggytest.RenewalAccepted {
			wantAccepted = append(wantAccepted, string(r.RenewalOrderID))
		}
		for _, f := range r.Refunds {
			wantRefunded = append(wantRefunded, f.PayTradeNo+" "+f.Amount.String())
			if f.State != fliggytest.RefundSucceeded {
				return fmt.Errorf("refund %s is %s for Fliggy", f.PayTradeNo, f.State)
			}
		}
	}
	for _, r := range accepted {
		gotAccepted = append(gotAccepted, string(r.Order))
	}
	for _, r := range refunded {
		gotRefunded = append(gotRefunded, r.PayTradeNo+" "+r.Amount.String())
	}
	for _, list := range [][]string{wantAccepted, wantRefunded, gotAccepted, gotRefunded} {
		slices.Sort(list)
	}
	if !slices.Equal(gotAccepted, wantAccepted) || !slices.Equal(gotRefunded, wantRefunded) {
		return fmt.Errorf("in the books are renewals %q and refunds %q; want %q and %q",
			gotAccepted, gotRefunded, wantAccepted, wantRefunded)
	}
	return nil
}
