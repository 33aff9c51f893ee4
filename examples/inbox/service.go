package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
)

const (
	pushPath = "/fliggy/events"
	// grace is the time that requests and attempts have to end when the service stops.
	grace = 10 * time.Second
)

// A config is what the service needs to know.
type config struct {
	appKey, appSecret string
	gateway           string // address of the TOP gateway
	database          string // path of a file, or URL of a server
	listen            string // address to serve pushes at
	sendsBill         bool   // send the settlement bill, unless it has been sent
	log               *slog.Logger
	// wrap comes between the store and those who use it. Optional.
	wrap func(*database) durable.Store
}

// A service is a distributor's program: it receives events, refunds customers, and
// answers Fliggy.
type service struct {
	*database
	log    *slog.Logger
	outbox *durable.Outbox
}

// serve runs the service until ctx ends. Nothing but the database outlives it.
func serve(ctx context.Context, c config) (err error) {
	db, err := openDatabase(ctx, c.database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	items := durable.Store(db.store)
	if c.wrap != nil {
		items = c.wrap(db)
	}

	client, err := rentcar.NewClient(c.appKey, c.appSecret,
		rentcar.WithBaseURL(c.gateway), rentcar.WithChannel(fliggy.ChannelAmap))
	if err != nil {
		return err
	}
	s := &service{database: db, log: c.log}
	if s.outbox, err = durable.NewOutbox(client, items, durable.Config{Logger: c.log}); err != nil {
		return err
	}
	inbox, err := durable.NewInbox(items, durable.Config{Logger: c.log})
	if err != nil {
		return err
	}
	handler, err := qimen.NewHandler(
		qimen.Secrets{c.appKey: {c.appSecret}},
		qimen.WithStore(inbox.Add),
		qimen.OnEvent(s.handle),
		qimen.WithLogger(c.log),
	)
	if err != nil {
		return err
	}
	if c.sendsBill {
		if err := s.sendBill(ctx); err != nil {
			return err
		}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.listen)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle(pushPath, handler) // stores events, and then acknowledges them
	server := &http.Server{Handler: mux, ReadHeaderTimeout: grace}
	s.log.Info("listening", "url", "http://"+l.Addr().String()+pushPath)
	return s.work(ctx, server, l, func(ctx context.Context) error { return inbox.Run(ctx, handler) })
}

// work runs server, inbox and outbox until ctx ends; work in progress is then allowed to finish.
func (s *service) work(
	ctx context.Context, server *http.Server, l net.Listener, inbox func(context.Context) error,
) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var all sync.WaitGroup
	all.Go(func() { _ = inbox(ctx) })        // calls the function with stored events
	all.Go(func() { _ = s.outbox.Run(ctx) }) // sends until Fliggy has confirmed
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

// handle is the function for events: all that it writes is in the transaction of ctx, so
// it happens once for each event, however often the process is killed.
func (s *service) handle(ctx context.Context, d *qimen.Delivery, e events.Event) error {
	s.log.Info("handling", "type", int(e.Type()), "key", d.Key, "attempt", d.Attempt)
	if d.IsConflict { // nothing that another attempt could mend
		return durable.Permanent(errors.New("the same ids as an earlier event, another content: somebody has to look"))
	}
	switch e := e.(type) {
	case *events.RenewalAccepted: // 103
		return s.enter(ctx, renewals, row{Key: d.Key, Attempt: d.Attempt, Order: e.RenewalOrderID})
	case *events.RenewalFeeRefund: // 142: refund the customer, then answer with the same trade number
		callback := e.SuccessCallback()
		if err := callback.Validate(); err != nil { // it could not be answered: no money moves
			return durable.Permanent(err)
		}
		if !e.Amount.IsPositive() {
			return durable.Permanent(errors.New("event 142 without an amount"))
		}
		// Money that moves elsewhere is not in this transaction: pass the trade number on, so that the
		// other side recognises the second attempt.
		err := s.enter(ctx, refunds, row{
			Key: d.Key, Attempt: d.Attempt, Order: e.RenewalOrderID,
			MainOrder: e.OrderID, OutOrder: e.OutOrderID, Amount: e.Amount, PayTradeNo: e.PayTradeNo,
		})
		if err != nil {
			return err
		}
		return s.outbox.AddCallback(ctx, callback) // 270
	}
	return nil // *events.Unknown too
}
