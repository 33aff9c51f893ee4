package top

import (
	"bufio"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"hash"
	"slices"
	"strings"
)

// The sign methods of a call to the gateway, spelt as on the wire.
const (
	SignMD5        = "md5"
	SignHMAC       = "hmac"
	SignHMACSHA256 = "hmac-sha256"
)

// A Param is one parameter, its value as decoded text.
type Param struct{ Name, Value string }

// Merge joins groups of parameters as the platform does before it signs: blank
// names and values fall away, later groups replace earlier ones of the same
// name, and the rest is sorted by UTF-16 code unit.
func Merge(groups ...[]Param) []Param {
	all := slices.Concat(groups...)
	all = slices.DeleteFunc(all, func(p Param) bool { return IsBlank(p.Name) || IsBlank(p.Value) })
	slices.SortStableFunc(all, func(a, b Param) int { return CompareNames(a.Name, b.Name) })
	out := all[:0]
	for i, p := range all {
		if i+1 == len(all) || all[i+1].Name != p.Name { // else a later one replaces it
			out = append(out, p)
		}
	}
	return out
}

// Sign returns the signature of merged parameters and a raw body: upper-case
// hex, 32 digits (md5, hmac) or 64 (hmac-sha256). The canonical text is names and
// values without separators, then the body as it is. A method spelt in any other way
// is signed as the official Java SDK signs it, MD5 over text and secret.
func Sign(method, secret string, params []Param, body []byte) string {
	var sum hash.Hash
	before, after := "", ""
	switch method {
	case SignHMAC:
		sum = hmac.New(md5.New, []byte(secret))
	case SignHMACSHA256:
		sum = hmac.New(sha256.New, []byte(secret))
	case SignMD5:
		sum, before, after = md5.New(), secret, secret
	default:
		sum, after = md5.New(), secret
	}
	w := bufio.NewWriterSize(sum, 512) // a hash takes no strings; it never fails
	_, _ = w.WriteString(before)
	for _, p := range params {
		_, _ = w.WriteString(p.Name)
		_, _ = w.WriteString(p.Value)
	}
	_, _ = w.Write(body)
	_, _ = w.WriteString(after)
	_ = w.Flush()
	return fmt.Sprintf("%X", sum.Sum(nil))
}

// Base returns the canonical text of merged parameters and a raw body.
func Base(params []Param, body []byte) string {
	var b strings.Builder
	for _, p := range params {
		b.WriteString(p.Name)
		b.WriteString(p.Value)
	}
	b.Write(body)
	return b.String()
}
