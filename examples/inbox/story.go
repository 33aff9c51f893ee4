package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// patience bounds the story, which takes a second or two, and with a server some more.
const patience = time.Minute

// A story is Fliggy, and the service that it pushes to.
type story struct {
	*screen
	*journal
	gw       *fliggytest.Gateway
	renewals []fliggy.ID
	database string
	stderr   io.Writer
	services []*process // that are at work
}

// tell tells it to its end.
func tell(ctx context.Context, s *screen, database string, stderr io.Writer) (err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	shown := database
	switch {
	case database == "":
		dir, err := os.MkdirTemp("", "inbox")
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		database = filepath.Join(dir, "inbox.db")
		shown = database
	case isServer(database):
		u, err := url.Parse(database)
		if err != nil {
			return errors.New("-db: not a URL") // the error of url.Parse shows the password
		}
		shown = u.Redacted()
	}
	gw := fliggytest.NewGateway()
	defer gw.Close()
	t := &story{screen: s, journal: newJournal(), gw: gw, database: database, stderr: stderr}
	defer func() {
		for _, service := range t.services { // the story broke off
			err = errors.Join(err, service.kill())
		}
	}()
	s.title("Nothing is lost, nothing is done twice: an inbox and an outbox in your database")
	s.printf("    Fliggy, in this process   %s\n    the service's database    %s\n", gw.URL(), shown)
	if err := unused(ctx, database); err != nil {
		return err
	}
	if t.renewals, err = book(ctx, gw, 6); err != nil {
		return err
	}
	chapters := []func(context.Context) error{t.repeats, t.conflict, t.crowd, t.crash, t.again, t.month, t.end}
	for _, chapter := range chapters {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	return nil
}

// unused wants a database in which no story has been told.
func unused(ctx context.Context, database string) error {
	now, err := look(ctx, database)
	if err == nil && len(now.books)+len(now.items) > 0 {
		err = errors.New("the database has been used before: give the story an empty one")
	}
	return err
}

// book makes n renewals, so that there is something to push events about.
func book(ctx context.Context, gw *fliggytest.Gateway, n int) ([]fliggy.ID, error) {
	client, err := gw.Client(rentcar.WithChannel(fliggy.ChannelAmap))
	if err != nil {
		return nil, err
	}
	var ids []fliggy.ID
	for i := range n {
		done, err := client.Renewals.Submit(ctx, &rentcar.RenewalSubmitRequest{
			OrderID: fliggytest.SampleOrderID, OutOrderID: fliggytest.SampleOutOrderID,
			RenewalOutOrderID: fmt.Sprintf("R-%d", i+1),
			TotalFee:          fliggy.MustYuan("16.02"), Payment: fliggy.MustYuan("16.02"),
		})
		if err != nil {
			return nil, err
		}
		ids = append(ids, done.RenewalOrderID)
	}
	return ids, nil
}

// refund is what customer service orders.
func refund(amount string) fliggytest.Refund {
	return fliggytest.Refund{Type: fliggy.RefundCancelPenalty, Amount: fliggy.MustYuan(amount), Reason: "用户不认同违约金"}
}

// repeats has events that come once, and one that comes three times.
func (t *story) repeats(ctx context.Context) error {
	t.next("A merchant takes a renewal; customer service orders a refund, and says so three times",
		"events 103 and 142, callback 270")
	if err := t.begin(ctx); err != nil {
		return err
	}
	first := t.renewals[0]
	accepted := t.gw.Accept(first)
	ordered := t.gw.RequestRefund(first, refund("3.20"), fliggytest.Push{Times: 3})
	if err := errors.Join(taken(accepted), taken(ordered)); err != nil {
		return err
	}
	t.say("acknowledged, each as soon as it is in the database")
	return t.settled(ctx, 2, 1)
}

// conflict has the ids of an earlier event with another content.
func (t *story) conflict(ctx context.Context) error {
	t.next("The same refund once more, now of 320 yuan", "event 142")
	pushes := t.gw.Pushes()
	body := bytes.Replace(pushes[len(pushes)-1].Body, []byte(`"3.20"`), []byte(`"320.00"`), 1)
	if err := taken(t.gw.PushRaw(ctx, body)); err != nil {
		return err
	}
	e, err := t.find(ctx, func(e entry) bool { return e.Msg == saysParked })
	if err != nil {
		return err
	}
	t.fact("parked", e.Error)
	t.say("acknowledged, but no money moves before somebody has looked")
	return nil
}

// crowd has events that come at once.
func (t *story) crowd(ctx context.Context) error {
	t.next("Eight events at once", "events 103 and 142, callbacks 270")
	var all sync.WaitGroup
	pushed := make([]error, 8)
	for i, id := range t.renewals[1:5] {
		all.Go(func() { pushed[i] = taken(t.gw.Accept(id)) })
		all.Go(func() { pushed[4+i] = taken(t.gw.RequestRefund(id, refund("1.50"))) })
	}
	all.Wait()
	if err := errors.Join(pushed...); err != nil {
		return err
	}
	t.say("every one is acknowledged")
	return t.settled(ctx, 10, 5)
}

// claim is how long an event stays with the process that hangs, where another one is at work: until it is killed.
const claim = 5 * time.Second

// crash kills the service at the worst moment.
func (t *story) crash(ctx context.Context) error {
	t.next("The service is killed between the refund and the note that the event is done", "event 142, SIGKILL")
	if err := t.first().stop(); err != nil {
		return err
	}
	flags := []string{"-hang"}
	if isServer(t.database) {
		flags = append(flags, "-claim", claim.String())
	}
	if err := t.begin(ctx, flags...); err != nil {
		return err
	}
	if err := taken(t.gw.RequestRefund(t.renewals[5], refund("9.99"))); err != nil {
		return err
	}
	if _, err := t.find(ctx, func(e entry) bool { return e.Msg == saysStopped }); err != nil {
		return err
	}
	t.say("acknowledged; the function has refunded and returned")
	if isServer(t.database) {
		if err := t.begin(ctx); err != nil {
			return err
		}
		t.say("a second process is at work on the same database")
	}
	if err := t.first().kill(); err != nil {
		return err
	}
	t.say("killed")
	now, err := look(ctx, t.database)
	if err != nil {
		return err
	}
	made, left := len(now.books[refunds]), now.items[durable.InboxQueue].Left
	t.fact("refunds", fmt.Sprintf("%d in the books: this one went with the process", made))
	if made != 5 || left != 1 {
		return fmt.Errorf("%d refunds and %d events left; want 5 and 1", made, left)
	}
	return nil
}

// again has another process find the event, and a repeat of it.
func (t *story) again(ctx context.Context) error {
	if isServer(t.database) {
		t.next("The second process takes over, and Fliggy repeats the event", "event 142, callback 270")
	} else {
		t.next("It is started again, and Fliggy repeats the event", "event 142, callback 270")
		if err := t.begin(ctx); err != nil {
			return err
		}
	}
	e, err := t.find(ctx, func(e entry) bool { return e.Msg == saysHandling && e.Attempt > 1 })
	if err != nil {
		return err
	}
	t.fact("attempt", e.Attempt)
	t.fact("key", e.Key)
	if e.Attempt != 2 {
		return fmt.Errorf("the event is handled in attempt %d; want 2", e.Attempt)
	}
	pushes := t.gw.Pushes()
	if err := taken(t.gw.PushRaw(ctx, pushes[len(pushes)-1].Body)); err != nil {
		return err
	}
	t.say("the repeat is acknowledged")
	return t.settled(ctx, 11, 6)
}

// month sends the bill, through the outbox as well.
func (t *story) month(ctx context.Context) error {
	t.next("The month ends: the settlement bill", "alitrip.rentcar.btb.bill.notify")
	if err := t.first().stop(); err != nil {
		return err
	}
	if err := t.begin(ctx, "-bill"); err != nil {
		return err
	}
	if err := t.settled(ctx, 11, 7); err != nil {
		return err
	}
	for _, b := range t.gw.Bills() {
		t.fact("bill", fmt.Sprintf("%s, %d lines, total %s", b.Message.BillNo, len(b.Message.Lines), b.Message.TotalAmount))
	}
	return t.first().stop()
}

// end compares the books with what Fliggy knows.
func (t *story) end(ctx context.Context) error {
	t.next("The books, and what Fliggy has seen", "the database, and the gateway's own records")
	now, err := look(ctx, t.database)
	if err != nil {
		return err
	}
	for _, p := range t.gw.Pushes() {
		if err := taken(p); err != nil {
			return err
		}
	}
	inbox, outbox := now.items[durable.InboxQueue], now.items[durable.OutboxQueue]
	t.fact("pushes", fmt.Sprintf("%d, every one acknowledged", len(t.gw.Pushes())))
	t.fact("inbox", fmt.Sprintf("%d done, %d parked, %d left", inbox.Done, inbox.Parked, inbox.Left))
	t.fact("outbox", fmt.Sprintf("%d done, %d parked, %d left", outbox.Done, outbox.Parked, outbox.Left))
	t.fact("renewals", fmt.Sprintf("%d in the books", len(now.books[renewals])))
	t.fact("refunds", fmt.Sprintf(
		"%d in the books, %d confirmed to Fliggy", len(now.books[refunds]), len(t.gw.Callbacks())))
	if err := once(t.gw, now.books); err != nil {
		return err
	}
	bills := len(t.gw.Bills())
	if inbox.Left != 0 || outbox.Left != 0 || inbox.Parked != 1 || outbox.Parked != 0 || bills != 1 {
		return fmt.Errorf("%+v are in the inbox and %+v in the outbox, %d bills sent", inbox, outbox, bills)
	}
	t.say("each of them exactly once")
	return nil
}
