package qimen

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/charset"
)

// keyOf sends a message and returns the key under which it ran.
func keyOf(t testing.TB, method, contentType, body string) string {
	t.Helper()
	var f office
	h := f.handler(t)
	h.Handle(t.Context(), mustSign(t, newPush(queryFor(method), contentType, body), testSecret))
	if f.count() != 1 || f.runs[0].Key != f.last().Key {
		t.Fatalf("%s: %d runs, observed %+v", body, f.count(), f.last())
	}
	wantKey(t, f.runs[0].Key)
	return f.runs[0].Key
}

func wantKey(t testing.TB, key string) {
	t.Helper()
	if key == "" || len(key) > 200 || strings.ContainsFunc(
		key, func(r rune) bool { return r <= ' ' || r > '~' || r == '+' },
	) {
		t.Fatalf("key %q", key)
	}
}

// The keys are stored, by an inbox and by gates that outlive a process: a release that changes them would run what is
// repeated meanwhile once more.
func TestKeyGolden(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]string{
		DefaultEventMethod:  "event/103/dfb585dd400b4cc97b5872300f65684e0c791ac840975c1fd88edbc508732d1e",
		RenewalSubmitMethod: "renewal.submit/000ae8ba8df22b23b0ce3c81ec73f934c93d0c54c2a1251afa9c4b085d51a3a6",
		RenewalCancelMethod: "renewal.cancel/040898976fb56f0112d96fc401222dad0f8560c8165d7355cf85e0ff3025abb8",
	} {
		if got := keyOf(t, method, jsonType, actingBodies[method]); got != want {
			t.Errorf("%s: %s, want %s", method, got, want)
		}
	}
	if got, want := digestOf(
		charset.UTF8, []byte(`{"b":[1.0,"é"],"a":"<","traceId":"x"}`),
	), "5b7fd5d93564e4c35ff5c634b2cf6f7d9fffb0a580cfdad663275164254353ff"; got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
}

// For each operation: what is the same message in other words, and what is another one. Everything of the second list
// has a key of its own.
func TestKeys(t *testing.T) {
	t.Parallel()
	type pairs = []pair
	set := func(ps pairs, name, value string) pairs {
		out := slices.DeleteFunc(slices.Clone(ps), func(p pair) bool { return p.name == name })
		if value != "" {
			out = append(out, pair{name, value})
		}
		return out
	}
	hostile := []string{
		"a/b", "a%2Fb", "a%252Fb", "订", "%E8%AE%A2", "a+b", "a b", "a\x00b", "..", "sha256-" + strings.Repeat("0", 64),
		strings.Repeat("长/%", 1<<17),
	}
	keys := map[string]string{}
	distinct := func(t *testing.T, key, what string) {
		t.Helper()
		if before, ok := keys[key]; ok {
			t.Errorf("%.200s has the key of %.200s", what, before)
		}
		keys[key] = what
	}
	submit := pairs{
		{"orderId", "317694071118722"}, {"outOrderId", "FZ1"}, {"carUseTime", "2023-02-04 10:00"},
		{"carReturnTime", "2023-02-05 11:00"},
		{"renewalOrderTotalAmount", "16.02"}, {"payTradeNo", "2023"}, {"priceMark", "8866"},
	}
	cancel := pairs{{"orderId", "317694071118722"}, {"outOrderId", "8866"}, {"cancelTime", "2023-02-01 15:46:51"}}
	for method, c := range map[string]struct {
		base        pairs
		named, rest []string // members that name the message, and that do not
	}{
		RenewalSubmitMethod: {
			submit, []string{"orderId", "outOrderId", "payTradeNo", "priceMark"},
			[]string{"renewalOrderTotalAmount", "traceId", "exts", "new"},
		},
		RenewalCancelMethod: {
			cancel, []string{"orderId", "outOrderId"},
			[]string{"cancelTime", "cancelMessage", "penaltyAmount", "traceId", "exts", "new"},
		},
	} {
		base := keyOf(t, method, jsonType, asJSON(c.base))
		distinct(t, base, method)
		numbers := asJSON(c.base)
		for _, p := range c.base {
			if _, err := strconv.Atoi(p.value); err == nil {
				numbers = strings.Replace(numbers, `"`+p.value+`"`, p.value, 1)
			}
		}
		for what, body := range map[string][2]string{
			"XML": {"text/xml", asXML("request", c.base)}, "form": {formPrefix, asForm(charset.UTF8, c.base)},
			"numbers":  {jsonType, numbers},
			"GBK form": {formPrefix + ";charset=gbk", asForm(charset.GBK, c.base)}, "text": {"text/plain", " " + asJSON(c.base)},
			"seconds": {jsonType, strings.NewReplacer("10:00", "10:00:00", "11:00", "11:00:00").Replace(asJSON(c.base))},
		} {
			if got := keyOf(t, method, body[0], body[1]); got != base {
				t.Errorf("%s, %s: %s, want %s", method, what, got, base)
			}
		}
		for _, name := range c.rest {
			value := map[string]string{
				"renewalOrderTotalAmount": "1", "penaltyAmount": "1", "cancelTime": "2023-02-02 15:46:51",
			}[name]
			if got := keyOf(
				t, method, jsonType, asJSON(set(c.base, name, value+map[bool]string{true: "x"}[value == ""])),
			); got != base {
				t.Errorf("%s with another %s: %s, want %s", method, name, got, base)
			}
		}
		for _, name := range c.named {
			for _, value := range append([]string{"", "1"}, hostile...) {
				if name == "orderId" && value != "" && value != "1" {
					continue // the text is the id's own affair
				}
				distinct(t, keyOf(t, method, jsonType, asJSON(set(c.base, name, value))), method+" "+name+" "+value)
			}
		}
	}
	for _, name := range []string{"carUseTime", "carReturnTime"} {
		distinct(t, keyOf(t, RenewalSubmitMethod, jsonType, asJSON(set(submit, name, ""))), "no "+name)
		distinct(
			t, keyOf(t, RenewalSubmitMethod, jsonType, asJSON(set(submit, name, "2023-02-04 23:00:01"))), "another "+name,
		)
	}
	// Two values that change places are another message.
	distinct(
		t, keyOf(t, RenewalSubmitMethod, jsonType, asJSON(set(set(submit, "priceMark", "2023"), "payTradeNo", "8866"))),
		"swapped",
	)
}

// The keys of events: by number, order, renewal and trade number.
func TestEventKeys(t *testing.T) {
	t.Parallel()
	event := func(number int, orderID, data string) string {
		return fmt.Sprintf(
			`{"channelId":"80001","orderId":%s,"outOrderId":"o","eventType":%d,"eventData":%s}`, orderID, number, data,
		)
	}
	text := func(s string) string { quoted, _ := json.Marshal(s); return string(quoted) }
	keys := map[string]string{}
	for _, number := range []int{103, 104, 141, 142, 900, -5} {
		for _, order := range []string{"31", `"32"`, `""`} {
			for _, data := range []string{
				`{"renewalOrderId":77}`, `{"renewalOrderId":"78"}`, `{"renewalOrderId":77,"payTradeNo":"p/1"}`,
				`{"payTradeNo":"p%2F1"}`, `{"payTradeNo":"77"}`, `{"x":1}`, `{"x":2}`,
			} {
				if number == 104 && strings.Contains(data, "payTradeNo") {
					continue // has none
				}
				what := event(number, order, data)
				key := keyOf(t, DefaultEventMethod, jsonType, what)
				if !strings.HasPrefix(key, "event/"+strconv.Itoa(number)+"/") {
					t.Errorf("%s: key %s", what, key)
				}
				hasNoID := order == `""` && strings.Contains(data, `"x"`)
				if order != `""` && data == `{"x":2}` { // the content does not name what has an id
					if keys[key] != event(number, order, `{"x":1}`) {
						t.Errorf("%s has a key of its own", what)
					}
					continue
				}
				if before, ok := keys[key]; ok {
					t.Errorf("%s has the key of %s", what, before)
				}
				keys[key] = what
				same := map[string][2]string{
					"data as text": {jsonType, event(number, order, text(data))},
					"wrapped":      {jsonType, `{"request":{"eventData":` + text(what) + `}}`},
					"form":         {formPrefix, asForm(charset.UTF8, []pair{{"eventData", what}})},
					"quoted ids":   {jsonType, strings.NewReplacer(`:77`, `:"77"`, `:31`, `:"31"`).Replace(what)},
					"plain ids":    {jsonType, strings.NewReplacer(`"78"`, `78`, `"32"`, `32`, `Id":"77"`, `Id":77`).Replace(what)},
				}
				if hasNoID { // it is its content that names it then
					same = map[string][2]string{
						"spaced": {jsonType, strings.ReplaceAll(what, ",", " ,\n")}, "data as text": same["data as text"],
					}
				}
				for kind, body := range same {
					if got := keyOf(t, DefaultEventMethod, body[0], body[1]); got != key {
						t.Errorf("%s, %s: %s, want %s", what, kind, got, key)
					}
				}
			}
		}
	}
	// Data of another form, or none, has no ids.
	for _, data := range []string{`null`, `[1]`, `"text"`, `{"renewalOrderId":{}}`} {
		key := keyOf(t, DefaultEventMethod, jsonType, event(900, "31", data))
		if keys[key] != event(900, "31", `{"x":1}`) {
			t.Errorf("%s: key %s", data, key)
		}
	}
	// What names nothing else is told apart by its trace id.
	nameless := func(trace string) string {
		return keyOf(t, DefaultEventMethod, jsonType, `{"eventType":900,"traceId":"`+trace+`"}`)
	}
	if a, again := nameless("a"), nameless("a"); a != again || a == nameless("b") {
		t.Error("the trace id does not name an event without ids")
	}
}

// Other ids, another operation or another app: another key. The same: the same.
func TestKeyProperty(t *testing.T) {
	t.Parallel()
	word := rapid.OneOf(rapid.SampledFrom(
		[]string{"", "null", " ", "1", "/", "%2F", "1:a", "2:", "ids", "content", "24700001"},
	), rapid.String(),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
	words := rapid.SliceOfN(word, 5, 5)
	rapid.Check(t, func(t *rapid.T) {
		a := words.Draw(t, "a")
		b := slices.Clone(a)
		if rapid.Bool().Draw(t, "other") {
			b = words.Draw(t, "b")
		} else if rapid.Bool().Draw(t, "shifted") { // a boundary moves
			if joined := a[3] + a[4]; joined != "" {
				at := rapid.IntRange(0, len(joined)).Draw(t, "at")
				b[3], b[4] = joined[:at], joined[at:]
			}
		}
		operation := rapid.SampledFrom([]string{"x", "x/1"})
		opA, opB := operation.Draw(t, "op a"), operation.Draw(t, "op b")
		keyA, keyB := messageKey(opA, a[0], a[1], a[2:]...), messageKey(opB, b[0], b[1], b[2:]...)
		named := func(ids []string) bool {
			return slices.ContainsFunc(ids, func(id string) bool { return !isMissing(id) })
		}
		same := opA == opB && a[0] == b[0] && named(a[2:]) == named(b[2:])
		if named(a[2:]) {
			same = same && slices.Equal(a[2:], b[2:])
		} else {
			same = same && a[1] == b[1]
		}
		if (keyA == keyB) != same {
			t.Fatalf("%q and %q: keys %s and %s", a, b, keyA, keyB)
		}
		if len(keyA) > 100 || !utf8.ValidString(keyA) {
			t.Fatalf("key %q", keyA)
		}
		r := RenewalCancelRequest{OrderID: fliggy.ID(a[2]), OutOrderID: a[3]}
		s := RenewalCancelRequest{OrderID: fliggy.ID(b[2]), OutOrderID: b[3]}
		if named(a[2:4]) && named(b[2:4]) && (r.key("1", "d") == s.key("1", "e")) != (r.OrderID == s.OrderID &&
			r.OutOrderID == s.OutOrderID) {
			t.Fatalf("%+v and %+v", r, s)
		}
	})
}

// The content type is not signed: a recorded push whose charset somebody renames has the same signature and other text.
// It is the same message to the gate.
func TestGateCharsetRenamed(t *testing.T) {
	t.Parallel()
	body := `{"channelId":"80001","orderId":"31","eventType":142,"eventData":{"renewalOrderId":77,"reason":"北京","payTra` +
		`deNo":"p","amount":5}}`
	for name, p := range map[string]*Push{
		"text": newPush(eventQuery, jsonType, body),
		"form": newPush(eventQuery, formPrefix, asForm(charset.UTF8, []pair{{"eventData", body}})),
	} {
		var f office
		h := f.handler(t)
		p := mustSign(t, p, testSecret)
		h.Handle(t.Context(), p)
		renamed := p.clone()
		renamed.Header = http.Header{
			"Content-Type": {map[string]string{"text": "application/json", "form": formPrefix}[name] + ";charset=GBK"},
		}
		if d, err := h.Verify(renamed); err != nil || d.IsGarbled {
			t.Fatalf("%s: the push is refused: %v", name, err)
		}
		h.Handle(t.Context(), renamed)
		if f.count() != 1 || !f.last().IsRepeat {
			t.Errorf("%s: %d runs, observed %+v", name, f.count(), f.last())
		}
	}
	// A push in a GB charset is itself, and its repeat too.
	var f office
	h := f.handler(t)
	p := mustSign(t, newPush(eventQuery, "application/json;charset=GBK", string(charset.GBK.Encode(body))), testSecret)
	for range 2 {
		h.Handle(t.Context(), p)
	}
	if f.count() != 1 || f.last().Findings == nil && !f.last().IsRepeat {
		t.Errorf("%d runs, observed %+v", f.count(), f.last())
	}
}
