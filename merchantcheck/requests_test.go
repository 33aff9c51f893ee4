package merchantcheck

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
)

// TestRunWithAnotherSecret: what is refused for its signature proves nothing else,
// and the report says what to look at. All that passes is that the endpoint replies.
func TestRunWithAnotherSecret(t *testing.T) {
	t.Parallel()
	m := newTestMerchant()
	caller, err := NewForHandler(m, testAppKey, "another secret")
	noError(t, err)
	report := Run(context.Background(), caller, guideCheck)
	if report.OK() || report.Count(Passed) > 1 || m.submits != 0 {
		t.Errorf("%d submits, %v", m.submits, report)
	}
	if !strings.Contains(report.String(), "FAILED signature-taken") || !strings.Contains(
		report.String(), "another app key or secret",
	) {
		t.Errorf("%v", report)
	}
}

// TestRunByEitherID: one id is enough to ask about a rental, and the other is not
// made up.
func TestRunByEitherID(t *testing.T) {
	t.Parallel()
	for _, order := range []Order{{OrderID: "7", Start: guideOrder.Start}, {OutOrderID: "FZ7", Start: guideOrder.Start}} {
		var asked [2]string
		serve := func(w http.ResponseWriter, r *http.Request) {
			var request qimen.RenewalPricesRequest
			body, _ := io.ReadAll(r.Body)
			if asked == [2]string{} && request.UnmarshalJSON(body) == nil {
				asked = [2]string{string(request.OrderID), request.OutOrderID}
			}
			_, _ = io.WriteString(w, `{"success":false}`)
		}
		cfg := Config{Orders: []Order{order}}
		Run(context.Background(), connectMerchant(t, http.HandlerFunc(serve)), cfg)
		if want := [2]string{string(order.OrderID), order.OutOrderID}; asked != want {
			t.Errorf("asked about %q, want %q", asked, want)
		}
	}
}

func TestPressureTest(t *testing.T) {
	t.Parallel()
	for _, mark := range []bool{false, true} {
		m := newTestMerchant()
		cfg := guideCheck
		cfg.PressureTest = mark
		Run(context.Background(), connectMerchant(t, m), cfg)
		for _, request := range m.seen {
			if (request["isPressureTest"] == "true") != mark {
				t.Errorf("want isPressureTest %t, sent %v", mark, request)
			}
		}
		if m.submits == 0 || m.cancels == 0 {
			t.Errorf("%d submits, %d cancels", m.submits, m.cancels)
		}
	}
}

// TestRunSends: what a run sends of its configuration.
func TestRunSends(t *testing.T) {
	t.Parallel()
	unknown := Order{OrderID: "9", OutOrderID: "U9", Start: fliggy.MustTime("2023-03-01 10:00:00")}
	for penalty, want := range map[fliggy.Yuan]string{{}: "0.00", fliggy.MustYuan("1.50"): "1.50"} {
		m := newTestMerchant()
		penalties, starts := map[string]int{}, map[string]string{}
		serve := func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			var asked qimen.RenewalPricesRequest
			if method := r.URL.Query().Get("method"); method == qimen.RenewalPricesMethod && asked.UnmarshalJSON(body) == nil {
				starts[string(asked.OrderID)] = asked.CarUseTime.String()
			}
			var cancelled qimen.RenewalCancelRequest
			if r.URL.Query().Get("method") == qimen.RenewalCancelMethod && cancelled.UnmarshalJSON(body) == nil {
				penalties[cancelled.PenaltyAmount.String()]++
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			m.ServeHTTP(w, r)
		}
		cfg := guideCheck
		cfg.Penalty, cfg.Unknown = penalty, unknown
		Run(context.Background(), connectMerchant(t, http.HandlerFunc(serve)), cfg)
		if len(penalties) != 1 || penalties[want] == 0 || starts["9"] != unknown.Start.String() {
			t.Errorf("penalties %v, want %s; starts %v", penalties, want, starts)
		}
	}
}
