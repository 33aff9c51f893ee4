package fliggytest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
)

// merchantQuote is a quote of the merchant guide, which the distributor's quote is
// modelled on.
type merchantQuote struct {
	AddedServiceList []struct {
		ServiceCode string
		Quantity    fliggy.Decimal
		Price       fliggy.Yuan
		Amount      fliggy.Yuan
	}
	CancelStrategyStruct struct{ CancelRules []fliggy.CancelRule }
	PriceInfo            struct {
		Quantity      fliggy.Decimal
		CalendarPrice []struct {
			Date             fliggy.Date
			DayPrice         fliggy.Yuan
			ScatteredPrice   fliggy.Yuan
			ScatteredMinutes int
		}
		StandardPrice, BasicServiceFee, StandardUnitPrice, PoundageFee fliggy.Yuan
	}
}

// TestScenarios compares quotes with the three scenarios of the merchant guide.
func TestScenarios(t *testing.T) {
	t.Parallel()
	amounts := cmp.Options{
		cmp.Comparer(func(a, b fliggy.Yuan) bool { return a.Equal(b) }),
		cmp.Comparer(func(a, b fliggy.Decimal) bool { return a.Equal(b) }),
		cmpopts.EquateComparable(fliggy.Date{}),
	}
	g := start(t)
	for scenario, to := range map[int]string{
		1: "2023-02-05 10:30:00", 2: "2023-02-05 18:00:00", 3: "2023-02-18 12:00:00",
	} {
		var want, got merchantQuote
		data, err := os.ReadFile(
			fmt.Sprintf("../testdata/samples/qimen.alitrip.rentcar.renewalprices.query.scenario%d.response.json", scenario),
		)
		noError(t, err)
		noError(t, json.Unmarshal(data, &want))
		for _, format := range allFormats {
			res, err := connect(
				t, g, rentcar.WithFormat(format),
			).Renewals.Quote(context.Background(), &rentcar.RenewalQuoteRequest{
				OrderID: SampleOrderID, CarUseTime: scenarioFrom, CarReturnTime: fliggy.MustTime(to),
			})
			noError(t, err)
			got = merchantQuote{}
			for _, s := range res.AddedServices {
				got.AddedServiceList = append(got.AddedServiceList, struct {
					ServiceCode string
					Quantity    fliggy.Decimal
					Price       fliggy.Yuan
					Amount      fliggy.Yuan
				}{s.ServiceCode, s.Quantity, s.Price, s.Amount})
			}
			got.CancelStrategyStruct.CancelRules = res.CancelPolicy.Rules
			p := &got.PriceInfo
			p.Quantity, p.StandardPrice, p.BasicServiceFee = res.Price.Quantity, res.Price.StandardPrice,
				res.Price.BasicServiceFee
			p.StandardUnitPrice, p.PoundageFee = res.Price.StandardUnitPrice, res.Price.PoundageFee
			for _, d := range res.Price.CalendarPrice {
				p.CalendarPrice = append(p.CalendarPrice, struct {
					Date             fliggy.Date
					DayPrice         fliggy.Yuan
					ScatteredPrice   fliggy.Yuan
					ScatteredMinutes int
				}{d.Date, d.DayPrice, d.ScatteredPrice, d.ScatteredMinutes})
			}
			if diff := cmp.Diff(want, got, amounts); diff != "" {
				t.Errorf("scenario %d, %v (-want +got):\n%s", scenario, format, diff)
			}
			if len(res.Price.ScatteredPriceRules.Rules) != 2 || res.Price.ScatteredPriceRules.Rules[0].EndTime != 420 {
				t.Errorf("scenario %d, %v: rules %+v", scenario, format, res.Price.ScatteredPriceRules)
			}
		}
	}
}

// TestPricesHalfDaysAndWholeOnes computes the total of any period anew.
func TestPricesHalfDaysAndWholeOnes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		days, minutes := rapid.IntRange(0, maxDays).Draw(t, "days"), rapid.IntRange(0, dayMinutes-1).Draw(t, "minutes")
		if days+minutes == 0 {
			minutes = 1
		}
		res, ok := priceOf(testNow, testNow.AddDate(0, 0, days).Add(time.Duration(minutes)*time.Minute+59*time.Second))
		if !ok {
			t.Fatal("no price")
		}
		halves := int64(2 * days)
		switch {
		case minutes > 420:
			halves += 2
		case minutes > 0:
			halves++
		}
		total := decimal.New(halves*500+100, -2).Add(decimal.New(halves*5, -3).RoundBank(2))
		if got, err := res.Total(); err != nil || !got.Equal(fliggy.YuanOf(total)) {
			t.Errorf("%d days and %d minutes: %s, %v, want %s", days, minutes, got, err, total)
		}
		entries := days
		if minutes > 0 {
			entries++
		}
		if len(res.Price.CalendarPrice) != entries {
			t.Errorf("%d days and %d minutes: %d days in the calendar", days, minutes, len(res.Price.CalendarPrice))
		}
	})
}

func TestQuotesAndSubmitsThatAreRefused(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	g := start(t)
	c := connect(t, g)
	plain := g.AddOrder(Order{OrderID: "1001"})
	other := SampleOrder()
	other.OrderID = "1002"
	g.AddOrder(other)
	quote, err := c.Renewals.Quote(ctx, quoteRequest())
	noError(t, err)
	for name, d := range map[string]struct {
		change func(*rentcar.RenewalSubmitRequest)
		code   string
	}{
		"unknown order":     {func(r *rentcar.RenewalSubmitRequest) { r.OrderID = "1" }, RetOrderNotFound},
		"cannot be renewed": {func(r *rentcar.RenewalSubmitRequest) { r.OrderID = plain }, RetNotRenewable},
		"unknown quote":     {func(r *rentcar.RenewalSubmitRequest) { r.ItemID = quote.ItemID[1:] }, RetQuoteNotFound},
		"another's quote": {
			func(r *rentcar.RenewalSubmitRequest) { r.OrderID, r.ItemID = "1002", quote.ItemID }, RetQuoteNotFound,
		},
		"ends before it was": {func(r *rentcar.RenewalSubmitRequest) { r.CarReturnTime = r.CarUseTime }, RetBadPeriod},
	} {
		req := submitRequest()
		d.change(req)
		if _, err := c.Renewals.Submit(ctx, req, rentcar.CallWithoutValidation()); code(err) != d.code {
			t.Errorf("submit, %s: %v", name, err)
		}
	}
	for name, d := range map[string]struct {
		change func(*rentcar.RenewalQuoteRequest)
		code   string
	}{
		"unknown order":      {func(r *rentcar.RenewalQuoteRequest) { r.OrderID = "1" }, RetOrderNotFound},
		"another's out id":   {func(r *rentcar.RenewalQuoteRequest) { r.OutOrderID = "x" }, RetOrderNotFound},
		"cannot be renewed":  {func(r *rentcar.RenewalQuoteRequest) { r.OrderID = plain }, RetNotRenewable},
		"ends before it was": {func(r *rentcar.RenewalQuoteRequest) { r.CarReturnTime = r.CarUseTime }, RetBadPeriod},
		"longer than a year": {
			func(r *rentcar.RenewalQuoteRequest) { r.CarReturnTime = fliggy.MustTime("2024-02-05 10:00:00") }, RetBadPeriod,
		},
		"for ever and a year": {
			func(r *rentcar.RenewalQuoteRequest) { r.CarReturnTime = fliggy.MustTime("9999-01-01 00:00:00") }, RetBadPeriod,
		},
	} {
		req := quoteRequest()
		d.change(req)
		if _, err := c.Renewals.Quote(ctx, req, rentcar.CallWithoutValidation()); code(err) != d.code {
			t.Errorf("quote, %s: %v", name, err)
		}
	}
	if n := len(g.Renewals()); n != 0 {
		t.Errorf("%d renewals", n)
	}
}

// TestSubmitLacksTimes: what the submit leaves out comes from the quote.
func TestSubmitLacksTimes(t *testing.T) {
	t.Parallel()
	g := start(t)
	c := connect(t, g)
	quote, err := c.Renewals.Quote(context.Background(), quoteRequest())
	noError(t, err)
	submit(t, c, &rentcar.RenewalSubmitRequest{OrderID: SampleOrderID, ItemID: quote.ItemID})
	submit(t, c, &rentcar.RenewalSubmitRequest{OrderID: SampleOrderID})
	with, without := g.Renewals()[0], g.Renewals()[1]
	if !with.Start.Equal(
		scenarioFrom.Time,
	) || with.Total.String() != "16.02" || !without.Start.IsZero() || without.Total.IsSet() {
		t.Errorf("with a quote %v %v, without %v %v", with.Start, with.Total, without.Start, without.Total)
	}
	check, err := c.Renewals.CheckCancel(
		context.Background(), &rentcar.RenewalCheckCancelRequest{RenewalOrderID: without.RenewalOrderID},
	)
	noError(t, err)
	if check.CancelFee.String() != "0.00" {
		t.Errorf("cancelling what has no price costs %s", check.CancelFee)
	}
}

func TestRepeatedSubmitsAreCarriedOut(t *testing.T) {
	t.Parallel()
	g := start(t)
	c := connect(t, g)
	first, second := submit(t, c, submitRequest()), submit(t, c, submitRequest())
	if first == second || len(g.Renewals()) != 2 {
		t.Errorf("%s and %s, %d renewals", first, second, len(g.Renewals()))
	}
	if want := fliggy.ID("3187983531024266527"); first != want {
		t.Errorf("the first renewal is %s, want that of the guide, %s", first, want)
	}
}

func TestCancelTiers(t *testing.T) {
	t.Parallel()
	for before, want := range map[time.Duration]string{
		1000 * time.Hour: "0.00", 72 * time.Hour: "0.00", 72*time.Hour - time.Second: "1.60", 48 * time.Hour: "1.60",
		24 * time.Hour: "3.20", 2 * time.Hour: "4.81", 2*time.Hour - time.Second: "8.01", 0: "8.01", -time.Second: "",
	} {
		now := scenarioFrom.Add(-before)
		g := start(t, WithClock(func() time.Time { return now }))
		c := connect(t, g)
		id := submit(t, c, submitRequest())
		check, err := c.Renewals.CheckCancel(context.Background(), &rentcar.RenewalCheckCancelRequest{RenewalOrderID: id})
		done, cancelErr := c.Renewals.Cancel(context.Background(), &rentcar.RenewalCancelRequest{RenewalOrderID: id})
		if want == "" {
			if code(err) != RetNotCancellable || code(cancelErr) != RetNotCancellable {
				t.Errorf("after the start: %v, %v", err, cancelErr)
			}
			continue
		}
		noError(t, err)
		noError(t, cancelErr)
		if check.CancelFee.String() != want || done.CancelFee.String() != want || done.CancelMessage != check.CancelMessage {
			t.Errorf("%v before: %s and %s, want %s", before, check.CancelFee, done.CancelFee, want)
		}
		r, _ := g.Renewal(id)
		if r.CancelMessage != done.CancelMessage || r.State != RenewalCancelled {
			t.Errorf("held: %+v", r)
		}
		_, err = c.Renewals.CheckCancel(context.Background(), &rentcar.RenewalCheckCancelRequest{RenewalOrderID: id})
		_, cancelErr = c.Renewals.Cancel(context.Background(), &rentcar.RenewalCancelRequest{RenewalOrderID: id})
		if code(err) != RetNotCancellable || code(cancelErr) != RetNotCancellable {
			t.Errorf("cancelled already: %v, %v", err, cancelErr)
		}
	}
}

func TestFindingARenewal(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	g := start(t)
	c := connect(t, g)
	other := SampleOrder()
	other.OrderID, other.OutOrderID = "1002", "MINE"
	g.AddOrder(other)
	ids := make([]fliggy.ID, 4)
	for i, s := range []struct {
		order fliggy.ID
		out   string
	}{{SampleOrderID, "A"}, {SampleOrderID, "B"}, {"1002", "B"}, {"1002", ""}} {
		req := submitRequest()
		req.OrderID, req.RenewalOutOrderID = s.order, s.out
		ids[i] = submit(t, c, req)
	}
	if res := g.Reject(ids[3], "1", "x"); res.Err == nil {
		t.Error("pushed to nowhere")
	}
	for name, d := range map[string]struct {
		req  rentcar.RenewalCancelRequest
		want int // index of the renewal, -1 for none
	}{
		"by its id":                {rentcar.RenewalCancelRequest{RenewalOrderID: ids[0]}, 0},
		"by our id":                {rentcar.RenewalCancelRequest{OutOrderID: "A"}, 0},
		"by our id, the latest":    {rentcar.RenewalCancelRequest{OutOrderID: "B"}, 2},
		"by our id and the order":  {rentcar.RenewalCancelRequest{OutOrderID: "B", OrderID: SampleOrderID}, 1},
		"by the order":             {rentcar.RenewalCancelRequest{OrderID: SampleOrderID}, 1},
		"by the order, the living": {rentcar.RenewalCancelRequest{OrderID: "1002"}, 2},
		"by our id of the order":   {rentcar.RenewalCancelRequest{OutOrderID: "MINE"}, 2},
		"by its id and ours of both": {
			rentcar.RenewalCancelRequest{RenewalOrderID: ids[2], OutOrderID: "MINE", OrderID: "1002"}, 2,
		},
		"ids that contradict":           {rentcar.RenewalCancelRequest{RenewalOrderID: ids[0], OutOrderID: "B"}, -1},
		"order that contradicts":        {rentcar.RenewalCancelRequest{RenewalOrderID: ids[0], OrderID: "1002"}, -1},
		"unknown id":                    {rentcar.RenewalCancelRequest{RenewalOrderID: "1"}, -1},
		"unknown id of ours":            {rentcar.RenewalCancelRequest{OutOrderID: "none"}, -1},
		"an order id is no renewal's":   {rentcar.RenewalCancelRequest{RenewalOrderID: SampleOrderID}, -1},
		"by the order, known elsewhere": {rentcar.RenewalCancelRequest{OrderID: "9"}, -1},
	} {
		found, err := g.state.findRenewal(d.req.RenewalOrderID, d.req.OutOrderID, d.req.OrderID)
		check := rentcar.RenewalCheckCancelRequest{
			RenewalOrderID: d.req.RenewalOrderID, OutOrderID: d.req.OutOrderID, OrderID: d.req.OrderID,
		}
		_, wireErr := c.Renewals.CheckCancel(ctx, &check)
		switch {
		case d.want < 0:
			if code(err) != RetRenewalNotFound || code(wireErr) != RetRenewalNotFound {
				t.Errorf("%s: %v, %v", name, err, wireErr)
			}
		case err != nil || wireErr != nil || found.RenewalOrderID != ids[d.want]:
			t.Errorf("%s: %v, %v, %v", name, found, err, wireErr)
		}
	}
	if _, err := c.Renewals.CheckCancel(
		ctx, &rentcar.RenewalCheckCancelRequest{RenewalOrderID: ids[3]},
	); code(err) != RetNotCancellable {
		t.Errorf("a rejected renewal: %v", err)
	}
}
