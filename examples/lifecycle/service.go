package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/lifecycle"
	"github.com/fliggy-go/rentcar/qimen"
)

const (
	pushPath = "/fliggy"
	// callTimeout is short here, so that the story need not wait for the work of a killed process: two minutes are usual.
	callTimeout = 2 * time.Second
	// grace is the time that requests and work have to end when the service stops.
	grace = 10 * time.Second
)

// A config is what the service needs to know.
type config struct {
	appKey, appSecret string
	gateway           string // address of the TOP gateway
	provider          string // address of the payment provider
	database          string // path of a file, or URL of a server
	listen            string
	log               *slog.Logger
}

// A service is a distributor's program around a book. Nothing but the database outlives it.
type service struct {
	*database
	config
	book *lifecycle.Book
}

// open opens the book. These lines are all that a distributor has to write for the life of a renewal.
func (s *service) open() (http.Handler, error) {
	client, err := rentcar.NewClient(s.appKey, s.appSecret,
		rentcar.WithBaseURL(s.gateway), rentcar.WithChannel(fliggy.ChannelAmap))
	if err != nil {
		return nil, err
	}
	s.book, err = lifecycle.Open(client, s.store,
		lifecycle.OnRefund(s.payBack), lifecycle.OnChange(s.changed), lifecycle.OnOverdue(s.overdue),
		lifecycle.WithCallTimeout(callTimeout), lifecycle.WithLogger(s.log),
		lifecycle.WithPatience(lifecycle.Patience{CancelUnknown: time.Second})) // half an hour is usual
	if err != nil {
		return nil, err
	}
	return s.book.Handler(qimen.Secrets{s.appKey: {s.appSecret}}, qimen.WithLogger(s.log))
}

// payBack asks the payment provider, which pays once for each key.
func (s *service) payBack(ctx context.Context, r lifecycle.Refund) (lifecycle.RefundResult, error) {
	form := url.Values{"key": {r.Key}, "from": {r.PaidTradeNo}, "amount": {r.Amount.String()}}
	paid, err := call[movement](ctx, s.provider+"/refund?"+form.Encode(), nil)
	if err != nil {
		return lifecycle.RefundResult{}, err // it may have paid: asked again, with the same key
	}
	return lifecycle.RefundPaid(paid.TradeNo, paid.Time), nil
}

// changed keeps the service's own table, in the transaction of the change.
func (s *service) changed(ctx context.Context, before, after lifecycle.Renewal) error {
	if before.State == after.State {
		return nil
	}
	return s.enter(ctx, after.ID, string(after.State))
}

// overdue calls a person.
func (s *service) overdue(_ context.Context, o lifecycle.Overdue) error {
	s.log.Warn(saysOverdue, "renewal", o.Renewal.ID, "problem", string(o.Problem))
	return nil
}

// serve runs the service until ctx ends.
func serve(ctx context.Context, c config) (err error) {
	db, err := openDatabase(ctx, c.database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	s := &service{database: db, config: c}
	events, err := s.open()
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: s.routes(events), ReadHeaderTimeout: grace}
	s.log.Info(saysListening, "url", "http://"+l.Addr().String())
	return s.work(ctx, server, l)
}

// work runs server and book until ctx ends; what was begun is then allowed to finish.
func (s *service) work(ctx context.Context, server *http.Server, l net.Listener) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var all sync.WaitGroup
	all.Go(func() { _ = s.book.Run(ctx) })
	var failed error
	all.Go(func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			failed = err
			stop()
		}
	})
	<-ctx.Done()
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	stopped := server.Shutdown(late)
	all.Wait()
	return errors.Join(failed, stopped)
}

// A reply is what the service says to who asks: what the customer is told, and what is known.
type reply struct {
	Told    string
	Renewal lifecycle.Renewal
	Lines   []lifecycle.Line
	Bill    lifecycle.BillSummary
	Report  lifecycle.Report
}

// routes are the service's own API. The shop, a clerk and a timer call it.
func (s *service) routes(events http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(pushPath, events)
	for path, f := range map[string]func(*http.Request) (reply, error){
		"POST /submit": s.submit, "POST /cancel": s.cancel, "POST /resolve": s.resolve, "POST /renewal": s.renewal,
		"POST /bill": s.bill, "POST /reconcile": s.reconcile,
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			answer, err := f(r)
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(answer)
		})
	}
	return mux
}

// submit is the customer's click.
func (s *service) submit(r *http.Request) (reply, error) {
	var req lifecycle.SubmitRequest
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		return reply{}, err
	}
	renewal, err := s.book.Submit(r.Context(), &req)
	var open *lifecycle.OpenError
	told := ""
	switch {
	case renewal.State == lifecycle.Disputed:
		told = "We have to look at this ourselves."
	case err == nil:
		told = "We have ordered it, and tell you when the merchant has answered."
	case errors.Is(err, rentcar.ErrOutcomeUnknown):
		told = "We are checking. Please do not pay again."
	case errors.As(err, &open):
		told = "We are still checking " + open.ID + "."
	case renewal.State == lifecycle.Rejected:
		told = "This is not possible. Your money is on its way back."
	case renewal.State == lifecycle.NotSent:
		told = "This is not possible right now. Please try again."
	default:
		return reply{}, err
	}
	return reply{Told: told, Renewal: renewal}, nil
}

// cancel is the customer's change of mind. The fee is what the customer has agreed to.
func (s *service) cancel(r *http.Request) (reply, error) {
	id := r.FormValue("id")
	fee, err := s.book.CancelFee(r.Context(), id)
	if err != nil {
		return reply{}, err
	}
	renewal, err := s.book.Cancel(r.Context(), id, lifecycle.CancelRequest{MaxFee: fee, Reason: "用户主动取消"})
	switch {
	case err == nil && renewal.State == lifecycle.Cancelled:
		return reply{Told: "It is cancelled, at " + renewal.CancelFee.String() + " yuan.", Renewal: renewal}, nil
	case err == nil, errors.Is(err, rentcar.ErrOutcomeUnknown):
		return reply{Told: "We are checking whether it is cancelled.", Renewal: renewal}, nil
	}
	return reply{}, err
}

// resolve is the word of a person.
func (s *service) resolve(r *http.Request) (reply, error) {
	fee, err := fliggy.ParseYuan(r.FormValue("fee"))
	if err != nil {
		return reply{}, err
	}
	renewal, err := s.book.Resolve(r.Context(), r.FormValue("id"), lifecycle.Resolution{
		State: lifecycle.State(r.FormValue("state")), Fee: fee, By: r.FormValue("by"), Note: r.FormValue("note"),
	})
	return reply{Renewal: renewal}, err
}

// renewal is what the journal has of one.
func (s *service) renewal(r *http.Request) (answer reply, err error) {
	if answer.Renewal, err = s.book.Get(r.Context(), r.FormValue("id")); err == nil {
		answer.Lines, err = s.book.Lines(r.Context(), r.FormValue("id"))
	}
	return answer, err
}

// bill makes the settlement bill of all that is open.
func (s *service) bill(r *http.Request) (answer reply, err error) {
	until, err := time.Parse(time.RFC3339Nano, r.FormValue("until"))
	if err == nil {
		answer.Bill, err = s.book.Bill(r.Context(), r.FormValue("no"), until)
	}
	return answer, err
}

// reconcile compares the ledger with the file of the payment provider.
func (s *service) reconcile(r *http.Request) (answer reply, err error) {
	answer.Report, err = s.book.Reconcile(r.Context(), lifecycle.ReadEntries(r.Body, lifecycle.Columns{
		TradeNo: "trade_no", Amount: "amount", Time: "time",
	}))
	return answer, err
}

// String keeps the secret to itself.
func (c config) String() string { return fmt.Sprintf("config(%s)", c.gateway) }
