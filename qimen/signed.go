package qimen

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/internal/charset"
	"github.com/fliggy-go/rentcar/internal/top"
)

const paramSign = "sign"

// maxParams limits the work that an unsigned request can cause. Servlet containers have the same limit.
const maxParams = 10_000

// textPrefixes are the content types whose body is signed as text; formPrefix is the one whose fields are signed.
// Matching is case-sensitive and by prefix, as in the official checker.
var textPrefixes = []string{"application/json", "text/xml", "application/xml", "text/plain"}

var errTooManyParams = unverifiable("more than %d parameters", maxParams)

const formPrefix = "application/x-www-form-urlencoded"

// A Field is one field of a form body.
type Field struct {
	Name  string
	Value string
}

// signedPush is a delivery and what else the signature of a push covers.
type signedPush struct {
	Delivery
	charset  charset.Charset
	sign     string   // from the query only
	base     []byte   // params in order, in the charset of the push
	body     []byte   // the text body in the charset of the push, nil for a form
	business []string // query parameters of the message, if there is no body
}

// checkContentType returns whether a body of this content type is a form, and its charset.
func checkContentType(contentType string) (isForm bool, cs charset.Charset, err error) {
	if top.IsBlank(contentType) {
		return false, 0, unsupportedContentType("no Content-Type: it determines how the body is signed")
	}
	hasPrefix := func(prefix string) bool { return strings.HasPrefix(contentType, prefix) }
	isForm = hasPrefix(formPrefix)
	if !isForm && !slices.ContainsFunc(textPrefixes, hasPrefix) {
		return false, 0, unsupportedContentType("content type %s: want JSON, XML, plain text or a URL-encoded form",
			top.Quote(contentType, 60))
	}
	if cs, err = charset.Lookup(charset.FromContentType(contentType)); err != nil {
		return false, 0, unsupportedContentType("%v", err)
	}
	return isForm, cs, nil
}

// readSigned reads what the signature covers, in the same steps as the official checker. Query and signed headers may
// have headerLimit bytes.
func readSigned(p *Push, headerLimit int64) (*signedPush, error) {
	if p == nil || p.RawQuery == "" {
		return nil, unverifiable("no query, which must hold the signature")
	}
	header, err := p.checkHead(headerLimit)
	if err != nil {
		return nil, err
	}
	s := &signedPush{Delivery: Delivery{Push: p, Attempt: 1}}
	if s.IsForm, s.charset, err = checkContentType(header.Get(headerContentType)); err != nil {
		return nil, err
	}
	s.Params = make(map[string]string, min(strings.Count(p.RawQuery, "&")+1, 64))
	if err := s.readHeaders(header); err != nil {
		return nil, err
	}
	query, err := s.readQuery()
	if err != nil {
		return nil, err
	}
	if s.IsForm {
		err = s.readForm(query)
	} else {
		s.Text, s.body, err = s.decode(p.Body)
	}
	if err != nil {
		return nil, err
	}
	delete(s.Params, paramSign)
	if s.Params[""] == "" { // from "&&" in the query
		delete(s.Params, "")
	}
	names := slices.AppendSeq(make([]string, 0, len(s.Params)), maps.Keys(s.Params))
	slices.SortFunc(names, top.CompareNames)
	s.base = make([]byte, 0, len(p.RawQuery))
	for _, name := range names { // unlike in calls to the gateway, those with an empty value are signed
		s.base = append(append(s.base, name...), s.Params[name]...)
	}
	if s.charset != charset.UTF8 {
		s.base = s.charset.Encode(string(s.base))
	}
	s.Method, s.Time = s.Params["method"], signedTime(s.Params[paramTimestamp])
	slices.Sort(s.business)
	for _, name := range slices.Compact(s.business) {
		s.IsForm, s.Form = true, append(s.Form, Field{name, s.Params[name]})
	}
	return s, nil
}

// readForm adds the form: the fields of the body, and the query parameters that the query parser skips but a servlet
// container reads. The first value of a name counts; names that the query has are ignored.
func (s *signedPush) readForm(query queryNames) error {
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
		if !query.names[name] {
			if top.IsBlank(value) {
				value = ""
			}
			s.Params[name] = value
		}
		if inBody && name != paramSign && name+s.Params[name] != "" { // an empty name and value is not signed
			s.Form = append(s.Form, Field{name, s.Params[name]})
		}
		return nil
	}
	for _, piece := range query.leftOut {
		if err := add(piece, false); err != nil {
			return err
		}
	}
	pieces := 0
	for piece := range strings.SplitSeq(string(s.Push.Body), "&") {
		if piece == "" {
			continue
		}
		if pieces++; pieces > maxParams { // repeated names cost as much as others
			return errTooManyParams
		}
		if err := add(piece, true); err != nil {
			return err
		}
	}
	return nil
}

// readHeaders adds the headers that top-sign-list names, with names spelled as in the list.
func (s *signedPush) readHeaders(header http.Header) error {
	list := header.Get(headerSignList)
	if top.IsBlank(list) {
		return nil
	}
	names, err := javaSplit(list, ",")
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, ok := s.Params[name]; ok { // a list can name one header thousands of times
			continue
		}
		value := header.Get(name)
		// Servlet containers disagree on other bytes, and the gateway never sends them.
		if !isASCII(name) || !isASCII(value) {
			return unverifiable("a listed header is not ASCII: it must be percent-encoded")
		}
		if top.IsBlank(value) {
			value = ""
		}
		if s.Params[name], err = s.unescape(value); err != nil {
			return err
		}
	}
	return nil
}

// queryNames is the part of a query that matters to a form: its names, and the pieces that the query parser skips
// because they have several "=" or nothing else.
type queryNames struct {
	names   map[string]bool
	leftOut []string
}

// readQuery adds the query. It parses like the official checker, which differs from url.ParseQuery in every special
// case.
func (s *signedPush) readQuery() (query queryNames, err error) {
	rawQuery := s.Push.RawQuery
	if !isASCII(rawQuery) {
		return query, unverifiable("the query is not ASCII: other bytes must be percent-encoded")
	}
	pieces, err := javaSplit(rawQuery, "&")
	if err != nil {
		return query, err
	}
	if s.IsForm {
		query.names = map[string]bool{}
	}
	for _, piece := range pieces {
		pair := strings.TrimRight(piece, "=")
		rawName, rawValue, _ := strings.Cut(pair, "=")
		if pair == "" && piece != "" || strings.Contains(rawValue, "=") {
			query.leftOut = append(query.leftOut, piece)
			continue
		}
		name, err := s.unescape(rawName)
		if err != nil {
			return query, err
		}
		value, err := s.unescape(rawValue)
		if err != nil {
			return query, err
		}
		s.Params[name] = value
		if s.IsForm {
			query.names[name] = true
		}
		if name == paramSign {
			s.sign = value
		}
		if len(s.Push.Body) == 0 && name != "" && !protocolParams[name] {
			s.business = append(s.business, name)
		}
	}
	return query, nil
}

// javaSplit splits like Java's String.split, which drops the empty pieces at the end: an empty text is one piece, and a
// text of separators is none. It refuses to make too many pieces.
func javaSplit(s, separator string) ([]string, error) {
	rest := strings.TrimRight(s, separator)
	switch {
	case rest == "" && s != "":
		return nil, nil
	case strings.Count(rest, separator) >= maxParams:
		return nil, errTooManyParams
	}
	return strings.Split(rest, separator), nil
}

// unescape decodes form encoding in the charset of the push.
func (s *signedPush) unescape(raw string) (string, error) {
	text, err := url.QueryUnescape(raw)
	if err != nil {
		return "", unverifiable("malformed percent escape in a parameter")
	}
	if isASCII(text) {
		return text, nil
	}
	if s.charset != charset.UTF8 && s.breaksCharacter(raw) {
		return "", s.notText()
	}
	text, _, err = s.decode([]byte(text))
	return text, err
}

// breaksCharacter reports whether a run of escaped bytes in raw ends inside a character of a GB charset. Java decodes
// each run separately. A byte of 0x80 or more, possible in a form body only, counts as escaped, as in a container.
func (s *signedPush) breaksCharacter(raw string) bool {
	var run []byte
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '%':
			b, _ := strconv.ParseUint(raw[i+1:i+3], 16, 8) // unescape has checked it
			run = append(run, byte(b))
			i += 2
		case c >= utf8.RuneSelf:
			run = append(run, c)
		case s.charset.EndsInside(run):
			return true
		default:
			run = run[:0]
		}
	}
	return s.charset.EndsInside(run)
}

// decode decodes b and also returns the bytes that Java signs for it. In UTF-8, invalid bytes become U+FFFD in both. In
// a GB charset they are refused: Java signs '?' for them, as it does for a real '?'.
func (s *signedPush) decode(b []byte) (text string, signed []byte, err error) {
	if s.charset == charset.UTF8 && utf8.Valid(b) {
		return string(b), b, nil
	}
	text = s.charset.Decode(b)
	signed = s.charset.Encode(text)
	if s.charset == charset.UTF8 {
		s.IsGarbled = true
	} else if !bytes.Equal(signed, b) {
		return "", nil, s.notText()
	}
	return text, signed, nil
}

func (s *signedPush) notText() error {
	return unverifiable("bytes that are not text in charset %v", s.charset)
}

// digest computes the signature: upper-case hex MD5 over secret, parameters, text body and secret, all in the charset
// of the push.
func (s *signedPush) digest(secret string) string {
	key := s.charset.Encode(secret)
	hash := md5.New()
	for _, part := range [][]byte{key, s.base, s.body, key} {
		_, _ = hash.Write(part) // never fails
	}
	return strings.ToUpper(hex.EncodeToString(hash.Sum(nil)))
}

func isASCII[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
