package merchantcheck

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/qimen"
)

// plantedAnswers are mistakes of an answer as a whole.
var plantedAnswers = []plantedFault{
	{"another secret", func(m *testMerchant) {
		m.instead = func(w http.ResponseWriter, _ *http.Request, _ string) bool {
			_, _ = io.WriteString(w, badSignatureReply)
			return true
		}
	}, "signature-taken", []string{"reply-shape"}},
	{"error page", func(m *testMerchant) {
		m.instead = func(w http.ResponseWriter, _ *http.Request, method string) bool {
			if method == qimen.RenewalPricesMethod {
				http.Error(w, "<html>oops</html>", http.StatusInternalServerError)
			}
			return method == qimen.RenewalPricesMethod
		}
	}, "endpoint", nil},
	{"HTTP status 202", func(m *testMerchant) {
		m.instead = func(w http.ResponseWriter, _ *http.Request, method string) bool {
			if method == qimen.RenewalPricesMethod {
				w.WriteHeader(http.StatusAccepted)
			}
			return false
		}
		m.prices = func(r object) { info(r)["standardPrice"] = "7.00" } // not judged
	}, "reply-shape", []string{"bad-signature", "malformed-body (warning)", "stale-timestamp (warning)",
		"unknown-order (warning)"}},
	{"fault of a gateway", priced(func(r object) {
		clear(r)
		r["error_response"] = object{"code": 15, "msg": "Remote service error"}
	}), "reply-shape", nil},
	{"no success flag", priced(func(r object) { delete(r, "success") }), "reply-shape", nil},
	{"success is a number", priced(func(r object) { r["success"] = 1 }), "reply-shape", nil},
	{"refused price", priced(func(r object) { clear(r); r["success"], r["retCode"] = false, "1" }), "reply-shape",
		[]string{"reply-shape (warning)"}},
	{"submit computes another total", func(m *testMerchant) {
		m.total = func(total string) string { return plus(total, "0.02") }
	}, "quoted-total", nil},
	{"submit without an id", func(m *testMerchant) {
		m.submitted = func(_ int, r object) { delete(r, "outOrderId") }
	}, "submit-reply", []string{"left"}},
	{"creation time without seconds", func(m *testMerchant) {
		m.submitted = func(_ int, r object) { r["createdTime"] = "2023-02-01 15:40" }
	}, "submit-reply", nil},
	{"creation time with milliseconds", func(m *testMerchant) {
		m.submitted = func(_ int, r object) { r["createdTime"] = "2023-02-01 15:40:52.123" }
	}, "submit-reply", nil},
	{"repeat booked again", func(m *testMerchant) { m.forgetful = true }, "submit-repeat", nil},
	{"repeats told by the trade number alone", func(m *testMerchant) { m.byTrade = true }, "untraded-submits", nil},
	{"repeat refused", func(m *testMerchant) {
		m.submitted = func(n int, r object) {
			if n == 2 {
				r["success"], r["retCode"] = false, "duplicate"
			}
		}
	}, "submit-repeat (warning)", nil},
	{"cancellation refused", func(m *testMerchant) {
		m.cancelled = func(_ int, r object) { r["success"] = false }
	}, "cancel-reply", []string{"left"}},
	{"cancellation again refused", func(m *testMerchant) {
		m.cancelled = func(n int, r object) { r["success"] = n != 2 }
	}, "cancel-repeat (warning)", nil},
	{"failure flag is a boolean", func(m *testMerchant) {
		m.signedBadly = `{"success":false,"retMessage":"Illegal request","retCode":"sign-check-failure"}`
	}, "bad-signature", nil},
	{
		"bad signature with HTTP 400", func(m *testMerchant) { m.badStatus = http.StatusBadRequest },
		"bad-signature (warning)", nil,
	},
	{"bad signature with HTTP 401", func(m *testMerchant) { m.badStatus = http.StatusUnauthorized }, "bad-signature", nil},
	{"id of the rental for the renewal", func(m *testMerchant) {
		m.submitted = func(_ int, r object) { r["outOrderId"] = guideOrder.OutOrderID }
		m.cancelled = func(int, object) {}
	}, "submit-reply (warning)", []string{"cancel-reply", "left"}}, // and nothing more is booked then
	{"total without optional services", func(m *testMerchant) {
		m.prices = func(r object) { basic(r)["isFixed"] = 0 }
		m.total = func(s string) string { return plus(s, "-0.02") }
	}, "quoted-total (warning)", nil},
	{"unsigned requests served", func(m *testMerchant) { m.unsigned = true }, "bad-signature", nil},
	{"no signature checked", func(m *testMerchant) { m.trusting = true }, "bad-signature", []string{"unknown-app"}},
	{"unknown app told", func(m *testMerchant) {
		m.unknownApp = `{"success":"false","retMessage":"unknown app","retCode":"1"}`
	}, "unknown-app (warning)", nil},
	{"unknown app served", func(m *testMerchant) { m.unknownApp = `{"success":true}` }, "unknown-app", nil},
	{"age not checked", func(m *testMerchant) { m.eternal = true }, "stale-timestamp", nil},
	{"malformed body answered with text", func(m *testMerchant) { m.malformed = "bad request" }, "malformed-body", nil},
	{"malformed body taken", func(m *testMerchant) { m.malformed = `{"success":true}` }, "malformed-body", nil},
	{
		"unknown order priced", func(m *testMerchant) { m.unknown = `{"success":true,"priceInfo":{}}` }, "unknown-order", nil,
	},
	{
		"unknown order without reason", func(m *testMerchant) { m.unknown = `{"success":false}` }, "unknown-order (warning)",
		nil,
	},
}

func TestBadSignatureReplyIsThatOfTheSamples(t *testing.T) {
	t.Parallel()
	var want, got any
	noError(t, json.Unmarshal([]byte(sample(t, "qimen.sign-check-failure.response")), &want))
	noError(t, json.Unmarshal([]byte(badSignatureReply), &got))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
