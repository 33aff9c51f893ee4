package qimen

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/internal/charset"
	"github.com/fliggy-go/rentcar/internal/top"
)

const paramSign = "sign"

// maxParams bounds the work that an unsigned request can cause. Servlet
// containers stop at the same number.
const maxParams = 10_000

// textPrefixes are the content types whose body takes part as text, formPrefix
// the one whose fields do. Case and place count, as in the official checker.
var textPrefixes = []string{"application/json", "text/xml", "application/xml", "text/plain"}

var errTooManyParams = unverifiable("more than %d parameters", maxParams)

const formPrefix = "application/x-www-form-urlencoded"

// A Field is one field of a form body.
type Field struct {
	Name  string
	Value string
}

// signedPush is what the signature of a push covers.
type signedPush struct {
	charset   charset.Charset
	isForm    bool
	isGarbled bool              // it has bytes for which Java signs U+FFFD
	params    map[string]string // without "sign"
	sign      string            // of the query; nothing else counts
	base      []byte            // params in order, in the charset of the push
	body      []byte            // the text body in the charset of the push, nil for a form
	text      string            // the text body
	form      []Field           // the signed fields of the body, in their order
}

// checkContentType tells whether a body of this content type is a form or text,
// and its charset.
func checkContentType(contentType string) (isForm bool, cs charset.Charset, err error) {
	if top.IsBlank(contentType) {
		return false, 0, unsupportedContentType("no Content-Type: it tells how the body takes part in the signature")
	}
	hasPrefix := func(prefix string) bool { return strings.HasPrefix(contentType, prefix) }
	isForm = hasPrefix(formPrefix)
	if !isForm && !slices.ContainsFunc(textPrefixes, hasPrefix) {
		return false, 0, unsupportedContentType("content type %.60q: want JSON, XML, plain text or a URL-encoded form", contentType)
	}
	if cs, err = charset.Lookup(charset.FromContentType(contentType)); err != nil {
		return false, 0, unsupportedContentType("%v", err)
	}
	return isForm, cs, nil
}

// readSigned collects what the signature covers, step by step as the official
// checker does.
func readSigned(p *Push) (*signedPush, error) {
	if p == nil || p.RawQuery == "" {
		return nil, unverifiable("no query: the signature travels there")
	}
	isForm, cs, err := checkContentType(headerValue(p.Header, headerContentType))
	if err != nil {
		return nil, err
	}
	s := &signedPush{charset: cs, isForm: isForm}
	if s.params, err = s.headerParams(p.Header); err != nil {
		return nil, err
	}
	query, leftOut, err := s.queryParams(p.RawQuery)
	if err != nil {
		return nil, err
	}
	maps.Copy(s.params, query)
	s.sign = query[paramSign]
	if isForm {
		err = s.readForm(p, query, leftOut)
	} else {
		s.text, s.body, err = s.decode(p.Body)
	}
	if err != nil {
		return nil, err
	}
	delete(s.params, paramSign)
	if s.params[""] == "" { // of "&&" in the query: contributes nothing
		delete(s.params, "")
	}
	s.base = baseString(s.params, cs)
	return s, nil
}

// readForm adds the form: the fields of the body and the query parameters that
// the query parser leaves out, but a servlet container sees. The first value of
// a name counts, and names that the query has are not looked at.
func (s *signedPush) readForm(p *Push, query map[string]string, leftOut []string) error {
	seen := map[string]bool{}
	add := func(piece string, inBody bool) error {
		rawName, rawValue, _ := strings.Cut(piece, "=")
		name, err := s.unescape(rawName)
		if err != nil {
			return err
		}
		value, err := s.unescape(rawValue)
		if err != nil {
			return err
		}
		if seen[name] {
			return nil
		}
		seen[name] = true
		if _, inQuery := query[name]; !inQuery {
			if top.IsBlank(value) {
				value = ""
			}
			s.params[name] = value
		}
		if inBody && name != paramSign && piece != "=" {
			s.form = append(s.form, Field{name, s.params[name]})
		}
		return nil
	}
	for _, piece := range leftOut {
		if err := add(piece, false); err != nil {
			return err
		}
	}
	for piece := range strings.SplitSeq(string(p.Body), "&") {
		if piece == "" {
			continue
		}
		if err := add(piece, true); err != nil {
			return err
		}
		if len(seen) > maxParams {
			return errTooManyParams
		}
	}
	return nil
}

// headerParams gives the headers that top-sign-list names, the names spelled as
// they are there.
func (s *signedPush) headerParams(header http.Header) (map[string]string, error) {
	params := map[string]string{}
	list := headerValue(header, headerSignList)
	if top.IsBlank(list) {
		return params, nil
	}
	names, err := splitParams(list, ",")
	if err != nil {
		return nil, err
	}
	index := headerIndex(header)
	for _, name := range names {
		value := index[strings.ToLower(name)]
		// Servlet containers disagree on what other bytes mean, and the gateway
		// never sends them.
		if !isASCII(name) || !isASCII(value) {
			return nil, unverifiable("a listed header is not plain ASCII: it should travel percent-encoded")
		}
		if top.IsBlank(value) {
			params[name] = ""
			continue
		}
		value, err := s.unescape(value)
		if err != nil {
			return nil, err
		}
		params[name] = value
	}
	return params, nil
}

// queryParams parses the query as the official checker does; url.ParseQuery
// differs in every special case. leftOut are the pieces with several "=", or
// nothing else, which it ignores.
func (s *signedPush) queryParams(rawQuery string) (params map[string]string, leftOut []string, err error) {
	if !isASCII(rawQuery) {
		return nil, nil, unverifiable("the query is not plain ASCII: everything else travels percent-encoded")
	}
	params = map[string]string{}
	pieces, err := splitParams(rawQuery, "&")
	if err != nil {
		return nil, nil, err
	}
	for _, piece := range pieces {
		kv := javaSplit(piece, "=")
		switch len(kv) {
		case 1:
			kv = append(kv, "")
		case 2:
		default:
			leftOut = append(leftOut, piece)
			continue
		}
		name, err := s.unescape(kv[0])
		if err != nil {
			return nil, nil, err
		}
		if params[name], err = s.unescape(kv[1]); err != nil {
			return nil, nil, err
		}
	}
	return params, leftOut, nil
}

// javaSplit splits like Java's String.split: empty pieces at the end are
// dropped, but an empty text is one empty piece.
func javaSplit(s, separator string) []string {
	rest := strings.TrimRight(s, separator)
	if rest == "" && s != "" {
		return nil
	}
	return strings.Split(rest, separator)
}

// splitParams is javaSplit for a text of unknown size.
func splitParams(s, separator string) ([]string, error) {
	if strings.Count(strings.TrimRight(s, separator), separator) >= maxParams {
		return nil, errTooManyParams
	}
	return javaSplit(s, separator), nil
}

// unescape decodes form encoding in the charset of the push. Like Java it
// decodes each run of escaped bytes for itself.
func (s *signedPush) unescape(raw string) (string, error) {
	if !strings.ContainsAny(raw, "%+") && isASCII(raw) {
		return raw, nil
	}
	var out strings.Builder
	var run []byte
	flush := func() error {
		if len(run) == 0 {
			return nil
		}
		text, _, err := s.decode(run)
		out.WriteString(text)
		run = run[:0]
		return err
	}
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case c == '%':
			b, ok := unhex(raw[i+1:])
			if !ok {
				return "", unverifiable("malformed percent escape in a parameter")
			}
			run = append(run, b)
			i += 2
			continue
		case c >= 0x80: // only in a form body; a container takes it for an escaped byte
			run = append(run, c)
			continue
		case c == '+':
			c = ' '
		}
		if err := flush(); err != nil {
			return "", err
		}
		out.WriteByte(c)
	}
	err := flush()
	return out.String(), err
}

// unhex reads two hexadecimal digits at the start of s.
func unhex(s string) (byte, bool) {
	if len(s) < 2 {
		return 0, false
	}
	b, err := strconv.ParseUint(s[:2], 16, 8)
	return byte(b), err == nil
}

// decode decodes b and returns, beside the text, the bytes that Java signs for it.
// In UTF-8 invalid bytes become U+FFFD in both. In a GB charset they are refused:
// Java signs '?' for them, so they could stand for any other '?'.
func (s *signedPush) decode(b []byte) (text string, signed []byte, err error) {
	if s.charset == charset.UTF8 && utf8.Valid(b) {
		return string(b), b, nil
	}
	text = s.charset.Decode(b)
	signed = s.charset.Encode(text)
	if s.charset == charset.UTF8 {
		s.isGarbled = true
	} else if !bytes.Equal(signed, b) {
		return "", nil, unverifiable("bytes that are not text in charset %v", s.charset)
	}
	return text, signed, nil
}

// baseString joins names and values in the order of the names. Unlike in calls to
// the gateway, an empty value leaves its name in.
func baseString(params map[string]string, cs charset.Charset) []byte {
	var joined strings.Builder
	for _, name := range slices.SortedFunc(maps.Keys(params), top.CompareNames) {
		joined.WriteString(name)
		joined.WriteString(params[name])
	}
	return cs.Encode(joined.String())
}

// digest computes the signature: upper-case hex MD5 over secret, parameters, text
// body and secret, all in the charset of the push.
func (s *signedPush) digest(secret string) string {
	key := s.charset.Encode(secret)
	hash := md5.New()
	for _, part := range [][]byte{key, s.base, s.body, key} {
		_, _ = hash.Write(part) // never fails
	}
	return fmt.Sprintf("%X", hash.Sum(nil))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
