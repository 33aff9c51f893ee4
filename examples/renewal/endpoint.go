package main

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/qimen"
)

const pushPath = "/fliggy"

// serve receives pushes at l and puts their events into the inbox. stop ends it.
func (d *distributor) serve(l net.Listener, appKey, appSecret string, now func() time.Time) (stop func(), err error) {
	handler, err := qimen.NewHandler(
		qimen.Secrets{appKey: {appSecret}},
		qimen.WithClock(now),
		qimen.OnEvent(func(ctx context.Context, _ *qimen.Delivery, e events.Event) error {
			select {
			case d.inbox <- e: // a real distributor stores it durably here
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}),
	)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(pushPath, handler)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // ends when stop closes the server
	}()
	return func() {
		_ = server.Close()
		<-done
	}, nil
}
