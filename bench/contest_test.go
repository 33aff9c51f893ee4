package bench

import (
	"context"
	"net/http"
	"testing"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/bench/internal/work"
)

// A contestant makes the calls of the contest. Each returns what the platform
// answered, in a form of its own.
type contestant struct {
	name        string
	checkCancel func(*rentcar.RenewalCheckCancelRequest) (any, error)
	orderQuery  func(*rentcar.OrderQueryRequest) (any, error)
	generic     func(*rentcar.OrderQueryRequest) (any, error) // the same with the peers' own structs
	notify      func(*rentcar.BillNotifyRequest) func() (any, error)
}

// contestants returns one client of each, all sending through rt.
func contestants(tb testing.TB, rt http.RoundTripper, format rentcar.Format) []*contestant {
	peerFormat := "json"
	if format == rentcar.XML {
		peerFormat = "xml"
	}
	client := newClient(tb, rentcar.WithHTTPClient(&http.Client{Transport: rt}), rentcar.WithFormat(format))
	return []*contestant{
		newOursCaller(client),
		newPeerCaller("std", newStd(rt, peerFormat), gatewayURL),
		newPeerCaller("resty", newResty(rt, peerFormat), gatewayURL),
	}
}

// observed is newOursCaller with an observer, whose panics and Goexit must not reach the call.
func observed(tb testing.TB, rt http.RoundTripper, format rentcar.Format) *contestant {
	caller := newOursCaller(newClient(tb, rentcar.WithHTTPClient(&http.Client{Transport: rt}), rentcar.WithFormat(format),
		rentcar.WithObserver(func(context.Context, rentcar.Observation) {})))
	caller.name = "ours-observed"
	return caller
}

// newClient returns the SDK's client as it comes.
func newClient(tb testing.TB, opts ...rentcar.Option) *rentcar.Client {
	client, err := rentcar.NewClient(work.AppKey, work.Secret, opts...)
	must(tb, err)
	return client
}

func newOursCaller(client *rentcar.Client) *contestant {
	ctx := context.Background()
	return &contestant{
		name:        "ours",
		checkCancel: func(r *rentcar.RenewalCheckCancelRequest) (any, error) { return client.Renewals.CheckCancel(ctx, r) },
		orderQuery:  func(r *rentcar.OrderQueryRequest) (any, error) { return client.Orders.Query(ctx, r) },
		generic: func(r *rentcar.OrderQueryRequest) (any, error) {
			reply := &orderQueryReply{}
			return reply, client.Call(ctx, orderQueryMethod, rentcar.Params{orderQueryParam: orderQueryOf(r)}, reply)
		},
		notify: func(r *rentcar.BillNotifyRequest) func() (any, error) {
			return func() (any, error) { return client.Bills.NotifyAll(ctx, r) }
		},
	}
}

const (
	orderQueryMethod = "alitrip.rentcar.btb.order.query"
	orderQueryParam  = "rent_car_b2b_query_order_req"
)

func newPeerCaller(name string, p *peer, address string) *contestant {
	ctx := context.Background()
	query := func(r *rentcar.OrderQueryRequest) (any, error) {
		reply := &orderQueryReply{}
		return reply, p.call(ctx, address, orderQueryMethod, orderQueryParam, orderQueryOf(r), reply)
	}
	return &contestant{
		name: name,
		checkCancel: func(r *rentcar.RenewalCheckCancelRequest) (any, error) {
			reply := &checkCancelReply{}
			return reply, p.call(ctx, address, "alitrip.rentcar.btb.renewal.checkcancel",
				"rent_car_b2b_renewal_check_cancel_order_req", checkCancelOf(r), reply)
		},
		orderQuery: query,
		generic:    query,
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
