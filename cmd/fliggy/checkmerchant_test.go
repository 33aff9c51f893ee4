package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/merchantcheck"
	"github.com/fliggy-go/rentcar/pricing"
	"github.com/fliggy-go/rentcar/qimen"
)

// A supplier is a merchant that prices as the guide does.
type supplier struct {
	*httptest.Server
	mu      sync.Mutex
	marked  bool              // every request was marked as load test
	booked  map[string]string // renewal by the key of its submit
	ended   map[string]bool   // by renewal
	markups fliggy.Yuan       // on the standard price, which breaks a rule
}

const rentalOrder, rentalStart = "3175520762897901122", "2026-12-01 10:00"

func newSupplier(t testing.TB, markups fliggy.Yuan) *supplier {
	t.Helper()
	s := &supplier{marked: true, booked: map[string]string{}, ended: map[string]bool{}, markups: markups}
	plan := &pricing.Plan{
		DayPrice: fliggy.MustYuan("10.00"), PoundageFee: fliggy.MustYuan("1.00"),
		ScatteredRules: []fliggy.ScatteredPriceRule{
			{Value: fliggy.MustDecimal("50"), StartTime: 0, EndTime: 420},
			{Value: fliggy.MustDecimal("100"), StartTime: 421, EndTime: 1440},
		},
		Services: []pricing.Service{{
			Type: fliggy.ServiceTypeBasic, Code: qimen.BasicServiceCode, Name: "基础服务费", Desc: "基础服务费",
			Price: fliggy.MustYuan("0.01"), Include: []string{"基础保障"},
		}},
		CancelPolicy: fliggy.CancelPolicy{
			CancelType: 1, SupportCancel: true, Rules: []fliggy.CancelRule{{Num: 0, Time: 24}, {Num: 50, Time: 0}},
		},
	}
	h, err := qimen.NewHandler(qimen.Secrets{fliggytest.DefaultAppKey: {fliggytest.DefaultAppSecret}},
		qimen.OnRenewalPrices(func(
			_ context.Context, _ *qimen.Delivery, r *qimen.RenewalPricesRequest,
		) (*qimen.RenewalPricesReply, error) {
			if r.OrderID != rentalOrder {
				return nil, qimen.Refuse("order-not-found", "没有这个订单")
			}
			s.mark(r.IsPressureTest)
			quote, err := plan.Quote(r.CarUseTime, r.CarReturnTime)
			if err == nil && s.markups.IsSet() {
				quote.Price.StandardPrice = quote.Price.StandardPrice.Add(s.markups)
			}
			return quote, err
		}),
		qimen.OnRenewalSubmit(func(
			_ context.Context, d *qimen.Delivery, r *qimen.RenewalSubmitRequest,
		) (*qimen.RenewalSubmitReply, error) {
			s.mark(r.IsPressureTest)
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.booked[d.Key] == "" {
				s.booked[d.Key] = "R" + string(rune('1'+len(s.booked)))
			}
			return &qimen.RenewalSubmitReply{OutOrderID: s.booked[d.Key], CreatedTime: fliggy.MustTime(rentalStart)}, nil
		}),
		qimen.OnRenewalCancel(func(
			_ context.Context, _ *qimen.Delivery, r *qimen.RenewalCancelRequest,
		) (*qimen.RenewalCancelReply, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.ended[r.OutOrderID] = true
			return &qimen.RenewalCancelReply{}, nil
		}))
	noError(t, err)
	s.Server = httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func (s *supplier) mark(is bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.marked = s.marked && is
}

// TestCheckMerchant tests a merchant that does it right, and one that does not.
func TestCheckMerchant(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		markups fliggy.Yuan
		args    []string
		status  int
		want    []string
		books   bool
	}{
		"prices": {fliggy.Yuan{}, nil, 0, []string{
			"OK: ", "price of 1 d 30 min: 2026-12-01 10:00 to 2026-12-02 10:30\n         11.00  standard price\n",
			"16.02  in all", "21.02  in all", "146.14  in all", "submitting is off",
		}, false},
		"submit": {fliggy.Yuan{}, []string{"--submit"}, 0, []string{"OK: ", " 0 skipped", "cancel-repeat"}, true},
		"broken": {fliggy.MustYuan("0.02"), nil, 1, []string{"FAILED standard-price", "NOT OK: ", "11.02  standard price"},
			false},
	} {
		s := newSupplier(t, c.markups)
		args := []string{"check-merchant", s.URL, "--order", rentalOrder, "--out-order", "FZ1", "--start", rentalStart}
		got := fliggyCmd(t.Context(), variables{}, "", append(args, c.args...)...)
		for _, want := range c.want {
			if got.status != c.status || !strings.Contains(got.stdout, want) {
				t.Errorf("%s: %+v; want %q", name, got, want)
			}
		}
		if (len(s.booked) > 0) != c.books || len(s.ended) != len(s.booked) || !s.marked {
			t.Errorf("%s: booked %v, cancelled %v, marked %t", name, s.booked, s.ended, s.marked)
		}
	}
}

func TestCheckMerchantAsJSON(t *testing.T) {
	t.Parallel()
	s := newSupplier(t, fliggy.Yuan{})
	got := fliggyCmd(t.Context(), variables{}, "",
		"check-merchant", s.URL, "--order", rentalOrder, "--start", rentalStart, "--json")
	var report merchantcheck.Report
	noError(t, json.Unmarshal([]byte(got.stdout), &report))
	totals := []string{}
	for _, q := range report.Quotes {
		totals = append(totals, q.Total.String())
	}
	if diff := cmp.Diff([]string{"16.02", "21.02", "146.14"}, totals); diff != "" || !report.OK() || got.status != 0 {
		t.Errorf("%+v, -want +got:\n%s", got, diff)
	}
}

// TestCheckMerchantThatFails tells one that is not there from one that answers an error page.
func TestCheckMerchantThatFails(t *testing.T) {
	t.Parallel()
	page := httptest.NewServer(http.NotFoundHandler())
	defer page.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer slow.Close()
	defer close(release)
	args := []string{"--order", "1", "--start", rentalStart}
	for name, c := range map[string]struct {
		url    string
		args   []string
		status int
		want   string
	}{
		"page": {page.URL, nil, statusNo, "HTTP status 404"},
		"gone": {gone.URL, nil, statusNoAnswer, "it cannot be reached"},
		"slow": {slow.URL, []string{"--timeout", "20ms"}, statusNoAnswer, "no answer in time"},
	} {
		args := slices.Concat([]string{"check-merchant", c.url}, args, c.args)
		got := fliggyCmd(t.Context(), variables{}, "", args...)
		if got.status != c.status || !strings.Contains(got.stdout, c.want) || !strings.Contains(got.stdout, "no total") {
			t.Errorf("%s: %+v", name, got)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	got := fliggyCmd(ctx, variables{}, "", append([]string{"check-merchant", slow.URL}, args...)...)
	if got.status != statusInterrupted {
		t.Errorf("interrupted: %+v", got)
	}
}

func TestCheckMerchantThatIsWrong(t *testing.T) {
	t.Parallel()
	start := []string{"--start", rentalStart}
	for name, c := range map[string]struct {
		vars variables
		args []string
		want string
	}{
		"no URL":   {nil, append(start, "--order", "1"), `"<url>"`},
		"URL":      {nil, append(start, "here", "--order", "1"), "absolute URL"},
		"no start": {nil, []string{"http://h/", "--order", "1"}, "--start"},
		"start":    {nil, []string{"http://h/", "--order", "1", "--start", "soon"}, "want yyyy-MM-dd"},
		"no order": {nil, append(start, "http://h/"), "--out-order"},
		"timeout":  {nil, append(start, "http://h/", "--order", "1", "--timeout", "0s"), "--timeout"},
		"secret":   {variables{"FLIGGY_APP_SECRET": " x"}, append(start, "http://h/", "--order", "1"), "white space"},
		"app":      {variables{"FLIGGY_APP_KEY": "5"}, append(start, "http://h/", "--order", "1"), "no app secret"},
	} {
		vars := variables{"XDG_CONFIG_HOME": "/nonexistent"}
		for name, value := range c.vars {
			vars[name] = value
		}
		got := fliggyCmd(t.Context(), vars, "", append([]string{"check-merchant"}, c.args...)...)
		if got.status != statusUsage || !strings.Contains(got.stderr, c.want) {
			t.Errorf("%s: %+v; want %q", name, got, c.want)
		}
	}
}
