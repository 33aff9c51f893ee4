package qimen

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/text/encoding/simplifiedchinese"
)

var (
	textPattern    = regexp.MustCompile(`^(application/json|text/xml|application/xml|text/plain)`)
	charsetPattern = regexp.MustCompile(`;[\x00- ]*charset[^=;]*=?([^;]*)`)
)

// referenceAccepts recomputes a verdict in the most straightforward way, with none of the package's code. It is
// stricter than the package nowhere: what it refuses must be refused.
func referenceAccepts(p *Push, secret string) bool {
	contentType := p.Header.Get("Content-Type")
	form := strings.HasPrefix(contentType, "application/x-www-form-urlencoded")
	text := textPattern.MatchString(contentType)
	if !form && !text {
		return false
	}
	charset := "utf-8"
	if m := charsetPattern.FindStringSubmatch(contentType); m != nil {
		if name := strings.TrimFunc(m[1], func(r rune) bool { return r <= ' ' }); name != "" {
			charset = strings.ToLower(name)
		}
	}
	gb := strings.HasPrefix(charset, "gb") || strings.Contains(charset, "936") || charset == "euc-cn"
	asSigned := func(b string) string { // the bytes that the signer digests for these
		if gb {
			return b // for bytes that are text in the charset
		}
		return javaUTF8([]byte(b))
	}
	asText := func(b string) string {
		if gb {
			b, _ = simplifiedchinese.GB18030.NewDecoder().String(b)
		}
		return b
	}
	decode := func(s string) string {
		u, err := url.QueryUnescape(s)
		if err != nil {
			return "malformed"
		}
		return asSigned(u)
	}

	params := map[string]string{}
	for _, name := range strings.Split(strings.TrimRight(p.Header.Get("Top-Sign-List"), ","), ",") {
		if javaBlank(p.Header.Get("Top-Sign-List")) {
			break
		}
		params[name] = ""
		if v := p.Header.Get(name); !javaBlank(v) {
			params[name] = decode(v)
		}
	}
	inQuery := map[string]bool{}
	var seenByContainer []string
	for _, piece := range strings.Split(strings.TrimRight(p.RawQuery, "&"), "&") {
		switch kv := strings.Split(strings.TrimRight(piece, "="), "="); {
		case piece != "" && strings.Trim(piece, "=") == "":
			seenByContainer = append(seenByContainer, piece)
		case len(kv) == 1:
			params[decode(kv[0])] = ""
			inQuery[decode(kv[0])] = true
		case len(kv) == 2:
			params[decode(kv[0])] = decode(kv[1])
			inQuery[decode(kv[0])] = true
		default:
			seenByContainer = append(seenByContainer, piece)
		}
	}
	sign, body := params["sign"], ""
	if !inQuery["sign"] {
		return false
	}
	if form {
		for _, piece := range slices.Backward(append(seenByContainer, strings.Split(string(p.Body), "&")...)) {
			name, value, found := strings.Cut(piece, "=")
			if name == "" && !found {
				continue
			}
			if name, value = decode(name), decode(value); !inQuery[name] {
				if javaBlank(asText(value)) {
					value = ""
				}
				params[name] = value
			}
		}
	} else {
		body = asSigned(string(p.Body))
	}
	delete(params, "sign")

	names := make([]string, 0, len(params))
	for name := range params {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return slices.Compare(utf16.Encode([]rune(asText(a))), utf16.Encode([]rune(asText(b))))
	})
	base := secret
	for _, name := range names {
		base += name + params[name]
	}
	sum := md5.Sum([]byte(base + body + secret))
	return strings.ToUpper(hex.EncodeToString(sum[:])) == sign
}

// Java's decoder as a pattern over bytes (written as Latin-1 text): what is valid, else the longest start of something
// valid, a whole surrogate, or one byte.
var javaUTF8Pattern = regexp.MustCompile(`(?s)([\x00-\x7f]|[\x{c2}-\x{df}][\x{80}-\x{bf}]|\x{e0}[\x{a0}-\x{bf}][\x{8` +
	`0}-\x{bf}]|` +
	`[\x{e1}-\x{ec}\x{ee}\x{ef}][\x{80}-\x{bf}]{2}|\x{ed}[\x{80}-\x{9f}][\x{80}-\x{bf}]|` +
	`\x{f0}[\x{90}-\x{bf}][\x{80}-\x{bf}]{2}|[\x{f1}-\x{f3}][\x{80}-\x{bf}]{3}|\x{f4}[\x{80}-\x{8f}][\x{80}-\x{bf}]{2})|` +
	`\x{e0}[\x{a0}-\x{bf}]?|[\x{e1}-\x{ef}][\x{80}-\x{bf}]{0,2}|\x{f0}(?:[\x{90}-\x{bf}][\x{80}-\x{bf}]?)?|` +
	`[\x{f1}-\x{f3}][\x{80}-\x{bf}]{0,2}|\x{f4}(?:[\x{80}-\x{8f}][\x{80}-\x{bf}]?)?|.`)

func javaUTF8(b []byte) string {
	latin1 := make([]rune, len(b))
	for i, c := range b {
		latin1[i] = rune(c)
	}
	var out bytes.Buffer
	for _, m := range javaUTF8Pattern.FindAllStringSubmatch(string(latin1), -1) {
		if m[1] == "" {
			out.WriteRune('\uFFFD')
			continue
		}
		for _, r := range m[1] {
			out.WriteByte(byte(r))
		}
	}
	return out.String()
}

func javaBlank(s string) bool {
	const blanks = "\t\n\v\f\r\x1c\x1d\x1e\x1f " +
		"\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a\u2028\u2029\u205f\u3000"
	return strings.Trim(s, blanks) == ""
}

const (
	testApp    = "24700001"
	testSecret = "0123456789abcdef0123456789abcdef"
)

var testSecrets = Secrets{testApp: {testSecret}}

// newPush makes an unsigned push; headers are pairs of name and value.
func newPush(query, contentType, body string, headers ...string) *Push {
	p := &Push{RawQuery: query, Header: http.Header{}, Body: []byte(body)}
	if contentType != "" {
		p.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(headers); i += 2 {
		p.Header.Set(headers[i], headers[i+1])
	}
	return p
}

func mustSign(t testing.TB, p *Push, secret string) *Push {
	t.Helper()
	signed, err := SignPush(p, secret)
	if err != nil {
		t.Fatalf("SignPush: %v", err)
	}
	return signed
}
