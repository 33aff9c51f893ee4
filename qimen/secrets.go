package qimen

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/fliggy-go/rentcar/internal/top"
)

// Secrets maps app keys to the secrets (密钥) of the receiving apps: the current secret and, while it is being replaced,
// the previous one.
//
// Secrets is printed and logged without its content, and cannot be encoded. But it is a map: converting it to a plain
// map shows the content, and so does package fmt if it cannot call methods, as for an unexported field of another
// struct or in fmt.Errorf("%w", secrets). A [Handler] holds no secrets that can be printed.
type Secrets map[string][]string

// String returns only the number of apps.
func (s Secrets) String() string { return fmt.Sprintf("Secrets(%d apps, redacted)", len(s)) }

// Format writes String for every verb.
func (s Secrets) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue logs String.
func (s Secrets) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText always returns an error, so that encoding a struct with secrets as JSON, YAML, TOML or XML fails too: the
// result might be logged.
func (s Secrets) MarshalText() ([]byte, error) {
	return nil, errors.New(
		`qimen: Secrets cannot be encoded: omit them, for example with the tag json:"-", and write each secret to a safe ` +
			`place`,
	)
}

// check returns an error that lists what is wrong with s.
func (s Secrets) check() error {
	if len(s) == 0 {
		return errors.New(`no secrets: pass the receiving app and its secret, as in Secrets{"24700001": {secret}}`)
	}
	var problems []error
	for _, app := range slices.Sorted(maps.Keys(s)) {
		if top.IsBlank(app) {
			problems = append(problems, errors.New("secrets: an app key is empty: use the app key of the open-platform console"))
			continue
		}
		if len(s[app]) == 0 {
			problems = append(problems, fmt.Errorf("secrets: app key %q has no secret: give at least one", app))
		}
		if slices.ContainsFunc(s[app], top.IsBlank) {
			problems = append(
				problems,
				fmt.Errorf("secrets: app key %q has an empty secret: anybody could sign with it; is a variable unset?", app),
			)
		}
		if slices.ContainsFunc(s[app], func(secret string) bool { return secret != strings.TrimSpace(secret) }) {
			problems = append(
				problems,
				fmt.Errorf("secrets: app key %q has a secret with white space around it: was a line break pasted with it?", app),
			)
		}
	}
	return errors.Join(problems...)
}

// A credential is one secret of one app.
type credential struct{ appKey, secret string }

// A keyring returns the secrets to try for an app key: those of the app or, if it is not configured, all. It is a
// function so that printing a struct that holds it cannot show the secrets.
type keyring func(appKey string) (secrets []credential, isConfigured bool)

func newKeyring(s Secrets) (keyring, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	var all []credential
	byApp := make(map[string][]credential, len(s))
	for _, app := range slices.Sorted(maps.Keys(s)) {
		for _, secret := range s[app] {
			byApp[app] = append(byApp[app], credential{app, secret})
		}
		all = append(all, byApp[app]...)
	}
	return func(appKey string) ([]credential, bool) {
		if own, ok := byApp[appKey]; ok {
			return own, true
		}
		return all, false
	}, nil
}
