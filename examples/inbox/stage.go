package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// What happens behind the story.

// begin starts the service, where one is at work already beside it, and lets Fliggy push to the new one.
func (t *story) begin(ctx context.Context, flags ...string) error {
	flags = append([]string{"-serve", "-db", t.database}, flags...)
	service, err := start(ctx, t.journal, t.stderr, flags, environment(t.gw))
	if err != nil {
		return err
	}
	t.services = append(t.services, service)
	e, err := service.find(ctx, func(e entry) bool { return e.Msg == saysListening && e.process == service.pid() })
	if err != nil {
		return err
	}
	t.fact("service", fmt.Sprintf("process %d, %s", service.pid(), e.URL))
	t.gw.PushTo(e.URL)
	return nil
}

// environment is that of a service which is an app of gw.
func environment(gw *fliggytest.Gateway) []string {
	return []string{"FLIGGY_APP_KEY=" + gw.AppKey(), "FLIGGY_APP_SECRET=" + gw.AppSecret(), "FLIGGY_URL=" + gw.URL()}
}

// find waits for an entry of any process.
func (t *story) find(ctx context.Context, match func(entry) bool) (entry, error) {
	return t.services[len(t.services)-1].find(ctx, match)
}

// first takes the process that has been there longest, to be stopped or killed.
func (t *story) first() *process {
	service := t.services[0]
	t.services = t.services[1:]
	return service
}

// settled waits until the service is done with so many events since the story began, and
// has sent so many callbacks and bills.
func (t *story) settled(ctx context.Context, events, sent int) error {
	err := t.services[0].await(ctx, func(log []entry) bool {
		return count(log, durable.InboxQueue) >= events && count(log, durable.OutboxQueue) >= sent
	})
	if err != nil {
		return err
	}
	log := t.entries()
	handled, confirmed := count(log, durable.InboxQueue), count(log, durable.OutboxQueue)
	if handled != events || confirmed != sent {
		return fmt.Errorf("%d events handled and %d messages sent; want %d and %d", handled, confirmed, events, sent)
	}
	t.fact("handled", fmt.Sprintf("%d so far", events))
	t.fact("confirmed", fmt.Sprintf("%d so far", sent))
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

// look opens the database and looks at it.
func look(ctx context.Context, database string) (s snapshot, err error) {
	db, err := openDatabase(ctx, database)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.look(ctx)
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
func once(gw *fliggytest.Gateway, books map[string][]row) error {
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
	for _, r := range books[renewals] {
		gotAccepted = append(gotAccepted, string(r.Order))
	}
	for _, r := range books[refunds] {
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
