package browsertest

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/pricing"
	"github.com/fliggy-go/rentcar/qimen"
)

// rental is one that the merchant knows.
const rental = "3175520762897901122"

// newMerchant serves a merchant who prices renewals right, or a cent too high.
func newMerchant(t *testing.T, poundage string) *httptest.Server {
	t.Helper()
	plan := &pricing.Plan{
		DayPrice: fliggy.MustYuan("10.00"), PoundageFee: fliggy.MustYuan("1.00"),
		ScatteredRules: []fliggy.ScatteredPriceRule{
			{Value: fliggy.MustDecimal("50"), StartTime: 0, EndTime: 420},
			{Value: fliggy.MustDecimal("100"), StartTime: 421, EndTime: 1440},
		},
		CancelPolicy: fliggy.CancelPolicy{
			CancelType: 1, SupportCancel: true, Rules: []fliggy.CancelRule{{Num: 0, Time: 24}, {Num: 50, Time: 0}},
		},
	}
	noError(t, plan.Validate())
	var mu sync.Mutex
	booked := map[string]*qimen.RenewalSubmitReply{}
	handler, err := qimen.NewHandler(qimen.Secrets{fliggytest.DefaultAppKey: {fliggytest.DefaultAppSecret}},
		qimen.OnRenewalPrices(func(
			_ context.Context, _ *qimen.Delivery, r *qimen.RenewalPricesRequest,
		) (*qimen.RenewalPricesReply, error) {
			if r.OrderID != rental {
				return nil, qimen.Refuse("order-not-found", "没有这个订单")
			}
			reply, err := plan.Quote(r.CarUseTime, r.CarReturnTime)
			if err == nil && poundage != "" {
				reply.Price.PoundageFee = fliggy.MustYuan(poundage)
			}
			return reply, err
		}),
		qimen.OnRenewalSubmit(func(
			_ context.Context, d *qimen.Delivery, r *qimen.RenewalSubmitRequest,
		) (*qimen.RenewalSubmitReply, error) {
			mu.Lock()
			defer mu.Unlock()
			if before := booked[d.Key]; before != nil {
				return before, nil
			}
			booked[d.Key] = &qimen.RenewalSubmitReply{OutOrderID: "M1", CreatedTime: fliggy.At(time.Now())}
			return booked[d.Key], nil
		}),
		qimen.OnRenewalCancel(func(
			context.Context, *qimen.Delivery, *qimen.RenewalCancelRequest,
		) (*qimen.RenewalCancelReply, error) {
			return &qimen.RenewalCancelReply{}, nil
		}))
	noError(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

func TestMerchant(t *testing.T) {
	t.Parallel()
	d := open(t)
	right, wrong := newMerchant(t, ""), newMerchant(t, "2.00")
	d.tabTo("merchant")
	d.until(`document.querySelector('[data-action=merchant-order]').value !== ''`)
	d.fill("merchant-url", right.URL)
	d.fill("merchant-order", rental)
	d.set("merchant-start", "2023-02-04T10:00")
	d.press("merchant-run")
	d.shows("#merchant-report", "Every rule holds.")
	showsQuotes(d, right.URL)
	d.press("merchant-passed")
	d.shows("#merchant-report details td", "passed")

	d.fill("merchant-url", wrong.URL)
	d.press("merchant-submit")
	d.press("merchant-run")
	d.shows("#merchant-report", "Rules are broken")
	d.shows("#merchant-report code", wrong.URL)
	var report struct {
		Failed  int `json:"failed"`
		Results []struct {
			Rule, Status, Expected, Got string
		}
	}
	call(d, http.MethodPost, "merchant/check", map[string]any{
		"url": wrong.URL, "order_id": rental, "start": "2023-02-04 10:00", "submit": true,
	}, &report)
	if report.Failed == 0 {
		t.Fatal("the merchant is right")
	}
	for _, r := range report.Results {
		if r.Status == "failed" {
			d.shows("#merchant-report .scroll", r.Rule)
			d.shows("#merchant-report .scroll", r.Expected)
			d.shows("#merchant-report .scroll", r.Got)
		}
	}
	d.press("language")
	d.shows("#merchant-report .scroll", "standardPrice 等于整日租金加手续费")
	d.shows("#merchant-report .scroll", "1 天 30 分钟的报价")
	d.press("language")
}

// showsQuotes finds the prices of the guide's three scenarios on the page, in English and in Chinese.
func showsQuotes(d *desk, merchant string) {
	d.t.Helper()
	type quote struct {
		From, To, Total string
		Standard        string `json:"standard_price"`
		Lines           []struct{ Name, Amount string }
	}
	var report struct{ Quotes []quote }
	call(d, http.MethodPost, "merchant/check", map[string]any{
		"url": merchant, "order_id": rental, "start": "2023-02-04 10:00",
	}, &report)
	if len(report.Quotes) != 3 {
		d.t.Fatalf("%d quotes, want those of the guide's three scenarios", len(report.Quotes))
	}
	for _, language := range []struct {
		title     string
		scenarios []string
	}{
		{
			"Prices in the three scenarios of the guide, in yuan",
			[]string{"1 day 30 minutes", "1 day 8 hours", "14 days 2 hours"},
		},
		{"接入指南三个场景的报价（元）", []string{"1 天 30 分钟", "1 天 8 小时", "14 天 2 小时"}},
	} {
		d.shows("#merchant-quotes h3", language.title)
		for i, q := range report.Quotes {
			row := fmt.Sprintf("#merchant-quotes tbody tr:nth-child(%d)", i+1)
			texts := []string{language.scenarios[i], q.From[:16], q.To[:16], q.Standard, q.Total}
			for _, line := range q.Lines {
				texts = append(texts, line.Name, line.Amount)
			}
			for _, text := range texts {
				if text == "" {
					d.t.Errorf("a quote has an empty part: %+v", q)
				}
				d.shows(row, text)
			}
		}
		d.press("language")
	}
}
