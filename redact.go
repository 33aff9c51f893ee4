package rentcar

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/fliggy-go/rentcar/internal/top"
)

const (
	redacted = "[redacted]"
	// minPart is how many bytes of the beginning of a secret are not shown either:
	// errors cut long names and values.
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

// add takes up the texts of another attempt.
func (s *secrets) add(texts ...string) { s.texts, s.forms = append(s.texts, texts...), nil }

// addAttempt takes up an attempt. Its query ends in the signature.
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

// all lists the texts as they are, as a URL has them, and as %q and JSON have them.
// Of a URL the query must not be shown alone either. Longer texts come first, since
// they may hold others.
func (s *secrets) all() []string {
	if s.forms != nil {
		return s.forms
	}
	texts := slices.Clone(s.texts)
	for _, q := range s.queries {
		texts = append(texts, joinQuery(s.address, q))
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
		for _, form := range []string{url.QueryEscape(t), url.PathEscape(t), sent, quoted[1 : len(quoted)-1], string(inJSON[1 : len(inJSON)-1])} {
			if form != t {
				texts = append(texts, form)
			}
		}
	}
	texts = slices.DeleteFunc(texts, func(t string) bool { return t == "" })
	slices.SortStableFunc(texts, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	s.forms = texts
	return texts
}

// redact takes the secrets out of a text that others wrote.
func (s *secrets) redact(text string) string {
	if text == "" {
		return ""
	}
	if isPlain(text) && !slices.ContainsFunc(s.texts, func(t string) bool { return overlaps(text, t) }) {
		return text // of letters and digits alone, as most codes and ids are, a form is the text itself
	}
	for _, t := range s.all() {
		text = strings.ReplaceAll(text, t, redacted)
	}
	for _, t := range s.all() {
		if len(t) > minPart && !strings.HasPrefix(t, "http") { // how addresses begin is no secret
			text = redactPart(text, t)
		}
	}
	return text
}

// overlaps tells whether text holds a secret, or the beginning of one.
func overlaps(text, secret string) bool {
	return secret != "" && strings.Contains(text, secret[:min(len(secret), minPart)])
}

func isPlain(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z') })
}

// redactPart takes out what is the beginning of a secret.
func redactPart(text, secret string) string {
	for {
		at := strings.Index(text, secret[:minPart])
		if at < 0 {
			return text
		}
		end := at + minPart
		for n := minPart; n < len(secret) && end < len(text) && text[end] == secret[n]; n++ {
			end++
		}
		text = text[:at] + redacted + text[end:]
	}
}

// hide makes an error print its text without the secrets.
func (s *secrets) hide(err error) error {
	if all := printed(err); s.redact(all) != all {
		return &hidden{text: s.redact(err.Error()), err: err}
	}
	return err
}

// printed is what an error shows, and the errors inside, also those that print
// their fields.
func printed(err error) string {
	text := fmt.Sprintf("%v %#v", err, err)
	switch e := err.(type) { //nolint:errorlint // each error of the tree is looked at by itself
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			text += printed(inner)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			text += printed(inner)
		}
	}
	return text
}

// A hidden is an error that prints as another text.
type hidden struct {
	text string
	err  error
}

func (h *hidden) Error() string { return h.text }

// Format writes the text for every verb: %#v would show the error inside.
func (h *hidden) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(h.text)) }

func (h *hidden) Is(target error) bool { return errors.Is(h.err, target) }
func (h *hidden) As(target any) bool   { return errors.As(h.err, target) }
