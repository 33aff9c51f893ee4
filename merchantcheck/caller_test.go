package merchantcheck

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
)

var (
	scenarioFrom = fliggy.MustTime("2023-02-04 10:00:00")
	scenarioTo   = fliggy.MustTime("2023-02-05 10:30:00")
)

func merchantPrices() *qimen.RenewalPricesRequest {
	return &qimen.RenewalPricesRequest{
		OrderID: guideOrderID, OutOrderID: "FZ1111111", CarUseTime: scenarioFrom, CarReturnTime: scenarioTo, TraceID: "t",
	}
}

func merchantSubmit() *qimen.RenewalSubmitRequest {
	return &qimen.RenewalSubmitRequest{
		OrderID: guideOrderID, OutOrderID: "FZ1111111", CarUseTime: scenarioFrom, CarReturnTime: scenarioTo,
		RenewalOrderTotalAmount: fliggy.MustYuan("16.02"), PriceMark: "mark-1470", PayTradeNo: "1",
	}
}

func merchantCancel(renewal string) *qimen.RenewalCancelRequest {
	return &qimen.RenewalCancelRequest{
		OrderID: guideOrderID, OutOrderID: renewal, CancelTime: fliggy.At(testNow), CancelMessage: "用户主动取消 & more",
		PenaltyAmount: fliggy.MustYuan("14.41"),
	}
}

func TestCaller(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	served := newTestMerchant()
	server := httptest.NewServer(served)
	defer server.Close()
	over, err := New(" "+server.URL+"/qimen?tenant=7 ", testAppKey, markedSecret)
	noError(t, err)
	over.sender.Now = fixedClock
	defer over.Close()
	for name, m := range map[string]*Caller{"handler": connectMerchant(t, newTestMerchant()), "HTTP": over} {
		quote, err := m.Prices(ctx, merchantPrices())
		noError(t, err)
		if total, err := quote.Total(); err != nil || total.String() != "16.02" {
			t.Fatalf("%s: prices: %+v, %v", name, quote, err)
		}
		booked, err := m.Vary(Variant{Times: 2}).Submit(ctx, merchantSubmit())
		if err != nil || booked.OutOrderID == "" {
			t.Fatalf("%s: submit: %+v, %v", name, booked, err)
		}
		cancelled, err := m.Cancel(ctx, merchantCancel(booked.OutOrderID))
		if err != nil || cancelled == nil {
			t.Errorf("%s: cancel: %v", name, err)
		}
		var refused *qimen.Refusal
		reply, err := m.Cancel(ctx, merchantCancel("none"))
		if reply != nil || !errors.As(err, &refused) || refused.Code != "unknown-renewal" || refused.Message != "续租单不存在" {
			t.Errorf("%s: refused: %+v, %v", name, reply, err)
		}
		if !strings.Contains(err.Error(), qimen.RenewalCancelMethod) {
			t.Errorf("%s: error without method: %v", name, err)
		}
		if status, answer, err := m.Call(ctx, "qimen.x", []byte("{}")); !strings.Contains(
			string(answer), `"success":false`,
		) || status != 200 || err != nil {
			t.Errorf("%s: call: %d %s, %v", name, status, answer, err)
		}
		for what, v := range map[string]Variant{
			"bad signature": {BadSignature: true}, "unsigned": {Unsigned: true},
			"unknown app": {Params: map[string]string{"app_key": "1"}},
			"stale":       {SignedAt: testNow.Add(-time.Hour)},
		} {
			if _, err := m.Vary(v).Prices(ctx, merchantPrices()); !errors.As(err, &refused) {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
	}
	if got := served.seen[0]; got["isPressureTest"] != "false" || got["carUseTime"] != "2023-02-04 10:00" {
		t.Errorf("sent %v", got)
	}
}

// TestQuery: no parameter is there twice, since receivers disagree on which
// of two values counts.
func TestQuery(t *testing.T) {
	t.Parallel()
	var got url.Values
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.URL.Query() })
	v := Variant{Params: map[string]string{"app_key": "1", "method": "m", "timestamp": "t", "customerId": "c"}}
	_, _, err := connectMerchant(t, h).Vary(v).Call(context.Background(), "qimen.x", nil)
	noError(t, err)
	want := url.Values{"app_key": {"1"}, "method": {"m"}, "timestamp": {"t"}, "customerId": {"c"}}
	want.Set("sign", signatureOf(markedSecret, want, nil))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestBadAnswers(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	const private = "PRIVATE"
	for want, h := range map[string]http.HandlerFunc{
		"the answer has HTTP status 500, want 200": answer(500, `{"success":true,"x":"`+private+`"}`),
		"the answer has HTTP status 302, want 200": answer(302, private),
		"the answer is not JSON":                   answer(200, "<html>"+private+"</html>"),
		"success":                                  answer(200, `{"x":"`+private+`"}`),
		"priceInfo":                                answer(200, `{"success":true,"priceInfo":"`+private+`"}`),
		"the handler panicked":                     func(http.ResponseWriter, *http.Request) { panic("x") },
	} {
		reply, err := connectMerchant(t, h).Prices(ctx, merchantPrices())
		var refused *qimen.Refusal
		if err == nil || reply != nil || errors.As(err, &refused) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s: %+v, %v", want, reply, err)
		} else if text := err.Error(); strings.Contains(text, private) || !strings.Contains(text, qimen.RenewalPricesMethod) {
			t.Errorf("want the method and nothing private: %s", text)
		}
	}
	m := connectMerchant(t, newTestMerchant())
	if _, err := m.Prices(ctx, nil); err == nil || !strings.Contains(err.Error(), "nil") {
		t.Errorf("no request: %v", err)
	}
	over, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := m.Prices(over, merchantPrices()); !errors.Is(err, context.Canceled) {
		t.Errorf("context over: %v", err)
	}
	synctest.Test(t, func(t *testing.T) {
		hang := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		begin := time.Now()
		_, err := connectMerchant(t, hang).Vary(Variant{Timeout: 2 * time.Second}).Prices(t.Context(), merchantPrices())
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != 2*time.Second {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
	})
}

func TestNewErrors(t *testing.T) {
	t.Parallel()
	const good = "https://example.com/qimen"
	for want, build := range map[string]func() (*Caller, error){
		"endpoint: want": func() (*Caller, error) { return New("", testAppKey, markedSecret) },
		"absolute address": func() (*Caller, error) {
			return New("example.com/"+markedSecret, testAppKey, markedSecret)
		},
		"http:// or https": func() (*Caller, error) {
			return New("ftp://example.com", testAppKey, markedSecret)
		},
		"query":             func() (*Caller, error) { return New(good+"?a=%zz", testAppKey, markedSecret) },
		"app key":           func() (*Caller, error) { return New(good, " ", markedSecret) },
		"app secret: it is": func() (*Caller, error) { return New(good, testAppKey, "") },
		"white space":       func() (*Caller, error) { return New(good, testAppKey, markedSecret+"\n") },
		"handler":           func() (*Caller, error) { return NewForHandler(nil, testAppKey, markedSecret) },
		"handler: it is nil\napp key: it is empty: use that of the app that receives\napp secret": func() (*Caller, error) {
			return NewForHandler(nil, "", "")
		},
	} {
		m, err := build()
		if m != nil || err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), markedSecret) {
			t.Errorf("%s: %v, %v", want, m, err)
		}
	}
}
