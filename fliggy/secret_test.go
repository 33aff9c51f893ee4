package fliggy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
)

func TestSecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	const marker = "s3cr3t-marker"
	type holder struct {
		Token  fliggy.Secret
		Nested *struct{ Token fliggy.Secret }
	}
	h := holder{Token: fliggy.NewSecret(marker), Nested: &struct{ Token fliggy.Secret }{fliggy.NewSecret(marker)}}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb, h)
		fmt.Fprintf(&out, verb, h.Token)
	}
	// "[redacted]" would be lost data
	if raw, err := json.Marshal(h); err == nil || !strings.Contains(err.Error(), "Reveal") {
		t.Errorf("JSON %s, %v", raw, err)
	} else {
		out.WriteString(err.Error())
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "token", h.Token, "holder", h)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "token", h.Token, "holder", h)
	if strings.Contains(out.String(), marker) {
		t.Errorf("printed: %s", out.String())
	}
	if got := h.Token.Reveal(); got != marker {
		t.Errorf("revealed %q", got)
	}
	var read fliggy.Secret
	if err := read.UnmarshalText([]byte(marker)); err != nil || !read.Equal(h.Token) || !read.IsSet() {
		t.Errorf("read %q, %v", read.Reveal(), err)
	}
	if raw, err := json.Marshal(holder{}); err != nil || string(raw) != `{"Token":"","Nested":null}` {
		t.Errorf("JSON of an unset one: %s, %v", raw, err)
	}
	if empty := fliggy.NewSecret(""); empty.IsSet() || empty.String() != "" || empty.Reveal() != "" || fmt.Sprintf(
		"%#v", empty,
	) != "" {
		t.Errorf("an empty secret is set: %q", empty)
	}
}
