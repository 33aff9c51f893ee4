package acceptance

import (
	"context"
	"path"
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
	paged     bool     // it returns an iterator
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

// leakCalls are all methods that send something.
var leakCalls = append(serviceCalls(),
	genericCall("Client.Call", func(
		ctx context.Context, c *rentcar.Client, p rentcar.Params, out any, opts ...rentcar.CallOption,
	) error {
		return c.Call(ctx, "x.any.method", p, out, opts...)
	}),
	genericCall("Client.CallQimen", func(
		ctx context.Context, c *rentcar.Client, p rentcar.Params, out any, opts ...rentcar.CallOption,
	) error {
		return c.CallQimen(
			ctx, "x.any.method", &rentcar.QimenRequest{TargetAppKey: "1", Params: p, JSON: struct{ Body string }{markBody.text}},
			out, opts...,
		)
	}),
)

// serviceCalls are the methods of the client's services that take a request and return a
// result, or the results of many calls.
func serviceCalls() []leakCall {
	var calls []leakCall
	for i := range reflect.TypeFor[rentcar.Client]().NumField() {
		service := reflect.TypeFor[rentcar.Client]().Field(i)
		if !service.IsExported() {
			continue
		}
		for i := range service.Type.NumMethod() {
			m := service.Type.Method(i)
			if m.Type.NumIn() == 4 && m.Type.IsVariadic() && (isPaged(m.Type) || hasMeta(m.Type)) {
				calls = append(calls, serviceCall(service, m))
			}
		}
	}
	return calls
}

// isPaged reports whether a method returns an iterator of what it gets and errors.
func isPaged(method reflect.Type) bool {
	return method.NumOut() == 1 && method.Out(0).CanSeq2()
}

// hasMeta reports whether a method returns the result of a call and an error.
func hasMeta(method reflect.Type) bool {
	if method.NumOut() != 2 {
		return false
	}
	meta, ok := method.Out(0).Elem().FieldByName("Meta")
	return ok && meta.Type == reflect.TypeFor[rentcar.Meta]()
}

func serviceCall(service reflect.StructField, m reflect.Method) leakCall {
	send := func(
		ctx context.Context, c *rentcar.Client, req reflect.Value, opts []rentcar.CallOption,
	) (*rentcar.Meta, error) {
		in := []reflect.Value{reflect.ValueOf(c).Elem().FieldByIndex(service.Index), reflect.ValueOf(&ctx).Elem(), req}
		out := m.Func.CallSlice(append(in, reflect.ValueOf(opts)))
		if isPaged(m.Type) {
			for _, err := range out[0].Seq2() {
				out = []reflect.Value{reflect.Zero(reflect.TypeFor[*rentcar.Meta]()), err}
				break
			}
		}
		if len(out) == 1 { // an iterator of nothing
			return nil, nil
		}
		err, _ := out[1].Interface().(error)
		if out[0].IsNil() {
			return nil, err
		}
		return out[0].Elem().FieldByName("Meta").Addr().Interface().(*rentcar.Meta), err
	}
	message := m.Type.In(2).Elem()
	request := func(s spoil) reflect.Value {
		req := reflect.New(message)
		fill(req.Elem())
		s.apply(req.Elem())
		return req
	}
	return leakCall{
		name: service.Type.Elem().Name() + "." + m.Name, typed: true, paged: isPaged(m.Type),
		check:     func(s spoil) error { return request(s).Interface().(interface{ Validate() error }).Validate() },
		validates: []string{path.Base(message.PkgPath()) + "." + message.Name() + ".Validate"},
		do: func(ctx context.Context, c *rentcar.Client, s spoil, opts ...rentcar.CallOption) (*rentcar.Meta, error) {
			return send(ctx, c, request(s), opts)
		},
		nothing: func(ctx context.Context, c *rentcar.Client) (*rentcar.Meta, error) {
			return send(ctx, c, reflect.Zero(m.Type.In(2)), nil)
		},
	}
}

func genericCall(
	name string, send func(context.Context, *rentcar.Client, rentcar.Params, any, ...rentcar.CallOption) error,
) leakCall {
	call := func(
		ctx context.Context, c *rentcar.Client, p rentcar.Params, opts ...rentcar.CallOption,
	) (*rentcar.Meta, error) {
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
		*p = rentcar.AgencyDriver{
			DriverName: markName.text, MobilePhone: markPhone.text, Email: markMail.text, DriverIDCard: markCard.text,
			DrivingLicense: markCard.text,
		}
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
