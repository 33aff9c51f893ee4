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

// Secrets holds the app secrets (密钥) of the receiving apps by app key: the
// current secret and, while it is being replaced, the previous one.
//
// It formats and logs without its content, and does not marshal. It is a map all the
// same: what converts it to a plain one shows the content, and so does package fmt where
// it asks no methods, as in an unexported field of another struct, and in
// fmt.Errorf("%w", secrets), since they are no error. A [Handler] holds nothing of it
// that can be printed.
type Secrets map[string][]string

// String tells only how many apps there are.
func (s Secrets) String() string { return fmt.Sprintf("Secrets(%d apps, redacted)", len(s)) }

// GoString is String.
func (s Secrets) GoString() string { return s.String() }

// Format writes String for every verb.
func (s Secrets) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue logs String.
func (s Secrets) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText gives an error, so that JSON, YAML, TOML and XML of a struct with secrets
// inside do too: they may be on their way to a log.
func (s Secrets) MarshalText() ([]byte, error) {
	return nil, errors.New(`qimen: Secrets do not marshal: leave them out, as with the tag json:"-", and write each secret where it is safe`)
}

// check lists what makes s unusable.
func (s Secrets) check() error {
	if len(s) == 0 {
		return errors.New(`no secrets: name the receiving app and its secret, as in Secrets{"24700001": {secret}}`)
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
			problems = append(problems, fmt.Errorf("secrets: app key %q has an empty secret: anybody could sign with it; is a variable unset?", app))
		}
		if slices.ContainsFunc(s[app], func(secret string) bool { return secret != strings.TrimSpace(secret) }) {
			problems = append(problems, fmt.Errorf("secrets: app key %q has a secret with white space around it: was a line break pasted with it?", app))
		}
	}
	return errors.Join(problems...)
}

// A credential is one secret of one app.
type credential struct{ appKey, secret string }

// A keyring gives the secrets to try for the app that a push names: its own, or
// all where none is configured under that name. It is a function so that no
// printer of a struct that holds it can reach the secrets.
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
