package merchantcheck

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/internal/push"
)

// TestRunOfStrangeMerchants: whatever comes, the report says so.
func TestRunOfStrangeMerchants(t *testing.T) {
	t.Parallel()
	say := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	for want, h := range map[string]http.HandlerFunc{
		"HTTP status 500, HTML or XML":                  say(500, "<html>java.lang.NullPointerException</html>"),
		"an empty body":                                 say(200, ""),
		"no reply of the merchant's: HTML or XML":       say(200, "<response><flag>success</flag></response>"),
		"plain text of 2 bytes":                         say(200, "ok"),
		"HTTP status 404, plain text of 18 bytes":       http.NotFound,
		"a body that is not JSON":                       say(200, `{"success":`),
		"a body that is not UTF-8":                      say(200, "{\"success\":\"\xff\"}"),
		"a JSON value with something behind":            say(200, `{"success":true} {}`),
		"JSON, but a list instead of an object":         say(200, "[]"),
		"an object without members":                     say(200, "{}"),
		`other members: "a" "b" "c" "d" "e" and 2 more`: say(200, `{"g":1,"f":1,"e":1,"d":1,"c":1,"b":1,"a":1}`),
		"the answer is longer than 1048576 bytes":       say(200, strings.Repeat("x", push.MaxAnswer+1)),
		"HTTP status 302, an empty body":                say(302, ""),
		"the handler panicked: boom":                    func(http.ResponseWriter, *http.Request) { panic("boom") },
		`success "ja"`:                                  say(200, `{"success":"ja"}`),
		`success false, retCode 17, retMessage "\u009b31m"`: say(
			200, `{"success":false,"retCode":17,"retMessage":"\u009b31m"}`,
		),
	} {
		report := Run(context.Background(), connectMerchant(t, h), guideCheck)
		if text := report.String(); report.OK() || !strings.Contains(text, want) || !slices.Contains(
			broken(report), "reply-shape",
		) && !slices.Contains(broken(report), "endpoint") {
			t.Errorf("want %s in\n%s", want, text)
		}
	}
}
