package bench

import (
	"io"
	"net/http"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/bench/internal/work"
	"github.com/fliggy-go/rentcar/qimen"
)

// What is compared in speed must have done the same work: these tests show it.

func TestSameSignature(t *testing.T) {
	t.Parallel()
	params := work.SignedParams(billJSON(t, 2))
	got, err := rentcar.Sign(rentcar.MD5, work.Secret, params, nil)
	must(t, err)
	if want := signMD5(work.Secret, params); got != want {
		t.Errorf("ours %s, std %s", got, want)
	}
}

// A tape keeps the last request on its way to the gateway.
type tape struct {
	next http.RoundTripper
	sent sent
}

// A sent request is what a contestant sent: all that the platform looks at.
type sent struct {
	Method, URL, ContentType, Accept string
	Length                           bool // whether it was known beforehand
	Query, Form                      url.Values
}

func (t *tape) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	t.sent = sent{
		r.Method, r.URL.Scheme + "://" + r.URL.Host + r.URL.Path, r.Header.Get("Content-Type"), r.Header.Get("Accept"),
		r.ContentLength == int64(len(body)), r.URL.Query(), form,
	}
	r.Body = http.NoBody
	return t.next.RoundTrip(r)
}

func TestSameCalls(t *testing.T) {
	t.Parallel()
	checkCancel := func(c *contestant) (any, error) { return c.checkCancel(work.CheckCancel()) }
	orderQuery := func(c *contestant) (any, error) { return c.orderQuery(work.OrderQuery()) }
	generic := func(c *contestant) (any, error) { return c.generic(work.OrderQuery()) }
	notify := func(c *contestant) (any, error) { return c.notify(work.Bill(3))() }
	for _, tt := range []struct {
		name   string
		format rentcar.Format
		reply  []byte
		call   func(*contestant) (any, error)
	}{
		{"small", rentcar.SimplifiedJSON, work.CheckCancelJSON, checkCancel},
		{"order JSON", rentcar.SimplifiedJSON, work.OrderJSON, orderQuery},
		{"order XML", rentcar.XML, work.OrderXML, orderQuery},
		{"generic", rentcar.SimplifiedJSON, work.OrderJSON, generic},
		{"bill", rentcar.SimplifiedJSON, work.DoneJSON, notify},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tape := &tape{next: work.NewGateway(tt.reply)}
			clock := func() time.Time { return time.UnixMilli(1675404000000) }
			ours := newOursCaller(newClient(t, rentcar.WithHTTPClient(&http.Client{Transport: tape}),
				rentcar.WithFormat(tt.format), rentcar.WithClock(clock)))
			want, err := tt.call(ours)
			must(t, err)
			wantSent := tape.sent
			if len(wantSent.Form) != 1 || !wantSent.Length {
				t.Errorf("ours sent %v", wantSent)
			}

			format := "json"
			if tt.format == rentcar.XML {
				format = "xml"
			}
			for name, p := range map[string]*peer{"std": newStd(tape, format), "resty": newResty(tape, format)} {
				p.now = clock
				got, err := tt.call(newPeerCaller(name, p, gatewayURL))
				must(t, err)
				if diff := cmp.Diff(wantSent, tape.sent); diff != "" {
					t.Errorf("ours and %s send another request (-ours +%s):\n%s", name, name, diff)
				}
				sameFields(t, name, reflect.ValueOf(want).Elem(), reflect.ValueOf(got).Elem())
			}
		})
	}
}

// sameFields compares the fields of two structs of different types by their names.
// Nothing in what the SDK decoded may be empty, or the comparison would be.
func sameFields(t *testing.T, path string, ours, theirs reflect.Value) {
	t.Helper()
	if ours.Type() == theirs.Type() {
		if !reflect.DeepEqual(ours.Interface(), theirs.Interface()) {
			t.Errorf("%s: ours %v, theirs %v", path, ours, theirs)
		}
		return
	}
	switch ours.Kind() {
	case reflect.Struct:
		for _, f := range reflect.VisibleFields(ours.Type()) {
			if f.Anonymous || f.Name == "Attempts" || f.Name == "Warnings" || f.Name == "Extra" {
				continue // these are not from the wire, or for what has no field
			}
			field := theirs.FieldByName(f.Name)
			if !field.IsValid() {
				t.Errorf("%s.%s: they have no such field", path, f.Name)
				continue
			}
			sameFields(t, path+"."+f.Name, ours.FieldByIndex(f.Index), field)
		}
	case reflect.Slice:
		if ours.Len() == 0 || ours.Len() != theirs.Len() {
			t.Fatalf("%s: ours has %d elements, theirs %d", path, ours.Len(), theirs.Len())
		}
		for i := range ours.Len() {
			sameFields(t, path, ours.Index(i), theirs.Index(i))
		}
	default:
		t.Errorf("%s: ours is a %v, theirs a %v", path, ours.Type(), theirs.Type())
	}
}

// The order has a value in every field, or nothing would be compared there.
func TestOrderIsFull(t *testing.T) {
	t.Parallel()
	for _, c := range contestants(t, work.NewGateway(work.OrderJSON), rentcar.SimplifiedJSON) {
		reply, err := c.orderQuery(work.OrderQuery())
		must(t, err)
		if order, ok := reply.(*rentcar.OrderQueryResult); ok {
			if len(order.Extra) != 0 || len(order.Warnings) != 0 {
				t.Errorf("extra %v, warnings %v", order.Extra, order.Warnings)
			}
			full(t, "order.Booking", reflect.ValueOf(order.Booking))
			full(t, "order.Info", reflect.ValueOf(order.Info))
			full(t, "order.Deposit", reflect.ValueOf(order.Deposit))
		}
	}
}

// full looks at the first element of a list: all have the same fields.
func full(t *testing.T, path string, v reflect.Value) {
	t.Helper()
	switch {
	case v.Kind() == reflect.Slice && v.Len() > 0:
		full(t, path, v.Index(0))
	case v.Kind() == reflect.Struct && v.Type().PkgPath() == "github.com/fliggy-go/rentcar":
		for i := range v.NumField() {
			full(t, path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case v.IsZero():
		t.Errorf("%s is empty", path)
	}
}

func TestReceiversAgree(t *testing.T) {
	t.Parallel()
	all := append(receivers(t), ungated(t)...)
	for _, r := range all {
		for _, receive := range []func(*qimen.Push) error{
			r.handle,
			func(p *qimen.Push) error { return newDelivery(p).to(r.serve) },
		} {
			if err := receive(r.pushes[0]); err != nil {
				t.Fatalf("%s refuses the push: %v", r.name, err)
			}
			if diff := cmp.Diff(all[0].last(), r.last()); diff != "" {
				t.Errorf("ours and %s read another event:\n%s", r.name, diff)
			}
			if err := receive(forged(r.pushes[0])); err == nil {
				t.Errorf("%s takes a forged push", r.name)
			}
			if amount := r.last().Data.(*refund).Amount.String(); amount != "200.98" {
				t.Errorf("%s handed on an amount of %s", r.name, amount)
			}
		}
	}
}
