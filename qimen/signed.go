package qimen

import (
	"bytes"
	"crypto/md5"
	"net/http"
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

// signedPush holds what the signature of a push covers.
type signedPush struct {
	charset   charset.Charset
	isForm    bool
	isGarbled bool              // has bytes for which Java signs U+FFFD
	params    map[string]string // without "sign"
	sign      string            // from the query only
	base      []byte            // params in order, in the charset of the push
	body      []byte            // the text body in the charset of the push, nil for a form
	text      string            // the text body
	form      []Field           // the signed fields of the body, in their order
	isBare    bool              // no body: the query may be the message
	business  []string          // query parameters of the message, if isBare
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

// readSigned collects what the signature covers, in the same steps as the official checker.
func readSigned(p *Push) (s signedPush, err error) {
	if p == nil || p.RawQuery == "" {
		return s, unverifiable("no query, which must hold the signature")
	}
	isForm, cs, err := checkContentType(headerValue(p.Header, headerContentType))
	if err != nil {
		return s, err
	}
	s.charset, s.isForm, s.isBare = cs, isForm, len(p.Body) == 0
	s.params = make(map[string]string, min(strings.Count(p.RawQuery, "&")+1, 64))
	if err := s.readHeaders(p.Header); err != nil {
		return s, err
	}
	query, err := s.readQuery(p.RawQuery)
	if err != nil {
		return s, err
	}
	if isForm {
		err = s.readForm(p, query)
	} else {
		s.text, s.body, err = s.decode(p.Body)
	}
	if err != nil {
		return s, err
	}
	delete(s.params, paramSign)
	if s.params[""] == "" { // from "&&" in the query
		delete(s.params, "")
	}
	s.base = baseString(s.params, cs)
	return s, nil
}

// readForm adds the form: the fields of the body, and the query parameters that the query parser skips but a servlet
// container reads. The first value of a name counts; names that the query has are ignored.
func (s *signedPush) readForm(p *Push, query queryNames) error {
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
			s.params[name] = value
		}
		if inBody && name != paramSign && name+s.params[name] != "" { // an empty name and value is not signed
			s.form = append(s.form, Field{name, s.params[name]})
		}
		return nil
	}
	for _, piece := range query.leftOut {
		if err := add(piece, false); err != nil {
			return err
		}
	}
	pieces := 0
	for piece := range strings.SplitSeq(string(p.Body), "&") {
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

// readBare uses the business parameters of the query as form fields.
func (s *signedPush) readBare() {
	slices.Sort(s.business)
	for _, name := range slices.Compact(s.business) {
		s.form = append(s.form, Field{name, s.params[name]})
	}
}

// readHeaders adds the headers that top-sign-list names, with names spelled as in the list.
func (s *signedPush) readHeaders(header http.Header) error {
	list := headerValue(header, headerSignList)
	if top.IsBlank(list) {
		return nil
	}
	names, err := splitParams(list, ",")
	if err != nil {
		return err
	}
	index := headerIndex(header)
	for _, name := range names {
		if _, ok := s.params[name]; ok { // a list can name one header thousands of times
			continue
		}
		value := index[strings.ToLower(name)]
		// Servlet containers disagree on other bytes, and the gateway never sends them.
		if !isASCII(name) || !isASCII(value) {
			return unverifiable("a listed header is not ASCII: it must be percent-encoded")
		}
		if top.IsBlank(value) {
			value = ""
		}
		if s.params[name], err = s.unescape(value); err != nil {
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
func (s *signedPush) readQuery(rawQuery string) (query queryNames, err error) {
	if !isASCII(rawQuery) {
		return query, unverifiable("the query is not ASCII: other bytes must be percent-encoded")
	}
	if err := checkParams(rawQuery, "&"); err != nil {
		return query, err
	}
	if s.isForm {
		query.names = map[string]bool{}
	}
	piece := ""
	for rest, more := javaTrim(rawQuery, "&"); more; {
		piece, rest, more = strings.Cut(rest, "&")
		trimmed, hasParts := javaTrim(piece, "=")
		rawName, rawValue, _ := strings.Cut(trimmed, "=")
		if !hasParts || strings.Contains(rawValue, "=") {
			if s.isForm {
				query.leftOut = append(query.leftOut, piece)
			}
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
		s.params[name] = value
		if name == paramSign {
			s.sign = value
		}
		if s.isForm {
			query.names[name] = true
		}
		if s.isBare && name != "" && !protocolParams[name] {
			s.business = append(s.business, name)
		}
	}
	return query, nil
}

// javaTrim removes the empty pieces at the end, as Java's String.split does. hasPieces is false if no piece is left; an
// empty text is one empty piece.
func javaTrim(s, separator string) (rest string, hasPieces bool) {
	rest = strings.TrimRight(s, separator)
	return rest, rest != "" || s == ""
}

// javaSplit splits like Java's String.split.
func javaSplit(s, separator string) []string {
	rest, hasPieces := javaTrim(s, separator)
	if !hasPieces {
		return nil
	}
	return strings.Split(rest, separator)
}

// checkParams returns an error if s has too many pieces.
func checkParams(s, separator string) error {
	if strings.Count(strings.TrimRight(s, separator), separator) >= maxParams {
		return errTooManyParams
	}
	return nil
}

// splitParams is javaSplit with a limit.
func splitParams(s, separator string) ([]string, error) {
	if err := checkParams(s, separator); err != nil {
		return nil, err
	}
	return javaSplit(s, separator), nil
}

// unescape decodes form encoding in the charset of the push. Like Java it decodes each run of escaped bytes separately:
// in the GB charsets no character may extend beyond its run.
func (s *signedPush) unescape(raw string) (string, error) {
	if isPlain(raw) {
		return raw, nil
	}
	var buf [64]byte
	out := buf[:0]
	if len(raw) > len(buf) {
		out = make([]byte, 0, len(raw))
	}
	run := 0 // start of the current run of escaped bytes
	endRun := func() error {
		if s.charset != charset.UTF8 && s.charset.EndsInside(out[run:]) {
			return s.notText()
		}
		return nil
	}
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case c == '%':
			b, ok := unhex(raw[i+1:])
			if !ok {
				return "", unverifiable("malformed percent escape in a parameter")
			}
			out = append(out, b)
			i += 2
			continue
		case c >= utf8.RuneSelf: // only in a form body, where a container treats it as escaped
			out = append(out, c)
			continue
		case c == '+':
			c = ' '
		}
		if err := endRun(); err != nil {
			return "", err
		}
		out = append(out, c)
		run = len(out)
	}
	if err := endRun(); err != nil {
		return "", err
	}
	if isASCII(out) {
		return string(out), nil
	}
	text, _, err := s.decode(bytes.Clone(out))
	return text, err
}

// isPlain reports whether unescape returns text unchanged.
func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c == '%' || c == '+' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// unhex decodes two hexadecimal digits at the start of s.
func unhex(s string) (byte, bool) {
	if len(s) < 2 {
		return 0, false
	}
	b, err := strconv.ParseUint(s[:2], 16, 8)
	return byte(b), err == nil
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
		s.isGarbled = true
	} else if !bytes.Equal(signed, b) {
		return "", nil, s.notText()
	}
	return text, signed, nil
}

func (s *signedPush) notText() error {
	return unverifiable("bytes that are not text in charset %v", s.charset)
}

// baseString joins names and values, sorted by name. Unlike in calls to the gateway, names with an empty value are
// included.
func baseString(params map[string]string, cs charset.Charset) []byte {
	var buf [32]string
	names, size := buf[:0], 0
	for name, value := range params {
		names = append(names, name)
		size += len(name) + len(value)
	}
	slices.SortFunc(names, top.CompareNames)
	base := make([]byte, 0, size)
	for _, name := range names {
		base = append(append(base, name...), params[name]...)
	}
	if cs == charset.UTF8 {
		return base
	}
	return cs.Encode(string(base))
}

// digest computes the signature: upper-case hex MD5 over secret, parameters, text body and secret, all in the charset
// of the push.
func (s *signedPush) digest(secret string) (digest [2 * md5.Size]byte) {
	var buf [64]byte
	key := append(buf[:0], secret...)
	if s.charset != charset.UTF8 {
		key = s.charset.Encode(secret)
	}
	hash := md5.New()
	_, _ = hash.Write(key) // never fails, nor do the others
	_, _ = hash.Write(s.base)
	_, _ = hash.Write(s.body)
	_, _ = hash.Write(key)
	var sum [md5.Size]byte
	for i, b := range hash.Sum(sum[:0]) {
		const digits = "0123456789ABCDEF"
		digest[2*i], digest[2*i+1] = digits[b>>4], digits[b&15]
	}
	return digest
}

func isASCII[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
