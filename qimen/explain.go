package qimen

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar/internal/explain"
	"github.com/fliggy-go/rentcar/internal/top"
)

// A Cause is the likely cause of a signature or a timestamp that is refused.
type Cause string

// The causes.
const (
	CauseMissing    Cause = explain.Missing    // there is no signature
	CauseSecret     Cause = explain.Secret     // nothing else explains it: is the secret that of another app?
	CauseUnsigned   Cause = explain.Unsigned   // a parameter was added after signing, such as a session
	CauseEncoding   Cause = explain.Encoding   // a value is signed percent-encoded, or in another charset
	CauseOrder      Cause = explain.Order      // the parameters are not sorted by name
	CauseSignMethod Cause = explain.SignMethod // the digest is another one, or the secret is in another place
	CauseLetterCase Cause = explain.LetterCase // the signature is in lower case
	CauseBody       Cause = explain.Body       // a text body is not signed, or that of a form is
	CauseTimeZone   Cause = explain.TimeZone   // the signature is right, the timestamp is off by whole hours
	CauseClock      Cause = explain.Clock      // the signature is right, the timestamp is outside the window
	CauseUnreadable Cause = explain.Unreadable // the message has no form that could be verified
)

// An Explanation says what a signature should cover, and what is probably wrong with the one that came. It is for
// whoever looks for the mistake, and for tests.
//
// It is printed, logged and encoded as JSON without SignedText, which has personal data.
type Explanation struct {
	// IsValid reports whether the signature is right. The timestamp may be wrong all the same: see Cause.
	IsValid bool
	// SignedText is the text that the signature covers: name and value of each parameter, sorted by name, then the body
	// if it is JSON, XML or text. It is without the secret, which goes in front of it and behind it for MD5.
	SignedText string
	// Cause is the likely cause of a refusal. It is empty if there is none.
	Cause Cause
	// Parameter is the parameter that was signed in another form than it was sent, or not at all. It is empty if the
	// cause is not a single parameter.
	Parameter string
	// Reason is the cause in words. It quotes no value.
	Reason string
}

// String tells the verdict.
func (e Explanation) String() string {
	if e.Cause == "" {
		return "Explanation(valid)"
	}
	return strings.TrimSpace(fmt.Sprintf("Explanation(%s: %s", e.Cause, strings.TrimSpace(e.Parameter+" "+e.Reason))) + ")"
}

// Format writes String for every verb.
func (e Explanation) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.String()) }

// MarshalJSON writes String.
func (e Explanation) MarshalJSON() ([]byte, error) { return json.Marshal(e.String()) }

// ExplainPush checks a push like [VerifyPush] and [Delivery.CheckTime] with [DefaultWindow], and says what is probably
// wrong with it. It finds the cause by trying what senders get wrong, which takes time: it is for tools, and no part of
// a handler.
func ExplainPush(p *Push, secret string, now time.Time) Explanation {
	s, err := readSigned(p, DefaultHeaderLimit)
	if err != nil {
		return Explanation{Cause: CauseUnreadable, Reason: strings.TrimPrefix(err.Error(), ErrInvalidSignature.Error()+": ")}
	}
	m := s.message()
	e := Explanation{SignedText: string(m.Text()), IsValid: s.digest(secret) == s.sign}
	var found explain.Finding
	switch {
	case s.sign == "":
		found = explain.Finding{Cause: explain.Missing, Reason: "the query has no sign"}
	case !e.IsValid:
		found = s.mistake(m, secret)
	case !s.Time.IsSet():
		found = explain.Finding{
			Cause: explain.Clock, Parameter: paramTimestamp,
			Reason: "the timestamp is missing, or not yyyy-MM-dd HH:mm:ss in GMT+8",
		}
	default:
		found, _ = explain.Skew(s.Time.Sub(now), DefaultWindow)
	}
	e.Cause, e.Parameter, e.Reason = Cause(found.Cause), found.Parameter, found.Reason
	return e
}

// message is what the signature covers, in the order in which it was sent.
func (s *signedPush) message() *explain.Message {
	m := &explain.Message{Body: s.body}
	seen := map[string]bool{}
	add := func(name string) {
		if value, ok := s.Params[name]; ok && !seen[name] {
			seen[name] = true
			m.Params = append(m.Params, top.Param{Name: name, Value: value})
		}
	}
	pairs := s.Push.RawQuery
	if s.body == nil {
		m.Other = s.Push.Body
		pairs += "&" + string(s.Push.Body)
	}
	for pair := range strings.SplitSeq(pairs, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if name, err := url.QueryUnescape(name); err == nil {
			add(name)
		}
	}
	for name := range s.Params { // signed headers
		add(name)
	}
	return m
}

// mistake finds what explains a signature that does not match.
func (s *signedPush) mistake(m *explain.Message, secret string) explain.Finding {
	got := strings.ToUpper(s.sign)
	sums := []struct {
		cause, reason string
		digest        func(text []byte) []byte
	}{
		{explain.SignMethod, "", func(text []byte) []byte { return md5Of(secret, string(text), secret) }},
		{explain.SignMethod, "the secret is only in front of the text: it goes behind it too", func(text []byte) []byte {
			return md5Of(secret, string(text))
		}},
		{explain.SignMethod, "the secret is only behind the text: it goes in front of it too", func(text []byte) []byte {
			return md5Of(string(text), secret)
		}},
		{explain.SignMethod, "it is an HMAC-MD5: a push is signed with MD5", func(text []byte) []byte {
			mac := hmac.New(md5.New, []byte(secret))
			_, _ = mac.Write(text)
			return mac.Sum(nil)
		}},
		{explain.SignMethod, "it is an HMAC-SHA256: a push is signed with MD5", func(text []byte) []byte {
			mac := hmac.New(sha256.New, []byte(secret))
			_, _ = mac.Write(text)
			return mac.Sum(nil)
		}},
	}
	if strings.ToUpper(hex.EncodeToString(sums[0].digest(m.Text()))) == got && got != s.sign {
		return explain.Finding{Cause: explain.LetterCase, Reason: "the signature is in lower case"}
	}
	for _, sum := range sums[1:] {
		if strings.ToUpper(hex.EncodeToString(sum.digest(m.Text()))) == got {
			return explain.Finding{Cause: sum.cause, Reason: sum.reason}
		}
	}
	found, ok := m.Find(func(text []byte) bool {
		return strings.ToUpper(hex.EncodeToString(sums[0].digest(text))) == got
	})
	if !ok {
		found = explain.Finding{
			Cause: explain.Secret,
			Reason: "no single mistake explains it: is the secret that of another app? " +
				"Compare the signed text with what the sender signs",
		}
	}
	return found
}

// md5Of is the MD5 of texts put together.
func md5Of(texts ...string) []byte {
	sum := md5.Sum([]byte(strings.Join(texts, "")))
	return sum[:]
}
