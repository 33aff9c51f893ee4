package qimen

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// Bytes that are not UTF-8 verify, as the official checker has it, and are told; a handler refuses them, whatever takes
// out the payload.
func TestGarbledPush(t *testing.T) {
	t.Parallel()
	form := "application/x-www-form-urlencoded"
	for _, c := range []struct {
		name      string
		push      *Push
		isGarbled bool
	}{
		{"text", newPush(eventQuery, jsonType, event103+"\xff"), true},
		{"surrogate", newPush(eventQuery, jsonType, event103+"\xed\xa0\x80"), true},
		{"query", newPush(eventQuery+"&a=%FF", jsonType, event103), true},
		{"name in the query", newPush(eventQuery+"&%E4%B8=1", jsonType, event103), true},
		{"cut by an unescaped byte", newPush(eventQuery+"&a=%E4%B8z", jsonType, event103), true},
		{"field", newPush(eventQuery, form, "eventType=103&a=%FF"), true},
		{"raw field", newPush(eventQuery, form, "eventType=103&\xff=1"), true},
		{"field that only a container sees", newPush(eventQuery+"&a=b=%FF", form, "eventType=103"), true},
		{"listed header", newPush(eventQuery, jsonType, event103, "top-sign-list", "x-u", "x-u", "%FF"), true},
		{"U+FFFD itself", newPush(eventQuery+"&a=%EF%BF%BD", jsonType, `{"m":"\uFFFD","eventType":103}`), false},
		{"parameter that is not signed", newPush(eventQuery+"&a=b=%FF", jsonType, event103), false},
		{"header that is not signed", newPush(eventQuery, jsonType, event103, "x-u", "%FF"), false},
		{
			"GBK", newPush(eventQuery+"&a=%D6%D0", "application/json;charset=GBK", "{\"m\":\"\xd6\xd0\",\"eventType\":103}"),
			false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := mustSign(t, c.push, testSecret)
			d, err := VerifyPush(p, testSecrets)
			if err != nil || d.IsGarbled != c.isGarbled {
				t.Fatalf("%v, %v", d, err)
			}
			if payload, err := d.Payload(); (err != nil) != c.isGarbled || err != nil && (payload != nil ||
				!strings.Contains(err.Error(), "not valid UTF-8")) {
				t.Errorf("payload %q, %v", payload, err)
			}
			var s seen
			h := s.handler(t, WithPayload(func(*Delivery) ([]byte, error) { return []byte(event103), nil }))
			reply := h.Handle(t.Context(), p)
			if strings.Contains(string(reply.Body), "invalid-request") != c.isGarbled {
				t.Errorf("reply %s", reply.Body)
			}
			_, _ = h.Work(t.Context(), d)
			for _, o := range s.observed {
				if (o.Reason == ReasonUndecodable) != c.isGarbled || (s.calls == 0) != c.isGarbled {
					t.Errorf("%d calls, observed %+v", s.calls, o)
				}
			}
		})
	}
}

func TestDeliveryTime(t *testing.T) {
	t.Parallel()
	signed := time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC) // 09:00 in GMT+8
	window := 10 * time.Minute
	for _, c := range []struct {
		text string
		now  time.Time
		want string // of the error
	}{
		{"2026-11-22 09:00:00", signed, ""},
		{"2026-11-22 09:00:00", signed.Add(window), ""},
		{"2026-11-22 09:00:00", signed.Add(-window), ""},
		{"2026-11-22 09:00:00", signed.In(time.FixedZone("far", -11*3600)), ""},
		{"2026-11-22 09:00:00", signed.Add(window + time.Nanosecond), "10m0s old"},
		{"2026-11-22 09:00:00", signed.Add(-window - time.Second), "10m1s in the future"},
		{"2026-11-22 01:00:00", signed, "8h0m0s old"}, // UTC on the wire
		{"2026-11-22 9:00:00", signed, "want yyyy-MM-dd"},
		{"2026-11-22 09:00:00{", signed, "want yyyy-MM-dd"},
		{"2026-11-22 09:00:00.0", signed, "want yyyy-MM-dd"},
		{" 2026-11-22 09:00:00", signed, "want yyyy-MM-dd"},
		{"2026-11-22T09:00:00", signed, "want yyyy-MM-dd"},
		{"1795309200000", signed, "want yyyy-MM-dd"},
		{"2026-02-30 09:00:00", signed, "want yyyy-MM-dd"},
		{"0001-01-01 08:00:00", signed, "want yyyy-MM-dd"},
		{"0001-01-02 08:00:00", signed, "old"},
		{"9999-12-31 23:59:59", signed, "in the future"},
		{"", signed, "want yyyy-MM-dd"},
	} {
		query := "timestamp=" + strings.NewReplacer(" ", "+", ":", "%3A", "{", "%7B").Replace(c.text)
		d, err := VerifyPush(mustSign(t, newPush(query, "text/plain", "x"), testSecret), testSecrets)
		if err != nil {
			t.Fatal(err)
		}
		err = d.CheckTime(c.now, window)
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, ErrExpired) ||
			!strings.Contains(err.Error(), c.want)) {
			t.Errorf("timestamp %q at %v: %v, want %q", c.text, c.now, err, c.want)
		}
	}
	d := &Delivery{}
	if err := d.CheckTime(signed, window); !errors.Is(err, ErrExpired) || !strings.Contains(
		err.Error(), "no signed timestamp",
	) {
		t.Errorf("no timestamp: %v", err)
	}
}

func TestPayload(t *testing.T) {
	t.Parallel()
	form := "application/x-www-form-urlencoded"
	for _, c := range []struct {
		name string
		push *Push
		want string
	}{
		{"text", newPush("a=1", "application/json", `{"eventType":103}`), `{"eventType":103}`},
		{"GBK", newPush("a=1", "application/json;charset=GBK", "{\"m\":\"\xd6\xd0\"}"), `{"m":"中"}`},
		{"empty", newPush(stdQuery, "application/json", ""), ""},
		// The official checker signs a push that has everything in its query.
		{"in the query", newPush("orderId=1&a=%22&orderId=2&v=2.0", "application/json", ""), `{"a":"\"","orderId":"2"}`},
		{"in the query of a form", newPush("orderId=1&v=2.0", form, ""), `{"orderId":"1"}`},
		{
			"form",
			newPush(
				stdQuery, form,
				`eventData=%7B%22a%22%3A%22%3C%26%3E%22%7D&orderId=1&v=2.0&orderId=2&session=s&timestamp=x&remark=%22%0A`,
			),
			`{"eventData":"{\"a\":\"<&>\"}","orderId":"1","remark":"\"\n"}`,
		},
		{
			"signed value of the query", newPush("orderId=1&method=m", form, "orderId=2&eventType=103"),
			`{"orderId":"1","eventType":"103"}`,
		},
	} {
		d, err := VerifyPush(mustSign(t, c.push, testSecret), testSecrets)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got, err := d.Payload()
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %s, %v; want %s", c.name, got, err, c.want)
		}
	}
	d, err := VerifyPush(mustSign(t, newPush(stdQuery, form, "v=2.0"), testSecret), testSecrets)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := d.Payload(); err == nil || !strings.Contains(err.Error(), "gateway only") {
		t.Errorf("form without fields: %q, %v", got, err)
	}
}
