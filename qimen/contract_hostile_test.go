package qimen

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
)

// allocated returns how many bytes work allocates, with whatever else runs.
func allocated(work func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	work()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A hostile push is signed, unless said otherwise, so that it gets as deep as it can.
type hostile struct {
	name       string
	push       *Push
	isUnsigned bool
	reason     Reason
	text       string // of the error
}

// wantHostile sends a push to a handler of all operations: it ends for the reason wanted, no function is called unless
// it is accepted, the reply is that of the table, and neither memory nor the log grow out of proportion.
func wantHostile(t *testing.T, c hostile) {
	t.Helper()
	p := c.push
	if c.isUnsigned {
		p.RawQuery += "&sign=6A82D904739F1E857F707FBB8065F0AF"
	} else {
		p = mustSign(t, p, testSecret)
	}
	k := newDesk()
	h := k.handler(t)
	r, w := request(p), httptest.NewRecorder()
	size := len(p.RawQuery) + len(p.Body)
	for name, values := range p.Header {
		size += len(name) + len(strings.Join(values, ""))
	}
	used := allocated(func() { h.ServeHTTP(w, r) })
	o := k.last(t)
	if o.Reason != c.reason || (o.Err == nil) != (c.text == "") || o.Err != nil && !strings.Contains(
		o.Err.Error(), c.text,
	) {
		t.Errorf("%s (%v), want %s with %q", o.Reason, o.Err, c.reason, c.text)
	}
	if called := k.calls + len(k.requests); (called == 1) != (c.reason == ReasonAccepted) || called > 1 {
		t.Errorf("%d calls", called)
	}
	if row := DefaultReplies()[c.reason]; c.reason != ReasonAccepted && (w.Code != row.Status ||
		!bytes.Equal(w.Body.Bytes(), row.Body)) {
		t.Errorf("reply %d %.300s", w.Code, w.Body)
	}
	share := 256
	if c.isUnsigned { // anybody can make us do this
		share = 128
	}
	if limit := uint64(share*size + 1<<20); used > limit {
		t.Errorf("%d KiB allocated for %d KiB", used>>10, size>>10)
	}
	if k.log.Len() > 2000 {
		t.Errorf("%d bytes logged", k.log.Len())
	}
}

func deep(n int, open, core, end string) string {
	return strings.Repeat(open, n) + core + strings.Repeat(end, n)
}

func distinct(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// messages are a right message for each method, as JSON without the closing brace.
var messages = map[string]string{
	DefaultEventMethod:  strings.TrimSuffix(event103, "}"),
	RenewalPricesMethod: strings.TrimSuffix(merchantBodies[RenewalPricesMethod], "}"),
	RenewalSubmitMethod: strings.TrimSuffix(merchantBodies[RenewalSubmitMethod], "}"),
	RenewalCancelMethod: strings.TrimSuffix(merchantBodies[RenewalCancelMethod], "}"),
}

const big = 1 << 18

func TestHostileJSON(t *testing.T) { // alone, since it measures memory
	const undecodable = ReasonUndecodable
	for _, method := range []string{DefaultEventMethod, RenewalSubmitMethod} { // the others are read as this one is
		start, query := messages[method], queryFor(method)
		digits := strings.Repeat("7", big)
		for _, c := range []struct {
			name, body string
			reason     Reason
			text       string
		}{
			{"objects", start + `,"x":` + deep(100_000, `{"a":`, "1", "}") + "}", undecodable, "nested deeper than 64"},
			{"lists", start + `,"x":` + deep(400_000, "[", "", "]") + "}", undecodable, "nested deeper than 64"},
			{"no end", deep(200_000, `{"a":`, "", ""), undecodable, "nested deeper than 64"},
			{"lists only", deep(500_000, "[", "", ""), undecodable, ""},
			{"just deep enough", start + `,"x":` + deep(60, "[", "", "]") + "}", ReasonAccepted, ""},
			{"list as id", start + `,"orderId":[1]}`, undecodable, "orderId"},
			{"exponent", start + `,"orderId":1e999999999}`, undecodable, "orderId"},
			{"long exponent", start + `,"orderId":1e` + digits + "}", undecodable, "orderId"},
			{"digits as type or flag", start + `,"eventType":` + digits + `,"isPressureTest":` + digits + "}", undecodable, ""},
			{"digits in a new place", start + `,"x":` + digits + "}", ReasonAccepted, ""},
			{"long name", start + `,"` + strings.Repeat("x", big) + `":1}`, ReasonAccepted, ""},
			{"too long name", start + `,"` + strings.Repeat("x", 1<<20) + `":1}`, ReasonTooLarge, "more than 1048576 bytes"},
			{"many names", start + distinct(60_000, `,"x%d":1`) + "}", ReasonAccepted, ""},
			{"escapes", start + `,"x":"` + strings.Repeat(`\u005c`, big/6) + `"}`, ReasonAccepted, ""},
			{"white space", strings.Repeat(" ", big), undecodable, ""},
			{"NUL", start + ",\"x\":\"\x00\"}", ReasonAccepted, ""},
			{"NUL behind", start + "}\x00", undecodable, "not JSON at byte"},
			{"NUL only", strings.Repeat("\x00", big), undecodable, ""},
			{"dots", "...", undecodable, ""},
			{"two messages", start + "}" + start + "}", undecodable, ""},
			{"null", "null", undecodable, ""},
			{"invalid UTF-8", start + ",\"x\":\"\xff\"}", undecodable, "not valid UTF-8"},
			{"overlong UTF-8", start + ",\"x\":\"\xc0\xaf\"}", undecodable, "not valid UTF-8"},
			{"only invalid UTF-8", strings.Repeat("\xff", big), undecodable, "not valid UTF-8"},
			{"byte order marks", "\uFEFF\uFEFF" + start + "}", undecodable, ""},
			{"UTF-16", "\xff\xfe{\x00}\x00", undecodable, "not valid UTF-8"},
		} {
			t.Run(method+" "+c.name, func(t *testing.T) {
				if c.reason != ReasonAccepted && c.text == "" {
					c.text = ": "
				}
				wantHostile(t, hostile{push: newPush(query, jsonType, c.body), reason: c.reason, text: c.text})
			})
		}
	}
	for member, method := range map[string]string{
		"renewalOrderTotalAmount": RenewalSubmitMethod, "penaltyAmount": RenewalCancelMethod,
		"carUseTime": RenewalPricesMethod, "cancelTime": RenewalCancelMethod,
	} {
		for _, value := range []string{
			"1e999999999", strings.Repeat("7", big), `"1e999999999"`, `"` + strings.Repeat("7", big) + `"`, "[]", "{}", "true",
		} {
			t.Run(fmt.Sprintf("%s %.12s", member, value), func(t *testing.T) {
				wantHostile(
					t,
					hostile{
						push: newPush(queryFor(method), jsonType, `{"orderId":"1","`+member+`":`+value+`}`), reason: undecodable,
						text: member,
					},
				)
			})
		}
	}
}

func TestHostileXML(t *testing.T) { // alone, since it measures memory
	laughs := `<!DOCTYPE r [<!ENTITY l0 "lol">`
	for i := range 20 {
		laughs += fmt.Sprintf(`<!ENTITY l%d "%s">`, i+1, strings.Repeat(fmt.Sprintf("&l%d;", i), 10))
	}
	good := "<orderId>1</orderId><outOrderId>FZ1</outOrderId>"
	long := strings.Repeat("x", big)
	for _, c := range []struct {
		name, body string
		reason     Reason
		text       string
	}{
		{"billion laughs", laughs + "]><r><orderId>&l20;</orderId></r>", ReasonUndecodable, "document type"},
		{
			"external entity", `<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r><orderId>&x;</orderId></r>`,
			ReasonUndecodable, "document type",
		},
		{
			"external document type", `<?xml version="1.0"?><!DOCTYPE r SYSTEM "http://192.0.2.1/x.dtd"><r>` + good + "</r>",
			ReasonUndecodable, "document type",
		},
		{"document type inside", "<r><!DOCTYPE x>" + good + "</r>", ReasonUndecodable, "document type"},
		{"document type behind", "<r>" + good + "</r><!DOCTYPE x>", ReasonUndecodable, "document type"},
		{"entity nobody declared", "<r><orderId>&x;</orderId></r>", ReasonUndecodable, "not XML"},
		{"depth", "<r>" + good + deep(100_000, "<x>", "", "</x>") + "</r>", ReasonUndecodable, "nested deeper than 64"},
		{"depth without an end", deep(300_000, "<x>", "", ""), ReasonUndecodable, "nested deeper than 64"},
		{
			"depth in a known member", "<r><orderId>" + deep(100_000, "<x>", "", "</x>") + "</orderId></r>", ReasonUndecodable,
			"nested deeper than 64",
		},
		{
			"JSON depth in XML", "<r>{\"x\":" + deep(100_000, "[", "", "]") + "}</r>", ReasonUndecodable,
			"nested deeper than 64",
		},
		{"attributes", "<r " + distinct(60_000, ` a%d="1"`) + ">" + good + "</r>", ReasonAccepted, ""},
		{"attributes in place of members", `<r orderId="1" outOrderId="FZ1"/>`, ReasonUndecodable, ""},
		{"long attribute", `<r a="` + long[:len(long)/2] + `">` + good + "</r>", ReasonAccepted, ""},
		{"long name", "<r>" + good + "<" + long[:len(long)/2] + "/></r>", ReasonAccepted, ""},
		{"long root", "<" + long + ">", ReasonUndecodable, "not XML"},
		{"many names", "<r>" + good + distinct(60_000, "<x%d/>") + "</r>", ReasonAccepted, ""},
		{"comments", "<r>" + good + strings.Repeat("<!---->", big/7-20) + "</r>", ReasonAccepted, ""},
		{"open comment", "<!--" + long, ReasonUndecodable, "not XML"},
		{"open CDATA", "<r><![CDATA[" + long, ReasonUndecodable, "not XML"},
		{"character that is none", "<r><orderId>&#0;</orderId></r>", ReasonUndecodable, "not XML"},
		{"huge character", "<r><orderId>&#" + strings.Repeat("9", 100_000) + ";</orderId></r>", ReasonUndecodable, "not XML"},
		{"NUL", "<r><orderId>\x00</orderId></r>", ReasonUndecodable, "not XML"},
		{"invalid UTF-8", "<r>" + good + "<x>\xff</x></r>", ReasonUndecodable, "not valid UTF-8"},
		{"a false charset", `<?xml version="1.0" encoding="UTF-16"?><r>` + good + "</r>", ReasonAccepted, ""},
		{"two documents", "<r>" + good + "</r><r>" + good + "</r>", ReasonUndecodable, "second root"},
		{
			"digits as time", "<r>" + good + "<carUseTime>" + strings.Repeat("7", big-200) + "</carUseTime></r>",
			ReasonUndecodable, "carUseTime",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.reason != ReasonAccepted && c.text == "" {
				c.text = ": "
			}
			wantHostile(
				t, hostile{push: newPush(queryFor(RenewalPricesMethod), "text/xml", c.body), reason: c.reason, text: c.text},
			)
		})
		t.Run(c.name+" as an event", func(t *testing.T) {
			wantHostile(t, hostile{push: newPush(eventQuery, "text/xml", c.body), reason: ReasonUndecodable, text: ": "})
		})
	}
}

func TestHostileForm(t *testing.T) { // alone, since it measures memory
	for method, good := range map[string]string{
		DefaultEventMethod:  "eventType=103&orderId=1",
		RenewalPricesMethod: "orderId=1&carUseTime=2023-02-04+10:00&carReturnTime=2023-02-05+10:00",
	} {
		for _, c := range []struct {
			name, body string
			reason     Reason
			text       string
		}{
			{"10001 fields", distinct(maxParams+1, "x%d=1&") + good, ReasonUnverifiable, "more than 10000 parameters"},
			{"as many as go", distinct(maxParams-10, "x%d=1&") + good, ReasonAccepted, ""},
			{
				"one field, again and again", good + strings.Repeat("&x=1", big/4-20), ReasonUnverifiable,
				"more than 10000 parameters",
			},
			{"separators", good + strings.Repeat("&", big), ReasonAccepted, ""},
			{"escapes", good + "&x=" + strings.Repeat("%41", big/3-30), ReasonAccepted, ""},
			{"escapes, one by one", good + "&x=" + strings.Repeat("%C3%A4a", big/7-30), ReasonAccepted, ""},
			{"long name", good + "&" + strings.Repeat("x", big) + "=1", ReasonAccepted, ""},
			{"too long name", good + "&" + strings.Repeat("x", 1<<20) + "=1", ReasonTooLarge, "more than 1048576 bytes"},
			{"malformed escape", good + "&x=%4", ReasonUnverifiable, "escape"},
			{"invalid UTF-8", good + "&x=%FF", ReasonUndecodable, "not valid UTF-8"},
			{"invalid UTF-8 in a name", good + "&%C0%AF=1", ReasonUndecodable, "not valid UTF-8"},
			{"dots", "...", ReasonUndecodable, ": "},
			{"nothing", "&&&", ReasonUndecodable, "gateway only"},
		} {
			t.Run(method+" "+c.name, func(t *testing.T) {
				p := newPush(queryFor(method), formPrefix, c.body)
				wantHostile(t, hostile{push: p, isUnsigned: c.reason == ReasonUnverifiable, reason: c.reason, text: c.text})
			})
		}
		for _, charset := range []string{"GBK", "GB18030", "GB2312"} {
			t.Run(method+" "+charset+", one by one", func(t *testing.T) {
				wantHostile(
					t,
					hostile{
						push:   newPush(queryFor(method), formPrefix+";charset="+charset, good+"&x="+strings.Repeat("%D6%D0a", big/7-30)),
						reason: ReasonAccepted,
					},
				)
			})
		}
	}
	field := func(value string) *Push { return newPush(eventQuery, formPrefix, "eventType=103&eventData="+value) }
	for name, value := range map[string]string{
		"depth in a field":   `{"x":` + deep(100_000, "[", "", "]") + "}",
		"objects in a field": deep(100_000, `{"x":`, "1", "}"),
	} {
		t.Run(name, func(t *testing.T) {
			wantHostile(t, hostile{push: field(value), reason: ReasonUndecodable, text: "nested deeper than 64"})
		})
	}
}

// What is refused before the body, or before anything is decoded: nobody has signed it.
func TestHostileHead(t *testing.T) { // alone, since it measures memory
	var spellings strings.Builder // of one name, each a parameter of its own
	for i := range 4000 {
		for bit := range 12 {
			spellings.WriteByte("xX"[i>>bit&1])
		}
		spellings.WriteByte(',')
	}
	name := strings.Repeat("x", 12)
	many := newPush(eventQuery, jsonType, event103)
	for i := range 100_000 {
		many.Header.Set(fmt.Sprintf("x-%d", i), "1")
	}
	lines := newPush(eventQuery, jsonType, event103, "top-sign-list", strings.Repeat("x,", 9000)+"x")
	lines.Header["X"] = strings.Split(strings.Repeat("1", 2000), "")
	mib := strings.Repeat("x", 1<<20)
	for _, c := range []hostile{
		{
			"10,001 parameters", newPush(eventQuery+strings.Repeat("&a", maxParams), jsonType, event103), true,
			ReasonUnverifiable, "more than 10000 parameters",
		},
		{"long query", newPush(eventQuery+"&a="+mib, jsonType, event103), true, ReasonUnverifiable, "more than 65536 bytes"},
		{
			"long name in the query", newPush(eventQuery+"&"+mib+"=1", jsonType, event103), true, ReasonUnverifiable,
			"more than 65536 bytes",
		},
		{
			"separators", newPush(eventQuery+strings.Repeat("&", 1<<20), jsonType, event103), true, ReasonUnverifiable,
			"more than 65536 bytes",
		},
		{
			"equals signs", newPush(eventQuery+"&"+strings.Repeat("=a", 32_000), jsonType, event103), true, ReasonBadSignature,
			"does not match",
		},
		{"NUL", newPush(eventQuery+"&a=%00", jsonType, event103), false, ReasonAccepted, ""},
		{"NUL in the timestamp", newPush(eventQuery+"%00", jsonType, event103), false, ReasonExpired, "want yyyy-MM-dd"},
		{
			"NUL in the method", newPush(strings.Replace(eventQuery, "notify", "notify%00", 1), jsonType, event103), false,
			ReasonUnknownMethod, "no function",
		},
		{
			"10,000 names", newPush(eventQuery, jsonType, event103, "top-sign-list", strings.Repeat("x,", maxParams-1)+"y"),
			false, ReasonAccepted, "",
		},
		{
			"10,000 different names", newPush(eventQuery, jsonType, event103, "top-sign-list", distinct(maxParams, "name%d,")),
			true, ReasonUnverifiable, "more than 65536 bytes",
		},
		{
			"10,001 names", newPush(eventQuery, jsonType, event103, "top-sign-list", strings.Repeat("x,", maxParams)+"y"), true,
			ReasonUnverifiable, "more than 10000 parameters",
		},
		{
			"commas", newPush(eventQuery, jsonType, event103, "top-sign-list", strings.Repeat(",", 60_000)), false,
			ReasonAccepted, "",
		},
		{
			"a megabyte of commas", newPush(eventQuery, jsonType, event103, "top-sign-list", strings.Repeat(",", 1<<20)), true,
			ReasonUnverifiable, "more than 65536 bytes",
		},
		{
			"one header 4000 times",
			newPush(eventQuery, jsonType, event103, "top-sign-list", strings.Repeat("x-u,", 4000), "x-u", mib[:1<<19]), true,
			ReasonUnverifiable, "more than 65536 bytes",
		},
		{
			"one header in 4000 spellings",
			newPush(eventQuery, jsonType, event103, "top-sign-list", spellings.String(), name, mib[:1<<19]), true,
			ReasonUnverifiable, "more than 65536 bytes",
		},
		{
			"many fields", newPush(eventQuery, formPrefix, distinct(maxParams-10, "%d&")), true, ReasonBadSignature,
			"does not match",
		},
		{
			"many fields in GBK", newPush(eventQuery, formPrefix+";charset=GBK", distinct(maxParams-10, "%d=%%D6&")), true,
			ReasonUnverifiable, "GBK",
		},
		{
			"alike fields in GBK", newPush(eventQuery, formPrefix+";charset=GBK", strings.Repeat("%61=%20&", maxParams-10)),
			true, ReasonBadSignature, "does not match",
		},
		{
			"invalid UTF-8", newPush(eventQuery, "text/plain", strings.Repeat("\xff", big)), true, ReasonBadSignature,
			"does not match",
		},
		{"a header of many lines 9001 times", lines, true, ReasonBadSignature, "does not match"},
		{"many headers", many, true, ReasonBadSignature, "does not match"},
		{"long content type", newPush(eventQuery, mib, event103), true, ReasonContentType, "want JSON"},
		{"long charset", newPush(eventQuery, "text/xml;charset="+mib, event103), true, ReasonContentType, "charset"},
		{
			"many content type parameters", newPush(eventQuery, "text/xml"+strings.Repeat(";", 1<<20), event103), true,
			ReasonUnverifiable, "more than 65536 bytes",
		},
	} {
		t.Run(c.name, func(t *testing.T) { wantHostile(t, c) })
	}
}

// A body is not supported, whoever has signed it.
func TestHostileCompression(t *testing.T) { // alone, since it measures memory
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	for range 8 {
		if _, err := z.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for _, encoding := range []string{"gzip", "GZIP", "deflate", "br", "zstd", "identity, gzip", "x"} {
		t.Run(encoding, func(t *testing.T) {
			p := newPush(eventQuery, jsonType, bomb.String())
			signed := mustSign(t, p, testSecret)
			signed.Header.Set("Content-Encoding", encoding)
			k := newDesk()
			h := k.handler(t)
			w := httptest.NewRecorder()
			used := allocated(func() { h.ServeHTTP(w, request(signed)) })
			if o := k.last(t); o.Reason != ReasonContentType || !strings.Contains(
				o.Err.Error(), "not supported",
			) || w.Body.String() != bodyBadSignature || used > 1<<20 {
				t.Errorf("%d KiB allocated, reply %s, observed %+v", used>>10, w.Body, o)
			}
			if reply := h.Handle(t.Context(), signed); string(reply.Body) != bodyBadSignature || k.calls > 0 {
				t.Errorf("Handle: %s", reply.Body)
			}
		})
	}
	t.Run("not told", func(t *testing.T) {
		wantHostile(
			t, hostile{push: newPush(eventQuery, jsonType, bomb.String()), reason: ReasonUndecodable, text: "not valid UTF-8"},
		)
	})
}
