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
	"github.com/fliggy-go/rentcar/internal/contain"
	"github.com/fliggy-go/rentcar/internal/top"
)

const (
	redacted = "[redacted]"
	// minPart is the number of bytes at the beginning of a secret that are a secret too: errors cut long values.
	minPart = 12
)

// secrets are the texts of a call that must not be shown: secret, session, signatures, and the addresses and queries
// that carry them.
type secrets []string

// inAllForms returns the texts as they may be quoted: plain, escaped for a URL, and as %q and JSON write them. Of an
// address it has the query alone, too.
func (s secrets) inAllForms() []string {
	texts := slices.Clone(s)
	for _, t := range s {
		if _, query, ok := strings.Cut(t, "?"); ok && strings.Contains(t, "://") {
			texts = append(texts, query)
		}
	}
	for _, t := range texts {
		quoted := strconv.Quote(t)
		sent := top.AppendForm(nil, []top.Param{{Value: t}})
		inJSON, _ := json.Marshal(t) // text always has a form
		texts = append(texts, url.QueryEscape(t), url.PathEscape(t), string(sent[len("="):]),
			quoted[1:len(quoted)-1], string(inJSON[1:len(inJSON)-1]))
	}
	return texts
}

// Bounds of texts that others wrote, in bytes. Longer texts are cut before anything is searched in them.
const (
	maxCode = 256  // of codes and ids
	maxText = 4096 // of messages
)

// redact cuts a text that others wrote to most bytes, and replaces the secrets in it.
func (s secrets) redact(text string, most int) string {
	text = cut(text, most+minPart) // the beginning of a secret at the end is still recognised
	texts := []string(s)
	if !isPlain(text) {
		texts = s.inAllForms() // of letters and digits alone, as most ids are, a form is the text itself
	}
	out, end := "", 0 // end of the secrets met so far, which may overlap
	for i := range len(text) {
		for _, t := range texts {
			if n := i + secretPart(text[i:], t); n > max(i, end) {
				if end <= i {
					out += text[end:i] + redacted
				}
				end = n
			}
		}
	}
	return cut(out+text[end:], most)
}

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
func (s secrets) hide(err error) error {
	text := s.redact(fmt.Sprint(err), maxText) // Sprint survives a panic of Error
	return &hidden{text: cut(address.ReplaceAllString(text, redacted), maxText), err: func() error { return err }}
}

// A hidden is an error with another text. It matches what err matches.
type hidden struct {
	text    string
	err     func() error // a function, so that nothing that walks over the fields reaches the error
	foreign bool         // it matches err itself, and nothing inside
}

func (h *hidden) Error() string { return h.text }

// Format writes the text for every verb.
func (h *hidden) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(h.text)) }

func (h *hidden) Is(target error) (is bool) {
	defer func() { _ = recover() }() // methods of the caller's errors may panic, and so may comparing them
	if h.foreign {
		return h.err() == target
	}
	return errors.Is(h.err(), target)
}

func (h *hidden) As(target any) bool { return !h.foreign && errors.As(h.err(), target) }

// stripURL removes the URL, which has session and signature in it, from an error.
func stripURL(err error) error {
	var u *url.Error
	for errors.As(err, &u) && u != nil {
		err = u.Err
	}
	if fmt.Sprint(err) == "<nil>" { // as a pointer that is nil is too
		return errors.New("the round tripper failed without a reason")
	}
	return err
}

// serverQuotes are the errors of net/http that quote what the server sent.
var serverQuotes = []string{"malformed", "Location header", "bad Content-Length", "transfer encoding"}

// stripServerText removes reply bytes that net/http quotes in its error. They may hold personal data.
func stripServerText(err error) error {
	text, _, quotes := strings.Cut(fmt.Sprint(err), "\"") // Sprint survives a panic of Error
	if !quotes || !slices.ContainsFunc(serverQuotes, func(s string) bool { return strings.Contains(text, s) }) {
		return err
	}
	return &hidden{text: strings.TrimRight(text, ": "), err: func() error { return err }}
}

// withCause adds to err both ctx.Err() and the cause that the caller gave. The standard library returns the cause in
// the place of ctx.Err(), but it is an error of the caller, not of this call.
func withCause(ctx context.Context, err error) (result error) {
	defer contain.Recover("the context", &result)
	if ctx.Err() == nil {
		return err
	}
	cause := context.Cause(ctx)
	if matches(err, cause) {
		err = ctx.Err()
	}
	shown := cause
	if isForeign(cause) {
		text := fmt.Sprintf("an error of another call, %T", cause)
		shown = &hidden{text: text, err: func() error { return cause }, foreign: true}
	}
	for _, why := range []error{ctx.Err(), shown} {
		if !matches(err, why) {
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

// isForeign reports whether the cause of a context's end is or wraps an error of this package, which is about another
// call, or has methods that panic.
func isForeign(cause error) (is bool) {
	defer func() {
		if recover() != nil {
			is = true
		}
	}()
	return errors.As(cause, new(interface{ Outcome() Outcome })) ||
		slices.ContainsFunc(classes, func(class error) bool { return errors.Is(cause, class) })
}

// matches is errors.Is for errors of the caller, whose methods may panic.
func matches(err, target error) (is bool) {
	defer func() { _ = recover() }()
	return errors.Is(err, target)
}
