package qimen

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

type clientVectors struct {
	InRange []struct {
		IP, CIDR string
		Official any
		True     *bool `json:"true_cidr"`
	} `json:"ip_in_range"`
	RemoteIP []struct {
		Name       string
		RemoteAddr string `json:"remote_addr"`
		Headers    map[string]string
		Allowed    []string
		Official   bool
	} `json:"remote_ip"`
}

func readClientVectors(t *testing.T) (v clientVectors) {
	t.Helper()
	if err := json.Unmarshal(readFile(t, "vectors/spi.json"), &v); err != nil {
		t.Fatal(err)
	}
	if len(v.InRange) < 10 || len(v.RemoteIP) < 6 {
		t.Fatalf("only %d ranges and %d addresses", len(v.InRange), len(v.RemoteIP))
	}
	return v
}

// clientsOf returns the clients that options configure.
func clientsOf(opts ...Option) (*clients, error) {
	c := defaultConfig()
	for _, opt := range opts {
		if err := opt(&c); err != nil {
			return nil, err
		}
	}
	return &c.clients, nil
}

func mustClients(t testing.TB, opts ...Option) *clients {
	t.Helper()
	c, err := clientsOf(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func requestFrom(addr string, headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.RemoteAddr = addr
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

// The handler is right in every case: also where the official test of a range is wrong (.0 and .255 inside a range),
// and with an error of NewHandler where the official one throws.
func TestAllowedClientsVectorsAreTrueCIDR(t *testing.T) {
	t.Parallel()
	for _, c := range readClientVectors(t).InRange {
		clients, err := clientsOf(WithAllowedClients(c.CIDR))
		if c.True == nil {
			if err == nil {
				t.Errorf("%s: accepted", c.CIDR)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.CIDR, err)
			continue
		}
		client, err := clients.admit(requestFrom(c.IP + ":1"))
		if (err == nil) != *c.True || client.String() != c.IP {
			t.Errorf("%s in %s: %v, %v; want %v (official: %v)", c.IP, c.CIDR, client, err, *c.True, c.Official)
		}
	}
}

// The official check believes a header from anybody. The handler believes none until a proxy and its header are
// configured.
func TestRemoteAddressVectors(t *testing.T) {
	t.Parallel()
	const same, stricter, unmoved = "as the official check", "stricter than the official check",
		"not moved by a stranger's header, unlike the official check"
	kinds := map[string]struct {
		kind string
		want bool // without proxies
	}{
		"socket address used when no header":     {same, true},
		"X-Real-IP wins over the socket address": {unmoved, true},
		"spoofed X-Real-IP is believed":          {stricter, false},
		"'unknown' is skipped":                   {same, true},
		"empty list":                             {same + ", as an error of NewHandler", false},
		"X-Forwarded-For single":                 {stricter + ", until the proxy is named", false},
	}
	for _, c := range readClientVectors(t).RemoteIP {
		t.Run(c.Name+": "+kinds[c.Name].kind, func(t *testing.T) {
			t.Parallel()
			kind, ok := kinds[c.Name]
			if !ok {
				t.Fatal("a vector that is not judged")
			}
			if isSame := kind.want == c.Official; isSame != strings.HasPrefix(kind.kind, same) {
				t.Fatalf("official %v, ours %v", c.Official, kind.want)
			}
			clients, err := clientsOf(WithAllowedClients(c.Allowed...))
			if len(c.Allowed) == 0 {
				if err == nil || !strings.Contains(err.Error(), "no range") {
					t.Errorf("no range: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			r := requestFrom(c.RemoteAddr + ":40000")
			name, value := "", ""
			for name, value = range c.Headers {
				r.Header.Set(name, value)
			}
			if client, err := clients.admit(r); (err == nil) != kind.want || client.String() != c.RemoteAddr {
				t.Errorf("without proxies: %v, %v", client, err)
			}
			if name == "" {
				return
			}
			// With the other end named as a proxy that sets this header, the answer is the
			// official one, except that "unknown" hides the client.
			named := mustClients(t, WithAllowedClients(c.Allowed...), WithTrustedProxies(name, c.RemoteAddr+"/32"))
			if client, err := named.admit(r); (err == nil) != (c.Official && value != "unknown") {
				t.Errorf("behind a proxy: %v, %v", client, err)
			}
		})
	}
}

func TestFindClient(t *testing.T) {
	t.Parallel()
	const xff = "X-Forwarded-For"
	proxies := []string{"10.0.0.0/8", "fd00::/8"}
	for _, c := range []struct {
		name    string
		peer    string
		headers []string
		want    string // empty where the client is not known
	}{
		{"no proxy", "192.0.2.1:1", nil, "192.0.2.1"},
		{"no proxy, IPv6", "[2001:db8::1]:1", nil, "2001:db8::1"},
		{"IPv4 in IPv6", "[::ffff:192.0.2.1]:1", nil, "192.0.2.1"},
		{"zone", "[fe80::1%eth0]:1", nil, "fe80::1"},
		{"header of a stranger", "192.0.2.1:1", []string{xff, "198.51.100.1"}, "192.0.2.1"},
		{"one hop", "10.0.0.1:1", []string{xff, "192.0.2.1"}, "192.0.2.1"},
		{"proxy as IPv4 in IPv6", "[::ffff:10.0.0.1]:1", []string{xff, "192.0.2.1"}, "192.0.2.1"},
		{"proxy with IPv6", "[fd00::1]:1", []string{xff, "2001:db8::1"}, "2001:db8::1"},
		{"proxy with a zone", "[fd00::1%eth0]:1", []string{xff, "192.0.2.1"}, "192.0.2.1"},
		{"spoofed left of it", "10.0.0.1:1", []string{xff, "140.205.144.7, 192.0.2.1"}, "192.0.2.1"},
		{"two proxies", "10.0.0.1:1", []string{xff, "140.205.144.7, 192.0.2.1,10.0.0.2"}, "192.0.2.1"},
		{
			"a proxy named by the client", "10.0.0.1:1", []string{xff, "140.205.144.7, 10.0.0.3, 192.0.2.1, 10.0.0.2"},
			"192.0.2.1",
		},
		{"several lines", "10.0.0.1:1", []string{xff, "140.205.144.7", xff, "192.0.2.1", xff, "10.0.0.2"}, "192.0.2.1"},
		{
			"several lines and entries", "10.0.0.1:1", []string{xff, "140.205.144.7,192.0.2.1", xff, "10.0.0.3, 10.0.0.2"},
			"192.0.2.1",
		},
		{"proxies only", "10.0.0.1:1", []string{xff, "10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"no header", "10.0.0.1:1", nil, "10.0.0.1"},
		{
			"another header", "10.0.0.1:1",
			[]string{"X-Real-IP", "192.0.2.1", "Forwarded", "for=192.0.2.2", "X-Forwarded-Fo", "192.0.2.3"}, "10.0.0.1",
		},
		{"port", "10.0.0.1:1", []string{xff, "192.0.2.1:443"}, "192.0.2.1"},
		{"brackets", "10.0.0.1:1", []string{xff, "[2001:db8::1]"}, "2001:db8::1"},
		{"brackets and port", "10.0.0.1:1", []string{xff, "[2001:db8::1]:443"}, "2001:db8::1"},
		{"IPv4 in IPv6, forwarded", "10.0.0.1:1", []string{xff, "::ffff:192.0.2.1"}, "192.0.2.1"},
		{"trusted as IPv4 in IPv6", "10.0.0.1:1", []string{xff, "192.0.2.1, [::ffff:10.0.0.2]:1"}, "192.0.2.1"},
		{"zone, forwarded", "10.0.0.1:1", []string{xff, "fe80::1%eth0"}, "fe80::1"},
		{"blanks", "10.0.0.1:1", []string{xff, " \t192.0.2.1\t "}, "192.0.2.1"},
		{"garbage left of the client", "10.0.0.1:1", []string{xff, "unknown, ,x, 192.0.2.1"}, "192.0.2.1"},
		{"unknown", "10.0.0.1:1", []string{xff, "unknown"}, ""},
		{"unknown behind a proxy", "10.0.0.1:1", []string{xff, "192.0.2.1, unknown, 10.0.0.2"}, ""},
		{"empty", "10.0.0.1:1", []string{xff, ""}, ""},
		{"empty entry", "10.0.0.1:1", []string{xff, "192.0.2.1,"}, ""},
		{"empty line", "10.0.0.1:1", []string{xff, "192.0.2.1", xff, ""}, ""},
		{"host name", "10.0.0.1:1", []string{xff, "gateway.example"}, ""},
		{"leading zero", "10.0.0.1:1", []string{xff, "192.0.2.01"}, ""},
		{"short", "10.0.0.1:1", []string{xff, "192.0.2"}, ""},
		{"range", "10.0.0.1:1", []string{xff, "192.0.2.0/24"}, ""},
		{"brackets around IPv4", "10.0.0.1:1", []string{xff, "[192.0.2.1]"}, ""},
		{"brackets around IPv4 and port", "10.0.0.1:1", []string{xff, "[192.0.2.1:1]"}, ""},
		{"open bracket", "10.0.0.1:1", []string{xff, "[2001:db8::1"}, ""},
		{"two brackets", "10.0.0.1:1", []string{xff, "[[2001:db8::1]]"}, ""},
		{"only brackets", "10.0.0.1:1", []string{xff, "[]"}, ""},
		{"quotes", "10.0.0.1:1", []string{xff, `"192.0.2.1"`}, ""},
		{"RFC 7239", "10.0.0.1:1", []string{xff, "for=192.0.2.1"}, ""},
		{"semicolons", "10.0.0.1:1", []string{xff, "192.0.2.1;10.0.0.2"}, ""},
		{"endless zone", "10.0.0.1:1", []string{xff, "fe80::1%" + strings.Repeat("x", 200)}, ""},
		{"64 proxies", "10.0.0.1:1", []string{xff, "192.0.2.1" + strings.Repeat(",10.0.0.2", 63)}, "192.0.2.1"},
		{"65 proxies", "10.0.0.1:1", []string{xff, "192.0.2.1" + strings.Repeat(",10.0.0.2", 64)}, ""},
		{"no address", "", nil, ""},
		{"Unix socket", "@", []string{xff, "192.0.2.1"}, ""},
		{"pipe", "pipe", nil, ""},
		{"rewritten by middleware", "140.205.144.7", nil, ""},
		{"host name as peer", "gateway.example:80", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := requestFrom(c.peer, c.headers...)
			everybody := []string{"0.0.0.0/0", "::/0"}
			for _, opts := range [][]Option{
				{WithTrustedProxies(xff, proxies...), WithAllowedClients(everybody...)},
				{WithAllowedClients(everybody...), WithTrustedProxies("x-forwarded-for", proxies...)},
			} {
				client, err := mustClients(t, opts...).admit(r)
				if c.want == "" {
					if err == nil || client.IsValid() || reasonOf(err) != ReasonForbiddenClient || len(err.Error()) > 100 {
						t.Errorf("%v, %v", client, err)
					}
				} else if err != nil || client.String() != c.want {
					t.Errorf("%v, %v; want %s", client, err, c.want)
				}
			}
			// Without a list nobody is refused.
			if client, err := mustClients(
				t, WithTrustedProxies(xff, proxies...),
			).admit(r); err != nil || client.IsValid() != (c.want != "") {
				t.Errorf("without a list: %v, %v", client, err)
			}
		})
	}
}

func TestClientOptions(t *testing.T) {
	t.Parallel()
	allow, trust := WithAllowedClients, WithTrustedProxies
	for _, c := range []struct {
		name string
		opts []Option
		want []string // of the error; none where it is fine
	}{
		{"ranges", []Option{allow("140.205.144.0/24", " 2001:db8::/32 ", "::ffff:192.0.2.0/120", "192.0.2.7/24")}, nil},
		{"no range", []Option{allow()}, []string{"WithAllowedClients: no range"}},
		{
			"bare address", []Option{allow("1.2.3.4")},
			[]string{"WithAllowedClients: 1.2.3.4 is a bare address: write 1.2.3.4/32"},
		},
		{
			"bare IPv6 address", []Option{allow("2001:DB8::1")},
			[]string{"2001:db8::1 is a bare address: write 2001:db8::1/128"},
		},
		{"bare IPv4 in IPv6", []Option{allow("::ffff:1.2.3.4")}, []string{"write 1.2.3.4/32"}},
		{"everything wrong", []Option{
			allow(
				"x", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/024", "01.2.3.4/8", "fe80::1%eth0/64", "fe80::1%eth0", "",
				"::ffff:0.0.0.0/90", "1.2.3.0-1.2.3.9", "1.2.3.*", "1.2.3.4/255.255.255.0",
			),
		}, []string{
			`"x" is not an address range`, `"1.2.3.4/33"`, `"1.2.3.4/-1"`, `"1.2.3.4/024"`, `"01.2.3.4/8"`, `"fe80::1%eth0/64"`,
			`"fe80::1%eth0"`, `"" is not an address range`, `"::ffff:0.0.0.0/90"`, `"1.2.3.0-1.2.3.9"`, `"1.2.3.*"`,
			`"1.2.3.4/255.255.255.0"`,
		}},
		{"twice", []Option{allow("1.2.3.0/24"), allow("1.2.4.0/24")}, []string{"WithAllowedClients is given twice"}},
		{"proxies", []Option{trust("X-Real-IP", "10.0.0.0/8")}, nil},
		{"no proxy", []Option{trust("X-Real-IP")}, []string{"WithTrustedProxies: no range"}},
		{
			"bare proxy", []Option{trust("X-Real-IP", "10.0.0.1")},
			[]string{"WithTrustedProxies: 10.0.0.1 is a bare address: write 10.0.0.1/32"},
		},
		{"no header", []Option{trust("", "10.0.0.0/8")}, []string{`"" is not a header name`}},
		{"two headers", []Option{trust("X-Real-IP, X-Forwarded-For", "10.0.0.0/8")}, []string{"is not a header name"}},
		{"RFC 7239", []Option{trust("forwarded", "10.0.0.0/8")}, []string{"the header Forwarded is not supported"}},
		{
			"everybody", []Option{trust("X-Real-IP", "0.0.0.0/0", "::/0")},
			[]string{"0.0.0.0/0 matches every client", "::/0 matches every client"},
		},
		{
			"proxies twice", []Option{trust("X-Real-IP", "10.0.0.0/8"), trust("X-Real-IP", "10.0.0.0/8")},
			[]string{"WithTrustedProxies is given twice"},
		},
	} {
		h, err := NewHandler(testSecrets, append(newDesk().options(), c.opts...)...)
		if (err == nil) != (c.want == nil) || (h == nil) != (err != nil) {
			t.Errorf("%s: %v", c.name, err)
		}
		for _, want := range c.want {
			if err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q lacks %q", c.name, err, want)
			}
		}
	}
}

// A client that is not allowed gets the reply for a bad signature, and its body is not read; the observer and the log
// have its address.
func TestHandlerForbidsClients(t *testing.T) {
	t.Parallel()
	var s seen
	h := s.handler(t, WithAllowedClients("140.205.144.0/24"), WithTrustedProxies("X-Real-IP", "10.0.0.0/8"))
	signed := mustSign(t, newPush(eventQuery, jsonType, event103), testSecret)
	for _, c := range []struct {
		peer, header, client string
		reason               Reason
	}{
		{"140.205.144.255:1", "", "140.205.144.255", ReasonAccepted},
		{"10.0.0.1:1", "140.205.144.0", "140.205.144.0", ReasonAccepted},
		{"140.205.145.1:1", "140.205.144.1", "140.205.145.1", ReasonForbiddenClient},
		{"10.0.0.1:1", "8.8.8.8", "8.8.8.8", ReasonForbiddenClient},
		{"10.0.0.1:1", "unknown", "invalid IP", ReasonForbiddenClient},
	} {
		r := request(signed)
		if c.reason != ReasonAccepted {
			r = brokenRequest(signed) // would be unreadable
		}
		r.RemoteAddr = c.peer
		r.Header.Set("X-Real-IP", c.header)
		s.observed = nil
		s.log.Reset()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		o := s.observed[0]
		if o.Reason != c.reason || o.Client.String() != c.client ||
			(w.Body.String() == bodyBadSignature) != (c.reason != ReasonAccepted) {
			t.Errorf("%s %s: reply %s, observed %+v", c.peer, c.header, w.Body, o)
		}
		if want := `"client":"` + strings.ReplaceAll(
			c.client, "invalid IP", "",
		) + `"`; !strings.Contains(s.log.String(), want) {
			t.Errorf("%s %s: log %s lacks %s", c.peer, c.header, s.log.String(), want)
		}
	}
	if h.Handle(
		t.Context(), signed,
	); s.observed[len(s.observed)-1].Reason != ReasonAccepted || s.observed[len(s.observed)-1].Client.IsValid() {
		t.Errorf("Handle: %+v", s.observed)
	}
}

// Whatever a range says, its first and last addresses are in it and their neighbours are not.
func TestAllowedClientsProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.SampledFrom([]int{4, 16}).Draw(t, "bytes")
		addr, _ := netip.AddrFromSlice(rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "address"))
		addr = addr.Unmap()
		prefix := netip.PrefixFrom(addr, rapid.IntRange(0, addr.BitLen()).Draw(t, "bits"))
		clients, err := clientsOf(WithAllowedClients(prefix.String()))
		if err != nil {
			t.Fatal(err)
		}
		first := prefix.Masked().Addr()
		last := first.AsSlice()
		for bit := prefix.Bits(); bit < addr.BitLen(); bit++ {
			last[bit/8] |= 0x80 >> (bit % 8)
		}
		end, _ := netip.AddrFromSlice(last)
		for a, want := range map[netip.Addr]bool{addr: true, first: true, end: true, first.Prev(): false, end.Next(): false} {
			if !a.IsValid() || a.Is4In6() { // which stands for an IPv4 address
				continue
			}
			if _, err := clients.admit(requestFrom(netip.AddrPortFrom(a, 1).String())); (err == nil) != want {
				t.Fatalf("%v in %v: %v", a, prefix, err)
			}
		}
	})
}

// FuzzClient sends any headers through a proxy and past it: there is no panic, the address is that of the connection or
// stands in the one header, a header counts only behind a trusted proxy, and what is left of the first stranger never
// counts.
func FuzzClient(f *testing.F) {
	f.Add("10.0.0.1:1", "192.0.2.1", "", "203.0.113.9")
	f.Add("10.0.0.1:1", "140.205.144.7, 192.0.2.1:80", "[fd00::2%eth0]:1, ::ffff:10.0.0.2", "")
	f.Add("[::ffff:10.0.0.1]:1", "unknown,,[::1", "10.0.0.9", "x")
	f.Add("192.0.2.1:1", "10.0.0.1", "10.0.0.1", "10.0.0.1")
	f.Add("@", "\x00", "fe80::1%\xff", "")
	f.Fuzz(func(t *testing.T, peer, first, second, other string) {
		c := mustClients(
			t, WithTrustedProxies("X-Forwarded-For", "10.0.0.0/8", "fd00::/8"), WithAllowedClients("0.0.0.0/0", "::/0"),
		)
		find := func(lines ...string) netip.Addr {
			r := requestFrom(peer)
			r.Header = http.Header{"X-Forwarded-For": lines, "X-Real-Ip": {other}, "Forwarded": {"for=" + other}}
			client, err := c.admit(r)
			if client.IsValid() != (err == nil) || client.Is4In6() || client.Zone() != "" {
				t.Fatalf("%v, %v", client, err)
			}
			return client
		}
		client := find(first, second)
		direct := find()
		if client != direct && direct.IsValid() && !within(c.proxies, direct) {
			t.Fatalf("%v is believed to serve %v", direct, client)
		}
		if !client.IsValid() {
			return
		}
		entries := strings.Split(first+","+second, ",")
		held := func(e string) bool {
			e = strings.Trim(e, " \t")
			withPort, _ := netip.ParseAddrPort(e)
			bare, _ := netip.ParseAddr(strings.Trim(e, "[]"))
			return client == normalize(withPort.Addr()) || client == normalize(bare)
		}
		if client != direct && !slices.ContainsFunc(entries, held) {
			t.Fatalf("%v is neither %v nor in %q", client, direct, entries)
		}
		// A stranger's own words stand to the left of where the proxy put its address.
		if !within(c.proxies, client) {
			if forged := find("140.205.144.7, "+first, second); forged != client {
				t.Fatalf("%v becomes %v", client, forged)
			}
		}
		if again := find(first + "," + second); again != client {
			t.Fatalf("%v in two lines, %v in one", client, again)
		}
	})
}
