package qimen

import (
	"strings"
	"testing"
)

// The error, and so the log, says whether the named app is configured, and does not quote it. What goes out is the
// same: see TestStrangersLearnNothing.
func TestRefusalSaysWhetherTheAppIsConfigured(t *testing.T) {
	t.Parallel()
	const note = "; the app key is not configured"
	for name, c := range map[string]struct{ query, want string }{
		"known app": {
			"app_key=" + testApp + "&sign=x", "qimen: invalid signature: the signature does not match",
		},
		"unknown app": {
			"app_key=STRANGE&sign=x", "qimen: invalid signature: the signature does not match" + note,
		},
		"unknown app, no sign": {"app_key=STRANGE", "qimen: invalid signature: the query has no sign" + note},
		"known app, of another target": {
			"app_key=" + testApp + "&target_app_key=STRANGE&sign=x",
			"qimen: invalid signature: the signature does not match" + note,
		},
	} {
		var f office
		reply := f.handler(t).Handle(t.Context(), newPush(c.query, jsonType, event103))
		if err := f.last().Err; err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
		if !strings.Contains(f.log.String(), `"error":"`+c.want+`"`) || strings.Contains(f.log.String(), "STRANGE") {
			t.Errorf("%s: log %s", name, &f.log)
		}
		if string(reply.Body) != bodyBadSignature {
			t.Errorf("%s: reply %s", name, reply.Body)
		}
	}
}
