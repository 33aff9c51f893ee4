package acceptance

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/merchantcheck"
	"github.com/fliggy-go/rentcar/qimen"
)

const whyAnswer = "a *qimen.Refusal is the merchant's own refusal"

// A leakMerchant answers with something that is made from what it was sent.
type leakMerchant struct {
	name, want string
	answer     func(w http.ResponseWriter, sign string)
	may        leakReasons
}

// says is what a merchant that is being debugged says.
func says(sign string) string {
	return "expected " + sign + " with " + markSecret.text
}

var leakMerchants = []leakMerchant{
	{name: "refuses", want: "qimen: refused", answer: func(w http.ResponseWriter, sign string) {
		_, _ = io.WriteString(w, jsonText(object{"success": false, "retCode": says(sign), "retMessage": says(sign)}))
	}},
	{name: "refuses with a value", want: "qimen: refused", may: leakReasons{markReply: whyAnswer}, answer: func(
		w http.ResponseWriter, _ string,
	) {
		_, _ = io.WriteString(w, jsonText(object{"success": false, "retMessage": markReply.text}))
	}},
	{name: "says nothing that fits", want: "merchantcheck: ", answer: func(w http.ResponseWriter, sign string) {
		_, _ = io.WriteString(
			w,
			jsonText(
				object{
					"success": true, "priceInfo": says(sign), "outOrderId": []string{says(sign)}, "createdTime": says(sign),
					"x": markReply.text,
				},
			),
		)
	}},
	{name: "has a flag that is none", want: "merchantcheck: ", answer: func(w http.ResponseWriter, sign string) {
		_, _ = io.WriteString(w, jsonText(object{"success": says(sign) + markReply.text}))
	}},
	{
		name: "says no JSON", want: "not JSON",
		answer: func(w http.ResponseWriter, sign string) { _, _ = io.WriteString(w, says(sign)+markReply.text) },
	},
	{name: "has a status", want: "502", answer: func(w http.ResponseWriter, sign string) {
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, says(sign)+markReply.text)
	}},
	{name: "redirects to nowhere", want: "merchantcheck: ", answer: func(w http.ResponseWriter, sign string) {
		w.Header().Set("Location", "http://["+sign+markSecret.text)
		w.WriteHeader(http.StatusFound)
	}},
	{name: "answers without a status line", want: "merchantcheck: ", answer: func(w http.ResponseWriter, sign string) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = io.WriteString(conn, sign+" "+markSecret.text+" "+markReply.text+"\r\n\r\n")
			_ = conn.Close()
		}
	}},
}

// merchantRows are a merchant's endpoint as Fliggy sees it, and its self-test.
func merchantRows() []leakRow {
	calls := []string{
		"merchantcheck.Caller.Prices", "merchantcheck.Caller.Submit", "merchantcheck.Caller.Cancel", "merchantcheck.New",
	}
	reports := []string{"merchantcheck.Report.MarshalJSON", "merchantcheck.Report.WriteText", "merchantcheck.Caller.Call"}
	merchant := func(t *testing.T, s *leakStage, how leakMerchant) *merchantcheck.Caller {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			how.answer(w, s.signed(r.URL.RawQuery))
		}))
		t.Cleanup(server.Close)
		m, err := merchantcheck.New(server.URL+"/?tenant="+markURL.text[:15], leakApp, markSecret.text)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(m.Close)
		return m
	}
	send := func(ctx context.Context, m *merchantcheck.Caller) []error {
		from, to := fliggy.MustTime("2023-02-04 10:00"), fliggy.MustTime("2023-02-05 10:30")
		_, prices := m.Prices(
			ctx,
			&qimen.RenewalPricesRequest{
				OrderID: fliggy.ID(markDigits.text), OutOrderID: markBody.text, CarUseTime: from, CarReturnTime: to,
			},
		)
		_, submit := m.Submit(
			ctx, &qimen.RenewalSubmitRequest{OrderID: fliggy.ID(markDigits.text), PayTradeNo: markBody.text},
		)
		_, cancel := m.Vary(merchantcheck.Variant{ContentType: leakForm}).Cancel(
			ctx, &qimen.RenewalCancelRequest{OutOrderID: markBody.text, CancelMessage: markBody.text},
		)
		_, broken := m.Prices(ctx, &qimen.RenewalPricesRequest{OutOrderID: markBody.text + "\xff"})
		_, charset := m.Vary(merchantcheck.Variant{ContentType: "none"}).Submit(
			ctx, &qimen.RenewalSubmitRequest{OutOrderID: markBody.text},
		)
		_, none := m.Cancel(ctx, nil)
		return []error{prices, submit, cancel, broken, charset, none}
	}
	var rows []leakRow
	for _, how := range leakMerchants {
		rows = append(rows, leakRow{
			name: "merchant that " + how.name, covers: calls, want: how.want, may: how.may,
			run: func(t *testing.T, s *leakStage) []any {
				m := merchant(t, s, how)
				return append(
					all(send(t.Context(), m)...), m, *m, []*merchantcheck.Caller{m}, struct{ m *merchantcheck.Caller }{m},
				)
			},
		}, leakRow{
			name: "self-test of a merchant that " + how.name, covers: reports, want: "NOT OK", may: func() leakReasons {
				if how.name == "refuses with a value" || how.name == "has a flag that is none" {
					return leakReasons{markReply: "the report quotes single values of replies, and says so"}
				}
				return nil
			}(),
			run: func(t *testing.T, s *leakStage) []any {
				m := merchant(t, s, how)
				report := merchantcheck.Run(t.Context(), m, merchantcheck.Config{Clock: leakTime, Submit: how.name == "refuses",
					Orders: []merchantcheck.Order{{
						OrderID: "1", OutOrderID: markBody.text, Start: fliggy.MustTime("2023-02-04 10:00"),
					}}})
				text, err := report.MarshalJSON()
				_, _, none := m.Vary(merchantcheck.Variant{ContentType: "none"}).Call(t.Context(), "x.y", []byte(markBody.text))
				return append(
					all(err, report.WriteText(io.Discard), report.WriteText(deaf{}), none), leakText(text), leakText(report.String()),
					*report,
				)
			},
		})
	}
	return append(rows, leakRow{
		name:   "merchant that cannot be named",
		covers: []string{"merchantcheck.New", "merchantcheck.NewForHandler", "merchantcheck.Caller.MarshalText"},
		want:   "merchantcheck: ",
		run: func(t *testing.T, _ *leakStage) []any {
			var errs []error
			for _, address := range []string{
				"", markURL.text, "http://[" + markURL.text, "ftp://user:" + markSecret.text + "@host/?" + markURL.text,
				"http://host/?x=%zz" + markURL.text[:8],
			} {
				errs = append(errs, second(merchantcheck.New(address, leakApp, markSecret.text)))
			}
			errs = append(errs, second(merchantcheck.New("http://host", "", markSecret.text+"\n")),
				second(merchantcheck.NewForHandler(nil, leakApp, markSecret.text)))
			m, err := merchantcheck.NewForHandler(
				http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(errUser) }), leakApp, markSecret.text,
			)
			if err != nil {
				t.Fatal(err)
			}
			text, err := m.MarshalText()
			return append(all(append(append(errs, send(t.Context(), m)...), err)...), string(text), m, *m)
		},
	})
}

// deaf cannot be written to.
type deaf struct{}

func (deaf) Write([]byte) (int, error) { return 0, errors.New("nobody listens") }
