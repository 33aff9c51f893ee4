package rentcar

import (
	"errors"
	"fmt"

	"github.com/fliggy-go/rentcar/internal/top"
)

// A SignMethod is how a call is signed (sign_method).
type SignMethod string

// The sign methods of the gateway. HMACSHA256 is the default, the strongest and
// the fastest of them.
const (
	HMACSHA256 SignMethod = top.SignHMACSHA256 // hmac-sha256, keyed with the secret
	HMACMD5    SignMethod = top.SignHMAC       // hmac, which is HMAC-MD5 keyed with the secret
	MD5        SignMethod = top.SignMD5        // md5, of the text between the secret and itself
)

// Known tells whether the gateway knows the method.
func (m SignMethod) Known() bool { return m == HMACSHA256 || m == HMACMD5 || m == MD5 }

// Sign returns the signature of a call to the gateway: upper-case hex, 32 digits
// (MD5, HMACMD5) or 64 (HMACSHA256). It is what the client sends; use it, and
// SignBase, to find out why the gateway answers "Invalid signature" (code 25).
//
// params are all parameters of the call, those of the query and those of the
// form, as decoded text; "sign" and blank values are left out, as the platform
// leaves them out. body is the raw JSON, XML or batch body, and nil for a form.
func Sign(method SignMethod, secret string, params map[string]string, body []byte) (string, error) {
	if secret == "" {
		return "", errors.New("rentcar: sign: the app secret is empty")
	}
	if !method.Known() {
		return "", fmt.Errorf("rentcar: sign: unknown sign method %q: use %q, %q or %q", string(method), HMACSHA256, HMACMD5, MD5)
	}
	return top.Sign(string(method), secret, signedParams(params), body), nil
}

// SignBase returns the canonical text that Sign signs, before the secret comes
// in: the sorted names and values without separators, then the body.
func SignBase(params map[string]string, body []byte) string {
	return top.Base(signedParams(params), body)
}

// signedParams returns what is signed of the parameters, sorted.
func signedParams(params map[string]string) (list []top.Param) {
	for name, value := range params {
		if name != "sign" {
			list = append(list, top.Param{Name: name, Value: value})
		}
	}
	return top.Merge(list)
}
