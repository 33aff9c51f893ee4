package engines

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/lifecycle"
)

// BenchmarkJournal submits renewals through a book: two transitions each, the intention with its ledger line, and the
// outcome. client is the same call without a journal; the platform is in the process, without a network.
func BenchmarkJournal(b *testing.B) {
	byEngine(b, func(b *testing.B, s *stage, workers int) {
		p := newPlatform(b)
		contest(b,
			contestant{"ours", func(b *testing.B) { s.submit(b, workers, p) }},
			contestant{"client", func(b *testing.B) { submitPlain(b, workers, p) }})
	})
}

func (s *stage) submit(b *testing.B, workers int, p *platform) {
	b.Helper()
	book := s.open(b, p.client)
	p.sell(b.N)
	_, id := freshIDs()
	measure(b, workers, func(ctx context.Context, i int) error {
		_, err := book.Submit(ctx, &lifecycle.SubmitRequest{RenewalSubmitRequest: *renewal(i, id(i)), PaidTime: time.Now()})
		return err
	})
	page, err := book.List(b.Context(), lifecycle.Filter{State: lifecycle.Placed, Limit: 1})
	check(b, err)
	if len(page.Renewals) != 1 {
		b.Error("nothing is in the journal")
	}
}

func submitPlain(b *testing.B, workers int, p *platform) {
	b.Helper()
	p.sell(b.N)
	_, id := freshIDs()
	measure(b, workers, func(ctx context.Context, i int) error {
		_, err := p.client.Renewals.Submit(ctx, renewal(i, id(i)))
		return err
	})
}

// renewal is one of the ith order: an order has one open renewal.
func renewal(i int, id string) *rentcar.RenewalSubmitRequest {
	order := orderOf(i)
	until := order.Details.Booking.CarReturnTime
	return &rentcar.RenewalSubmitRequest{
		OrderID: order.OrderID, OutOrderID: order.OutOrderID, RenewalOutOrderID: id, CarUseTime: until,
		CarReturnTime: fliggy.At(until.Add(24 * time.Hour)), TotalFee: fliggy.MustYuan("100"),
		Payment: fliggy.MustYuan("100"), PayTradeNo: "P-" + id,
	}
}

func orderOf(i int) fliggytest.Order {
	order := fliggytest.SampleOrder()
	order.OrderID, order.OutOrderID = fliggy.ID(strconv.Itoa(1_000_000+i)), "M"+strconv.Itoa(i)
	return order
}

// A platform is Fliggy in this process, with a client whose calls end there.
type platform struct {
	gateway *fliggytest.Gateway
	client  *rentcar.Client
	orders  int
}

// sell lets the platform have so many orders.
func (p *platform) sell(n int) {
	for ; p.orders < n; p.orders++ {
		p.gateway.AddOrder(orderOf(p.orders))
	}
}

func newPlatform(b *testing.B) *platform {
	b.Helper()
	gateway := fliggytest.NewGateway(fliggytest.WithOrigin("http://fliggy.test"))
	b.Cleanup(gateway.Close)
	http := &http.Client{Transport: inProcess{gateway.Handler()}}
	client, err := gateway.Client(rentcar.WithChannel(fliggy.ChannelAmap), rentcar.WithHTTPClient(http))
	check(b, err)
	return &platform{gateway: gateway, client: client}
}

// inProcess calls a handler in place of a network.
type inProcess struct{ handler http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	own := r.Clone(r.Context())
	own.RequestURI, own.RemoteAddr = r.URL.RequestURI(), "127.0.0.1:1"
	if own.Body == nil {
		own.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, own)
	_, _ = io.Copy(io.Discard, own.Body)
	return w.Result(), nil
}
