package bench

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/bench/internal/work"
)

// A contestant makes the calls of the contest. Each returns what the platform
// answered, in a form of its own.
type contestant struct {
	name        string
	checkCancel func(*rentcar.RenewalCheckCancelRequest) (any, error)
	orderQuery  func(*rentcar.OrderQueryRequest) (any, error)
	notify      func(*rentcar.BillNotifyRequest) func() (any, error)
}

// contestants returns one client of each, all sending through rt. An empty address
// is that of the platform.
func contestants(tb testing.TB, rt http.RoundTripper, format rentcar.Format) []*contestant {
	return builders(tb, rt, format, func() {})
}

// builders are contestants that tell when a request has been built: encoded, signed,
// and put into a query and a form.
func builders(tb testing.TB, rt http.RoundTripper, format rentcar.Format, built func()) []*contestant {
	peerFormat := "json"
	if format == rentcar.XML {
		peerFormat = "xml"
	}
	std, resty := newStd(rt, peerFormat), newResty(rt, peerFormat)
	std.built, resty.built = built, built
	client := newClient(tb, rentcar.WithHTTPClient(&http.Client{Transport: rt}), rentcar.WithFormat(format),
		rentcar.WithObserver(func(context.Context, rentcar.Observation) {}))
	return []*contestant{
		newOursCaller(markContext{context.Background(), built}, client),
		newPeerCaller("std", std, gatewayURL),
		newPeerCaller("resty", resty, gatewayURL),
	}
}

// A markContext tells when it is asked for its deadline. The client does so once a
// request has been built, to give the attempt its own.
type markContext struct {
	context.Context

	asked func()
}

func (c markContext) Deadline() (time.Time, bool) {
	c.asked()
	return c.Context.Deadline()
}

// newClient returns the SDK's client as it comes.
func newClient(tb testing.TB, opts ...rentcar.Option) *rentcar.Client {
	client, err := rentcar.NewClient(work.AppKey, work.Secret, opts...)
	must(tb, err)
	return client
}

func newOursCaller(ctx context.Context, client *rentcar.Client) *contestant {
	return &contestant{
		name:        "ours",
		checkCancel: func(r *rentcar.RenewalCheckCancelRequest) (any, error) { return client.Renewals.CheckCancel(ctx, r) },
		orderQuery:  func(r *rentcar.OrderQueryRequest) (any, error) { return client.Orders.Query(ctx, r) },
		notify: func(r *rentcar.BillNotifyRequest) func() (any, error) {
			return func() (any, error) { return client.Bills.NotifyAll(ctx, r) }
		},
	}
}

func newPeerCaller(name string, p *peer, address string) *contestant {
	ctx := context.Background()
	return &contestant{
		name: name,
		checkCancel: func(r *rentcar.RenewalCheckCancelRequest) (any, error) {
			reply := &checkCancelReply{}
			return reply, p.call(ctx, address, "alitrip.rentcar.btb.renewal.checkcancel",
				"rent_car_b2b_renewal_check_cancel_order_req", checkCancelOf(r), reply)
		},
		orderQuery: func(r *rentcar.OrderQueryRequest) (any, error) {
			reply := &orderQueryReply{}
			return reply, p.call(ctx, address, "alitrip.rentcar.btb.order.query",
				"rent_car_b2b_query_order_req", orderQueryOf(r), reply)
		},
		notify: func(r *rentcar.BillNotifyRequest) func() (any, error) {
			own := billOf(r)
			return func() (any, error) {
				reply := &billReply{}
				return reply, p.call(ctx, address, "alitrip.rentcar.btb.bill.notify",
					"rent_car_b2b_distribution_bill_req", own, reply)
			}
		},
	}
}
