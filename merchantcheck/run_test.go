package merchantcheck

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
)

func sample(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile("../testdata/samples/" + name + ".json")
	noError(t, err)
	return string(data)
}

// guideReplies are the replies of the merchant renewal guide, by period.
func guideReplies(t testing.TB) map[time.Duration]string {
	const name = "qimen.alitrip.rentcar.renewalprices.query.scenario%d.response"
	return map[time.Duration]string{
		24*time.Hour + 30*time.Minute: sample(t, fmt.Sprintf(name, 1)),
		32 * time.Hour:                sample(t, fmt.Sprintf(name, 2)),
		14*24*time.Hour + 2*time.Hour: sample(t, fmt.Sprintf(name, 3)),
	}
}

// wantClean wants a report without failure, warning and skipped rule.
func wantClean(t *testing.T, report *Report) {
	t.Helper()
	if !report.OK() || report.ExitCode() != 0 || report.Count(Passed) != len(report.Results) || len(report.Results) < 100 {
		t.Errorf("%v", report)
	}
}

func TestRunOfACorrectMerchant(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	t.Run("own arithmetic", func(t *testing.T) {
		wantClean(t, Run(ctx, connectMerchant(t, newTestMerchant()), guideCheck))
	})
	t.Run("replies of the guide", func(t *testing.T) {
		m := newTestMerchant()
		m.guide = guideReplies(t)
		wantClean(t, Run(ctx, connectMerchant(t, m), guideCheck))
		if m.marks["88612121212121216"] != "16.02" || m.submits != 4 || m.cancels != 4 || len(m.booked()) > 0 {
			t.Errorf("marks %v, %d submits, %d cancels, booked %v", m.marks, m.submits, m.cancels, m.booked())
		}
	})
	t.Run("over HTTP", func(t *testing.T) {
		server := httptest.NewServer(newTestMerchant())
		defer server.Close()
		m, err := New(server.URL+"/qimen?tenant=7", testAppKey, markedSecret)
		noError(t, err)
		defer m.Close()
		wantClean(t, Run(ctx, m, guideCheck))
	})
	t.Run("handler of package qimen", func(t *testing.T) {
		wantClean(t, Run(ctx, connectMerchant(t, qimenMerchant(t, newTestMerchant())), guideCheck))
	})
}

// qimenMerchant serves what m says through the handler of package qimen.
func qimenMerchant(t testing.TB, m *testMerchant) *qimen.Handler {
	t.Helper()
	ask := func(method string, request, reply any) error {
		data, err := json.Marshal(request)
		if err != nil {
			return err
		}
		var members object
		if err := json.Unmarshal(data, &members); err != nil {
			return err
		}
		return json.Unmarshal([]byte(m.answer(method, members)), reply)
	}
	h, err := qimen.NewHandler(qimen.Secrets{testAppKey: {markedSecret}}, qimen.WithClock(fixedClock),
		qimen.OnRenewalPrices(func(
			_ context.Context, _ *qimen.Delivery, r *qimen.RenewalPricesRequest,
		) (*qimen.RenewalPricesReply, error) {
			reply := new(qimen.RenewalPricesReply)
			return reply, ask(qimen.RenewalPricesMethod, r, reply)
		}),
		qimen.OnRenewalSubmit(func(
			_ context.Context, _ *qimen.Delivery, r *qimen.RenewalSubmitRequest,
		) (*qimen.RenewalSubmitReply, error) {
			reply := new(qimen.RenewalSubmitReply)
			return reply, ask(qimen.RenewalSubmitMethod, r, reply)
		}),
		qimen.OnRenewalCancel(func(
			_ context.Context, _ *qimen.Delivery, r *qimen.RenewalCancelRequest,
		) (*qimen.RenewalCancelReply, error) {
			reply := new(qimen.RenewalCancelReply)
			return reply, ask(qimen.RenewalCancelMethod, r, reply)
		}))
	noError(t, err)
	return h
}

// TestRunOfAnyPlan: whatever a merchant charges, it passes as long as it keeps to
// its own rule.
func TestRunOfAnyPlan(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := newTestMerchant()
		yuan := func(label string) decimal.Decimal { return decimal.New(rapid.Int64Range(0, 99_999).Draw(t, label), -2) }
		days := rapid.SliceOfN(rapid.Int64Range(1, 99_999), 1, 16).Draw(t, "days")
		m.dayPrice = func(i int) decimal.Decimal { return decimal.New(days[i%len(days)], -2) }
		m.poundage, m.basic = yuan("poundage"), yuan("basic")
		cut := rapid.IntRange(1, 1438).Draw(t, "cut")
		share := fmt.Sprint(rapid.IntRange(0, 100).Draw(t, "share"))
		m.ranges = []testRange{{rapid.IntRange(0, 1).Draw(t, "first"), cut, share}, {cut + 1, 1440, "100"}}
		m.perDay = map[string]string{"child": yuan("child").String()}
		m.flat = map[string]string{"door": yuan("door").StringFixed(2)}
		m.round = rapid.SampledFrom([]func(decimal.Decimal) decimal.Decimal{
			func(d decimal.Decimal) decimal.Decimal { return d.RoundBank(2) },
			func(d decimal.Decimal) decimal.Decimal { return d.Round(2) },
			func(d decimal.Decimal) decimal.Decimal { return d.RoundFloor(2) },
			func(d decimal.Decimal) decimal.Decimal { return d.RoundCeil(2) },
		}).Draw(t, "rounding")
		cfg := guideCheck
		start := guideOrder.Start.Add(time.Duration(rapid.IntRange(0, 600_000).Draw(t, "start")) * time.Minute)
		cfg.Orders = []Order{{OrderID: guideOrderID, OutOrderID: "FZ1", Start: fliggy.At(start)}}
		client, err := NewForHandler(m, testAppKey, markedSecret)
		if err != nil {
			t.Fatal(err)
		}
		if report := Run(context.Background(), client, cfg); !report.OK() || len(broken(report)) > 0 {
			t.Fatalf("%v", report)
		}
	})
}

func TestRunWithoutSubmit(t *testing.T) {
	t.Parallel()
	m := newTestMerchant()
	m.instead = func(_ http.ResponseWriter, _ *http.Request, method string) bool {
		if method != qimen.RenewalPricesMethod {
			t.Errorf("sent to %s", method)
		}
		return false
	}
	second := Order{OrderID: guideOrderID + "2", OutOrderID: "FZ2", Start: fliggy.MustTime("2023-03-01 12:00")}
	unknown := Order{OrderID: "7", OutOrderID: "FZ7"}
	cfg := Config{Orders: []Order{guideOrder, second}, Unknown: unknown, PressureTest: true}
	report := Run(context.Background(), connectMerchant(t, m), cfg)
	if !report.OK() || broken(report) != nil {
		t.Errorf("%v", report)
	}
	var orders, skipped []string
	for _, request := range m.seen {
		orders = append(
			orders,
			fmt.Sprint(
				request["orderId"], " ", request["outOrderId"], " ", request["carUseTime"], " ", request["carReturnTime"],
			),
		)
		if request["isPressureTest"] != "true" || request["exts"] != "null" {
			t.Errorf("sent %v", request)
		}
	}
	wantOrders := []string{
		guideOrderID + " FZ1111111 2023-02-04 10:00 2023-02-05 10:30",
		guideOrderID + "2 FZ2 2023-03-01 12:00 2023-03-02 20:00",
		guideOrderID + " FZ1111111 2023-02-04 10:00 2023-02-18 12:00",
		guideOrderID + "2 FZ2 2023-03-01 12:00 2023-03-01 14:00",
		guideOrderID + " FZ1111111 2023-02-04 10:00 2023-02-04 18:00",
		guideOrderID + "2 FZ2 2023-03-01 12:00 2023-03-03 12:00",
		"7 FZ7 2023-02-04 10:00 2023-02-05 10:30",
	}
	if diff := cmp.Diff(wantOrders, orders); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	for _, result := range report.Results {
		if result.Status == Skipped && !slices.Contains(skipped, result.Rule) {
			skipped = append(skipped, result.Rule)
		}
		if result.Status == Skipped && result.Reason != "submitting is off: not asked for submit and cancel" {
			t.Errorf("skipped: %+v", result)
		}
	}
	wantSkipped := []string{
		"bad-signature", "stale-timestamp", "reply-shape", "members", "number-forms", "quoted-total", "submit-reply",
		"submit-repeat", "cancel-reply", "cancel-repeat", "untraded-submits",
	}
	if diff := cmp.Diff(wantSkipped, skipped); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
}

func TestRunCannotBegin(t *testing.T) {
	t.Parallel()
	m := connectMerchant(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("something was sent") }))
	for want, c := range map[string]struct {
		m   *Caller
		cfg Config
	}{
		"no caller":        {nil, guideCheck},
		"no caller of New": {&Caller{}, guideCheck},
		"no order":         {m, Config{}},
		"Orders[0] without OrderID and OutOrderID": {m, Config{Orders: []Order{{Start: guideOrder.Start}}}},
		"Orders[1] without Start":                  {m, Config{Orders: []Order{guideOrder, {OrderID: "1"}}}},
		"a negative Penalty":                       {m, Config{Orders: guideCheck.Orders, Penalty: fliggy.MustYuan("-1")}},
		"a negative Timeout":                       {m, Config{Orders: guideCheck.Orders, Timeout: -1}},
	} {
		report := Run(context.Background(), c.m, c.cfg)
		if report.OK() || report.ExitCode() != 1 || report.Failed() != 1 || !strings.Contains(report.String(), want) {
			t.Errorf("%s: %v", want, report)
		}
	}
	if report := (&Report{}); report.OK() {
		t.Error("a report of nothing is OK")
	}
}

// TestRunOfAHangingMerchant: a merchant that never answers costs the timeout of three
// price queries. One that prices, and does not answer submits, may have booked.
func TestRunOfAHangingMerchant(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hang := func(_ http.ResponseWriter, r *http.Request, _ string) bool { <-r.Context().Done(); return true }
		m := newTestMerchant()
		m.instead = hang
		hasty := guideCheck
		hasty.Timeout = 3 * time.Second
		begin := time.Now()
		report := Run(t.Context(), connectMerchant(t, m), hasty)
		if report.OK() || time.Since(begin) != 3*3*time.Second || !strings.Contains(report.String(), "no answer in time") {
			t.Errorf("after %v: %v", time.Since(begin), report)
		}

		m = newTestMerchant()
		m.instead = func(w http.ResponseWriter, r *http.Request, method string) bool {
			return method != qimen.RenewalPricesMethod && hang(w, r, method)
		}
		report = Run(t.Context(), connectMerchant(t, m), guideCheck)
		left := strings.Join(report.MayBeBooked, "\n")
		if len(report.MayBeBooked) != 3 || strings.Count(left, "no clear answer") != 3 || !strings.Contains(
			report.String(), left[:40],
		) {
			t.Errorf("left %s\n%v", left, report)
		}

		// The answer to the first submit gets lost; the repeat tells the id.
		m = newTestMerchant()
		m.submitted = func(n int, _ object) {
			if n == 1 {
				<-time.After(time.Minute)
			}
		}
		report = Run(t.Context(), connectMerchant(t, m), guideCheck)
		want := []string{"reply-shape"}
		if diff := cmp.Diff(want, broken(report)); diff != "" || report.MayBeBooked != nil || m.booked() != nil {
			t.Errorf("(-want +got):\n%s\n%v", diff, report)
		}
	})
}

// TestRunOfADeadEndpoint: whatever gives no reply of a merchant's is one failure, and nothing
// passes.
func TestRunOfADeadEndpoint(t *testing.T) {
	t.Parallel()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	asked := 0
	say := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			asked++
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	for _, c := range []struct {
		name    string
		handler http.HandlerFunc // nil for nobody listens
		want    string
	}{
		{"down", nil, "it cannot be reached: no answer: "},
		{"not found", http.NotFound, "no reply of the merchant's: HTTP status 404, "},
		{
			"not found, in JSON", say(404, `{"timestamp":1,"status":404,"error":"Not Found"}`),
			"no reply of the merchant's: HTTP status 404, ",
		},
		{"failing", say(500, "<html>"), "no reply of the merchant's: HTTP status 500, HTML or XML"},
		{"empty", say(200, ""), "no reply of the merchant's: an empty body"},
	} {
		m, err := New(closed.URL, testAppKey, markedSecret)
		noError(t, err)
		if c.handler != nil {
			m = connectMerchant(t, c.handler)
		}
		asked = 0
		report := Run(context.Background(), m, guideCheck)
		m.Close()
		if report.OK() || report.Failed() != 1 || report.Count(Passed) != 0 || report.Count(Warning) != 0 ||
			asked > guideScenarios || report.MayBeBooked != nil {
			t.Errorf("%s: asked %d times: %v", c.name, asked, report)
		}
		for _, result := range report.Results {
			if result.Status == Failed && (result.Rule != "endpoint" || !strings.HasPrefix(result.Got, c.want)) {
				t.Errorf("%s: %+v", c.name, result)
			}
		}
	}
}
