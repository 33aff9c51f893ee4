package soak_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/qimen"
)

const app, secret = "24700001", "0123456789abcdef0123456789abcdef"

// A world is one distributor with its endpoint and its client, and Fliggy.
type world struct {
	ahead   atomic.Int64 // nanoseconds that the clock is ahead
	gateAge time.Duration
	gate    *qimen.MemoryGate

	server     *httptest.Server
	pushClient *http.Client
	receiver   atomic.Pointer[pushLoad]
	events     int64 // numbered so far

	address       atomic.Value // of the gateway
	client        *rentcar.Client
	callTransport *http.Transport
}

func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{gateAge: time.Hour}
	var err error
	if w.gate, err = qimen.NewMemoryGate(qimen.MemoryGateConfig{Age: w.gateAge, Now: w.now}); err != nil {
		t.Fatal(err)
	}
	handler, err := qimen.NewHandler(qimen.Secrets{app: {secret, "an earlier secret"}},
		qimen.WithGate(w.gate), qimen.WithClock(w.now),
		qimen.OnEvent(func(ctx context.Context, d *qimen.Delivery, e events.Event) error {
			return w.receiver.Load().receive(ctx, d, e)
		}))
	if err != nil {
		t.Fatal(err)
	}
	w.server = httptest.NewServer(handler)
	t.Cleanup(w.server.Close)
	w.pushClient = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4 * senders}}
	t.Cleanup(w.pushClient.CloseIdleConnections)

	w.callTransport = &http.Transport{
		MaxIdleConnsPerHost: 2 * callers,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, w.address.Load().(string))
		},
	}
	t.Cleanup(w.callTransport.CloseIdleConnections)
	gateway := fliggytest.NewGateway()
	defer gateway.Close()
	if w.client, err = gateway.Client(
		rentcar.WithChannel(fliggy.ChannelAmap),
		rentcar.WithClock(w.now),
		rentcar.WithHTTPClient(&http.Client{Transport: w.callTransport}),
		rentcar.WithSleep(func(ctx context.Context, _ time.Duration) error { return ctx.Err() }),
	); err != nil {
		t.Fatal(err)
	}
	return w
}

// newGateway starts a Fliggy that fails in about one call of twelve. The client goes
// to the one that was started last: each keeps records of what it got, which are
// not the library's memory.
func (w *world) newGateway(t *testing.T) *fliggytest.Gateway {
	t.Helper()
	gateway := fliggytest.NewGateway(fliggytest.WithClock(w.now))
	address, err := url.Parse(gateway.URL())
	if err != nil {
		t.Fatal(err)
	}
	w.address.Store(address.Host)
	for _, fault := range []fliggytest.Fault{
		fliggytest.CutOff(), fliggytest.Dropped(), fliggytest.RawBody(http.StatusOK, "text/html", []byte("<html></html>")),
		fliggytest.HTTPStatus(http.StatusBadGateway),
		fliggytest.Unavailable(), fliggytest.Failed(&rentcar.GatewayError{Code: "15", SubCode: "isp.remote-service-timeout"}),
		fliggytest.Failed(&rentcar.BusinessError{Code: "71001", Message: "no"}), fliggytest.NoFlag(),
		fliggytest.TruncatedGzip(),
		fliggytest.CutOff().AfterCommit(),
	} {
		gateway.Fail(fault.Always().When(func(fliggytest.Request) bool { return rand.IntN(120) == 0 }))
	}
	return gateway
}

// A callLoad makes calls of several kinds, whatever becomes of them.
type callLoad struct {
	*world
	left     atomic.Int64
	latency  histogram
	outcomes [4]atomic.Int64
	strange  atomic.Int64
}

func newCallLoad(w *world, total int) *callLoad {
	c := &callLoad{world: w}
	c.left.Store(int64(total))
	return c
}

func (c *callLoad) run(t *testing.T) {
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for n := c.left.Add(-1); n >= 0; n = c.left.Add(-1) {
				start := time.Now()
				err := c.call(t.Context(), n)
				c.latency.add(time.Since(start))
				c.outcomes[rentcar.OutcomeOf(err)].Add(1)
				if invalid := (*fliggy.ValidationError)(nil); errors.As(err, &invalid) {
					c.strange.Add(1)
					t.Errorf("call %d: %v", n, err)
				}
			}
		})
	}
	all.Wait()
}

func (c *callLoad) call(ctx context.Context, n int64) error {
	order := fliggytest.SampleOrder()
	switch n % 4 {
	case 0:
		_, err := c.client.Orders.Query(ctx, &rentcar.OrderQueryRequest{OrderID: order.OrderID})
		return err
	case 1:
		_, err := c.client.Orders.CheckCancel(
			ctx, &rentcar.OrderCheckCancelRequest{OrderID: order.OrderID, OutOrderID: order.OutOrderID},
		)
		return err
	case 2:
		_, err := c.client.Callbacks.Send(ctx, events.NewOrderCancelled(events.Order{
			ChannelID: fliggy.ChannelAmap, OrderID: order.OrderID, OutOrderID: order.OutOrderID,
		}))
		return err
	default:
		bill, err := rentcar.NewBill("B-1", "1").Income(rentcar.BillLine{
			OrderID: order.OrderID, OutOrderID: order.OutOrderID, BizType: fliggy.BillOrderFee,
			OrderAmount: fliggy.MustYuan("16.02"), PayTradeNo: "1122334411", PayTime: fliggy.MustTime("2023-02-03 14:00:00"),
		}).Build()
		if err != nil {
			return err
		}
		_, err = c.client.Bills.Notify(ctx, bill)
		return err
	}
}

func (c *callLoad) check(t *testing.T) {
	t.Helper()
	count := func(o rentcar.Outcome) int64 { return c.outcomes[o].Load() }
	ok, rejected, unknown := count(rentcar.OutcomeSucceeded), count(rentcar.OutcomeRejected), count(rentcar.OutcomeUnknown)
	t.Logf(
		"%d calls: %d succeeded, %d rejected, %d unknown, %d not sent", c.latency.count.Load(), ok, rejected, unknown,
		count(rentcar.OutcomeNotSent),
	)
	if ok == 0 || rejected == 0 || unknown == 0 || ok < 4*(rejected+unknown) {
		t.Error("the calls do not end as the faults let them")
	}
}
