package rentcar

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
)

const (
	redacted = "[redacted]"
	// minPart is the number of bytes at the beginning of a secret that are a secret too: errors cut long values.
	minPart = 12
)

// secrets are the texts of a call that must not be shown: secret, session,
// signature, and the addresses that carry them.
type secrets struct {
	texts   []string
	address string    // what queries were sent to
	queries []string  // of all attempts
	forms   []string  // the texts in every form, made when they are first needed
	room    [5]string // for the texts and the query of the first attempt
}

// add adds texts that must not be shown.
func (s *secrets) add(texts ...string) { s.texts, s.forms = append(s.texts, texts...), nil }

// addAttempt adds the texts of an attempt. Its query ends with the signature.
func (s *secrets) addAttempt(address, query, secret, session string) {
	if s.queries == nil {
		s.address, s.queries = address, s.room[4:4]
	}
	if s.texts == nil {
		s.texts = s.room[:0:4]
	}
	s.queries = append(s.queries, query)
	s.add(address, secret, session, query[strings.LastIndexByte(query, '=')+1:])
}

// all returns the texts in all forms in which they may be quoted: plain, escaped for a URL, and as %q and JSON write
// them. Of a URL it has the query alone, too.
func (s *secrets) all() []string {
	if s.forms != nil {
		return s.forms
	}
	texts := slices.Clone(s.texts)
	for _, q := range s.queries {
		texts = append(texts, q, joinQuery(s.address, q))
	}
	for _, t := range texts {
		if _, query, ok := strings.Cut(t, "?"); ok && strings.Contains(t, "://") {
			texts = append(texts, query)
		}
	}
	for _, t := range texts {
		quoted := strconv.Quote(t)
		sent := string(top.AppendForm(nil, []top.Param{{Value: t}}))[len("="):]
		inJSON, _ := json.Marshal(t) // text always has a form
		for _, form := range []string{
			url.QueryEscape(t), url.PathEscape(t), sent, quoted[1 : len(quoted)-1], string(inJSON[1 : len(inJSON)-1]),
		} {
			if form != t {
				texts = append(texts, form)
			}
		}
	}
	texts = slices.DeleteFunc(texts, func(t string) bool { return t == "" })
	slices.Sort(texts)
	s.forms = slices.Compact(texts)
	return s.forms
}

// Bounds of texts that others wrote, in bytes. Longer texts are cut before anything is searched in them.
const (
	maxCode = 256  // of codes and ids
	maxText = 4096 // of messages
)

// redact cuts a text that others wrote to most bytes, and replaces the secrets in it.
func (s *secrets) redact(text string, most int) string {
	text = cut(text, most+minPart) // the beginning of a secret at the end is still recognised
	if isPlain(text) && !slices.ContainsFunc(
		s.texts, func(t string) bool { return t != "" && strings.Contains(text, begin(t)) },
	) {
		return cut(text, most) // of letters and digits alone, as most codes and ids are, a form is the text itself
	}
	var met []string
	for _, t := range s.all() {
		if strings.Contains(text, begin(t)) {
			met = append(met, t)
		}
	}
	if met == nil {
		return cut(text, most)
	}
	var out strings.Builder
	end := 0 // of the secrets met so far, which may overlap
	for i := range len(text) {
		for _, t := range met {
			if n := i + secretPart(text[i:], t); n > max(i, end) {
				if end <= i {
					out.WriteString(redacted)
				}
				end = n
			}
		}
		if end <= i {
			out.WriteByte(text[i])
		}
	}
	return cut(out.String(), most)
}

// begin returns the part of a secret that is searched for first.
func begin(secret string) string { return secret[:min(len(secret), minPart)] }

// secretPart returns how many bytes at the beginning of text are secret or the beginning of it. The beginning of an
// address is not a secret.
func secretPart(text, secret string) int {
	n := 0
	for n < min(len(text), len(secret)) && text[n] == secret[n] {
		n++
	}
	if n == len(secret) || n >= minPart && !strings.HasPrefix(secret, "http") {
		return n
	}
	return 0
}

func isPlain(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z') })
}

// cut shortens a text to n bytes at most, and leaves no part of a character.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// address finds URLs, the quoted ones of a *url.Error up to the closing quote.
var address = regexp.MustCompile(`(?i)"[a-z][a-z0-9+.-]*://(?:[^"\\]|\\.)*(?:"|$)|[a-z][a-z0-9+.-]*://\S+`)

// hide returns an error that matches what err matches. Its text is that of err, cut, without secrets and URLs: err
// comes from other code and may quote this request, or another one with secrets of its own.
func (s *secrets) hide(err error) error {
	text := s.redact(fmt.Sprint(err), maxText) // Sprint survives a panic of Error
	return &hidden{cut(address.ReplaceAllString(text, redacted), maxText), func() error { return err }}
}

// A hidden is an error with another text.
type hidden struct {
	text string
	err  func() error // a function, so that nothing that walks over the fields reaches the error
}

func (h *hidden) Error() string { return h.text }

// Format writes the text for every verb.
func (h *hidden) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(h.text)) }

func (h *hidden) Is(target error) bool { return matches(h.err(), target) }
func (h *hidden) As(target any) bool   { return errors.As(h.err(), target) }

// stripURL removes the URL, which has session and signature in it, from an error.
func stripURL(err error) error {
	var u *url.Error
	for fmt.Sprint(err) != "<nil>" { // as a pointer that is nil is too
		if !errors.As(err, &u) {
			return err
		}
		if err = nil; u != nil {
			err = u.Err
		}
	}
	return errors.New("the round tripper failed without a reason")
}

// serverQuotes are the errors of net/http that quote what the server sent.
var serverQuotes = []string{"malformed", "Location header", "bad Content-Length", "transfer encoding"}

// stripServerText removes reply bytes that net/http quotes in its error. They may hold personal data.
func stripServerText(err error) error {
	text, _, quotes := strings.Cut(fmt.Sprint(err), "\"") // Sprint survives a panic of Error
	if !quotes || !slices.ContainsFunc(serverQuotes, func(s string) bool { return strings.Contains(text, s) }) {
		return err
	}
	return &hidden{strings.TrimRight(text, ": "), func() error { return err }}
}

// ownError returns ctx.Err() if err is the cause of the context's end: the standard library returns the cause in its
// place, but that is an error of the caller, not of this call.
func ownError(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && matches(err, context.Cause(ctx)) {
		return ctx.Err()
	}
	return err
}

// withCause adds to err both ctx.Err() and the cause that the caller gave.
func withCause(ctx context.Context, err error) error {
	err = ownError(ctx, err)
	for _, why := range []error{ctx.Err(), causeOf(ctx)} {
		if why != nil && !matches(err, why) {
			err = fmt.Errorf("%w (%w)", err, why)
		}
	}
	return err
}

// classes are the sentinel errors that errors of this package match.
var classes = []error{
	ErrOutcomeUnknown, ErrRateLimited, ErrUnavailable, ErrUnauthorized, ErrForbidden, fliggy.ErrInvalidRequest,
	ErrReplyTooLarge,
}

// causeOf returns the cause of the context's end. A cause that is or wraps an error of this package is about another
// call, so it is replaced by a foreignError, which has neither its classes nor its text.
func causeOf(ctx context.Context) (cause error) {
	cause = context.Cause(ctx)
	defer func() {
		if recover() != nil { // its methods panic
			cause = &foreignError{cause}
		}
	}()
	var another interface{ Outcome() Outcome }
	if cause != nil && (errors.As(cause, &another) ||
		slices.ContainsFunc(classes, func(class error) bool { return matches(cause, class) })) {
		return &foreignError{cause}
	}
	return cause
}

// A foreignError matches the error that it stands for, and nothing inside.
type foreignError struct{ err error }

func (e *foreignError) Error() string { return fmt.Sprintf("an error of another call, %T", e.err) }

// Format writes the text for every verb: %#v would show the error inside.
func (e *foreignError) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(e.Error())) }

func (e *foreignError) Is(target error) (same bool) {
	defer func() { _ = recover() }() // values that cannot be compared are not the same
	return target == e.err
}

// matches is errors.Is for errors of the caller, whose methods may panic.
func matches(err, target error) (is bool) {
	defer func() { _ = recover() }()
	return errors.Is(err, target)
}
