package qimen

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

// A desk is a merchant under test. It records the requests that its functions get, and returns the configured replies.
// Its seen has the observations of the handler.
type desk struct {
	seen
	requests []any // of the merchant's functions
	given    *Delivery
	act      func(context.Context) error // what each function does before it answers
	quote    *RenewalPricesReply
	booked   *RenewalSubmitReply
	undone   *RenewalCancelReply
}

// newDesk returns a desk with the replies of the samples.
func newDesk() *desk {
	return &desk{quote: quotes()[0], booked: sampleBooked(), undone: &RenewalCancelReply{}}
}

// options are the three registrations.
func (k *desk) options() []Option {
	return []Option{
		OnRenewalPrices(func(ctx context.Context, d *Delivery, r *RenewalPricesRequest) (*RenewalPricesReply, error) {
			return k.quote, k.note(ctx, d, r)
		}),
		OnRenewalSubmit(func(ctx context.Context, d *Delivery, r *RenewalSubmitRequest) (*RenewalSubmitReply, error) {
			return k.booked, k.note(ctx, d, r)
		}),
		OnRenewalCancel(func(ctx context.Context, d *Delivery, r *RenewalCancelRequest) (*RenewalCancelReply, error) {
			return k.undone, k.note(ctx, d, r)
		}),
	}
}

func (k *desk) note(ctx context.Context, d *Delivery, r any) error {
	k.requests, k.given = append(k.requests, r), d
	if k.act == nil {
		return nil
	}
	return k.act(ctx)
}

// handler serves the three functions, and events.
func (k *desk) handler(t testing.TB, opts ...Option) *Handler {
	t.Helper()
	return k.seen.handler(t, append(k.options(), opts...)...)
}

// last is what the handler reported last.
func (k *desk) last(t testing.TB) Observation {
	t.Helper()
	if len(k.observed) == 0 {
		t.Fatal("nothing is observed")
	}
	return k.observed[len(k.observed)-1]
}

func queryFor(method string) string {
	return "app_key=24700001&method=" + method + "&timestamp=2026-11-22+09%3A00%3A00"
}

// post sends a signed push through ServeHTTP.
func post(t testing.TB, h *Handler, method, contentType, body string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, request(mustSign(t, newPush(queryFor(method), contentType, body), testSecret)))
	return w
}

// wantReply checks a reply: status, content type, and that its JSON has the members, values and JSON types wanted.
func wantReply(t *testing.T, w *httptest.ResponseRecorder, status int, want string) {
	t.Helper()
	if w.Code != status || w.Header().Get("Content-Type") != "application/json;charset=utf-8" {
		t.Errorf("HTTP %d, content type %q; want %d", w.Code, w.Header().Get("Content-Type"), status)
	}
	wantJSON(t, w.Body.Bytes(), []byte(want))
}

func wantJSON(t *testing.T, got, want []byte) {
	t.Helper()
	if diff := cmp.Diff(parsed(t, want), parsed(t, got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", got, diff)
	}
}

// parsed keeps the digits of numbers: 10 is not 10.0, nor is either of them "10".
func parsed(t *testing.T, text []byte) map[string]any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var out map[string]any
	if err := d.Decode(&out); err != nil || d.More() {
		t.Fatalf("%s: %v", text, err)
	}
	return out
}

func failure(t *testing.T, code, message string) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{"success": false, "retCode": code, "retMessage": message})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// exact compares amounts and numbers by their text, which keeps the scale.
var exact = cmp.Options{
	cmp.Comparer(func(a, b fliggy.Yuan) bool { return a == b }),
	cmp.Comparer(func(a, b fliggy.Decimal) bool { return a == b }),
}

// The methods of a merchant and a body for each that is right.
var merchantBodies = map[string]string{
	RenewalPricesMethod: `{"orderId":"1","outOrderId":"FZ1","carUseTime":"2023-02-04 ` +
		`10:00","carReturnTime":"2023-02-05 10:30"}`,
	RenewalSubmitMethod: `{"orderId":"1","outOrderId":"FZ1","carUseTime":"2023-02-04 ` +
		`10:00","carReturnTime":"2023-02-05 10:30","renewalOrderTotalAmount":"16.02","priceMark":"m","payTradeNo":"p"}`,
	RenewalCancelMethod: `{"orderId":"1","outOrderId":"FZ2","cancelTime":"2023-02-01 15:46:51"}`,
}

// The handler sends the sample replies, member by member, over HTTP and without.
func TestMerchantSampleReplies(t *testing.T) {
	t.Parallel()
	type reply struct {
		sample, method string
		set            func(*desk)
	}
	replies := []reply{
		{"renewalorder.submit.response", RenewalSubmitMethod, func(*desk) {}},
		{"renewalorder.cancel.response", RenewalCancelMethod, func(*desk) {}},
	}
	for i, name := range []string{"scenario1", "scenario2", "scenario3"} {
		quote := quotes()[i]
		replies = append(
			replies, reply{"renewalprices.query." + name + ".response", RenewalPricesMethod, func(k *desk) { k.quote = quote }},
		)
	}
	for _, c := range replies {
		t.Run(c.sample, func(t *testing.T) {
			t.Parallel()
			k := newDesk()
			c.set(k)
			h := k.handler(t, WithoutGate()) // each way reaches the function
			w := post(t, h, c.method, jsonType, merchantBodies[c.method])
			wantReply(t, w, http.StatusOK, string(readFile(t, "samples/qimen.alitrip.rentcar."+c.sample+".json")))

			direct := h.Handle(
				t.Context(), mustSign(t, newPush(queryFor(c.method), jsonType, merchantBodies[c.method]), testSecret),
			)
			if direct.Status != w.Code || direct.ContentType != w.Header().Get("Content-Type") || !bytes.Equal(
				direct.Body, w.Body.Bytes(),
			) {
				t.Errorf("Handle answers %d %q %s", direct.Status, direct.ContentType, direct.Body)
			}
			if len(k.requests) != 2 || k.calls != 0 {
				t.Errorf("%d calls, %d events", len(k.requests), k.calls)
			}
			for _, o := range k.observed {
				if o.Reason != ReasonAccepted || o.Status != 200 || o.Err != nil || len(o.Findings) > 0 || o.Method != c.method ||
					o.AppKey != testApp {
					t.Errorf("observed %+v", o)
				}
			}
			if k.given.Method != c.method || k.given.Time.String() != "2026-11-22 09:00:00" || k.given.Attempt != 1 {
				t.Errorf("delivery %v", k.given)
			}
		})
	}
}

// What a function returns goes out as it is: the row for events is not used, nor does a reply remember the one before.
func TestMerchantReplyIsItsOwn(t *testing.T) {
	t.Parallel()
	k := newDesk()
	h := k.handler(
		t, WithoutGate(), WithReplies(Replies{ReasonAccepted: {Status: 202, ContentType: "text/plain", Body: []byte("ok")}}),
	)
	k.undone = &RenewalCancelReply{
		Extra: map[string]json.RawMessage{
			"note": json.RawMessage(`[1.0]`), "success": json.RawMessage(`false`), "retCode": json.RawMessage(`5`),
		},
	}
	wantReply(
		t, post(t, h, RenewalCancelMethod, jsonType, merchantBodies[RenewalCancelMethod]), 200,
		`{"success":true,"retCode":200,"retMessage":"","note":[1.0]}`,
	)
	k.undone = &RenewalCancelReply{}
	wantReply(
		t, post(t, h, RenewalCancelMethod, jsonType, merchantBodies[RenewalCancelMethod]), 200,
		`{"success":true,"retCode":200,"retMessage":""}`,
	)
	if w := post(t, h, DefaultEventMethod, jsonType, event103); w.Code != 202 || w.Body.String() != "ok" {
		t.Errorf("event: %d %s", w.Code, w.Body)
	}
}

// A merchant that serves one operation has no function for the others, nor for events, and a distributor none for any
// of the merchant's.
func TestMerchantUnregistered(t *testing.T) {
	t.Parallel()
	k := newDesk()
	only := func(opts ...Option) *Handler {
		h, err := NewHandler(
			testSecrets,
			append(
				opts, WithClock(fixedClock),
				WithObserver(func(_ context.Context, o Observation) { k.observed = append(k.observed, o) }),
			)...,
		)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	all := k.options()
	body := map[string]string{DefaultEventMethod: event103}
	for method, text := range merchantBodies {
		body[method] = text
	}
	for i, c := range []struct {
		h      *Handler
		served []string
	}{
		{only(all...), []string{RenewalPricesMethod, RenewalSubmitMethod, RenewalCancelMethod}},
		{only(all[0]), []string{RenewalPricesMethod}},
		{only(all[1]), []string{RenewalSubmitMethod}},
		{only(all[2]), []string{RenewalCancelMethod}},
		{k.seen.handler(t), []string{DefaultEventMethod}},
		{k.handler(t), []string{DefaultEventMethod, RenewalPricesMethod, RenewalSubmitMethod, RenewalCancelMethod}},
	} {
		served := map[string]bool{}
		for _, method := range c.served {
			served[method] = true
		}
		for method, text := range body {
			before := len(k.requests) + k.calls
			w := post(t, c.h, method, jsonType, text)
			called := len(k.requests)+k.calls > before
			if served[method] {
				if w.Code != 200 || !called || k.last(t).Reason != ReasonAccepted {
					t.Errorf("handler %d, %s: %d %s", i, method, w.Code, w.Body)
				}
				continue
			}
			wantReply(t, w, 200, failure(t, "unknown-method", "Unknown method"))
			if called || k.last(t).Reason != ReasonUnknownMethod {
				t.Errorf("handler %d, %s: called %v, observed %+v", i, method, called, k.last(t))
			}
		}
	}
}

// One handler serves any number of requests at once, each with its own reply.
func TestMerchantConcurrent(t *testing.T) {
	t.Parallel()
	h, err := NewHandler(testSecrets, WithClock(fixedClock),
		OnRenewalPrices(func(_ context.Context, _ *Delivery, r *RenewalPricesRequest) (*RenewalPricesReply, error) {
			return nil, Refuse(string(r.OrderID), r.OutOrderID)
		}),
		OnRenewalSubmit(func(_ context.Context, d *Delivery, r *RenewalSubmitRequest) (*RenewalSubmitReply, error) {
			return &RenewalSubmitReply{OutOrderID: string(r.OrderID), CreatedTime: d.Time}, nil
		}))
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	type result struct {
		reply *httptest.ResponseRecorder
		want  string
	}
	var results []result
	for i := range 20 {
		id := strconv.Itoa(i)
		body := `{"orderId":` + id + `,"outOrderId":"F` + id + `"}`
		for method, want := range map[string]string{
			RenewalPricesMethod: failure(t, id, "F"+id),
			RenewalSubmitMethod: `{"success":true,"retCode":"","retMessage":"","outOrderId":"` + id +
				`","createdTime":"2026-11-22 09:00:00"}`,
			RenewalCancelMethod: failure(t, "unknown-method", "Unknown method"),
		} {
			p, w := mustSign(t, newPush(queryFor(method), jsonType, body), testSecret), httptest.NewRecorder()
			results = append(results, result{w, want})
			wait.Go(func() { h.ServeHTTP(w, request(p)) })
		}
	}
	wait.Wait()
	for _, r := range results {
		wantReply(t, r.reply, http.StatusOK, r.want)
	}
}

// A registration without a function, a second one, and a method that two functions would share are told when the
// handler is made.
func TestMerchantRegistration(t *testing.T) {
	t.Parallel()
	k := newDesk()
	all := k.options()
	onEvent := OnEvent(func(context.Context, *Delivery, events.Event) error { return nil })
	render := func(string, string) []byte { return nil }
	row := func(reason Reason, r Reply) Option { return WithReplies(Replies{reason: r}) }
	for _, c := range []struct {
		name string
		opts []Option
		want []string // empty: accepted
	}{
		{"prices", all[:1], nil},
		{"submit", all[1:2], nil},
		{"cancel", all[2:], nil},
		{"all with events", append(k.options(), onEvent), nil},
		{"nil functions", []Option{OnRenewalPrices(nil), OnRenewalSubmit(nil), OnRenewalCancel(nil)}, []string{
			"OnRenewalPrices: the function is nil", "OnRenewalSubmit: the function is nil",
			"OnRenewalCancel: the function is nil", "no function is registered",
		}},
		{"one nil function", []Option{all[0], OnRenewalSubmit(nil)}, []string{"OnRenewalSubmit: the function is nil"}},
		{
			"each twice", append(k.options(), k.options()...),
			[]string{"OnRenewalPrices is given twice", "OnRenewalSubmit is given twice", "OnRenewalCancel is given twice"},
		},
		{"nothing", []Option{WithUncheckedReplies()}, []string{"no function is registered", "OnEvent(", "OnRenewalPrices("}},
		{
			"events under the method of prices", []Option{onEvent, all[0], WithEventMethod(RenewalPricesMethod)},
			[]string{"WithEventMethod", RenewalPricesMethod, "has another function already"},
		},
		{
			"the same in another order", []Option{WithEventMethod(RenewalCancelMethod), all[2], onEvent},
			[]string{"WithEventMethod", RenewalCancelMethod},
		},
		{"events under a method that nobody serves", []Option{onEvent, all[0], WithEventMethod(RenewalCancelMethod)}, nil},
		{"event method without events", []Option{all[0], WithEventMethod(RenewalPricesMethod)}, nil},
		{
			"Render for refusals", []Option{all[0], row(ReasonRefused, Reply{Status: 200, ContentType: "x", Render: render})},
			nil,
		},
		{"no Render for refusals", []Option{all[0], row(ReasonRefused, Reply{Status: 204})}, nil},
		{"Render for another row", []Option{
			all[0], row(ReasonAccepted, Reply{Status: 200, ContentType: "x", Render: render}),
			row(ReasonHandlerError, Reply{Status: 200, ContentType: "x", Render: render}),
		}, []string{
			"accepted: Render is for refused only", "handler error: Render is for refused only",
		}},
		{
			"Render without a content type", []Option{all[0], row(ReasonRefused, Reply{Status: 200, Render: render})},
			[]string{"refused: a body needs a content type"},
		},
		{
			"Render where no body is allowed",
			[]Option{all[0], row(ReasonRefused, Reply{Status: 304, ContentType: "x", Render: render})},
			[]string{"refused: HTTP status 304 allows no body"},
		},
	} {
		h, err := NewHandler(testSecrets, c.opts...)
		if (err == nil) != (len(c.want) == 0) || (h == nil) != (err != nil) {
			t.Errorf("%s: %v, %v", c.name, h, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q lacks %q", c.name, err, want)
			}
		}
	}
}

// A type that cannot be a message is a mistake in this package, and found by its first use: here, for all that it has.
func TestPlans(t *testing.T) {
	t.Parallel()
	for _, s := range samples() {
		if _, err := s.into.MarshalJSON(); err != nil {
			t.Errorf("%T: %v", s.into, err)
		}
	}
	defer func() {
		if text, _ := recover().(string); !strings.HasPrefix(text, "qimen: ") {
			t.Errorf("panic %q", text)
		}
	}()
	mustPlan[int]()
	t.Error("an int is taken for a message")
}

// Another row for refusals: its Render writes the body, from code and message as they were given.
func TestRefusedRow(t *testing.T) {
	t.Parallel()
	const code, message = "7\xff", "不 \"\x00"
	refuse := func(context.Context) error { return fmt.Errorf("wrapped: %w", Refuse(code, message)) }
	for _, c := range []struct {
		name        string
		row         Reply
		status      int
		contentType string
		body        string
		reason      Reason
	}{
		{
			"Render",
			Reply{
				Status: 418, ContentType: "text/xml", Render: func(c, m string) []byte { return []byte("<" + c + "|" + m + ">") },
			},
			418, "text/xml", "<" + code + "|" + message + ">", ReasonRefused,
		},
		{
			"Render before Body",
			Reply{
				Status: 200, ContentType: "x", Body: []byte("no"), Render: func(string, string) []byte { return []byte("yes") },
			},
			200, "x", "yes", ReasonRefused,
		},
		{
			"Render of nothing", Reply{Status: 200, ContentType: "x", Render: func(string, string) []byte { return nil }}, 200,
			"x", "", ReasonRefused,
		},
		{"the same body for all", Reply{Status: 202, ContentType: "x", Body: []byte("no")}, 202, "x", "no", ReasonRefused},
		{"no body", Reply{Status: 204}, 204, "", "", ReasonRefused},
		{
			"Render panics", Reply{Status: 200, ContentType: "x", Render: func(string, string) []byte { panic("out of ink") }},
			500, jsonReply, systemError, ReasonPanic,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			eachMethod(t, func(t *testing.T, k *desk, method, body string, returns func(func(context.Context) error)) {
				h := k.handler(t, WithReplies(Replies{ReasonRefused: c.row}))
				returns(refuse)
				w := post(t, h, method, jsonType, body)
				if w.Code != c.status || w.Header().Get("Content-Type") != c.contentType || w.Body.String() != c.body {
					t.Errorf("%d %q %s", w.Code, w.Header().Get("Content-Type"), w.Body)
				}
				o := k.last(t)
				if o.Reason != c.reason || o.Status != c.status {
					t.Errorf("observed %+v", o)
				}
				if p := (*fliggy.PanicError)(nil); (c.reason == ReasonPanic) != errors.As(o.Err, &p) || p != nil && !bytes.Contains(
					p.Stack, []byte("qimen"),
				) {
					t.Errorf("observed error %v", o.Err)
				}
				returns(func(context.Context) error { return errors.New("x") })
				wantReply(t, post(t, h, method, jsonType, body), http.StatusInternalServerError, systemError)
			})
		})
	}
}
