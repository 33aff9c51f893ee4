package acceptance

import (
	"context"
	"reflect"
	"strings"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

// A leakCall is one method of a client, called with a request full of markers.
type leakCall struct {
	name      string   // of the method
	validates []string // the Validate of its request
	typed     bool     // it knows the flag of success
	check     func(spoil) error
	// do makes the call, with the request spoilt before.
	do func(ctx context.Context, c *rentcar.Client, s spoil, opts ...rentcar.CallOption) (*rentcar.Meta, error)
	// nothing makes the call without a request.
	nothing func(ctx context.Context, c *rentcar.Client) (*rentcar.Meta, error)
}

// leakedReply is a reply of the generic calls.
type leakedReply struct {
	rentcar.Meta
	Successful bool        `top:"successful,required"`
	Fee        fliggy.Yuan `top:"cancel_fee"`
}

func typedCall[Req, Res any](
	name string, send func(*rentcar.Client) func(context.Context, *Req, ...rentcar.CallOption) (*Res, error), meta func(*Res) *rentcar.Meta,
) leakCall {
	known := func(res *Res, err error) (*rentcar.Meta, error) {
		if res == nil {
			return nil, err
		}
		return meta(res), err
	}
	check := func(s spoil) error {
		req := new(Req)
		fill(reflect.ValueOf(req).Elem())
		s.apply(reflect.ValueOf(req).Elem())
		return any(req).(interface{ Validate() error }).Validate()
	}
	request := reflect.TypeFor[Req]()
	return leakCall{
		name: name, typed: true, check: check,
		validates: []string{strings.TrimPrefix(request.PkgPath()[strings.LastIndex(request.PkgPath(), "/"):], "/") + "." + request.Name() + ".Validate"},
		do: func(ctx context.Context, c *rentcar.Client, s spoil, opts ...rentcar.CallOption) (*rentcar.Meta, error) {
			req := new(Req)
			fill(reflect.ValueOf(req).Elem())
			s.apply(reflect.ValueOf(req).Elem())
			return known(send(c)(ctx, req, opts...))
		},
		nothing: func(ctx context.Context, c *rentcar.Client) (*rentcar.Meta, error) { return known(send(c)(ctx, nil)) },
	}
}

// leakCalls are all methods that send something.
var leakCalls = []leakCall{
	typedCall("OrderService.Query", func(c *rentcar.Client) func(context.Context, *rentcar.OrderQueryRequest, ...rentcar.CallOption) (*rentcar.OrderQueryResult, error) {
		return c.Orders.Query
	}, func(r *rentcar.OrderQueryResult) *rentcar.Meta { return &r.Meta }),
	typedCall("OrderService.CheckCancel", func(c *rentcar.Client) func(context.Context, *rentcar.OrderCheckCancelRequest, ...rentcar.CallOption) (*rentcar.OrderCheckCancelResult, error) {
		return c.Orders.CheckCancel
	}, func(r *rentcar.OrderCheckCancelResult) *rentcar.Meta { return &r.Meta }),
	typedCall("RenewalService.Quote", func(c *rentcar.Client) func(context.Context, *rentcar.RenewalQuoteRequest, ...rentcar.CallOption) (*rentcar.RenewalQuoteResult, error) {
		return c.Renewals.Quote
	}, func(r *rentcar.RenewalQuoteResult) *rentcar.Meta { return &r.Meta }),
	typedCall("RenewalService.Submit", func(c *rentcar.Client) func(context.Context, *rentcar.RenewalSubmitRequest, ...rentcar.CallOption) (*rentcar.RenewalSubmitResult, error) {
		return c.Renewals.Submit
	}, func(r *rentcar.RenewalSubmitResult) *rentcar.Meta { return &r.Meta }),
	typedCall("RenewalService.CheckCancel", func(c *rentcar.Client) func(context.Context, *rentcar.RenewalCheckCancelRequest, ...rentcar.CallOption) (*rentcar.RenewalCheckCancelResult, error) {
		return c.Renewals.CheckCancel
	}, func(r *rentcar.RenewalCheckCancelResult) *rentcar.Meta { return &r.Meta }),
	typedCall("RenewalService.Cancel", func(c *rentcar.Client) func(context.Context, *rentcar.RenewalCancelRequest, ...rentcar.CallOption) (*rentcar.RenewalCancelResult, error) {
		return c.Renewals.Cancel
	}, func(r *rentcar.RenewalCancelResult) *rentcar.Meta { return &r.Meta }),
	typedCall("BillService.NotifyAll", func(c *rentcar.Client) func(context.Context, *rentcar.BillNotifyRequest, ...rentcar.CallOption) (*rentcar.BillNotifyResult, error) {
		return c.Bills.NotifyAll
	}, func(r *rentcar.BillNotifyResult) *rentcar.Meta { return &r.Meta }),
	typedCall("BillService.Notify", func(c *rentcar.Client) func(context.Context, *rentcar.Bill, ...rentcar.CallOption) (*rentcar.BillNotifyResult, error) {
		return c.Bills.Notify
	}, func(r *rentcar.BillNotifyResult) *rentcar.Meta { return &r.Meta }),
	typedCall("CallbackService.Send", func(c *rentcar.Client) func(context.Context, *events.Callback, ...rentcar.CallOption) (*rentcar.CallbackResult, error) {
		return c.Callbacks.Send
	}, func(r *rentcar.CallbackResult) *rentcar.Meta { return &r.Meta }),
	typedCall("AgencyService.CreateOrder", func(c *rentcar.Client) func(context.Context, *rentcar.AgencyCreateOrderRequest, ...rentcar.CallOption) (*rentcar.AgencyCreateOrderResult, error) {
		return c.Agency.CreateOrder
	}, func(r *rentcar.AgencyCreateOrderResult) *rentcar.Meta { return &r.Meta }),
	typedCall("AgencyService.UpdateOrder", func(c *rentcar.Client) func(context.Context, *rentcar.AgencyUpdateOrderRequest, ...rentcar.CallOption) (*rentcar.AgencyUpdateOrderResult, error) {
		return c.Agency.UpdateOrder
	}, func(r *rentcar.AgencyUpdateOrderResult) *rentcar.Meta { return &r.Meta }),
	genericCall("Client.Call", func(ctx context.Context, c *rentcar.Client, p rentcar.Params, out any, opts ...rentcar.CallOption) error {
		return c.Call(ctx, "x.any.method", p, out, opts...)
	}),
	genericCall("Client.CallQimen", func(ctx context.Context, c *rentcar.Client, p rentcar.Params, out any, opts ...rentcar.CallOption) error {
		return c.CallQimen(ctx, "x.any.method", &rentcar.QimenRequest{TargetAppKey: "1", Params: p, JSON: struct{ Body string }{markBody.text}}, out, opts...)
	}),
}

func genericCall(name string, send func(context.Context, *rentcar.Client, rentcar.Params, any, ...rentcar.CallOption) error) leakCall {
	call := func(ctx context.Context, c *rentcar.Client, p rentcar.Params, opts ...rentcar.CallOption) (*rentcar.Meta, error) {
		var reply leakedReply
		err := send(ctx, c, p, &reply, opts...)
		return &reply.Meta, err
	}
	return leakCall{
		name: name,
		do: func(ctx context.Context, c *rentcar.Client, s spoil, opts ...rentcar.CallOption) (*rentcar.Meta, error) {
			p := struct {
				Name, Phone, Card string
				ID                fliggy.ID
				Fee               fliggy.Yuan
				Exts              fliggy.Exts
			}{markName.text, markPhone.text, markCard.text, fliggy.ID(markDigits.text), fliggy.MustYuan("1.00"), "{}"}
			s.apply(reflect.ValueOf(&p).Elem())
			return call(ctx, c, rentcar.Params{"req": p, "token": fliggy.NewSecret(markToken.text)}, opts...)
		},
		nothing: func(ctx context.Context, c *rentcar.Client) (*rentcar.Meta, error) {
			return call(ctx, c, rentcar.Params{"": markBody.text})
		},
	}
}

// fill puts markers into every member of a request, so that it is still valid.
func fill(v reflect.Value) {
	switch p := v.Addr().Interface().(type) {
	case *rentcar.AgencyDriver:
		*p = rentcar.AgencyDriver{DriverName: markName.text, MobilePhone: markPhone.text, Email: markMail.text, DriverIDCard: markCard.text, DrivingLicense: markCard.text}
		return
	case *fliggy.Secret:
		*p = fliggy.NewSecret(markToken.text)
		return
	case *fliggy.ID:
		*p = fliggy.ID(markDigits.text)
		return
	case *fliggy.Exts:
		*p = fliggy.ExtsOf(map[string]string{"x": markBody.text})
		return
	case *fliggy.Yuan:
		*p = fliggy.MustYuan("4711081523424299107")
		return
	case *fliggy.Fen:
		*p = fliggy.FenOf(4711081523424299107)
		return
	case *fliggy.Channel:
		*p = fliggy.ChannelAmap
		return
	case *fliggy.Time, *fliggy.LocalTime: // what goes with what is not known here; Quote's are set below
		return
	case *events.Type:
		*p = events.TypeRenewalFeeRefundSucceeded
		return
	}
	switch {
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			switch f := v.Type().Field(i); {
			case f.Name == "CarUseTime":
				v.Field(i).Set(reflect.ValueOf(fliggy.MustTime("2023-02-04 10:00:00")))
			case f.Name == "CarReturnTime":
				v.Field(i).Set(reflect.ValueOf(fliggy.MustTime("2023-02-05 10:00:00")))
			case f.Name == "PayTime" && v.Type() == reflect.TypeFor[rentcar.BillLine]():
				v.Field(i).Set(reflect.ValueOf(fliggy.MustTime("2023-02-05 10:00:00")))
			case f.Name == "Extra" && f.Type.Kind() == reflect.String:
				v.Field(i).SetString(`{"x":"` + markPhone.text + `"}`)
			case f.Name == "RentFee":
				v.Field(i).SetString(markDigits.text)
			case f.IsExported():
				fill(v.Field(i))
			}
		}
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case v.Kind() == reflect.String:
		v.SetString(markBody.text)
	case v.CanInt():
		v.SetInt(10)
	}
}

// A spoil makes members of a request wrong, without taking their markers away.
type spoil struct{ to func(v any) }

var spoilers = []spoil{
	{func(v any) {
		if p, ok := v.(*string); ok {
			*p += "\xff"
		}
	}}, {func(v any) {
		if p, ok := v.(*fliggy.ID); ok {
			*p = fliggy.ID(markBody.text)
		}
	}}, {func(v any) {
		if p, ok := v.(*fliggy.ID); ok {
			*p += "\xff"
		}
	}}, {func(v any) {
		if p, ok := v.(*fliggy.Yuan); ok {
			*p = p.Neg()
		}
	}}, {func(v any) {
		if p, ok := v.(*fliggy.Yuan); ok {
			*p = p.Mul(fliggy.MustDecimal("1" + strings.Repeat("0", 39)))
		}
	}}, {func(v any) {
		if p, ok := v.(*fliggy.Exts); ok {
			*p = fliggy.Exts(markBody.text + "\xff")
		}
	}}, {func(v any) {
		if p, ok := v.(*fliggy.Channel); ok {
			*p = fliggy.Channel(markBody.text + "\xff")
		}
	}}, {func(v any) {
		if p, ok := v.(*fliggy.Time); ok {
			*p = fliggy.Time{}
		}
	}}, {func(v any) {
		if p, ok := v.(*fliggy.Secret); ok {
			*p = fliggy.NewSecret(markToken.text + "\xff")
		}
	}},
}

func (s spoil) apply(v reflect.Value) {
	if s.to == nil || !v.CanAddr() || !v.CanSet() {
		return
	}
	s.to(v.Addr().Interface())
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			s.apply(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			s.apply(v.Index(i))
		}
	}
}
