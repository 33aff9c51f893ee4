package qimen

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/fliggy"
)

func FuzzVerifyPush(f *testing.F) {
	for _, c := range [][5]string{
		{stdQuery + "&sign=x", "application/json;charset=UTF-8", "", "", `{"eventType":103}`},
		{"=x&&a=1&a=b=c&d==&e&sign=", "application/x-www-form-urlencoded", "x-u,,x-v", "%E5%BC%A0+1", "a=2&e=3&f=%E4%B8&=&g"},
		{"a=%D6%D0&b=%80", "text/xml;charset=gbk", "X-U", "%D6%D0", "\xd6\xd0\xa2\xe3\x80"},
		{"a=%D6%D8&b=%00", "text/xml;charset=\x0Fgbk", "X-U", "%D6%D0", "a=%D6"}, // Java trims every control character
		{"%61=%zz", "text/plain; charset=gb18030", "sign", "x", "\x94\x39\xe4\x37"},
		{"%EE%80%80=1&%F0%9F%94%91=2", "application/xml;charset=utf8", " x-u", "", "\xed\xa0\x80\xf0\x9f"},
	} {
		f.Add(c[0], c[1], c[2], c[3], []byte(c[4]), true)
	}
	f.Fuzz(func(t *testing.T, query, contentType, signList, header string, body []byte, sign bool) {
		p := newPush(query, contentType, string(body), "top-sign-list", signList, "x-u", header)
		if sign {
			if signed, err := SignPush(p, testSecret); err == nil {
				p = signed
			}
		}
		d, err := VerifyPush(p, testSecrets)
		if err != nil {
			if !errors.Is(err, ErrInvalidSignature) || d != nil {
				t.Fatalf("%v, %v", d, err)
			}
			return
		}
		if !referenceAccepts(p, testSecret) {
			t.Fatalf("accepted what the reference refuses: %q %q %q %q %q", p.RawQuery, contentType, signList, header, body)
		}
		if _, ok := d.Params["sign"]; ok {
			t.Fatal("Params has the signature")
		}
		_ = d.CheckTime(time.Now(), time.Minute)
		if payload, err := d.Payload(); err == nil && !d.IsForm && string(payload) != d.Text {
			t.Fatalf("payload %q, text %q", payload, d.Text)
		}
	})
}

// FuzzHandler sends anything to a handler that serves all operations: whatever comes, it does not panic, and neither
// says success nor calls a function unless the signature holds.
func FuzzHandler(f *testing.F) {
	const unsigned, signed, forged = 0, 1, 2
	f.Add("POST", eventQuery, jsonType, []byte(event103), byte(signed))
	f.Add("POST", eventQuery, formPrefix, []byte("eventType=103&orderId=1&eventData=%7B%7D"), byte(signed))
	f.Add(
		"POST", eventQuery+"&sign=6A82D904739F1E857F707FBB8065F0AF", "text/xml;charset=GBK", []byte("<a/>"), byte(unsigned),
	)
	f.Add("GET", eventQuery, "multipart/form-data", []byte{}, byte(unsigned))
	for _, contentType := range []string{"", jsonType, formPrefix} {
		f.Add("GET", queryFor(RenewalSubmitMethod)+"&orderId=1&payTradeNo=T8", contentType, []byte{}, byte(signed))
	}
	f.Add(
		"POST", queryFor(RenewalSubmitMethod)+"&orderId=1&payTradeNo=T8", jsonType, []byte(`{"payTradeNo":"T8"}`),
		byte(signed),
	)
	for _, name := range []string{"event-104.json", "event-142.json"} {
		f.Add("POST", eventQuery, jsonType, readFile(f, "samples/"+name), byte(signed))
	}
	for method, file := range map[string]string{
		RenewalPricesMethod: "renewalprices.query.scenario1", RenewalSubmitMethod: "renewalorder.submit",
		RenewalCancelMethod: "renewalorder.cancel",
	} {
		sample := readFile(f, "samples/qimen.alitrip.rentcar."+file+".request.json")
		for _, signer := range []byte{unsigned, signed, forged} {
			f.Add("POST", queryFor(method), jsonType, sample, signer)
		}
		f.Add(
			"POST", queryFor(method)+"&session=x&v=2.0", "text/xml",
			[]byte("<request><orderId>1</orderId><isPressureTest>true</isPressureTest></request>"), byte(signed),
		)
		f.Add(
			"POST", queryFor(method)+"&orderId=2", formPrefix+";charset=gbk",
			[]byte("orderId=1&outOrderId=%D6%D0&carUseTime=2023-02-04+10%3A00&exts=null&sign=x"), byte(signed),
		)
		f.Add(
			"POST", queryFor(method), "text/plain", []byte(`{"success":true,"orderId":"null","outOrderId":""}`), byte(signed),
		)
		f.Add("PUT", queryFor(method), jsonType, sample, byte(signed))
	}
	f.Fuzz(func(t *testing.T, method, query, contentType string, body []byte, signer byte) {
		k := newDesk()
		h := k.handler(t)
		p := newPush(query, contentType, string(body))
		secret := map[byte]string{signed: testSecret, forged: "another"}[signer%3]
		if secret != "" {
			if signed, err := SignPush(p, secret); err == nil {
				p = signed
			}
		}
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(p.Body))
		r.Method, r.URL.RawQuery, r.Header = method, p.RawQuery, p.Header
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if len(k.observed) != 1 || k.observed[0].Status != w.Code {
			t.Fatalf("observed %+v, reply %d", k.observed, w.Code)
		}
		var reply struct{ Success any }
		if err := json.Unmarshal(w.Body.Bytes(), &reply); err != nil {
			t.Fatalf("reply %s: %v", w.Body, err)
		}
		o, called := k.observed[0], k.calls+len(k.requests)
		if reply.Success == true || called > 0 || o.Method != "" || o.AppKey != "" || o.IsPressureTest ||
			o.Reason == ReasonAccepted {
			isGet := method == http.MethodGet && len(p.Body) == 0
			if isGet && contentType == "" { // it is verified as text
				p = newPush(p.RawQuery, "text/plain;charset=UTF-8", "")
			}
			if !referenceAccepts(p, testSecret) || method != http.MethodPost && !isGet {
				t.Fatalf("accepted: %s %q %q %q: %+v", method, p.RawQuery, contentType, body, o)
			}
		} else if _, err := h.Verify(p); err == nil && method == http.MethodPost {
			t.Fatalf("verified, but reported as %+v", o)
		}
		if (reply.Success == true) != (o.Reason == ReasonAccepted) || (called == 1) != (o.Reason == ReasonAccepted) ||
			called > 1 {
			t.Fatalf("%d calls, reply %s, observed %+v", called, w.Body, o)
		}
		if o.Reason == ReasonPanic || o.Err != nil && !utf8.ValidString(o.Err.Error()) {
			t.Fatalf("observed %+v", o)
		}
		for _, r := range k.requests {
			if orderID, outOrderID := r.(interface{ ids() (fliggy.ID, string) }).ids(); javaBlank(
				string(orderID),
			) && javaBlank(outOrderID) {
				t.Fatalf("handed on without an id: %+v", r)
			}
		}
		if direct := h.Handle(t.Context(), p); method == http.MethodPost && !bytes.Equal(direct.Body, w.Body.Bytes()) {
			t.Fatalf("Handle answers %s, ServeHTTP %s", direct.Body, w.Body)
		}
		if again := k.calls + len(k.requests) - called; o.Reason == ReasonAccepted && (again == 0) != (o.Key != "") {
			t.Fatalf("%d calls for a repeat, observed %+v", again, o)
		}
	})
}

// FuzzMessages reads anything as each of the requests and replies. What is read is written, and reads as the same
// again.
func FuzzMessages(f *testing.F) {
	for _, s := range samples() {
		text := readFile(f, "samples/qimen.alitrip.rentcar."+s.file+".json")
		f.Add(text)
		var members map[string]any
		if err := json.Unmarshal(text, &members); err != nil {
			f.Fatal(err)
		}
		xml := "<r>"
		for name, value := range members {
			inner, err := json.Marshal(value)
			if err != nil {
				f.Fatal(err)
			}
			xml += "<" + name + ">" + strings.NewReplacer(
				"&", "&amp;", "<", "&lt;", `"`, "&quot;",
			).Replace(strings.Trim(string(inner), `"`)) + "</" + name + ">"
		}
		f.Add([]byte(xml + "</r>"))
	}
	for _, text := range []string{
		``, `{}`, `[]`, `<r/>`, `<r>{"orderId":1}</r>`, string(readFile(f, "samples/qimen.sign-check-failure.response.json")),
		`{"success":"false","retCode":200,"retMessage":{"a":[]}}`, `{"success":true,"success":false}`,
		`{"success":1,"retCode":null,"x":1e400}`,
		`{"orderId":31755207628979011220000,"isPressureTest":1,"exts":{"a":1},"carUseTime":1675476000000,"x":{"y":[null]},` +
			`"x":"\ud800"}`,
		`{"orderId":"1","carReturnTime":"0001-01-01 ` +
			`08:00:30","penaltyAmount":1e2,"renewalOrderTotalAmount":"-0.00","cancelTime":"9999-12-31T23:59:59"}`,
		`{"success":true,"addedServiceList":{"service":[{"serviceType":"1"}]},"priceInfo":"{}","cancelStrategyStruct":{"ca` +
			`ncelRules":"[{}]"}}`,
		`{"success":true,"outOrderId":{"a": 1.50},"createdTime":"2023-02-01","x":[]}`, "\ufeff{\"orderId\":\"\u3000\"}",
		`<r><success>true</success><outOrderId>1</outOrderId><createdTime>2023-02-01</createdTime><x><y/><y>2</y>t</x></r>`,
		`<r><success>1</success><orderId>1</orderId><x>` + strings.Repeat(
			"<a/><a>", 40,
		) + strings.Repeat("</a>", 40) + `</x></r>`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		readAndWrite(t, data, func() message { return new(RenewalPricesRequest) })
		readAndWrite(t, data, func() message { return new(RenewalSubmitRequest) })
		readAndWrite(t, data, func() message { return new(RenewalCancelRequest) })
		readAndWrite(t, data, func() message { return new(RenewalPricesReply) })
		readAndWrite(t, data, func() message { return new(RenewalSubmitReply) })
		readAndWrite(t, data, func() message { return new(RenewalCancelReply) })
	})
}

func readAndWrite(t *testing.T, data []byte, fresh func() message) {
	t.Helper()
	m, before := fresh(), bytes.Clone(data)
	err := m.UnmarshalJSON(data)
	if !bytes.Equal(before, data) {
		t.Fatal("the text has changed")
	}
	if err != nil {
		if !reflect.DeepEqual(m, fresh()) {
			t.Fatalf("%T: %+v besides error %v", m, m, err)
		}
		if refusal := (*Refusal)(nil); !errors.As(err, &refusal) && (len(err.Error()) > 1000 ||
			!utf8.ValidString(err.Error()) || !strings.HasPrefix(err.Error(), "qimen: ")) {
			t.Fatalf("%T: error %.1500q", m, err)
		}
		return
	}
	invalid := m.Validate()
	text, err := m.MarshalJSON()
	if err != nil {
		t.Fatalf("%T: %v in %q", m, err, data)
	}
	if !json.Valid(text) {
		t.Fatalf("%T: wrote %s", m, text)
	}
	again := fresh()
	switch err := again.UnmarshalJSON(text); {
	case err != nil && invalid != nil: // such as a list element that is null
		return
	case err != nil && strings.Contains(err.Error(), "stands for no time"): // but for the seconds, which are not written
		return
	case err != nil:
		t.Fatalf("%T: %v in %s", m, err, text)
	}
	if second, err := again.MarshalJSON(); err != nil || !bytes.Equal(text, second) {
		t.Fatalf("%T: not stable, %v:\n%s\n%s", m, err, text, second)
	}
}
