package sandbox

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/qimen"
)

// newMerchant serves a merchant that has no cars left.
func newMerchant(t *testing.T) *httptest.Server {
	t.Helper()
	h, err := qimen.NewHandler(qimen.Secrets{fliggytest.DefaultAppKey: {fliggytest.DefaultAppSecret}},
		qimen.OnRenewalPrices(func(
			_ context.Context, _ *qimen.Delivery, r *qimen.RenewalPricesRequest,
		) (*qimen.RenewalPricesReply, error) {
			return nil, qimen.Refuse("71001", "no car for "+string(r.OrderID))
		}))
	noError(t, err)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server
}

// TestForward takes a merchant's method from the Qimen gateway to the merchant, and the reply back.
func TestForward(t *testing.T) {
	t.Parallel()
	merchant := newMerchant(t)
	d := newDesk(t, func(c *Config) { c.Merchant = merchant.URL })
	call := func(request rentcar.QimenRequest) (string, error) {
		var reply rentcar.Raw
		request.TargetAppKey = "1"
		err := d.client().CallQimen(context.Background(), qimen.RenewalPricesMethod, &request, &reply)
		return string(reply), err
	}
	prices := `{"orderId":"7","outOrderId":"RC7","carUseTime":"2026-12-01 10:00:00","carReturnTime":"2026-12-02 10:30:00"}`
	reply, err := call(rentcar.QimenRequest{JSON: json.RawMessage(prices)})
	if err != nil || !strings.Contains(reply, `"no car for 7"`) {
		t.Errorf("got %v, %s", err, reply)
	}
	if _, err = call(rentcar.QimenRequest{}); err == nil {
		t.Error("forwarded a call without a body")
	}
	merchant.Close()
	if _, err = call(rentcar.QimenRequest{JSON: json.RawMessage(prices)}); err == nil {
		t.Error("no merchant, and no error")
	}
}

// TestCheckMerchant runs the self-test from the console.
func TestCheckMerchant(t *testing.T) {
	t.Parallel()
	merchant := newMerchant(t)
	d := newDesk(t, nil)
	var report struct {
		OK       bool
		Failed   int
		Endpoint string
		Results  []struct{ Rule, Status, Scenario, Reason string }
	}
	body := `{"url":"` + merchant.URL + `","order_id":"7","start":"2026-12-01 10:00"}`
	if status := d.do("POST", "/merchant/check", body, &report); status != 200 || report.OK || report.Failed == 0 ||
		len(report.Results) < 10 || report.Endpoint != merchant.URL {
		t.Errorf("status %d, %+v", status, report)
	}
	// The console has all of them in Chinese.
	texts, err := assets.ReadFile("console/rules.js")
	noError(t, err)
	for _, r := range report.Results {
		wants := []string{"'" + r.Rule + "': ['", "'" + r.Scenario + "': '"}
		if r.Reason != "" {
			wants = append(wants, "'"+r.Reason+"': '")
		}
		for _, want := range wants {
			if !strings.Contains(string(texts), want) {
				t.Errorf("rules.js lacks %s", want)
			}
		}
	}
}
