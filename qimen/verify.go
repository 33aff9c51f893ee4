package qimen

import (
	"crypto/subtle"
	"errors"
	"math"
	"net/url"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
)

// VerifyPush checks the signature of a push (Qimen and SPI provider rules: MD5 over listed headers, query, and form
// fields or text body) and returns the signed content. It does not check the timestamp: see [Delivery.CheckTime].
//
// It tries the secrets of target_app_key or, without that parameter, of app_key. If secrets does not have that app, it
// tries all secrets.
//
// The error matches [ErrInvalidSignature] and gives the reason without quoting the signature, the body or a secret. The
// signature is wrong or missing, or the push cannot be verified: it has no query, a content type other than JSON, XML,
// plain text and URL-encoded form, an unknown charset, a content encoding, a malformed escape, or more than
// [DefaultHeaderLimit] of query and signed headers.
//
// Pushes on which the official Java checker throws or servlet containers differ are refused. So are bytes that are
// invalid in the GB charset of a push, for which Java would sign "?". Bytes that are invalid UTF-8 verify as in Java,
// and [Delivery.IsGarbled] is set: do not act on such a push.
//
// The platform signs names and values without separators, so somebody who intercepts a push can split it differently
// under the same signature: serve over TLS only.
func VerifyPush(p *Push, secrets Secrets) (*Delivery, error) {
	ring, err := newKeyring(secrets)
	if err != nil {
		return nil, unverifiable("%v", err)
	}
	s, err := ring.verify(p, DefaultHeaderLimit)
	if err != nil {
		return nil, err
	}
	return &s.Delivery, nil
}

// verify is VerifyPush with a limit.
func (ring keyring) verify(p *Push, headerLimit int64) (*signedPush, error) {
	s, err := readSigned(p, headerLimit)
	if err != nil {
		return nil, err
	}
	receiver := s.Params["target_app_key"]
	if top.IsBlank(receiver) {
		receiver = s.Params["app_key"]
	}
	matched := 0
	secrets, isConfigured := ring(receiver)
	for _, c := range secrets {
		// Do not stop at a match: the time must not depend on the secret.
		if subtle.ConstantTimeCompare([]byte(s.digest(c.secret)), []byte(s.sign)) == 1 && matched == 0 {
			matched, s.AppKey = 1, c.appKey
		}
	}
	if matched == 0 {
		text := "the signature does not match"
		if s.sign == "" {
			text = "the query has no sign"
		}
		if !isConfigured {
			text += "; the app key is not configured"
		}
		return nil, &refusal{ErrInvalidSignature, ReasonBadSignature, text}
	}
	return s, nil
}

const paramTimestamp = "timestamp"

// signedTime parses a timestamp strictly. Names and values are signed without separators, so text after a time could be
// the start of something else.
func signedTime(text string) fliggy.Time {
	t, err := time.ParseInLocation(time.DateTime, text, fliggy.Zone())
	if err != nil || t.Year() < 1 || t.Format(time.DateTime) != text {
		return fliggy.Time{}
	}
	return fliggy.At(t)
}

// SignPush is the counterpart of [VerifyPush]. It returns a copy of p whose query ends with the signature for secret,
// in place of any earlier sign. Nothing else is changed: the caller sets timestamp, method and app_key, and
// percent-encodes parameters in the charset of the Content-Type.
//
// The error matches [ErrInvalidSignature] if VerifyPush would refuse the form of p.
func SignPush(p *Push, secret string) (*Push, error) {
	if top.IsBlank(secret) {
		return nil, errors.New("qimen: SignPush: the secret is empty: use that of the receiving app")
	}
	if p == nil {
		return nil, unverifiable("no push")
	}
	pieces, err := javaSplit(p.RawQuery, "&")
	if err != nil {
		return nil, err
	}
	signed := p.clone()
	var query strings.Builder
	for _, piece := range pieces {
		name, _, _ := strings.Cut(piece, "=")
		if name, err := url.QueryUnescape(name); err == nil && name == paramSign {
			continue
		}
		query.WriteString(piece + "&")
	}
	signed.RawQuery = query.String() + paramSign + "="
	s, err := readSigned(signed, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	signed.RawQuery += s.digest(secret)
	return signed, nil
}
