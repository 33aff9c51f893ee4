package qimen

import (
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/fliggy-go/rentcar/internal/top"
)

// WithAllowedClients serves only clients whose address lies in one of ranges. All
// others get the reply for a bad signature, before their body is read
// (ReasonForbiddenClient). Without it every address is served: what lets a push in is
// its signature.
//
// Ranges are in CIDR notation: "140.205.144.0/24", "2001:db8::/32", for a single
// address "192.0.2.1/32". The client is the other end of the connection, which for a
// handler behind a proxy is the proxy: see [WithTrustedProxies]. [Handler.Handle]
// knows no address and lets every push pass.
//
// The API taobao.top.ipout.get tells where the gateway's pushes come from, in the
// member ip_list: one text with all ranges. What stands between them is not
// documented; a comma is inferred. Drop empty pieces, and check what came: a range that
// is none stops NewHandler.
//
//	var reply struct {
//		IPList string `top:"ip_list"`
//	}
//	err := client.Call(ctx, "taobao.top.ipout.get", nil, &reply, rentcar.CallReadOnly())
//	...
//	qimen.WithAllowedClients(strings.Split(reply.IPList, ",")...)
func WithAllowedClients(ranges ...string) Option {
	return func(c *config) error {
		if c.clients.allowed != nil {
			return errors.New("WithAllowedClients is given twice: name all ranges in one")
		}
		var err error
		c.clients.allowed, err = parseRanges("WithAllowedClients", ranges)
		return err
	}
}

// WithTrustedProxies names the proxies in front of the handler, by their addresses in
// CIDR notation, and the one header in which they tell whom they serve, such as
// "X-Forwarded-For" or "X-Real-IP". The header counts only on connections from these
// proxies; no other header ever does, since a proxy may pass on what the client wrote
// into it. Each proxy has to set or extend that header itself.
//
// The header is read from its right end, where the last proxy wrote: trusted proxies
// are skipped, and the first other address is the client. Where there are only
// proxies, the first of them is, and where the header is missing, the other end of
// the connection. An entry on the way that is no address ("unknown") hides who the
// client is.
func WithTrustedProxies(header string, ranges ...string) Option {
	return func(c *config) error {
		const option = "WithTrustedProxies"
		switch name := http.CanonicalHeaderKey(header); {
		case c.clients.header != "":
			return errors.New(option + " is given twice: name all proxies, and the one header, in one")
		case name == "" || strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789-_") != "":
			return fmt.Errorf("%s: %s is no name of a header: name the one that your proxies set, such as X-Forwarded-For",
				option, top.Quote(header, 40))
		case name == "Forwarded":
			return errors.New(option + ": the header Forwarded is not supported: let the proxies set X-Forwarded-For or X-Real-IP")
		default:
			c.clients.header = name
		}
		var err error
		c.clients.proxies, err = parseRanges(option, ranges)
		for _, p := range c.clients.proxies {
			if p.Bits() == 0 {
				err = errors.Join(err, fmt.Errorf("%s: %v is everybody, who could then claim any address: name your proxies", option, p))
			}
		}
		return err
	}
}

// parseRanges reads CIDR notation. The error lists everything that is wrong.
func parseRanges(option string, ranges []string) ([]netip.Prefix, error) {
	if len(ranges) == 0 {
		return nil, fmt.Errorf("%s: no range: name at least one, such as 192.0.2.0/24", option)
	}
	var prefixes []netip.Prefix
	var problems []error
	for _, text := range ranges {
		text = strings.TrimSpace(text)
		prefix, err := netip.ParsePrefix(text)
		if addr, bare := netip.ParseAddr(text); bare == nil && addr.Zone() == "" {
			addr = addr.Unmap()
			problems = append(problems, fmt.Errorf("%s: %v is a bare address: write %v/%d", option, addr, addr, addr.BitLen()))
			continue
		}
		if addr := prefix.Addr(); err == nil && addr.Is4In6() {
			// Addresses are compared without this envelope.
			if prefix = netip.PrefixFrom(addr.Unmap(), prefix.Bits()-96); prefix.Bits() < 0 {
				err = errors.New("it is wider than all of IPv4")
			}
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %s is no range of addresses: want CIDR notation, such as 192.0.2.0/24 or 2001:db8::/32",
				option, top.Quote(text, 60)))
			continue
		}
		prefixes = append(prefixes, prefix.Masked())
	}
	return prefixes, errors.Join(problems...)
}

// maxHops bounds the work that a forwarded header can cause.
const maxHops = 64

// clients says whom a handler serves, and how it learns who a client is.
type clients struct {
	allowed []netip.Prefix // nil for everybody
	header  string         // of the proxies, in canonical form
	proxies []netip.Prefix
}

// admit finds the client of a request, and refuses it where it is not allowed. The
// address is unset where it is not known.
func (c *clients) admit(r *http.Request) (netip.Addr, error) {
	client, err := c.find(r)
	switch {
	case c.allowed == nil:
		return client, nil
	case err != nil:
		return client, err
	case !within(c.allowed, client):
		return client, forbidden("%v is in none of the allowed ranges", client)
	}
	return client, nil
}

// find follows the proxies from the connection back to the client.
func (c *clients) find(r *http.Request) (netip.Addr, error) {
	// Only what net/http writes counts, not the bare address that some middleware
	// takes from a header anybody can send.
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, forbidden("the connection has no address with a port")
	}
	client := plain(peer.Addr())
	hops := 0
	for entry := range fromRight(r.Header[c.header]) {
		if !within(c.proxies, client) {
			break
		}
		if hops++; hops > maxHops {
			return netip.Addr{}, forbidden("more than %d proxies in %s", maxHops, c.header)
		}
		if client = parseEntry(entry); !client.IsValid() {
			return netip.Addr{}, forbidden("an entry of %s is no address", c.header)
		}
	}
	return client, nil
}

// fromRight gives the entries of a header that may come in several lines, the last one
// first.
func fromRight(lines []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, line := range slices.Backward(lines) {
			for comma := len(line); comma >= 0; {
				line = line[:comma]
				comma = strings.LastIndexByte(line, ',')
				if !yield(line[comma+1:]) {
					return
				}
			}
		}
	}
}

// maxEntry is longer than any address with its zone and port.
const maxEntry = 100

// parseEntry reads an address, with or without brackets and port; unset where it is
// none.
func parseEntry(entry string) netip.Addr {
	if entry = strings.Trim(entry, " \t"); len(entry) > maxEntry {
		return netip.Addr{}
	}
	if withPort, err := netip.ParseAddrPort(entry); err == nil {
		return plain(withPort.Addr())
	}
	if n := len(entry); n > 2 && entry[0] == '[' && entry[n-1] == ']' && strings.Contains(entry, ":") {
		entry = entry[1 : n-1]
	}
	addr, _ := netip.ParseAddr(entry) // unset with an error
	return plain(addr)
}

// plain makes one of the forms of an address: IPv4 that is wrapped in IPv6 becomes
// IPv4, and a zone, which no range has, is dropped.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

func within(ranges []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(ranges, func(p netip.Prefix) bool { return p.Contains(addr) })
}
