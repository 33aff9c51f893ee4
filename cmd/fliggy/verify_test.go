package main

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/qimen"
)

const recordedAt = "2023-02-01 15:40:52"

// TestVerifyRecordings takes the signatures of the official clients for right, and names what was changed.
func TestVerifyRecordings(t *testing.T) {
	t.Parallel()
	for _, file := range recordings(t) {
		got := fliggyCmd(t.Context(), variables{}, "", "verify", file, "--at", recordedAt)
		if got.status != 0 || !strings.HasPrefix(got.stdout, "valid\n") {
			t.Errorf("%s: %+v", file, got)
		}
		data, err := os.ReadFile(file)
		noError(t, err)
		other := variables{"FLIGGY_APP_SECRET": "another"}
		got = fliggyCmd(t.Context(), other, string(data), "verify", "-", "--at", recordedAt)
		if got.status != statusNo || !strings.Contains(got.stdout, "cause      secret") ||
			!strings.Contains(got.stdout, "--show-text") {
			t.Errorf("%s with another secret: %+v", file, got)
		}
		got = fliggyCmd(t.Context(), variables{}, "", "verify", file)
		if got.status != statusNo || !strings.Contains(got.stdout, "the signature is right, the timestamp is not") ||
			!strings.Contains(got.stdout, "say --at") {
			t.Errorf("%s now: %+v", file, got)
		}
	}
}

// signedQuery is the query of a call, signed by sign.
func signedQuery(t *testing.T, sign func(params map[string]string) string) string {
	t.Helper()
	params := map[string]string{
		"app_key": fliggytest.DefaultAppKey, "method": "a.b", "timestamp": "2026-12-01 10:00:00", "v": "2.0",
		"sign_method": "md5", "name": "中 文",
	}
	query := url.Values{"sign": {sign(params)}}
	for name, value := range params {
		query.Set(name, value)
	}
	return "http://h/router/rest?" + query.Encode()
}

// TestVerify names the likely mistake.
func TestVerify(t *testing.T) {
	t.Parallel()
	sign := func(method rentcar.SignMethod, change func(map[string]string)) string {
		return signedQuery(t, func(params map[string]string) string {
			signed := map[string]string{}
			for name, value := range params {
				signed[name] = value
			}
			change(signed)
			s, err := rentcar.Sign(method, fliggytest.DefaultAppSecret, signed, nil)
			noError(t, err)
			return s
		})
	}
	same := func(map[string]string) {}
	right := sign(rentcar.MD5, same)
	for name, c := range map[string]struct {
		url  string
		args []string
		want explained
	}{
		"right":       {right, nil, explained{}},
		"sign method": {sign(rentcar.HMACMD5, same), nil, explained{Cause: qimen.CauseSignMethod, Parameter: "sign_method"}},
		"encoding": {
			sign(rentcar.MD5, func(p map[string]string) { p["name"] = url.QueryEscape(p["name"]) }), nil,
			explained{Cause: qimen.CauseEncoding, Parameter: "name"},
		},
		"added": {right + "&session=s", nil, explained{Cause: qimen.CauseUnsigned, Parameter: "session"}},
		"none":  {"http://h/?app_key=24700001&a=b", nil, explained{Cause: qimen.CauseMissing}},
		"body":  {right, []string{"--body", `{"a":1}`}, explained{Cause: qimen.CauseBody}},
		"time zone": {right, []string{"--at", "2026-12-01 18:00:00"}, explained{Cause: qimen.CauseTimeZone,
			Parameter: "timestamp"}},
		"clock": {right, []string{"--at", "2026-12-01 10:20:00"}, explained{Cause: qimen.CauseClock,
			Parameter: "timestamp"}},
		"text": {
			right, []string{"--show-text"}, explained{
				SignedText: "app_key24700001methoda.bname中 文sign_methodmd5timestamp2026-12-01 10:00:00v2.0",
			},
		},
		"unreadable": {"http://h/?a=%zz", nil, explained{Cause: qimen.CauseUnreadable}},
	} {
		args := append([]string{"verify", "--json", "--at", "2026-12-01 10:00:00", "--url", c.url}, c.args...)
		got := fliggyCmd(t.Context(), variables{}, "", args...)
		var out verified
		noError(t, json.Unmarshal([]byte(got.stdout), &out))
		isValid := c.want.Cause == ""
		if out.Valid != isValid || (got.status == 0) != isValid || (out.Reason == "") != isValid {
			t.Errorf("%s: %+v", name, got)
		}
		out.Reason = ""
		if diff := cmp.Diff(c.want, out.explained, cmp.AllowUnexported(explained{})); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
	got := fliggyCmd(t.Context(), variables{"FLIGGY_APP_KEY": "5", "FLIGGY_APP_SECRET": "x"}, "", "verify", "--url", right)
	if !strings.Contains(got.stdout, "the request is of app 24700001, and the secret here is that of app 5") {
		t.Errorf("another app: %+v", got)
	}
}

// TestVerifyPush checks a push that was recorded, and one that curl shows without its body.
func TestVerifyPush(t *testing.T) {
	t.Parallel()
	p, err := qimen.SignPush(&qimen.Push{
		RawQuery: "app_key=24700001&method=m&timestamp=2026-12-01+10%3A00%3A00",
		Header:   map[string][]string{"Content-Type": {"application/json;charset=utf-8"}}, Body: []byte(samples["104"]),
	}, fliggytest.DefaultAppSecret)
	noError(t, err)
	head := "POST /fliggy?" + p.RawQuery + " HTTP/1.1\nHost: h\nContent-Type: application/json;charset=utf-8\n\n"
	file := filepath.Join(t.TempDir(), "push.http")
	noError(t, os.WriteFile(file, []byte(head+samples["104"]), 0o600))
	curl := ""
	for line := range strings.Lines(head) {
		curl += "> " + line
	}
	at := []string{"--push", "--at", "2026-12-01 10:00:00"}
	for name, c := range map[string]struct {
		stdin string
		args  []string
		want  string
	}{
		"file":        {"", []string{file}, "valid\n"},
		"curl":        {curl, []string{"-", "--body", samples["104"]}, "valid\n"},
		"no body":     {curl, []string{"-"}, "wrong"},
		"other body":  {curl, []string{"-", "--body", samples["103"]}, "cause      secret"},
		"other type":  {"", []string{file, "--content-type", "image/png"}, "cause      unreadable"},
		"altered":     {strings.Replace(head, "sign=", "sign=a", 1), []string{"-"}, "wrong"},
		"show text":   {"", []string{file, "--show-text"}, "signed     app_key24700001methodm"},
		"right, late": {"", []string{file, "--at", "2026-12-01 11:00:00"}, "time zone"},
	} {
		got := fliggyCmd(t.Context(), variables{}, c.stdin, append(append([]string{"verify"}, at...), c.args...)...)
		if !strings.Contains(got.stdout, c.want) || strings.Contains(got.stdout, "商家") && name != "show text" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestVerifyThatIsWrong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"nothing": {nil, "nothing to verify"},
		"both":    {[]string{"-", "--url", "http://h/"}, "two requests"},
		"no file": {[]string{"/no/such"}, "no such file"},
		"no HTTP": {[]string{"-"}, "-: it is no HTTP request"},
		"at":      {[]string{"--url", "http://h/", "--at", "soon"}, "--at"},
		"URL":     {[]string{"--url", "http://h h/"}, "not a URL"},
		"body":    {[]string{"--url", "http://h/", "--body", "@/no/such"}, "no such file"},
	} {
		got := fliggyCmd(t.Context(), variables{}, "not a request", append([]string{"verify"}, c.args...)...)
		if got.status != statusUsage || !strings.Contains(got.stderr, c.want) {
			t.Errorf("%s: %+v; want %q", name, got, c.want)
		}
	}
}
