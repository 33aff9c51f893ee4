package acceptance

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"go/token"
	"html"
	"io"
	"log/slog"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/fliggy-go/rentcar/internal/charset"
)

// A leakMarker is a text that must not be shown where it does not belong. Its ends are
// plain letters and digits, so that no escaping hides them; what lies between
// differs in every encoding.
type leakMarker struct{ what, text string }

var (
	markSecret  = leakMarker{"app secret", `S3cretOfTheApp+/="& \kx3cretOfTheEnd`}
	markSession = leakMarker{"session", `6101SessionOne+/="& \k88SessionEnds`}
	markToken   = leakMarker{"token of a user", `T0kenOfTheUser+/="&kT0kenOfTheEnd`}
	markURL     = leakMarker{"query of the URL", `UrlQu3ryTenant+/kUrlQu3ryEnding`}

	markName  = leakMarker{"name of a driver", `张三N4meOfTheDriver`}
	markPhone = leakMarker{"phone number", `13912340987`}
	markCard  = leakMarker{"identity number", `11010119900307447X`}
	markMail  = leakMarker{"e-mail address", `m4il.of.the.driver@example.com`}

	markBody   = leakMarker{"value of a request", `B0dyValueOfOurs"&kB0dyValueEnds`}
	markDigits = leakMarker{"id of a request", `4711081523424299107`}
	markReply  = leakMarker{"value of a reply", `R3plyValueOfTheirs"&kR3plyValueEnds`}
	markPush   = leakMarker{"value of a push", `Push3dValueOfTheirs"&kPush3dValueEnds`}
	markPushID = leakMarker{"id of a push", `7700112233445566779`}

	// leakMarkers is all of them but the signatures, which each row records.
	leakMarkers = []leakMarker{
		markSecret, markSession, markToken, markURL, markName, markPhone, markCard, markMail, markBody, markDigits, markReply,
		markPush, markPushID,
	}
)

// leakPart is how many characters of a marker, at its beginning or its end, give it away.
const leakPart = 12

// forms are the texts, in lower case, by which a marker would be recognised: its
// beginning and its end in every encoding that a printer has.
func (m leakMarker) forms() []string {
	var forms []string
	for _, part := range ends(m.text) {
		quoted, ascii := strconv.Quote(part), strconv.QuoteToASCII(part)
		raw, _ := json.Marshal(part)
		forms = append(forms, part, quoted[1:len(quoted)-1], ascii[1:len(ascii)-1], string(
			raw[1:len(raw)-1],
		), html.EscapeString(part),
			url.QueryEscape(part), url.PathEscape(part), fmt.Sprintf("%x", part),
			strings.Trim(fmt.Sprintf("%d", []byte(part)), "[]"),
			strings.TrimSuffix(
				strings.TrimPrefix(fmt.Sprintf("%#v", []byte(part)), "[]byte{"), "}",
			), string(charset.GBK.Encode(part)))
		for offset := range 3 {
			forms = append(forms, inBase64(part, offset, base64.RawStdEncoding), inBase64(part, offset, base64.RawURLEncoding))
		}
	}
	for i := range forms {
		forms[i] = strings.ToLower(forms[i])
	}
	slices.Sort(forms)
	return slices.Compact(forms)
}

func ends(text string) []string {
	runes := []rune(text)
	if len(runes) <= leakPart {
		return []string{text}
	}
	return []string{string(runes[:leakPart]), string(runes[len(runes)-leakPart:])}
}

// inBase64 is what a text looks like within a longer one in base64, behind that many
// bytes.
func inBase64(text string, offset int, enc *base64.Encoding) string {
	full := enc.EncodeToString(append(make([]byte, offset), text...))
	return full[(offset*8+5)/6 : (offset+len(text))*8/6]
}

// A leakText is what something has printed already.
type leakText string

// leakTexts are the ways in which a value may reach a log, each text once.
func leakTexts(values ...any) map[string]string {
	texts := map[string]string{}
	note := func(how, text string) {
		if _, ok := texts[text]; !ok {
			texts[text] = how
		}
	}
	for _, v := range values {
		if text, ok := v.(leakText); ok {
			note("text", string(text))
			continue
		}
		holders := map[string]any{
			"": v, " in a struct": struct{ Field any }{v}, " in a list": []any{v}, " in a map": map[string]any{"k": v},
		}
		if rv := reflect.ValueOf(v); rv.IsValid() && rv.Kind() == reflect.Struct {
			to := reflect.New(rv.Type())
			to.Elem().Set(rv)
			holders[" behind a pointer"] = to.Interface()
		}
		for where, holder := range holders {
			verbs := []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"}
			if where == " in a list" || where == " in a map" || where != "" && isPlainPointer(v) {
				verbs = verbs[:3]
			}
			for _, verb := range verbs {
				note(fmt.Sprintf("%T%s, %s", v, where, verb), fmt.Sprintf(verb, holder))
			}
			note(
				fmt.Sprintf("%T%s, slog text", v, where),
				logged(holder, func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, withoutTime) }),
			)
			note(
				fmt.Sprintf("%T%s, slog JSON", v, where),
				logged(holder, func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, withoutTime) }),
			)
			if text, err := json.Marshal(holder); err == nil { // some values have no JSON, which shows nothing either
				note(fmt.Sprintf("%T%s, JSON", v, where), string(text))
			}
		}
	}
	return texts
}

// isPlainPointer reports whether v is a pointer that does not print itself. With a verb that
// fits no pointer, such as %s, fmt asks nothing behind it for a method: SECURITY.md says so.
func isPlainPointer(v any) bool {
	_, formats := v.(fmt.Formatter)
	_, fails := v.(error)
	_, speaks := v.(fmt.Stringer)
	return reflect.ValueOf(v).Kind() == reflect.Pointer && !formats && !fails && !speaks
}

// withoutTime lets lines that say the same be the same.
var withoutTime = &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}}

func logged(v any, handler func(io.Writer) slog.Handler) string {
	var b bytes.Buffer
	slog.New(handler(&b)).Info("m", "v", v)
	return b.String()
}

// errorTree lists an error and all errors inside, those that are exported structs by
// value too: whoever asks for them can print them.
func errorTree(err error) []any {
	if err == nil {
		return nil
	}
	all := []any{err}
	if v := reflect.ValueOf(err); v.Kind() == reflect.Pointer && v.Elem().Kind() == reflect.Struct && token.IsExported(
		v.Elem().Type().Name(),
	) {
		all = append(all, v.Elem().Interface())
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, inner := range many.Unwrap() {
			all = append(all, errorTree(inner)...)
		}
	}
	return append(all, errorTree(errors.Unwrap(err))...)
}

// leaks names the markers that are found in texts, those of the table and others, and
// says how.
func leaks(texts map[string]string, others ...leakMarker) map[leakMarker]string {
	found := map[leakMarker]string{}
	indexes := []*leakIndex{knownMarkers()}
	if len(others) > 0 {
		indexes = append(indexes, newLeakIndex(others))
	}
	for text, how := range texts {
		lower := strings.ToLower(text)
		for _, index := range indexes {
			index.search(lower, func(m leakMarker, form string) {
				found[m] = fmt.Sprintf("%s shows %q: %.400s", how, form, text)
			})
		}
	}
	return found
}

// A leakIndex finds the forms of many markers in one pass, by their first two bytes.
type leakIndex struct {
	begins [1 << 16]bool
	forms  map[int][]leakSpelling
}

type leakSpelling struct {
	text string
	of   leakMarker
}

// knownMarkers are those that are the same in every row.
var knownMarkers = sync.OnceValue(func() *leakIndex { return newLeakIndex(leakMarkers) })

func newLeakIndex(markers []leakMarker) *leakIndex {
	x := &leakIndex{forms: map[int][]leakSpelling{}}
	for _, m := range markers {
		for _, form := range m.forms() {
			key := int(form[0])<<8 | int(form[1])
			x.begins[key] = true
			x.forms[key] = append(x.forms[key], leakSpelling{form, m})
		}
	}
	return x
}

func (x *leakIndex) search(text string, found func(leakMarker, string)) {
	for i := range len(text) - 1 {
		key := int(text[i])<<8 | int(text[i+1])
		if !x.begins[key] {
			continue
		}
		for _, form := range x.forms[key] {
			if strings.HasPrefix(text[i:], form.text) {
				found(form.of, form.text)
			}
		}
	}
}

// The search finds every marker in every form, also where only a part is left of it.
func TestSecretsTableFindsMarkers(t *testing.T) {
	t.Parallel()
	for _, m := range leakMarkers {
		runes := []rune(m.text)
		for name, v := range map[string]any{
			"text": m.text, "bytes": []byte(m.text), "raw JSON": json.RawMessage(strconv.Quote(m.text)),
			"field": struct{ text string }{m.text},
			"error": fmt.Errorf("no: %w", errors.New(m.text)), "escaped": url.QueryEscape(m.text),
			"path":         url.PathEscape("x " + m.text),
			"quoted twice": strconv.Quote(strconv.Quote(m.text)), "cut": string(runes[:min(len(runes), leakPart)]),
			"tail": string(runes[max(0, len(runes)-leakPart):]), "GBK": string(charset.GBK.Encode(m.text)),
			"hex": fmt.Sprintf("%X", "x"+m.text), "base64": base64.StdEncoding.EncodeToString([]byte("four" + m.text + "!")),
			"base64 of a query": base64.URLEncoding.EncodeToString([]byte("fiver" + m.text)), "key": map[string]int{m.text: 1},
		} {
			if leaks(leakTexts(v))[m] == "" {
				t.Errorf("%s: not found as %s in %v", m.what, name, leakTexts(v))
			}
		}
		if found := leaks(leakTexts("nothing of it", 4711, errors.New("x"))); len(found) > 0 {
			t.Errorf("found where there is nothing: %v", found)
		}
	}
}
