package qimen

import (
	"errors"
	"testing"
)

// The secret is that of target_app_key, else of app_key; if the app is unknown, all are tried.
func TestVerifyPushFindsSecret(t *testing.T) {
	t.Parallel()
	secrets := Secrets{"1": {"one", "one-old"}, "2": {"two"}, "3": {"two"}}
	for _, c := range []struct{ name, query, secret, app string }{
		{"app_key", "app_key=1", "one", "1"},
		{"previous secret", "app_key=1", "one-old", "1"},
		{"target first", "app_key=1&target_app_key=2", "two", "2"},
		{"blank target", "app_key=3&target_app_key=", "two", "3"},
		{"caller's key", "app_key=999", "one-old", "1"},
		{"unknown target", "app_key=1&target_app_key=999", "one", "1"},
		{"no key", "a=1", "one", "1"},
		{"same secret twice", "app_key=3", "two", "3"},
		{"same secret, unknown key", "app_key=999", "two", "2"},
		{"secret of another app", "app_key=1", "two", ""},
		{"app_key does not count beside a known target", "app_key=1&target_app_key=2", "one", ""},
		{"unknown secret", "app_key=1", "three", ""},
		{"unknown secret, unknown key", "app_key=999", "three", ""},
	} {
		d, err := VerifyPush(mustSign(t, newPush(c.query, "text/plain", "x"), c.secret), secrets)
		if c.app == "" {
			if !errors.Is(err, ErrInvalidSignature) || reasonOf(err) != ReasonBadSignature {
				t.Errorf("%s: %v, %v", c.name, d, err)
			}
			continue
		}
		if err != nil || d.AppKey != c.app {
			t.Errorf("%s: %v, %v; want app %s", c.name, d, err, c.app)
		}
	}
}

func TestVerifyPushRefusesBadSecrets(t *testing.T) {
	t.Parallel()
	p := mustSign(t, newPush(stdQuery, "text/plain", "x"), testSecret)
	for _, secrets := range []Secrets{
		nil, {}, {testApp: nil}, {testApp: {""}}, {testApp: {testSecret, " "}}, {" ": {testSecret}},
	} {
		if d, err := VerifyPush(p, secrets); !errors.Is(err, ErrInvalidSignature) || d != nil {
			t.Errorf("%d apps: %v, %v", len(secrets), d, err)
		}
	}
}
