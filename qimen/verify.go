package qimen

import (
	"crypto/subtle"
	"errors"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
)

// VerifyPush checks the signature of a push (Qimen and SPI provider rules: MD5
// over listed headers, query, and form fields or text body) and returns what it
// covers. It does not look at the age of the timestamp: see
// [Delivery.CheckTime].
//
// The secrets tried are those of target_app_key where the push has one, else of
// app_key, and all of them where that names no app in secrets.
//
// The error matches [ErrInvalidSignature] and tells why without quoting the
// signature, the body or a secret: the signature is wrong or absent, or the push
// cannot be verified (no query, a content type other than JSON, XML, plain text
// and URL-encoded form, an unknown charset, a content encoding, a malformed escape,
// a query and signed headers of more than [DefaultHeaderLimit]).
//
// Where the official Java checker throws, or where servlet containers differ,
// the push is refused. So are bytes that the GB charset of a push lacks, for
// which Java would sign "?". Bytes that are not UTF-8 verify as they do there, and
// [Delivery.IsGarbled] tells: do not act on such a push.
//
// The platform joins names and values without a mark between them, so whoever
// reads a push on its way can cut it at other places under the same signature:
// serve over TLS only.
func VerifyPush(p *Push, secrets Secrets) (*Delivery, error) {
	ring, err := newKeyring(secrets)
	if err != nil {
		return nil, unverifiable("%v", err)
	}
	d, _, err := ring.verify(p, DefaultHeaderLimit)
	return d, err
}

// verify also returns the signature.
func (ring keyring) verify(p *Push, headerLimit int64) (*Delivery, string, error) {
	if err := p.checkHead(headerLimit); err != nil {
		return nil, "", err
	}
	s, err := readSigned(p)
	if err != nil {
		return nil, "", err
	}
	receiver := s.params["target_app_key"]
	if top.IsBlank(receiver) {
		receiver = s.params["app_key"]
	}
	matched, appKey := 0, ""
	sign := []byte(s.sign)
	secrets, isConfigured := ring(receiver)
	for _, c := range secrets {
		// Every secret costs the same, whether it matches or not.
		digest := s.digest(c.secret)
		if subtle.ConstantTimeCompare(digest[:], sign) == 1 && matched == 0 {
			matched, appKey = 1, c.appKey
		}
	}
	if matched == 0 {
		text := "it does not match"
		if s.sign == "" {
			text = "no sign in the query"
		}
		if !isConfigured {
			text += "; the app key is not one of the configured"
		}
		return nil, "", &refusal{ErrInvalidSignature, ReasonBadSignature, text}
	}
	return s.delivery(p, appKey), s.sign, nil
}

// delivery is what a signature vouches for.
func (s *signedPush) delivery(p *Push, appKey string) *Delivery {
	if s.isBare {
		s.readBare()
	}
	return &Delivery{
		Method:    s.params["method"],
		AppKey:    appKey,
		Time:      signedTime(s.params[paramTimestamp]),
		Params:    s.params,
		Text:      s.text,
		IsForm:    s.isForm || len(s.form) > 0,
		IsGarbled: s.isGarbled,
		Form:      s.form,
		Attempt:   1,
		Push:      p,
	}
}

const paramTimestamp = "timestamp"

// signedTime reads a timestamp, strictly: names and values are signed without a
// mark between them, so text that is tolerated behind a time could be the start
// of something else.
func signedTime(text string) fliggy.Time {
	t, err := fliggy.ParseTime(text)
	if err != nil {
		return fliggy.Time{}
	}
	var place [len(time.DateTime)]byte
	if again, err := t.AppendText(place[:0]); err != nil || string(again) != text {
		return fliggy.Time{}
	}
	return t
}

// SignPush is the twin of [VerifyPush]: it returns a copy of p whose query ends
// with the signature for secret; a sign that p has is dropped. Everything else is
// taken as it stands: timestamp, method and app_key are the caller's, and
// parameters travel percent-encoded in the charset of the Content-Type.
//
// The error matches [ErrInvalidSignature] where VerifyPush would refuse the form
// of p.
func SignPush(p *Push, secret string) (*Push, error) {
	if top.IsBlank(secret) {
		return nil, errors.New("qimen: SignPush: empty secret: use the secret of the receiving app")
	}
	if p == nil {
		return nil, unverifiable("no push")
	}
	signed := p.clone()
	var query strings.Builder
	for _, piece := range javaSplit(p.RawQuery, "&") {
		name, _, _ := strings.Cut(piece, "=")
		if name, err := new(signedPush).unescape(name); err == nil && name == paramSign {
			continue
		}
		query.WriteString(piece + "&")
	}
	signed.RawQuery = query.String() + paramSign + "="
	s, err := readSigned(signed)
	if err != nil {
		return nil, err
	}
	digest := s.digest(secret)
	signed.RawQuery += string(digest[:])
	return signed, nil
}
