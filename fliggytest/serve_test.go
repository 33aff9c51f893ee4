package fliggytest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
)

func TestHandle(t *testing.T) {
	t.Parallel()
	const method = "alitrip.rentcar.btb.price.query"
	type priceRequest struct {
		City string `json:"city_id"`
	}
	ctx := context.Background()
	for _, format := range allFormats {
		g := start(t)
		c := connect(t, g, rentcar.WithFormat(format))
		call := func() (out priceReply, err error) {
			err = c.Call(ctx, method, rentcar.Params{"req": priceRequest{"460200"}}, &out)
			return out, err
		}
		var failed *rentcar.GatewayError
		if _, err := call(); !errors.As(err, &failed) || failed.Code != "22" {
			t.Errorf("%v: without a handler: %v", format, err)
		}
		type reply struct {
			Successful bool        `top:"successful"`
			Stores     []string    `top:"store_list"`
			Price      fliggy.Yuan `top:"price"`
		}
		var got priceRequest
		g.Handle(method, func(_ context.Context, r *Request) (any, error) {
			return reply{true, []string{"三亚", "<&>"}, fliggy.MustYuan("10.00")}, r.Decode(&got)
		})
		out, err := call()
		if err != nil || got.City != "460200" || !out.Successful || len(out.Stores) != 2 || out.Stores[1] != "<&>" ||
			out.Price.String() != "10.00" || out.RequestID != lastRequest(t, g).ID {
			t.Errorf("%v: asked %+v, got %+v, %v", format, got, out, err)
		}
		for name, c := range map[string]struct {
			result any
			err    error
			code   string
		}{
			"refusal":       {nil, &rentcar.BusinessError{Code: "B1", Message: "没有"}, "B1"},
			"gateway error": {nil, &rentcar.GatewayError{Code: "11", Msg: "Insufficient isv permissions"}, "11"},
			"any error":     {nil, errors.New("out of order"), "15"},
			"no struct":     {7, nil, "15"},
			"no form":       {struct{ C chan int }{}, nil, "15"},
			"not UTF-8":     {nil, &rentcar.BusinessError{Code: "\xff"}, "15"},
		} {
			g.Handle(method, func(context.Context, *Request) (any, error) { return c.result, c.err })
			_, err := call()
			if lastRequest(t, g).Answer.Code != c.code {
				t.Errorf("%v: %s: answered %v, the client has %v", format, name, lastRequest(t, g), err)
			}
			if failed := (*rentcar.GatewayError)(nil); errors.As(err, &failed) && failed.Code != c.code {
				t.Errorf("%v: %s: %v", format, name, err)
			}
		}
		g.Handle(method, func(context.Context, *Request) (any, error) { panic("in the handler") })
		if _, err := call(); !errors.As(err, &failed) || failed.SubCode != "isp.unknown-error" || !strings.Contains(
			failed.SubMsg, "in the handler",
		) {
			t.Errorf("%v: panic: %v", format, err)
		}
		g.Handle(method, func(context.Context, *Request) (any, error) { return rentcar.Raw("as it is"), nil })
		var sent rentcar.RawReply
		_ = c.Call(ctx, method, nil, &priceReply{}, rentcar.CallRawReply(&sent)) // nothing that a client understands
		if string(sent.Body) != "as it is" {
			t.Errorf("%v: raw reply %s", format, sent.Body)
		}
		g.Handle(method, func(context.Context, *Request) (any, error) { return nil, nil })
		var idOnly struct {
			RequestID string `top:"request_id"`
		}
		if err := c.Call(ctx, method, nil, &idOnly); err != nil || idOnly.RequestID != lastRequest(t, g).ID {
			t.Errorf("%v: a reply without members: %q, %v", format, idOnly.RequestID, err)
		}
		g.Handle(method, nil)
		if _, err := call(); !errors.As(err, &failed) || failed.Code != "22" {
			t.Errorf("%v: handler taken away: %v", format, err)
		}
	}
}

func TestHandleReplacesAnAPI(t *testing.T) {
	t.Parallel()
	g := start(t)
	g.Handle(methodQuery, func(_ context.Context, r *Request) (any, error) {
		var req rentcar.OrderQueryRequest
		if err := r.Decode(&req); err != nil {
			return nil, err
		}
		return &rentcar.OrderQueryResult{
			Status: rentcar.Status{Successful: true, RetMsg: string(req.OrderID)}, Meta: rentcar.Meta{RequestID: "another"},
		}, nil
	})
	res, err := connect(t, g).Orders.Query(context.Background(), &rentcar.OrderQueryRequest{OrderID: "77"})
	noError(t, err)
	if res.RetMsg != "77" || res.RequestID != lastRequest(t, g).ID {
		t.Errorf("got %+v", res)
	}
}

func TestHandlerTakenAwayMeanwhile(t *testing.T) {
	t.Parallel()
	const method = "alitrip.rentcar.btb.other"
	g := start(t)
	g.Handle(method, func(context.Context, *Request) (any, error) { return nil, nil })
	g.Fail(Delayed(0).When(func(Request) bool { g.Handle(method, nil); return true }))
	var failed *rentcar.GatewayError
	err := connect(t, g).Call(context.Background(), method, nil, new(rentcar.Raw))
	if !errors.As(err, &failed) || failed.Code != "22" {
		t.Errorf("got %v", err)
	}
}
