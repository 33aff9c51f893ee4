package qimen

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
)

type contextKey struct{}

// The observer gets the context of the request.
func TestObserverGetsTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var seen []any
		var f office
		observe := WithObserver(func(ctx context.Context, o Observation) {
			seen = append(seen, ctx.Value(contextKey{}))
			if err := ctx.Err(); err != nil {
				t.Errorf("%s: %v", o.Reason, err)
			}
		})
		h := f.handler(t, observe)
		ctx := context.WithValue(t.Context(), contextKey{}, "span")
		accepted := mustSign(t, newPush(eventQuery, jsonType, event103), testSecret)
		forged := newPush(eventQuery+"&sign=x", jsonType, event103)
		for _, p := range []*Push{accepted, forged} {
			h.Handle(ctx, p)
			h.ServeHTTP(httptest.NewRecorder(), request(p).WithContext(ctx))
		}
		d, err := VerifyPush(accepted, testSecrets)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = h.Work(ctx, d)
		if len(seen) != 5 {
			t.Fatalf("%d observations", len(seen))
		}
		for i, v := range seen {
			if v != "span" {
				t.Errorf("observation %d: %v", i, v)
			}
		}
	})
}

// The log of a refused push helps to find it: the reason, the code of a refusal, the key and the ids of the order if
// they look like ids.
func TestLogNamesTheOrder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method, body string
		err          error
		has          []string
	}{
		"refused event": {
			DefaultEventMethod, event103, Refuse("order-unknown", "no"),
			[]string{
				`"reason":"refused"`, `"code":"order-unknown"`, `"order_id":"3187983531024266527"`,
				`"out_order_id":"761448761000000016108099"`, `"key":"event/103/`,
			},
		},
		"failed submit": {
			RenewalSubmitMethod, `{"orderId":31,"outOrderId":"FZ_1"}`, errors.New("oops"),
			[]string{
				`"reason":"handler error"`, `"code":""`, `"order_id":"31"`, `"out_order_id":"FZ_1"`, `"key":"renewal.submit/`,
			},
		},
		"accepted cancel": {
			RenewalCancelMethod, `{"orderId":31,"outOrderId":"FZ:1"}`, nil,
			[]string{`"reason":"accepted"`, `"order_id":"31"`, `"out_order_id":"FZ:1"`},
		},
		"no ids": {
			RenewalCancelMethod, `{"orderId":"+86 138 0000 0000","outOrderId":"张三"}`, nil,
			[]string{`"order_id":""`, `"out_order_id":""`},
		},
		"long id": {
			RenewalCancelMethod, `{"orderId":"1","outOrderId":"` + strings.Repeat("7", 65) + `"}`, nil,
			[]string{`"order_id":"1"`, `"out_order_id":""`},
		},
	} {
		f := office{act: func(context.Context, *Delivery, int) error { return c.err }}
		f.handler(t).Handle(t.Context(), pushOf(t, c.method, c.body))
		for _, want := range c.has {
			if !strings.Contains(f.log.String(), want) {
				t.Errorf("%s: the log lacks %s: %s", name, want, &f.log)
			}
		}
	}
}

// Foreign text in a log or an error takes some dozens of bytes, whatever characters it is made of.
func TestForeignTextIsBounded(t *testing.T) {
	t.Parallel()
	for _, c := range []string{"\U0010FFFF", "\x00", "\xff", "\"", "中", "a", "\u2028"} {
		long := strings.Repeat(c, 5000)
		for name, change := range map[string]func(p *Push){
			"content type":     func(p *Push) { p.Header.Set(headerContentType, long) },
			"charset":          func(p *Push) { p.Header.Set(headerContentType, "text/plain;charset="+long) },
			"content encoding": func(p *Push) { p.Header.Set(headerContentEncoding, long) },
			"name in an event": func(p *Push) {
				p.Body = []byte(`{"` + strings.ReplaceAll(long, `"`, `\"`) + `":{"eventType":[]}}`)
			},
			"signed method": func(p *Push) {
				p.RawQuery = strings.Replace(eventQuery, DefaultEventMethod, escaped(long), 1)
			},
			"unlisted event member": func(p *Push) {
				p.Body = []byte(`{"eventType":"` + strings.ReplaceAll(long, `"`, `\"`) + `"}`)
			},
		} {
			p := newPush(eventQuery, jsonType, event103)
			change(p)
			if signed, err := SignPush(p, testSecret); err == nil {
				p = signed
			}
			var f office
			f.handler(t).ServeHTTP(httptest.NewRecorder(), request(p))
			o := f.last()
			if o.Err != nil && len(o.Err.Error()) > 400 || len(f.log.String()) > 1000 {
				t.Errorf("%q as %s: %d bytes logged, observed %.600v", c, name, len(f.log.String()), o)
			}
		}
	}
	var f office
	h := f.handler(t)
	r := request(newPush(eventQuery, jsonType, ""))
	r.Method = strings.Repeat("\U0010FFFF", 5000)
	if h.ServeHTTP(httptest.NewRecorder(), r); len(f.last().Err.Error()) > 200 {
		t.Errorf("%v", f.last().Err)
	}
}

func escaped(text string) string { return string(appendEscaped(nil, text)) }
