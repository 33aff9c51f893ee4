package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fliggy-go/rentcar/fliggy"
	_ "github.com/fliggy-go/rentcar/internal/golden" // -update
	"github.com/fliggy-go/rentcar/merchantcheck"
	"github.com/fliggy-go/rentcar/qimen"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func noEnv(string) string { return "" }

func TestOwnMerchant(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	if code := run(t.Context(), nil, noEnv, &out, &errs); code != 0 || errs.Len() > 0 {
		t.Fatalf("exit %d, stderr %q, stdout:\n%s", code, errs.String(), out.String())
	}
	if !strings.Contains(out.String(), " 0 failed, 0 warnings, 0 skipped") {
		t.Errorf("not a clean report:\n%s", out.String())
	}
}

func TestOwnMerchantAsJSON(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"-json"}, noEnv, &out, &errs)
	var report struct {
		OK      bool
		Results []struct{ Rule, Scenario, Status string }
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil || code != 0 {
		t.Fatalf("exit %d, stderr %q, %v", code, errs.String(), err)
	}
	if !report.OK || len(report.Results) < 50 {
		t.Errorf("ok %v, %d results", report.OK, len(report.Results))
	}
}

// A served merchant, and which rental of it can be renewed.
func served(t *testing.T) (at string, m *merchant, r rental) {
	t.Helper()
	rentals := demoRentals(time.Now())
	m = newMerchant(time.Now, rentals...)
	h, err := m.handler(madeUpAppKey, madeUpAppSecret, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL, m, rentals[0]
}

// check tests the merchant at an address as fliggy check-merchant does.
func check(t *testing.T, at string, order merchantcheck.Order, submits bool) *merchantcheck.Report {
	t.Helper()
	caller, err := merchantcheck.New(at, madeUpAppKey, madeUpAppSecret)
	if err != nil {
		t.Fatal(err)
	}
	defer caller.Close()
	return merchantcheck.Run(t.Context(), caller, merchantcheck.Config{
		Orders: []merchantcheck.Order{order}, Submit: submits, PressureTest: true,
	})
}

// A load test is kept out of the books.
func TestLoadTest(t *testing.T) {
	t.Parallel()
	at, m, r := served(t)
	order := merchantcheck.Order{OrderID: r.orderID, OutOrderID: r.outOrderID, Start: r.ends}
	if report := check(t, at, order, true); !report.OK() || len(m.renewals) == 0 || m.books() != 0 {
		t.Errorf("%d renewals, %d in the books\n%s", len(m.renewals), m.books(), report)
	}
	for id, booked := range m.renewals {
		if !booked.test || !booked.cancelled {
			t.Errorf("renewal %s: load test %v, cancelled %v", id, booked.test, booked.cancelled)
		}
	}
}

// -addr serves until the context ends, and prints how to test it.
func TestServe(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	in, out := io.Pipe()
	var errs bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"-addr", "127.0.0.1:0"}, noEnv, out, &errs)
		_ = out.Close()
	}()
	lines := bufio.NewScanner(in)
	lines.Scan()
	lines.Scan() // fliggy check-merchant URL --order ID --out-order ID --start "DAY TIME"
	words := strings.Fields(strings.ReplaceAll(lines.Text(), `"`, ""))
	if len(words) != 10 {
		t.Fatalf("line %q", lines.Text())
	}
	start, err := fliggy.ParseTime(words[8] + " " + words[9])
	if err != nil {
		t.Fatal(err)
	}
	order := merchantcheck.Order{OrderID: fliggy.ID(words[4]), OutOrderID: words[6], Start: start}
	if report := check(t, words[2], order, false); !report.OK() {
		t.Errorf("the test of the served merchant:\n%s", report)
	}
	cancel()
	for lines.Scan() { // the other rentals
	}
	if c := <-code; c != 0 {
		t.Errorf("exit %d, stderr %q", c, errs.String())
	}
}

func TestWrongUse(t *testing.T) {
	t.Parallel()
	half := func(name string) string {
		if name == "FLIGGY_APP_KEY" {
			return "1"
		}
		return ""
	}
	blank := func(string) string { return " x" }
	for _, tt := range []struct {
		name string
		args string
		env  func(string) string
		want string
		code int
	}{
		{"argument", "x", noEnv, `unexpected argument "x"`, 2},
		{"half an app", "", half, "FLIGGY_APP_SECRET", 2},
		{"unknown flag", "-x", noEnv, "-x", 2},
		{"bad address", "-addr nowhere:x", noEnv, "port", 1},
		{"white space", "", blank, "white space", 2},
		{"no report", "-addr :1 -json", noEnv, "-json", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out, errs bytes.Buffer
			if code := run(
				t.Context(), strings.Fields(tt.args), tt.env, &out, &errs,
			); code != tt.code || !strings.Contains(errs.String(), tt.want) {
				t.Errorf("exit %d, stderr %q", code, errs.String())
			}
		})
	}
	var out, errs bytes.Buffer
	if code := run(
		t.Context(), []string{"-help"}, noEnv, &out, &errs,
	); code != 0 || !strings.Contains(errs.String(), "Usage: merchant") {
		t.Errorf("-help: exit %d, stderr %q", code, errs.String())
	}
}

// delivered stands for the delivery of a submit, its key made of what qimen makes it of.
func delivered(r *qimen.RenewalSubmitRequest) *qimen.Delivery {
	return &qimen.Delivery{
		Key: fmt.Sprint(r.OrderID, r.OutOrderID, r.CarUseTime, r.CarReturnTime, r.PayTradeNo, r.PriceMark),
	}
}

// The same submit many times at once books one renewal, with one answer.
func TestSubmitOnce(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, fliggy.Zone())
	m := newMerchant(func() time.Time { return at }, demoRentals(at)...)
	from, to := m.rentals[0].ends, fliggy.At(m.rentals[0].ends.Add(24*time.Hour))
	quote, err := m.plan.Quote(from, to)
	if err != nil {
		t.Fatal(err)
	}
	submit := qimen.RenewalSubmitRequest{
		OrderID: m.rentals[0].orderID, OutOrderID: m.rentals[0].outOrderID, CarUseTime: from, CarReturnTime: to,
		RenewalOrderTotalAmount: totalOf(t, quote), PriceMark: quote.Price.PriceMark, PayTradeNo: "1",
	}
	var wg sync.WaitGroup
	ids := make([]string, 50)
	for i := range ids {
		wg.Go(func() {
			if reply, err := m.submit(t.Context(), delivered(&submit), &submit); err == nil {
				ids[i] = reply.OutOrderID
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id == "" || id != ids[0] {
			t.Fatalf("ids %v", ids)
		}
	}
	if m.books() != 1 || !m.rentals[0].ends.Equal(to.Time) {
		t.Errorf("%d renewals, the rental ends %v", m.books(), m.rentals[0].ends)
	}

	test := submit
	test.IsPressureTest = true
	m.rentals[0].ends = from // as it was
	if reply, err := m.submit(
		t.Context(), delivered(&test), &test,
	); err != nil || reply.OutOrderID == ids[0] || m.books() != 1 {
		t.Errorf("a load test got %+v, %v; %d renewals", reply, err, m.books())
	}
	m.rentals[0].ends = to

	refused := func(name, code string, change func(*qimen.RenewalSubmitRequest)) {
		r := submit
		change(&r)
		_, err := m.submit(t.Context(), delivered(&r), &r)
		var no *qimen.Refusal
		if !errors.As(err, &no) || no.Code != code {
			t.Errorf("%s: %v, want %s", name, err, code)
		}
	}
	refused("the same period once more", "wrong-start", func(r *qimen.RenewalSubmitRequest) { r.PayTradeNo = "2" })
	second := fliggy.At(to.Add(24 * time.Hour))
	next := func(r *qimen.RenewalSubmitRequest) { r.CarUseTime, r.CarReturnTime, r.PayTradeNo = to, second, "2" }
	refused("another price mark", "price-changed", func(r *qimen.RenewalSubmitRequest) { next(r); r.PriceMark = "x" })
	again, err := m.plan.Quote(to, second)
	if err != nil {
		t.Fatal(err)
	}
	refused("a wrong total", "wrong-total", func(r *qimen.RenewalSubmitRequest) {
		next(r)
		r.PriceMark, r.RenewalOrderTotalAmount = again.Price.PriceMark, fliggy.MustYuan("1.00")
	})
	refused(
		"an unknown rental", "order-not-found", func(r *qimen.RenewalSubmitRequest) { r.OrderID, r.PayTradeNo = "9", "2" },
	)
	refused("too long", "period-not-possible", func(r *qimen.RenewalSubmitRequest) {
		next(r)
		r.CarReturnTime = fliggy.At(to.AddDate(3, 0, 0))
	})
}

func TestCancel(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, fliggy.Zone())
	m := newMerchant(func() time.Time { return now }, demoRentals(now)...)
	book := func(days int) string {
		t.Helper()
		from := m.rentals[0].ends
		to := fliggy.At(from.Add(time.Duration(days) * 24 * time.Hour))
		quote, err := m.plan.Quote(from, to)
		if err != nil {
			t.Fatal(err)
		}
		request := qimen.RenewalSubmitRequest{
			OrderID: m.rentals[0].orderID, OutOrderID: m.rentals[0].outOrderID, CarUseTime: from, CarReturnTime: to,
			RenewalOrderTotalAmount: totalOf(t, quote), PriceMark: quote.Price.PriceMark, // no PayTradeNo
		}
		reply, err := m.submit(t.Context(), delivered(&request), &request)
		if err != nil {
			t.Fatal(err)
		}
		return reply.OutOrderID
	}
	cancel := func(id, code string) {
		t.Helper()
		_, err := m.cancel(t.Context(), nil, &qimen.RenewalCancelRequest{OutOrderID: id})
		var no *qimen.Refusal
		if errors.As(err, &no) && no.Code == code || err == nil && code == "" {
			return
		}
		t.Errorf("cancel %s: %v, want %q", id, err, code)
	}
	first, second := book(1), book(2)
	cancel("nothing", "order-not-found")
	cancel(first, "renewed-again")
	cancel(second, "")
	cancel(second, "")
	cancel(first, "")
	if m.books() != 0 || !m.rentals[0].ends.Equal(demoRentals(now)[0].ends.Time) {
		t.Errorf("%d renewals, the rental ends %v", m.books(), m.rentals[0].ends)
	}
	_, err := m.cancel(t.Context(), nil, &qimen.RenewalCancelRequest{OutOrderID: book(4), IsPressureTest: true})
	if m.books() != 1 || err == nil {
		t.Errorf("a load test cancelled a real renewal: %v", err)
	}
	third := book(3)
	now = m.rentals[0].ends.Time // within the renewal
	cancel(third, "not-cancellable")
}

func totalOf(t *testing.T, quote *qimen.RenewalPricesReply) fliggy.Yuan {
	t.Helper()
	total, err := quote.Total()
	if err != nil {
		t.Fatal(err)
	}
	return total
}
