package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/merchantcheck"
)

const path = "/fliggy"

// demoRentals are cars that are out, to be brought back in a few days: far enough
// ahead for a renewal to be cancelled.
func demoRentals(now time.Time) []rental {
	ends := func(days int) fliggy.Time {
		return fliggy.At(now.Truncate(time.Hour).Add(time.Duration(days) * 24 * time.Hour))
	}
	return []rental{
		{"3175520762897901122", "FZ1111111", ends(4)},
		{"311111897908722", "11111081294", ends(5)},
		{"31755207111108722", "11111194", ends(6)},
	}
}

// listen serves the merchant; stop ends it.
func listen(
	ctx context.Context, j *job, m *merchant, addr string, logger *slog.Logger,
) (at string, stop func(), err error) {
	handler, err := m.handler(j.appKey, j.secret(), logger)
	if err != nil {
		return "", nil, err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return "", nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(path, handler)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // ends when stop closes the server
	}()
	return "http://" + l.Addr().String() + path, func() {
		_ = server.Close()
		<-done
	}, nil
}

// testOwn starts the merchant on loopback and tests it, booking and cancelling
// included.
func testOwn(ctx context.Context, j *job) (*merchantcheck.Report, error) {
	rentals := demoRentals(time.Now())
	m := newMerchant(time.Now, rentals...)
	at, stop, err := listen(ctx, j, m, "127.0.0.1:0", slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	defer stop()
	check := merchantcheck.Config{Submit: true}
	for _, r := range rentals {
		check.Orders = append(check.Orders, merchantcheck.Order{OrderID: r.orderID, OutOrderID: r.outOrderID, Start: r.ends})
	}
	caller, err := merchantcheck.New(at, j.appKey, j.secret())
	if err != nil {
		return nil, err
	}
	defer caller.Close()
	report := merchantcheck.Run(ctx, caller, check)
	if n := m.books(); n != 0 {
		err = fmt.Errorf("%d renewals are left in the books", n)
	}
	return report, err
}

func (j *job) print(out io.Writer, report *merchantcheck.Report) error {
	if !j.json {
		return report.WriteText(out)
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(report)
}

// serveAt serves the merchant until the context ends.
func serveAt(ctx context.Context, j *job, out, logs io.Writer) error {
	rentals := demoRentals(time.Now())
	at, stop, err := listen(ctx, j, newMerchant(time.Now, rentals...), j.addr, slog.New(slog.NewTextHandler(logs, nil)))
	if err != nil {
		return err
	}
	defer stop()
	fmt.Fprintf(out, "Serving renewals at %s for app %s. Test it from another terminal with one of these lines:\n", at,
		j.appKey)
	for _, r := range rentals {
		fmt.Fprintf(out, "  fliggy check-merchant %s --order %s --out-order %s --start %q\n",
			at, r.orderID, r.outOrderID, r.ends.Format("2006-01-02 15:04"))
	}
	<-ctx.Done()
	return nil
}
