package top

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
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
	n := 0
	for _, g := range groups {
		n += len(g)
	}
	all := make([]Param, 0, n)
	for _, g := range groups {
		for _, p := range g {
			if !IsBlank(p.Name) && !IsBlank(p.Value) {
				all = append(all, p)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Param) int { return CompareNames(a.Name, b.Name) })
	out := all[:0]
	for i, p := range all {
		if i+1 < len(all) && all[i+1].Name == p.Name {
			continue // a later group names it again
		}
		out = append(out, p)
	}
	return out
}

// Base returns the canonical text of merged parameters and a raw body: names
// and values without separators, then the body as it is.
func Base(params []Param, body []byte) string {
	var b strings.Builder
	for _, p := range params {
		b.WriteString(p.Name)
		b.WriteString(p.Value)
	}
	b.Write(body)
	return b.String()
}

// Sign returns the signature of merged parameters and a raw body: upper-case
// hex, 32 digits (md5, hmac) or 64 (hmac-sha256). A method spelt in any other
// way is signed as the official Java SDK signs it, MD5 over base and secret.
func Sign(method, secret string, params []Param, body []byte) string {
	var h hash.Hash
	switch method {
	case SignHMAC:
		h = hmac.New(md5.New, []byte(secret))
	case SignHMACSHA256:
		h = hmac.New(sha256.New, []byte(secret))
	default:
		h = md5.New()
	}
	if method == SignMD5 {
		_, _ = io.WriteString(h, secret)
	}
	for _, p := range params {
		_, _ = io.WriteString(h, p.Name)
		_, _ = io.WriteString(h, p.Value)
	}
	_, _ = h.Write(body)
	if method != SignHMAC && method != SignHMACSHA256 {
		_, _ = io.WriteString(h, secret)
	}
	var sum [sha256.Size]byte
	return strings.ToUpper(hex.EncodeToString(h.Sum(sum[:0])))
}
