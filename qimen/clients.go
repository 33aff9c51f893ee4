package qimen

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/fliggy-go/rentcar/internal/top"
)

// WithAllowedClients restricts the handler to clients whose address is in one of ranges. Other clients get the reply
// for a bad signature before their body is read (ReasonForbiddenClient). By default every address is allowed: a push is
// authenticated by its signature.
//
// Ranges are in CIDR notation: "140.205.144.0/24", "2001:db8::/32", or "192.0.2.1/32" for a single address. The client
// address is the peer of the connection. Behind a proxy that is the proxy: see [WithTrustedProxies]. [Handler.Handle]
// ignores this option, because it has no connection.
//
// The API taobao.top.ipout.get returns the addresses that the gateway pushes from, in the member ip_list: one text with
// all ranges. Its separator is not documented. Inferred: a comma. Drop empty pieces; NewHandler refuses any piece that
// is not a range.
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
			return errors.New("WithAllowedClients is given twice: pass all ranges in one option")
		}
		var err error
		c.clients.allowed, err = parseRanges("WithAllowedClients", ranges)
		return err
	}
}

// WithTrustedProxies sets the proxies in front of the handler, in CIDR notation, and the one header in which they pass
// on the address of the client, such as "X-Forwarded-For" or "X-Real-IP". The header counts only on connections from
// these proxies. All other headers are ignored, because a proxy may pass on what the client wrote. Each proxy must set
// or extend the header itself.
//
// The header is read from the right, where the last proxy wrote. Trusted proxies are skipped, and the first other
// address is the client. If all addresses are proxies, the client is the leftmost one. If the header is missing, it is
// the peer of the connection. If an entry on the way is not an address ("unknown"), the client is unknown.
func WithTrustedProxies(header string, ranges ...string) Option {
	return func(c *config) error {
		const option = "WithTrustedProxies"
		switch name := http.CanonicalHeaderKey(header); {
		case c.clients.header != "":
			return errors.New(option + " is given twice: pass all proxies and the header in one option")
		case name == "" || strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789-_") != "":
			return fmt.Errorf("%s: %s is not a header name: pass the one that your proxies set, such as X-Forwarded-For",
				option, top.Quote(header, 40))
		case name == "Forwarded":
			return errors.New(
				option + ": the header Forwarded is not supported: let the proxies set X-Forwarded-For or X-Real-IP",
			)
		default:
			c.clients.header = name
		}
		var err error
		c.clients.proxies, err = parseRanges(option, ranges)
		for _, p := range c.clients.proxies {
			if p.Bits() == 0 {
				err = errors.Join(
					err,
					fmt.Errorf(
						"%s: %v matches every client, which could then claim any address: pass the addresses of your proxies", option, p,
					),
				)
			}
		}
		return err
	}
}

// parseRanges parses CIDR notation. The error lists every invalid range.
func parseRanges(option string, ranges []string) ([]netip.Prefix, error) {
	if len(ranges) == 0 {
		return nil, fmt.Errorf("%s: no ranges: pass at least one, such as 192.0.2.0/24", option)
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
			// Addresses are unmapped before they are compared.
			if prefix = netip.PrefixFrom(addr.Unmap(), prefix.Bits()-96); prefix.Bits() < 0 {
				err = errors.New("it is wider than all of IPv4")
			}
		}
		if err != nil {
			problems = append(problems,
				fmt.Errorf("%s: %s is not an address range: use CIDR notation, such as 192.0.2.0/24 or 2001:db8::/32",
					option, top.Quote(text, 60)))
			continue
		}
		prefixes = append(prefixes, prefix.Masked())
	}
	return prefixes, errors.Join(problems...)
}

// maxHops limits the work that a forwarded header can cause.
const maxHops = 64

// clients decides which clients are allowed, and finds the client of a request.
type clients struct {
	allowed []netip.Prefix // nil allows every client
	header  string         // set by the proxies, in canonical form
	proxies []netip.Prefix
}

// admit returns the client of a request, or an error if it is not allowed. The address is unset if it is unknown.
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
	// RemoteAddr counts only in the form that net/http writes. Some middleware sets it to a bare address from a header
	// that anybody can send.
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, forbidden("the connection has no address with a port")
	}
	client := normalize(peer.Addr())
	lines := r.Header[c.header]
	entries, more := strings.Join(lines, ","), len(lines) > 0
	for hops := 1; more && within(c.proxies, client); hops++ {
		if hops > maxHops {
			return netip.Addr{}, forbidden("more than %d proxies in %s", maxHops, c.header)
		}
		comma := strings.LastIndexByte(entries, ',')
		if client = parseEntry(entries[comma+1:]); !client.IsValid() {
			return netip.Addr{}, forbidden("an entry of %s is no address", c.header)
		}
		entries, more = entries[:max(comma, 0)], comma >= 0
	}
	return client, nil
}

// maxEntry is longer than any address with its zone and port.
const maxEntry = 100

// parseEntry parses an address with or without brackets and port. It is unset if entry is not an address.
func parseEntry(entry string) netip.Addr {
	if entry = strings.Trim(entry, " \t"); len(entry) > maxEntry {
		return netip.Addr{}
	}
	if withPort, err := netip.ParseAddrPort(entry); err == nil {
		return normalize(withPort.Addr())
	}
	if n := len(entry); n > 2 && entry[0] == '[' && entry[n-1] == ']' && strings.Contains(entry, ":") {
		entry = entry[1 : n-1]
	}
	addr, _ := netip.ParseAddr(entry) // unset with an error
	return normalize(addr)
}

// normalize unmaps IPv4 addresses from IPv6 and drops the zone, which ranges do not have.
func normalize(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

func within(ranges []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(ranges, func(p netip.Prefix) bool { return p.Contains(addr) })
}
