package top

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"crypto/subtle"
	"hash"
	"slices"
	"strings"
	"sync"
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
		all = append(all, g...)
	}
	return Tidy(all)
}

// Tidy is Merge of one group, in place: of several parameters with one name the
// last stays.
func Tidy(params []Param) []Param {
	all, inOrder := params[:0], true
	for _, p := range params {
		if IsBlank(p.Name) || IsBlank(p.Value) {
			continue
		}
		if n := len(all); inOrder && n > 0 {
			inOrder = CompareNames(all[n-1].Name, p.Name) < 0
		}
		all = append(all, p)
	}
	if inOrder { // as the client's own parameters are
		return all
	}
	slices.SortStableFunc(all, func(a, b Param) int { return CompareNames(a.Name, b.Name) })
	out := all[:0]
	for i, p := range all {
		if i+1 < len(all) && all[i+1].Name == p.Name {
			continue // a later one replaces it
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
	d := NewDigest(method, secret)
	d.WriteParams(params)
	d.WriteBytes(body)
	return d.Sum()
}

// A Digest is a signature in the making. It is given the canonical text piece by
// piece, in any cut.
type Digest struct {
	pool   *sync.Pool // where it returns to
	hash   hash.Hash
	method string
	secret string
	n      int
	buf    [1024]byte // gathers short texts
}

// Digests are kept without anything of what they have signed.
var (
	md5Digests, sha256Digests sync.Pool

	zeros              [blockSize]byte
	innerPad, outerPad = [blockSize]byte(bytes.Repeat([]byte{0x36}, blockSize)), [blockSize]byte(bytes.Repeat([]byte{0x5C}, blockSize))
)

// blockSize is that of both hashes.
const blockSize = md5.BlockSize

// NewDigest begins a signature; Sum ends it.
func NewDigest(method, secret string) *Digest {
	pool, create := &md5Digests, md5.New
	if method == SignHMACSHA256 {
		pool, create = &sha256Digests, sha256.New
	}
	d, ok := pool.Get().(*Digest)
	if !ok {
		d = &Digest{pool: pool, hash: create()}
	}
	d.method, d.secret = method, secret
	switch method {
	case SignMD5:
		d.WriteString(secret)
	case SignHMAC, SignHMACSHA256:
		d.writeKey(&innerPad)
	}
	return d
}

// writeKey writes the block that HMAC derives from its key (RFC 2104).
func (d *Digest) writeKey(pad *[blockSize]byte) {
	n := len(d.secret)
	if n <= blockSize {
		copy(d.buf[:], d.secret)
	} else { // nothing has been written to the hash yet
		_, _ = d.hash.Write([]byte(d.secret))
		n = len(d.hash.Sum(d.buf[:0]))
		d.hash.Reset()
	}
	clear(d.buf[n:blockSize])
	subtle.XORBytes(d.buf[:blockSize], d.buf[:blockSize], pad[:])
	d.n = blockSize
}

// Clone returns a digest of the same text so far. It is false where the hash cannot
// do that, as those of the standard library can.
func (d *Digest) Clone() (*Digest, bool) {
	h, ok := d.hash.(hash.Cloner)
	if !ok {
		return nil, false
	}
	other, err := h.Clone()
	if err != nil {
		return nil, false
	}
	c := *d
	c.hash = other
	return &c, true
}

// Close wipes a digest that is not summed.
func (d *Digest) Close() {
	d.forget()
	d.pool.Put(d)
}

// WriteParams writes names and values without separators.
func (d *Digest) WriteParams(params []Param) {
	for _, p := range params {
		d.WriteString(p.Name)
		d.WriteString(p.Value)
	}
}

// WriteString writes a piece of text.
func (d *Digest) WriteString(s string) {
	for len(s) > 0 {
		if d.n == len(d.buf) {
			d.flush()
		}
		n := copy(d.buf[d.n:], s)
		d.n += n
		s = s[n:]
	}
}

// WriteBytes is WriteString.
func (d *Digest) WriteBytes(b []byte) {
	if len(b) > len(d.buf)-d.n {
		d.flush()
	}
	if len(b) > len(d.buf) {
		_, _ = d.hash.Write(b)
		return
	}
	d.n += copy(d.buf[d.n:], b)
}

func (d *Digest) flush() {
	_, _ = d.hash.Write(d.buf[:d.n])
	d.n = 0
}

// Sum ends the signature and gives it. The digest must not be used again.
func (d *Digest) Sum() string {
	var text [2 * sha256.Size]byte
	return string(d.AppendSum(text[:0]))
}

// AppendSum is Sum that appends to dst.
func (d *Digest) AppendSum(dst []byte) []byte {
	keyed := d.method == SignHMAC || d.method == SignHMACSHA256
	if !keyed {
		d.WriteString(d.secret)
	}
	d.flush()
	sum := d.hash.Sum(d.buf[blockSize:blockSize])
	if keyed {
		d.hash.Reset()
		d.writeKey(&outerPad)
		d.n += len(sum) // it stands behind the key
		d.flush()
		sum = d.hash.Sum(d.buf[:0])
	}
	for _, b := range sum {
		dst = append(dst, upperHex[b>>4], upperHex[b&15])
	}
	d.Close()
	return dst
}

// forget wipes the secret, and what the hash holds of an unfinished block.
func (d *Digest) forget() {
	d.hash.Reset()
	_, _ = d.hash.Write(zeros[:blockSize-1])
	d.hash.Reset()
	clear(d.buf[:])
	d.secret, d.n = "", 0
}
