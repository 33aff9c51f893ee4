package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/examples/inbox/boltstore"
	"github.com/fliggy-go/rentcar/qimen"
)

// patience bounds the story, which takes a second or two.
const patience = time.Minute

// A story is Fliggy, and the service that it pushes to.
type story struct {
	*screen
	gw       *fliggytest.Gateway
	database string
	stderr   io.Writer
	service  *process
}

// tell tells it to its end.
func tell(ctx context.Context, s *screen, stderr io.Writer) (err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	dir, err := os.MkdirTemp("", "inbox")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	gw := fliggytest.NewGateway()
	defer gw.Close()
	t := &story{screen: s, gw: gw, database: filepath.Join(dir, "inbox.db"), stderr: stderr}
	defer func() {
		if t.service != nil { // the story broke off
			err = errors.Join(err, t.service.kill())
		}
	}()
	s.title("Nothing is lost, nothing is done twice: an inbox and an outbox in one file")
	s.printf("    Fliggy, in this process   %s\n    the service's database    %s\n", gw.URL(), t.database)
	ids, err := t.book(ctx, 9)
	if err != nil {
		return err
	}
	for _, chapter := range []func(context.Context, []rentcar.ID) error{t.first, t.repeats, t.conflict, t.crowd, t.crash, t.month, t.end} {
		if err := chapter(ctx, ids); err != nil {
			return err
		}
	}
	return nil
}

// book makes n renewals, so that there is something to push events about.
func (t *story) book(ctx context.Context, n int) ([]rentcar.ID, error) {
	client, err := t.gw.Client(rentcar.WithChannel(rentcar.ChannelAmap))
	if err != nil {
		return nil, err
	}
	var ids []rentcar.ID
	for i := range n {
		done, err := client.Renewals.Submit(ctx, &rentcar.RenewalSubmitRequest{
			OrderID: fliggytest.SampleOrderID, OutOrderID: fliggytest.SampleOutOrderID, RenewalOutOrderID: fmt.Sprintf("R-%d", i+1),
			TotalFee: fliggy.MustYuan("16.02"), Payment: fliggy.MustYuan("16.02"),
		})
		if err != nil {
			return nil, err
		}
		ids = append(ids, done.RenewalOrderID)
	}
	return ids, nil
}

// begin starts the service and lets Fliggy push to it.
func (t *story) begin(ctx context.Context, flags ...string) error {
	var err error
	t.service, err = start(ctx, t.stderr, append([]string{"-serve", "-db", t.database}, flags...), serviceEnv(t.gw))
	if err != nil {
		return err
	}
	e, err := t.service.find(ctx, func(e entry) bool { return e.Msg == saysListening })
	if err != nil {
		return err
	}
	t.fact("service", fmt.Sprintf("process %d, %s", t.service.cmd.Process.Pid, e.URL))
	t.gw.PushTo(e.URL)
	return nil
}

func serviceEnv(gw *fliggytest.Gateway) []string {
	return []string{"FLIGGY_APP_KEY=" + gw.AppKey(), "FLIGGY_APP_SECRET=" + gw.AppSecret(), "FLIGGY_URL=" + gw.URL()}
}

func (t *story) first(ctx context.Context, ids []rentcar.ID) error {
	t.next("A merchant takes a renewal", "event 103: stored, acknowledged, handled")
	if err := t.begin(ctx); err != nil {
		return err
	}
	if err := taken(t.gw.Accept(ids[0])); err != nil {
		return err
	}
	t.say("acknowledged")
	return t.done(ctx, qimen.InboxQueue, 1)
}

func refundOf(amount string) fliggytest.Refund {
	return fliggytest.Refund{Type: fliggy.RefundCancelPenalty, Amount: fliggy.MustYuan(amount), Reason: "用户不认同违约金"}
}

func (t *story) repeats(ctx context.Context, ids []rentcar.ID) error {
	t.next("Customer service orders a refund, and says so three times", "event 142, callback 270")
	if err := taken(t.gw.RequestRefund(ids[0], refundOf("3.20"), fliggytest.PushRepeated(3))); err != nil {
		return err
	}
	t.say("acknowledged three times, stored once")
	if err := t.done(ctx, qimen.InboxQueue, 2); err != nil {
		return err
	}
	if err := t.done(ctx, rentcar.OutboxQueue, 1); err != nil {
		return err
	}
	return t.refunded(ids[0])
}

func (t *story) conflict(ctx context.Context, _ []rentcar.ID) error {
	t.next("The same ids come with another amount", "event 142")
	last := t.gw.Pushes()[len(t.gw.Pushes())-1]
	return t.conflicting(ctx, last.Body)
}
