package fliggytest

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"unicode/utf16"
)

// sign computes the signature of a call from what arrived. It is written from the
// description of the protocol and shares no code with the client, so that a
// mistake there cannot hide here. A parameter that came empty counts by its name;
// "sign" does not count. ok is false for a sign method that the protocol lacks.
func sign(method, secret string, params map[string]string, body []byte) (signature string, ok bool) {
	var base []byte
	for _, name := range signedNames(params) {
		base = append(base, name+params[name]...)
	}
	return digestOf(method, secret, append(base, body...))
}

// signedNames are the names of the parameters that are signed, in their order.
func signedNames(params map[string]string) []string {
	names := slices.SortedFunc(maps.Keys(params), byCodeUnit)
	return slices.DeleteFunc(names, func(name string) bool { return name == "sign" })
}

// digestOf signs a text. ok is false for a sign method that the protocol lacks.
func digestOf(method, secret string, base []byte) (signature string, ok bool) {
	var digest []byte
	switch method {
	case "md5":
		sum := md5.Sum(slices.Concat([]byte(secret), base, []byte(secret)))
		digest = sum[:]
	case "hmac":
		mac := hmac.New(md5.New, []byte(secret))
		mac.Write(base)
		digest = mac.Sum(nil)
	case "hmac-sha256":
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(base)
		digest = mac.Sum(nil)
	default:
		return "", false
	}
	return strings.ToUpper(hex.EncodeToString(digest)), true
}

// byCodeUnit orders names as Java does.
func byCodeUnit(a, b string) int {
	return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
}
