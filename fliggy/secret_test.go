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
	raw, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(raw)
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
	if empty := fliggy.NewSecret(""); empty.IsSet() || empty.String() != "" || empty.Reveal() != "" || empty.GoString() != "" {
		t.Errorf("an empty secret is set: %q", empty)
	}
}
