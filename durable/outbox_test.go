package durable_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// A failer is a test of package testing or of rapid.
type failer interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// newOutboxGateway is a gateway, and a client that sends every call once.
func newOutboxGateway(t testing.TB, opts ...rentcar.Option) (*fliggytest.Gateway, *rentcar.Client) {
	t.Helper()
	gw := fliggytest.NewGateway()
	t.Cleanup(gw.Close)
	return gw, outboxClient(t, gw, opts...)
}

func outboxClient(t testing.TB, gw *fliggytest.Gateway, opts ...rentcar.Option) *rentcar.Client {
	t.Helper()
	own := []rentcar.Option{
		rentcar.WithChannel(fliggy.ChannelAmap), rentcar.WithRetry(rentcar.RetryPolicy{MaxAttempts: 1}),
	}
	client, err := gw.Client(append(own, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func newOutbox(t failer, client *rentcar.Client, store durable.Store, cfg durable.Config) *durable.Outbox {
	t.Helper()
	outbox, err := durable.NewOutbox(client, store, quick(cfg))
	if err != nil {
		t.Fatalf("%v", err)
	}
	return outbox
}

// drain makes a new outbox on the store, as a restarted process does, and runs it until
// it has made that many attempts.
func drain(t failer, client *rentcar.Client, store durable.Store, attempts int) (results []durable.Observation) {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	outbox := newOutbox(t, client, store, durable.Config{Observer: func(_ context.Context, r durable.Observation) {
		if results = append(results, r); len(results) >= attempts {
			stop()
		}
	}})
	if err := outbox.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("after %d of %d attempts: %v", len(results), attempts, err)
	}
	return results
}

// fates are what became of attempts.
func fates(results []durable.Observation) (list []string) {
	for _, r := range results {
		fate := "again"
		switch {
		case r.Done:
			fate = "done"
		case r.Parked:
			fate = "parked"
		}
		list = append(list, fate)
	}
	return list
}

// nothingIsDue fails where the store would hand something out, however late it is.
func nothingIsDue(t *testing.T, store durable.Store) {
	t.Helper()
	now := time.Now().Add(24 * time.Hour)
	if item, err := store.Claim(t.Context(), durable.OutboxQueue, now, now.Add(time.Hour)); item != nil || err != nil {
		t.Errorf("due: %v, %v", item, err)
	}
}

func mustAdd(t failer, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("adding: %v", err)
	}
}

func paidCallback(tradeNo string) *events.Callback {
	return events.NewRefundPaid(
		events.Order{OrderID: fliggytest.SampleOrderID, OutOrderID: fliggytest.SampleOutOrderID}, fliggy.MustYuan("16.02"),
		tradeNo,
	)
}

func outboxBill(batchNo string) *rentcar.Bill {
	return &rentcar.Bill{
		BillNo: "ID20230203", BatchNo: batchNo, TotalAmount: fliggy.MustYuan("16.02"), Remark: "二月 <&> /",
		Lines: []rentcar.BillLine{{
			OrderID: fliggytest.SampleOrderID, OutOrderID: fliggytest.SampleOutOrderID, TradeType: fliggy.TradeIncome,
			BizType:     fliggy.BillOrderFee,
			OrderAmount: fliggy.MustYuan("16.02"), PayTradeNo: "2022112222001492421107773",
			PayTime:        fliggy.MustTime("2022-11-22 10:00:00"),
			DiscountAmount: fliggy.MustYuan("0.00"),
		}},
	}
}

// What is added is stored before AddCallback and AddBill return, and sent by whichever
// outbox runs on the store, once, however often it is added.
func TestOutboxSendsOnce(t *testing.T) {
	t.Parallel()
	gw, client := newOutboxGateway(t)
	store := durable.NewMemoryStore()
	for range 3 {
		outbox := newOutbox(t, client, store, durable.Config{})
		mustAdd(t, outbox.AddCallback(t.Context(), paidCallback("T1")))
		mustAdd(t, outbox.AddCallback(t.Context(), paidCallback("T2")))
		mustAdd(t, outbox.AddBill(t.Context(), outboxBill("1")))
	}
	if n := len(gw.Requests()); n != 0 {
		t.Fatalf("%d requests before Run", n)
	}
	if diff := cmp.Diff([]string{"done", "done", "done"}, fates(drain(t, client, store, 3))); diff != "" {
		t.Error(diff)
	}
	outbox := newOutbox(t, client, store, durable.Config{})
	mustAdd(t, outbox.AddCallback(t.Context(), paidCallback("T1"))) // long after it was sent
	mustAdd(t, outbox.AddBill(t.Context(), outboxBill("1")))
	nothingIsDue(t, store)
	checkReceived(t, gw, []string{"T1", "T2"}, []string{"1"})
	if got := gw.Callbacks()[0]; got.ChannelID != fliggy.ChannelAmap || got.Message.ChannelID != fliggy.ChannelAmap {
		t.Errorf("the client's channel is missing: %+v", got)
	}
	if got := gw.Bills()[0]; got.ChannelID != fliggy.ChannelAmap {
		t.Errorf("the client's channel is missing: %+v", got)
	}
}

// checkReceived compares what the gateway has taken, by trade and batch numbers.
func checkReceived(t *testing.T, gw *fliggytest.Gateway, trades, batches []string) {
	t.Helper()
	gotTrades, gotBatches := []string{}, []string{}
	for _, c := range gw.Callbacks() {
		gotTrades = append(gotTrades, c.Message.Data.PayTradeNo)
	}
	for _, b := range gw.Bills() {
		gotBatches = append(gotBatches, b.Message.BatchNo)
	}
	if diff := cmp.Diff([][]string{trades, batches}, [][]string{gotTrades, gotBatches}); diff != "" {
		t.Errorf("received (-want +got):\n%s", diff)
	}
}

// What becomes of an attempt, by what went wrong. What comes again arrives once nothing
// goes wrong any more; what is parked is kept, and arrives after it was released.
func TestOutboxFates(t *testing.T) {
	t.Parallel()
	const permission = "isv.permission-api-package-limit"
	for name, tc := range map[string]struct {
		fault  fliggytest.Fault
		parked bool
		is     error // what the error of the attempt matches
		twice  bool  // it was carried out, and is again
	}{
		"refused": {fault: refused("012", "退款流水不存在"), parked: true},
		"code 40": {
			fault: gatewayFault("40", "Missing required arguments:x", "", ""), parked: true, is: fliggy.ErrInvalidRequest,
		},
		"code 41": {
			fault: gatewayFault("41", "Invalid arguments:x", "isv.invalid-parameter", ""), parked: true,
			is: fliggy.ErrInvalidRequest,
		},
		"code 43": {
			fault: gatewayFault("43", "parameter error", "", ""), parked: true, is: fliggy.ErrInvalidRequest,
		},
		"isv": {
			fault: serviceFault("isv.invalid-parameter:amount", "非法参数"), parked: true, is: fliggy.ErrInvalidRequest,
		},
		"isv of an unlisted code": {
			fault: gatewayFault("560", "Remote service error", "isv.trade-not-exist:pay_trade_no", ""), parked: true,
			is: fliggy.ErrInvalidRequest,
		},
		"permission of the service": {fault: serviceFault("isv.invalid-permission", ""), is: fliggy.ErrInvalidRequest},
		"signature": {
			fault: gatewayFault("25", "Invalid signature", "", ""), is: rentcar.ErrUnauthorized,
		},
		"session": {
			fault: gatewayFault("27", "Invalid session", "invalid-sessionkey", ""), is: rentcar.ErrUnauthorized,
		},
		"app key": {
			fault: gatewayFault("29", "Invalid app Key", "isv.appkey-not-exists", ""), is: rentcar.ErrUnauthorized,
		},
		"permission": {
			fault: gatewayFault("11", "Insufficient isv permissions", permission, ""), is: rentcar.ErrForbidden,
		},
		"method": {fault: gatewayFault("22", "Invalid method", "", ""), is: fliggy.ErrInvalidRequest},
		"clock": {
			fault: gatewayFault("31", "Invalid timestamp", "", ""), is: fliggy.ErrInvalidRequest,
		},
		"flow control without an end": {
			fault: gatewayFault("7", "App Call Limited", fliggytest.BanAPI, ""), is: rentcar.ErrRateLimited,
		},
		"flow control of the business": {fault: serviceFault("isv.BUSINESS_LIMIT_CONTROL", ""), is: rentcar.ErrRateLimited},
		"service": {
			fault: serviceFault("isp.remote-service-timeout", ""), is: rentcar.ErrOutcomeUnknown,
		},
		"bad arguments of the platform": {
			fault: serviceFault("isp.null-pointer-exception", ""), is: rentcar.ErrOutcomeUnknown,
		},
		"unavailable": {fault: fliggytest.Unavailable(), is: rentcar.ErrUnavailable},
		"HTTP status": {fault: fliggytest.HTTPStatus(http.StatusBadGateway), is: rentcar.ErrUnavailable},
		"redirect":    {fault: fliggytest.HTTPStatus(http.StatusFound), is: rentcar.ErrOutcomeUnknown},
		"page":        {fault: htmlPage(), is: rentcar.ErrOutcomeUnknown},
		"dropped":     {fault: fliggytest.Dropped(), is: rentcar.ErrOutcomeUnknown},
		"no flag":     {fault: fliggytest.NoFlag(), is: rentcar.ErrOutcomeUnknown, twice: true},
		"unavailable after commit": {
			fault: fliggytest.Unavailable().AfterCommit(), is: rentcar.ErrOutcomeUnknown, twice: true,
		},
		"cut off after commit": {
			fault: fliggytest.CutOff().AfterCommit(), is: rentcar.ErrOutcomeUnknown, twice: true,
		},
		"dropped after commit": {
			fault: fliggytest.Dropped().AfterCommit(), is: rentcar.ErrOutcomeUnknown, twice: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gw, client := newOutboxGateway(t)
			store := durable.NewMemoryStore()
			outbox := newOutbox(t, client, store, durable.Config{})
			mustAdd(t, outbox.AddCallback(t.Context(), paidCallback("T1")))
			mustAdd(t, outbox.AddBill(t.Context(), outboxBill("1")))
			gw.Fail(tc.fault.Times(2))

			results := drain(t, client, store, 2)
			want := []string{"again", "again"}
			if tc.parked {
				want = []string{"parked", "parked"}
			}
			if diff := cmp.Diff(want, fates(results)); diff != "" {
				t.Errorf("%v:\n%s", results, diff)
			}
			if tc.is != nil && !errors.Is(results[0].Err, tc.is) {
				t.Errorf("%v does not match %v", results[0].Err, tc.is)
			}
			var business *rentcar.BusinessError
			if tc.is == nil && (!errors.As(results[0].Err, &business) || business.Message == "") {
				t.Errorf("%v is no business error", results[0].Err)
			}
			parked := store.Parked(durable.OutboxQueue)
			if tc.parked != (len(parked) == 2) || !tc.parked && len(parked) != 0 {
				t.Fatalf("parked: %v", parked)
			}
			for i, p := range parked {
				if p.Reason != results[i].Err.Error() || len(p.Item.Data) == 0 {
					t.Errorf("parked %s with %d bytes, because %q", p.Item.ID, len(p.Item.Data), p.Reason)
				}
				if err := store.Release(durable.OutboxQueue, p.Item.ID); err != nil {
					t.Error(err)
				}
			}
			if diff := cmp.Diff([]string{"done", "done"}, fates(drain(t, client, store, 2))); diff != "" {
				t.Error(diff)
			}
			if tc.twice {
				checkReceived(t, gw, []string{"T1", "T1"}, []string{"1", "1"})
			} else {
				checkReceived(t, gw, []string{"T1"}, []string{"1"})
			}
		})
	}
}

// A repeat of something that was carried out may be refused: it is parked, and the
// reason says that it was not the first attempt.
func TestOutboxRepeatIsRefused(t *testing.T) {
	t.Parallel()
	gw, client := newOutboxGateway(t)
	store := durable.NewMemoryStore()
	mustAdd(t, newOutbox(t, client, store, durable.Config{}).AddBill(t.Context(), outboxBill("1")))
	gw.Fail(fliggytest.CutOff().AfterCommit())
	gw.Fail(refused("013", "重复的批次"))
	results := drain(t, client, store, 2)
	if diff := cmp.Diff([]string{"again", "parked"}, fates(results)); diff != "" {
		t.Fatal(diff)
	}
	const want = "refused with code 013"
	if reason := store.Parked(durable.OutboxQueue)[0].Reason; !strings.Contains(reason, want) || !strings.Contains(
		reason, "not the first attempt",
	) {
		t.Errorf("reason %q", reason)
	}
}

// With a wrong secret nothing is parked: it goes out once the secret is right.
func TestOutboxAfterRotation(t *testing.T) {
	t.Parallel()
	gw, client := newOutboxGateway(t)
	store := durable.NewMemoryStore()
	mustAdd(t, newOutbox(t, client, store, durable.Config{}).AddBill(t.Context(), outboxBill("1")))
	old, err := rentcar.NewClient(
		gw.AppKey(), "the-secret-of-last-year", rentcar.WithBaseURL(gw.URL()), rentcar.WithChannel(fliggy.ChannelAmap),
	)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range drain(t, old, store, 5) {
		if r.Done || r.Parked || !errors.Is(r.Err, rentcar.ErrUnauthorized) {
			t.Errorf("%+v", r)
		}
	}
	if diff := cmp.Diff([]string{"done"}, fates(drain(t, client, store, 1))); diff != "" {
		t.Error(diff)
	}
	checkReceived(t, gw, []string{}, []string{"1"})
}

// Other content under the same ids is refused by name, and what was there is sent.
func TestOutboxConflict(t *testing.T) {
	t.Parallel()
	gw, client := newOutboxGateway(t)
	store := durable.NewMemoryStore()
	outbox := newOutbox(t, client, store, durable.Config{})
	mustAdd(t, outbox.AddCallback(t.Context(), paidCallback("T1")))
	mustAdd(t, outbox.AddBill(t.Context(), outboxBill("1")))
	callback, bill := paidCallback("T1"), outboxBill("1")
	callback.Data.Amount, bill.Remark = fliggy.MustYuan("16.03"), ""
	for name, err := range map[string]error{
		"callback/230/" + string(
			fliggytest.SampleOrderID,
		) + "/" + fliggytest.SampleOutOrderID + "///T1": outbox.AddCallback(t.Context(), callback),
		"bill/ID20230203/1": outbox.AddBill(t.Context(), bill),
	} {
		if !errors.Is(err, durable.ErrConflict) || !strings.Contains(err.Error(), ": "+name) {
			t.Errorf("%v, want a conflict of %s", err, name)
		}
	}
	if diff := cmp.Diff([]string{"done", "done"}, fates(drain(t, client, store, 2))); diff != "" {
		t.Error(diff)
	}
	nothingIsDue(t, store)
	if got := gw.Callbacks()[0].Message.Data.Amount.String(); got != "16.02" {
		t.Errorf("sent: %s", got)
	}
}

// The texts of errors, which get into logs and the store: codes, request id and what
// stopped the call, and none of the platform's words.
func TestOutboxErrorTexts(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		fault fliggytest.Fault
		opts  []rentcar.Option
		want  string
	}{
		"business": {
			refused("012", "退款流水不存在"), nil, "rentcar: alitrip.rentcar.btb.bill.notify: refused with code 012 [request_id ID]",
		},
		"gateway": {
			serviceFault("isv.invalid-parameter:amount", "非法参数"), nil,
			"rentcar: alitrip.rentcar.btb.bill.notify: gateway error 15 (isv.invalid-parameter:amount) [request_id ID]",
		},
		"stopped": {
			gatewayFault("7", "App Call Limited", fliggytest.BanAPI, ""),
			[]rentcar.Option{rentcar.WithRetry(rentcar.RetryPolicy{BaseDelay: 1}), rentcar.WithLimiter(onlyOnce())},
			"rentcar: alitrip.rentcar.btb.bill.notify: gateway error 7 (accesscontrol.limited-by-api-access-count) " +
				"[request_id ID]" +
				" (not sent again: rentcar: alitrip.rentcar.btb.bill.notify: not sent: rate limited: no token left)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gw, client := newOutboxGateway(t, tc.opts...)
			store := durable.NewMemoryStore()
			mustAdd(t, newOutbox(t, client, store, durable.Config{}).AddBill(t.Context(), outboxBill("1")))
			gw.Fail(tc.fault)
			text := drain(t, client, store, 1)[0].Err.Error()
			if diff := cmp.Diff(tc.want, strings.ReplaceAll(text, gw.Requests()[0].ID, "ID")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// onlyOnce is a limiter with one token.
func onlyOnce() limiter {
	calls := 0
	return func(context.Context) error {
		if calls++; calls > 1 {
			return errors.New("no token left")
		}
		return nil
	}
}

type limiter func(context.Context) error

func (l limiter) Wait(ctx context.Context) error { return l(ctx) }

// A responder answers a request in the place of the network.
type responder func(r *http.Request) (*http.Response, error)

// answer gives the same JSON to every request.
func answer(body string) responder {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{"Content-Type": {"application/json"}},
			Body:   io.NopCloser(strings.NewReader(body)), ContentLength: -1, Request: r,
		}, nil
	}
}

// second is the error of a call.
func second[T any](_ T, err error) error { return err }

func sha256Of(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// gatewayFault answers with an error_response.
func gatewayFault(code, msg, subCode, subMsg string) fliggytest.Fault {
	return fliggytest.Failed(&rentcar.GatewayError{Code: code, Msg: msg, SubCode: subCode, SubMsg: subMsg})
}

// serviceFault says that the service behind the gateway failed.
func serviceFault(subCode, subMsg string) fliggytest.Fault {
	return gatewayFault("15", "Remote service error", subCode, subMsg)
}

// refused answers with a reply whose success flag is false.
func refused(code, message string) fliggytest.Fault {
	return fliggytest.Failed(&rentcar.BusinessError{Code: code, Message: message})
}

// htmlPage is an answer of a proxy, or of a captive portal.
func htmlPage() fliggytest.Fault {
	return fliggytest.RawBody(
		http.StatusOK, "text/html;charset=UTF-8", []byte("<!DOCTYPE html><html><body>200 OK</body></html>\n"),
	)
}

// What an outbox stores is read by later versions: the names of its members stay.
func TestOutboxStoredForm(t *testing.T) {
	t.Parallel()
	_, client := newOutboxGateway(t)
	store := durable.NewMemoryStore()
	outbox := newOutbox(t, client, store, durable.Config{})
	mustAdd(t, outbox.AddBill(t.Context(), outboxBill("1")))
	mustAdd(t, outbox.AddCallback(t.Context(), paidCallback("T1")))
	now := time.Now().Add(time.Hour)
	stored, err := os.ReadFile("testdata/outbox-stored.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for want := range strings.Lines(string(stored)) {
		item, err := store.Claim(t.Context(), durable.OutboxQueue, now, now.Add(time.Hour))
		if err != nil || item == nil {
			t.Fatalf("%v, %v", item, err)
		}
		if diff := cmp.Diff(strings.TrimSpace(want), string(item.Data)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", item.ID, diff)
		}
	}
}
