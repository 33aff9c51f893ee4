package qimen

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/charset"
)

const explainSecret = "0123456789abcdef0123456789abcdef"

func upperHex(sum []byte) string { return strings.ToUpper(hex.EncodeToString(sum)) }

func md5Hex(text string) string {
	sum := md5.Sum([]byte(text))
	return upperHex(sum[:])
}

func TestExplainPush(t *testing.T) {
	t.Parallel()
	const (
		query = "timestamp=2023-02-01+15%3A40%3A52&method=qimen.x&app_key=1&Zone=%E4%B8%AD&customerId=a+b"
		body  = `{"name":"中"}`
		text  = "Zone中app_key1customerIda bmethodqimen.xtimestamp2023-02-01 15:40:52" + body
	)
	s := explainSecret
	mac := func(text string) string {
		h := hmac.New(md5.New, []byte(s))
		_, _ = h.Write([]byte(text))
		return upperHex(h.Sum(nil))
	}
	mac256 := func(text string) string {
		h := hmac.New(sha256.New, []byte(s))
		_, _ = h.Write([]byte(text))
		return upperHex(h.Sum(nil))
	}
	replaced := func(from, to string) string { return md5Hex(s + strings.Replace(text, from, to, 1) + s) }
	now := fliggy.MustTime("2023-02-01 15:40:52").Time
	for name, c := range map[string]struct {
		sign      string
		cause     Cause
		parameter string
		reason    string
	}{
		"right":           {md5Hex(s + text + s), "", "", ""},
		"none":            {"", CauseMissing, "", "no sign"},
		"another secret":  {md5Hex("x" + text + "x"), CauseSecret, "", "another app"},
		"lower case":      {strings.ToLower(md5Hex(s + text + s)), CauseLetterCase, "", "lower case"},
		"secret in front": {md5Hex(s + text), CauseSignMethod, "", "in front"},
		"secret behind":   {md5Hex(text + s), CauseSignMethod, "", "only behind"},
		"hmac":            {mac(text), CauseSignMethod, "", "HMAC-MD5"},
		"hmac-sha256":     {mac256(text), CauseSignMethod, "", "HMAC-SHA256"},
		"added later":     {replaced("customerIda b", ""), CauseUnsigned, "customerId", "added after signing"},
		"encoded":         {replaced("15:40:52", "15%3A40%3A52"), CauseEncoding, "", ""},
		"one encoded": {replaced("2023-02-01 15:40:52", "2023-02-01+15%3A40%3A52"), CauseEncoding, "timestamp",
			"percent-encoded"},
		"percent 20":    {replaced("a b", "a%20b"), CauseEncoding, "customerId", "%20"},
		"GBK":           {md5Hex(s + string(charset.GBK.Encode(text)) + s), CauseEncoding, "", "GBK"},
		"without body":  {replaced(body, ""), CauseBody, "", "not signed"},
		"body in front": {md5Hex(s + body + strings.TrimSuffix(text, body) + s), CauseBody, "", "in front of"},
		"regardless of case": {
			replaced("Zone中app_key1customerIda bmethodqimen.xtimestamp2023-02-01 15:40:52",
				"app_key1customerIda bmethodqimen.xtimestamp2023-02-01 15:40:52Zone中"),
			CauseOrder, "", "case",
		},
		"as sent": {
			replaced("Zone中app_key1customerIda bmethodqimen.xtimestamp2023-02-01 15:40:52",
				"timestamp2023-02-01 15:40:52methodqimen.xapp_key1Zone中customerIda b"),
			CauseOrder, "", "in which they are sent",
		},
	} {
		if name == "encoded" { // is of no sender: the space is not encoded
			c.cause, c.reason = CauseSecret, "another app"
		}
		p := newPush(query+"&sign="+c.sign, "application/json;charset=utf-8", body)
		got := ExplainPush(p, explainSecret, now)
		want := Explanation{
			IsValid: name == "right", SignedText: text, Cause: c.cause, Parameter: c.parameter, Reason: got.Reason,
		}
		if got != want || !strings.Contains(got.Reason, c.reason) {
			t.Errorf("%s: got %+v, %q", name, got, got.SignedText)
		}
		if _, err := VerifyPush(p, Secrets{"1": {explainSecret}}); (err == nil) != got.IsValid {
			t.Errorf("%s: VerifyPush says %v", name, err)
		}
		shown, err := json.Marshal(got)
		if all := string(shown) + fmt.Sprintf("%+v %#v", got, got); err != nil || strings.Contains(all, "中") {
			t.Errorf("%s: shows %s, %v", name, all, err)
		}
	}
}

// The fields of a form are signed, whatever the sender thinks of its text.
func TestExplainForm(t *testing.T) {
	t.Parallel()
	const query, body = "app_key=1&timestamp=2023-02-01+15%3A40%3A52", "b=2&a=1"
	const text = "a1app_key1b2timestamp2023-02-01 15:40:52"
	for sign, want := range map[string]Cause{
		md5Hex(explainSecret + text + explainSecret):                                       "",
		md5Hex(explainSecret + "app_key1timestamp2023-02-01 15:40:52a1b2" + explainSecret): CauseSecret,
		md5Hex(explainSecret + "app_key1timestamp2023-02-01 15:40:52b2a1" + explainSecret): CauseOrder,
		md5Hex(explainSecret + text + body + explainSecret):                                CauseBody,
		md5Hex(explainSecret + "a1app_key1b2" + explainSecret):                             CauseUnsigned,
	} {
		p := newPush(query+"&sign="+sign, "application/x-www-form-urlencoded", body)
		if got := ExplainPush(p, explainSecret, fliggy.MustTime("2023-02-01 15:40:52").Time); got.Cause != want ||
			got.SignedText != text {
			t.Errorf("want %q, got %v, %q", want, got, got.SignedText)
		}
	}
}

func TestExplainTime(t *testing.T) {
	t.Parallel()
	at := fliggy.MustTime("2023-02-01 15:40:52").Time
	for timestamp, want := range map[string]struct {
		cause  Cause
		reason string
	}{
		"2023-02-01 15:40:52": {"", ""},
		"2023-02-01 15:50:52": {"", ""},
		"2023-02-01 07:41:00": {CauseTimeZone, "8h0m0s behind the clock"},
		"2023-02-01 16:45:00": {CauseTimeZone, "1h0m0s ahead of"},
		"2023-02-01 15:20:52": {CauseClock, "20m0s behind the clock, and 10m0s are allowed"},
		"2022-02-01 15:40:52": {CauseClock, "behind"},
		"soon":                {CauseClock, "yyyy-MM-dd HH:mm:ss"},
	} {
		p := mustSign(t, newPush("app_key=1&timestamp="+url.QueryEscape(timestamp), "text/plain", ""), explainSecret)
		got := ExplainPush(p, explainSecret, at)
		if got.Cause != want.cause || !got.IsValid || !strings.Contains(got.Reason, want.reason) {
			t.Errorf("%s: got %+v", timestamp, got)
		}
	}
}

func TestExplainUnreadable(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]*Push{
		"nil": nil, "no query": newPush("", "text/plain", ""), "image": newPush("sign=1", "image/png", ""),
	} {
		got := ExplainPush(p, explainSecret, time.Time{})
		if got.Cause != CauseUnreadable || got.Reason == "" || got.IsValid {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}
