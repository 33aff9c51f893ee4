package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/lifecycle"
)

// What happens behind the story.

// patience bounds the story, which takes some ten seconds.
const patience = 2 * time.Minute

// A story is Fliggy, the payment provider and the customer, around the service.
type story struct {
	*screen
	gw       *fliggytest.Gateway
	provider *provider
	service  *process // nil while there is none
	database string
	stderr   io.Writer

	order rentcar.RenewalSubmitRequest // what the customer wants
	paid  movement                     // for R1
	total fliggy.Yuan                  // of the bill
}

// tell tells it to its end.
func tell(ctx context.Context, s *screen, database string, stderr io.Writer) (err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	shown := database
	switch {
	case database == "":
		dir, err := os.MkdirTemp("", "lifecycle")
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		database = filepath.Join(dir, "lifecycle.db")
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
	main := fliggytest.SampleOrder()
	main.Details.Booking.CarReturnTime = fliggy.At(time.Now().Add(30 * time.Hour).Truncate(time.Minute))
	gw.AddOrder(main) // the rental ends tomorrow: cancelling costs something
	t := &story{screen: s, gw: gw, database: database, stderr: stderr}
	if t.provider, err = newProvider(ctx); err != nil {
		return err
	}
	defer t.provider.close()
	defer func() {
		if t.service != nil { // the story broke off
			err = errors.Join(err, t.service.kill())
		}
	}()
	s.title("The life of a renewal, where replies get lost and processes die")
	s.printf("    Fliggy, in this process   %s\n    the service's database    %s\n", gw.URL(), shown)
	rentals, err := lookAt(ctx, database)
	if err == nil && len(rentals) > 0 {
		err = errors.New("the database has been used before: give the story an empty one")
	}
	if err != nil {
		return err
	}
	for _, chapter := range []func(context.Context) error{
		t.quote, t.submit, t.again, t.accept, t.refund, t.answer, t.cancel, t.reject, t.month, t.books,
	} {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	return nil
}

// begin starts the service, and lets Fliggy push to it.
func (t *story) begin(ctx context.Context) (err error) {
	t.service, err = start(ctx, t.stderr, []string{"-serve", "-db", t.database}, []string{
		"FLIGGY_APP_KEY=" + t.gw.AppKey(), "FLIGGY_APP_SECRET=" + t.gw.AppSecret(), "FLIGGY_URL=" + t.gw.URL(),
		"PROVIDER_URL=" + t.provider.url,
	})
	if err != nil {
		return err
	}
	t.fact("service", fmt.Sprintf("process %d", t.service.cmd.Process.Pid))
	t.gw.PushTo(t.service.url + pushPath)
	return nil
}

// post asks the service.
func (t *story) post(ctx context.Context, path string, form url.Values, body []byte) (reply, error) {
	return call[reply](ctx, t.service.url+path+"?"+form.Encode(), body)
}

// await waits for a renewal to be as it should.
func (t *story) await(ctx context.Context, id string, isSo func(*lifecycle.Renewal) bool) (*lifecycle.Renewal, error) {
	var r *lifecycle.Renewal
	err := until(ctx, func() (bool, error) {
		now, err := t.post(ctx, "/renewal", url.Values{"id": {id}}, nil)
		r = &now.Renewal
		return err == nil && isSo(r), err
	})
	if err != nil {
		return nil, fmt.Errorf("waiting for %s, which is %s: %w", id, r.State, err)
	}
	return r, nil
}

// until waits for something to be so.
func until(ctx context.Context, isSo func() (bool, error)) error {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		if ok, err := isSo(); ok || err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// history prints how a renewal got where it is.
func (t *story) history(r *lifecycle.Renewal) {
	for _, e := range r.History {
		if e.From == e.To {
			continue
		}
		from := string(e.From)
		if from == "" {
			from = "(nothing)"
		}
		t.printf("      %-15s → %-15s %s\n", from, e.To, e.Cause)
	}
}

// submits counts those that Fliggy got.
func (t *story) submits() (n int) {
	for _, r := range t.gw.Requests() {
		if r.Method == apiSubmit {
			n++
		}
	}
	return n
}

// taken makes an error of a push that was not acknowledged.
func taken(r fliggytest.PushResult) error {
	if r.Accepted {
		return nil
	}
	return errors.Join(fmt.Errorf("a push was answered with HTTP %d %s", r.Status, r.Answer), r.Err)
}
