package merchantcheck

import (
	"regexp"
	"strconv"
	"strings"
)

// signatureForm finds what could be a signature: a merchant may repeat the one it
// got, or tell the one it wanted.
var signatureForm = regexp.MustCompile(`[0-9A-Fa-f]{32,}`)

// maxQuoted bounds, in characters, a text of the report that may quote a merchant.
const maxQuoted = 240

// minSecret is how long a secret is at least, in bytes: a shorter one, as a first try may
// have, would be met in words of the report.
const minSecret = 8

// redact takes the secret and signatures out of a text that may quote a merchant.
func (m *Caller) redact(text string) string {
	secret := m.sender.Secret()
	quoted := strconv.Quote(secret)
	for _, secret := range []string{secret, quoted[1 : len(quoted)-1]} {
		if len(secret) < minSecret {
			continue
		}
		text = strings.ReplaceAll(text, secret, "[redacted]")
	}
	return signatureForm.ReplaceAllString(text, "[redacted]")
}

// quotable is redact for a report, which cuts what is too long.
func (m *Caller) quotable(text string) string {
	text = m.redact(text)
	count := 0
	for i := range text {
		if count++; count > maxQuoted {
			return text[:i] + "…"
		}
	}
	return text
}
