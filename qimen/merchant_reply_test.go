package qimen

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
)

const (
	systemError = `{"success":false,"retCode":"system-error","retMessage":"System error"}`
	jsonReply   = "application/json;charset=utf-8"
)

// eachMethod calls f with a desk of its own for each of the three operations and for events: returns makes the function
// of that operation return an error.
func eachMethod(
	t *testing.T, f func(t *testing.T, k *desk, method, body string, returns func(func(context.Context) error)),
) {
	t.Helper()
	bodies := map[string]string{DefaultEventMethod: event103}
	for method, body := range merchantBodies {
		bodies[method] = body
	}
	for method, body := range bodies {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			k := newDesk()
			f(t, k, method, body, func(act func(context.Context) error) {
				k.act = act
				k.returns = nil
				k.onEvent = func(ctx context.Context) { k.returns = act(ctx) }
			})
		})
	}
}

// A refusal is answered with success false, code and message, and HTTP 200, wherever in the error it is.
func TestRefuse(t *testing.T) {
	t.Parallel()
	texts := [][2]string{
		{"71008", "no stock"},
		{"", ""},
		{`a"b\c/d`, `"}, "success": true, {"`},
		{"\x00\x01\b\f\n\r\t\x1f", "\x7f\u0080\u009f\u2028\u2029\ufeff"},
		{"库存不足", "车辆已被预订,请改期 🚗"},
		{"\xff\xfe", "a\xc3(\xe4\xb8b"},
		{"<script>", "&amp; %s %!d(MISSING)"},
		{"null", "true"},
		{strings.Repeat("9", 5000), strings.Repeat("长", 5000)},
	}
	wrap := []func(error) error{
		func(err error) error { return err },
		func(err error) error { return fmt.Errorf("dsn=postgres: %w", err) },
		func(err error) error { return fmt.Errorf("a: %w", fmt.Errorf("b: %w", err)) },
		func(err error) error { return errors.Join(errors.New("dsn=postgres"), err) },
	}
	eachMethod(t, func(t *testing.T, k *desk, method, body string, returns func(func(context.Context) error)) {
		h := k.handler(t)
		for _, text := range texts {
			for i, wrapped := range wrap {
				err := wrapped(Refuse(text[0], text[1]))
				returns(func(context.Context) error { return err })
				w := post(t, h, method, jsonType, body)
				// What is not valid UTF-8 cannot be JSON: it is replaced, byte by byte.
				wantReply(t, w, http.StatusOK, failure(t, toUTF8(text[0]), toUTF8(text[1])))
				o := k.last(t)
				var refusal *Refusal
				if o.Reason != ReasonRefused || o.Status != 200 || !errors.As(
					o.Err, &refusal,
				) || refusal.Code != text[0] || refusal.Message != text[1] {
					t.Errorf("%q, wrapped %d: observed %+v", text, i, o)
				}
				if !strings.Contains(o.Err.Error(), "refused: "+text[0]+": "+text[1]) {
					t.Errorf("error %q", o.Err)
				}
			}
		}
		if !strings.Contains(k.log.String(), `"level":"INFO","msg":"qimen: request declined"`) {
			t.Errorf("log %.300s", k.log.String())
		}
	})
}

func toUTF8(s string) string { return string([]rune(s)) }

// What a function says beside a refusal is dropped: the error counts.
func TestRefuseBesideReply(t *testing.T) {
	t.Parallel()
	k := newDesk()
	k.act = func(context.Context) error { return Refuse("1", "no") }
	wantReply(
		t, post(t, k.handler(t), RenewalSubmitMethod, jsonType, merchantBodies[RenewalSubmitMethod]), 200,
		failure(t, "1", "no"),
	)
	k.booked = nil
	wantReply(
		t, post(t, k.handler(t), RenewalSubmitMethod, jsonType, merchantBodies[RenewalSubmitMethod]), 200,
		failure(t, "1", "no"),
	)
}

// A payload that cannot be found is bad input, whatever the error says: only the functions for operations refuse.
func TestRefuseInPayload(t *testing.T) {
	t.Parallel()
	eachMethod(t, func(t *testing.T, k *desk, method, body string, _ func(func(context.Context) error)) {
		h := k.handler(t, WithPayload(func(*Delivery) ([]byte, error) { return nil, Refuse("71008", "no stock") }))
		p := mustSign(t, newPush(queryFor(method), jsonType, body), testSecret)
		k.refuses(
			t, h, request(p), ReasonUndecodable, http.StatusOK, failure(t, "invalid-request", "Invalid request"), "no stock",
		)
	})
}

// The message may be in another place: WithPayload says where.
func TestMerchantPayload(t *testing.T) {
	t.Parallel()
	k := newDesk()
	h := k.handler(t, WithPayload(func(d *Delivery) ([]byte, error) { return []byte(d.Form[0].Value), nil }))
	for _, message := range []string{`{"orderId":1}`, `<r><orderId>1</orderId></r>`} {
		post(t, h, RenewalCancelMethod, formPrefix, "request="+url.QueryEscape(message))
		if r, ok := k.requests[len(k.requests)-1].(*RenewalCancelRequest); !ok || r.OrderID != "1" ||
			k.last(t).Reason != ReasonAccepted {
			t.Errorf("%s: %+v", message, k.last(t))
		}
	}
}

type cruelError struct{}

func (*cruelError) Error() string { return "the warehouse at dsn=postgres" }

func (*cruelError) As(any) bool { panic("As is broken") }

// Everything else that a function returns or does is a failure without a word of its text; it reaches observer and log.
func TestMerchantFailures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		act    func(context.Context) error
		reason Reason
		text   string // in observation and log
	}{
		"error": {
			func(context.Context) error { return errors.New("no stock at dsn=postgres") }, ReasonHandlerError,
			"no stock at dsn=postgres",
		},
		"nil refusal": {func(context.Context) error { return (*Refusal)(nil) }, ReasonHandlerError, "nil *Refusal"},
		"wrapped nil": {
			func(context.Context) error { return fmt.Errorf("at the desk: %w", (*Refusal)(nil)) }, ReasonHandlerError,
			"at the desk: qimen: refused: a nil *Refusal",
		},
		"cancelled": {
			func(context.Context) error { return context.Canceled }, ReasonHandlerError, "context canceled",
		},
		"panic": {
			func(context.Context) error { panic("lost dsn=postgres") }, ReasonPanic, "panic: lost dsn=postgres",
		},
		"panic of an error": {func(context.Context) error { panic(http.ErrAbortHandler) }, ReasonPanic, "abort"},
		"panic of a refusal": {func(context.Context) error {
			panic(Refuse("dsn=postgres", "no"))
		}, ReasonPanic, "panic: qimen: refused: dsn=postgres"},
		"nil pointer":      {func(context.Context) error { var k *desk; return k.act(nil) }, ReasonPanic, "nil pointer"},
		"panic of nothing": {func(context.Context) error { panic(nil) }, ReasonPanic, "nil"},
		"broken error":     {func(context.Context) error { return &cruelError{} }, ReasonPanic, "As is broken"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachMethod(t, func(t *testing.T, k *desk, method, body string, returns func(func(context.Context) error)) {
				returns(c.act)
				w := post(t, k.handler(t), method, jsonType, body)
				wantReply(t, w, http.StatusInternalServerError, systemError)
				if w.Body.String() != systemError {
					t.Errorf("reply %s", w.Body)
				}
				o := k.last(t)
				if o.Reason != c.reason || o.Status != 500 || o.Err == nil || !strings.Contains(o.Err.Error(), c.text) {
					t.Errorf("observed %+v", o)
				}
				var record map[string]any
				if err := json.Unmarshal(k.log.Bytes(), &record); err != nil || record["level"] != "ERROR" || !strings.Contains(
					fmt.Sprint(record["error"]), c.text,
				) {
					t.Errorf("log %s", k.log.String())
				}
			})
		})
	}
}

// A function has its deadline; one that keeps to it leaves the retryable failure.
func TestMerchantDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for method, body := range merchantBodies {
			for timeout, opts := range map[time.Duration][]Option{
				DefaultHandlerTimeout: nil, 3 * time.Second: {WithHandlerTimeout(3 * time.Second)},
			} {
				k := newDesk()
				k.act = func(ctx context.Context) error {
					<-ctx.Done()
					return fmt.Errorf("asking the warehouse: %w", ctx.Err())
				}
				w := post(t, k.handler(t, opts...), method, jsonType, body)
				wantReply(t, w, http.StatusInternalServerError, systemError)
				if o := k.last(t); o.Reason != ReasonHandlerError || !errors.Is(
					o.Err, context.DeadlineExceeded,
				) || o.Duration != timeout {
					t.Errorf("%s: observed %+v, want %v", method, o, timeout)
				}
			}
		}
	})
}

// A function that answers nothing is a bad reply, named after its registration.
func TestMerchantNilReply(t *testing.T) {
	t.Parallel()
	for method, option := range map[string]string{
		RenewalPricesMethod: "OnRenewalPrices", RenewalSubmitMethod: "OnRenewalSubmit",
		RenewalCancelMethod: "OnRenewalCancel",
	} {
		for _, opts := range [][]Option{nil, {WithUncheckedReplies()}} {
			k := newDesk()
			k.quote, k.booked, k.undone = nil, nil, nil
			wantReply(t, post(t, k.handler(t, opts...), method, jsonType, merchantBodies[method]), 500, systemError)
			if o := k.last(t); o.Reason != ReasonBadReply || o.Err == nil ||
				o.Err.Error() != "qimen: the reply of "+option+": the function returned neither a reply nor an error" {
				t.Errorf("observed %+v", o)
			}
			if !strings.Contains(k.log.String(), `"level":"ERROR","msg":"qimen: push failed"`) {
				t.Errorf("log %s", k.log.String())
			}
		}
	}
}

// A place is one field of a reply that can be set.
type place struct {
	path     string
	required bool
	value    reflect.Value
}

// places lists the fields of a message and of everything in it.
func places(v reflect.Value, at string) (out []place) {
	for i := range v.NumField() {
		f, fv := v.Type().Field(i), v.Field(i)
		name, options := memberName(f), strings.Split(f.Tag.Get("top"), ",")[1:]
		if name == "" {
			continue
		}
		isRequired := slices.Contains(options, "required") || name == "cancelType" // of a merchant
		out = append(out, place{at + name, isRequired, fv})
		switch fv.Kind() {
		case reflect.Struct:
			if isMessage(fv.Type()) {
				out = append(out, places(fv, at+name+".")...)
			}
		case reflect.Slice:
			for i := range fv.Len() {
				if fv.Index(i).Kind() == reflect.Struct {
					out = append(out, places(fv.Index(i), fmt.Sprintf("%s%s[%d].", at, name, i))...)
				}
			}
		}
	}
	return out
}

// Each required member that is missing, and each negative amount, makes a reply bad, with an error that names the
// member; unchecked it goes out as it is.
func TestMerchantReplyRules(t *testing.T) {
	t.Parallel()
	type broken struct {
		method, path, rule string
		quote              *RenewalPricesReply
		booked             *RenewalSubmitReply
	}
	var cases []broken
	for i := range places(reflect.ValueOf(quotes()[0]).Elem(), "") {
		quote := quotes()[0]
		p := places(reflect.ValueOf(quote).Elem(), "")[i]
		if p.required {
			p.value.SetZero()
			cases = append(cases, broken{RenewalPricesMethod, p.path, "is required", quote, nil})
		}
		quote = quotes()[0]
		p = places(reflect.ValueOf(quote).Elem(), "")[i]
		if amount, ok := p.value.Addr().Interface().(*fliggy.Yuan); ok {
			*amount = fliggy.MustYuan("-0.01")
			cases = append(cases, broken{RenewalPricesMethod, p.path, "must not be negative", quote, nil})
		}
	}
	// 2 lines with 6 required members and 2 amounts each, 2 days with 2 and 2, 2
	// rules with 1, priceInfo with itself, 6 and 4, cancelStrategyStruct with 1.
	if want := 2*8 + 2*4 + 2*1 + 11 + 1; len(cases) != want {
		t.Errorf("%d rules, want %d", len(cases), want)
	}
	blank, empty := quotes()[0], quotes()[0]
	blank.Price.PriceMark = " \u3000"
	empty.Price.CalendarPrice = []DailyPrice{}
	cases = append(cases,
		broken{RenewalPricesMethod, "priceInfo.priceMark", "is required", blank, nil},
		broken{RenewalPricesMethod, "priceInfo.calendarPrice", "is required", empty, nil},
		broken{
			RenewalSubmitMethod, "outOrderId", "is required", nil, &RenewalSubmitReply{CreatedTime: sampleBooked().CreatedTime},
		},
		broken{
			RenewalSubmitMethod, "outOrderId", "is required", nil,
			&RenewalSubmitReply{OutOrderID: "\t", CreatedTime: sampleBooked().CreatedTime},
		},
		broken{RenewalSubmitMethod, "createdTime", "is required", nil, &RenewalSubmitReply{OutOrderID: "FZ-SECRET"}},
	)
	for _, c := range cases {
		t.Run(c.method+" "+c.path+" "+c.rule, func(t *testing.T) {
			t.Parallel()
			k := newDesk()
			k.quote, k.booked = c.quote, c.booked
			wantReply(t, post(t, k.handler(t), c.method, jsonType, merchantBodies[c.method]), 500, systemError)
			o := k.last(t)
			var invalid *fliggy.ValidationError
			if o.Reason != ReasonBadReply || !errors.As(o.Err, &invalid) {
				t.Fatalf("observed %+v", o)
			}
			if len(invalid.Problems) != 1 || invalid.Problems[0].Field != c.path || !strings.HasPrefix(
				invalid.Problems[0].Rule, c.rule,
			) {
				t.Errorf("problems %v", invalid.Problems)
			}
			if text := o.Err.Error(); !strings.Contains(
				text, c.path+": "+c.rule,
			) || strings.Contains(text, "0.01") || strings.Contains(text, "FZ-SECRET") {
				t.Errorf("error %s", text)
			}

			w := post(t, k.handler(t, WithUncheckedReplies()), c.method, jsonType, merchantBodies[c.method])
			if w.Code != 200 || parsed(t, w.Body.Bytes())["success"] != true || k.last(t).Reason != ReasonAccepted {
				t.Errorf("unchecked: %d %s", w.Code, w.Body)
			}
		})
	}
}

// A reply that has no wire form cannot go out, checked or not.
func TestMerchantReplyWithoutForm(t *testing.T) {
	t.Parallel()
	long := fliggy.MustYuan(strings.Repeat("9", 40)).Mul(fliggy.MustDecimal("99"))
	late := fliggy.At(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))
	for name, c := range map[string]struct {
		method, field string
		set           func(*desk)
	}{
		"amount of 42 digits": {
			RenewalPricesMethod, "priceInfo.standardPrice", func(k *desk) { k.quote.Price.StandardPrice = long },
		},
		"text that is no UTF-8": {
			RenewalPricesMethod, "addedServiceList[0].serviceName",
			func(k *desk) { k.quote.AddedServices[0].ServiceName = "\xff" },
		},
		"year 10000": {RenewalSubmitMethod, "createdTime", func(k *desk) { k.booked.CreatedTime = late }},
		"member with a field": {
			RenewalSubmitMethod, "outOrderId",
			func(k *desk) { k.booked.Extra = map[string]json.RawMessage{"outOrderId": json.RawMessage(`1`)} },
		},
		"member that is no JSON": {
			RenewalCancelMethod, "x", func(k *desk) { k.undone.Extra = map[string]json.RawMessage{"x": json.RawMessage(`{`)} },
		},
		"member without a value": {
			RenewalCancelMethod, "x", func(k *desk) { k.undone.Extra = map[string]json.RawMessage{"x": nil} },
		},
		"inner member, no JSON": {
			RenewalPricesMethod, "priceInfo.x",
			func(k *desk) { k.quote.Price.Extra = map[string]json.RawMessage{"x": json.RawMessage(`nil`)} },
		},
		"member of a line, twice": {RenewalPricesMethod, "addedServiceList[1].price", func(k *desk) {
			k.quote.AddedServices[1].Extra = map[string]json.RawMessage{"price": json.RawMessage(`1`)}
		}},
	} {
		for _, opts := range [][]Option{nil, {WithUncheckedReplies()}} {
			k := newDesk()
			c.set(k)
			wantReply(t, post(t, k.handler(t, opts...), c.method, jsonType, merchantBodies[c.method]), 500, systemError)
			if o := k.last(t); o.Reason != ReasonBadReply || o.Err == nil || !strings.Contains(
				o.Err.Error(), c.field+": ",
			) || strings.Contains(o.Err.Error(), "99999") {
				t.Errorf("%s: observed %+v", name, o)
			}
		}
	}
}
