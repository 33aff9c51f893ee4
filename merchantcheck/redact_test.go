package merchantcheck

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/qimen"
)

// TestNothingSecretIsShown looks for the secret, the signature and the private
// parts of the address wherever text can come from.
func TestNothingSecretIsShown(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	var signatures []string
	leaky := newTestMerchant()
	leaky.instead = func(w http.ResponseWriter, r *http.Request, _ string) bool {
		sign := r.URL.Query().Get("sign")
		signatures = append(signatures, sign)
		answer, _ := json.Marshal(object{
			"success": false, "retCode": sign, "retMessage": strings.Repeat("x", 200) + markedSecret + sign, markedSecret: sign,
		})
		_, _ = w.Write(answer)
		return true
	}
	panicky := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		signatures = append(signatures, r.URL.Query().Get("sign"))
		panic(r.URL.String() + markedSecret)
	})
	booking := newTestMerchant() // it answers price queries, and so gets further
	booking.instead = func(w http.ResponseWriter, r *http.Request, method string) bool {
		if method != qimen.RenewalPricesMethod {
			panicky(w, r)
		}
		return false
	}
	closed := httptest.NewServer(leaky)
	closed.Close()
	remote, err := New(
		"http://user:"+"PASSWORD@"+strings.TrimPrefix(closed.URL, "http://")+"/q?token=TOKEN", testAppKey, markedSecret,
	)
	noError(t, err)
	defer remote.Close()
	var texts []string
	for _, m := range []*Caller{
		connectMerchant(t, leaky), connectMerchant(t, panicky), connectMerchant(t, booking), remote,
	} {
		report := Run(ctx, m, guideCheck)
		data, err := json.Marshal(report)
		noError(t, err)
		texts = append(texts, report.String(), string(data), fmt.Sprintf("%+v %#v", report, *report))
	}
	_, err = remote.Prices(ctx, merchantPrices())
	texts = append(texts, fmt.Sprintf("%v %+v %#v", err, err, err))
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "merchant", remote, "value", *remote)
	data, err := json.Marshal(map[string]any{"pointer": remote, "value": *remote})
	noError(t, err)
	texts = append(texts, logged.String(), string(data), fmt.Sprintf(
		"%v %+v %#v %s %q %d", remote, remote, remote, remote, remote, remote,
	),
		fmt.Sprintf("%v %+v %#v", *remote, *remote, *remote), fmt.Sprintf(
			"%+v %#v", struct{ m Caller }{*remote}, struct{ m *Caller }{remote},
		))
	signatures = slices.DeleteFunc(signatures, func(s string) bool { return s == "" }) // of the unsigned query
	marks := append([]string{markedSecret, "MARKER", "PASSWORD", "TOKEN"}, signatures...)
	for _, text := range texts {
		for _, mark := range marks {
			if strings.Contains(text, mark) {
				t.Errorf("%s is in\n%s", mark, text)
			}
		}
	}
	if len(signatures) < 18 || len(signatures[0]) != 32 {
		t.Errorf("signatures %v", signatures)
	}
	if want := "merchantcheck.Caller{app key 24700009, " + closed.URL + "/q}"; remote.String() != want {
		t.Errorf("got %s, want %s", remote, want)
	}
}

// A secret of a few letters, as a first try may have, is not looked for in the report: it
// would be met in the report's own words.
func TestShortSecret(t *testing.T) {
	t.Parallel()
	m, err := NewForHandler(http.NotFoundHandler(), "1", "s")
	noError(t, err)
	text := Run(t.Context(), m, guideCheck).String()
	if strings.Contains(text, "[redacted]") || !strings.Contains(
		text, "no reply of the merchant's: HTTP status 404, plain text of 18 bytes",
	) {
		t.Errorf("got %s", text)
	}
}
