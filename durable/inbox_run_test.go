package durable_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/internal/charset"
	"github.com/fliggy-go/rentcar/qimen"
)

// What is handed over is what arrived, in every form of a push: the delivery is the one that
// verification gave, long after its window and when its secret is gone.
func TestInboxHandsOver(t *testing.T) {
	t.Parallel()
	const reason = "退款原因 ①"
	event := `{"channelId":"80001","orderId":"31","eventType":142,"exts":"{\"a\":1}","eventData":{"renewalOrderId":77,"` +
		`reason":"续租退款","amount":-5}}`
	const query = "app_key=24700001&method=qimen.alitrip.rentcar.btborder.notify&timestamp=2026-11-22+09%3A00%3A00"
	gbk := func(text string) string { return string(charset.GBK.Encode(text)) }
	for name, p := range map[string]*qimen.Push{
		"JSON":    signed(t, query+"&x=1&x=2&y", jsonType, event),
		"headers": signed(t, query, jsonType, event, "top-sign-list", "x-a,x-b", "x-a", "1%202", "x-b", ""),
		"form": signed(
			t, query+"&z=%3D", formType, url.Values{"eventData": {event}, "reason": {reason}, "v": {"2.0"}}.Encode(),
		),
		"GBK":      signed(t, query+"&n=%D6%D0", "application/json;charset=GBK", gbk(event)),
		"GBK form": signed(t, query, formType+";charset=gbk", url.Values{"eventData": {gbk(event)}}.Encode()),
		"quotes":   signed(t, query+`&q="<>&'`, `application/json; x="<&>"; charset=utf-8`, event),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				want, err := qimen.VerifyPush(p, officeSecrets)
				if err != nil {
					t.Fatal(err)
				}
				var f office
				store := newTestStore()
				in := f.receiver(t, store)
				sent := &qimen.Push{RawQuery: p.RawQuery, Header: p.Header, Body: bytes.Clone(p.Body)}
				r := in.Handle(context.Background(), sent)
				clear(sent.Body) // the store has its own
				o := f.last()
				if string(r.Body) != accepted || len(o.Findings) == 0 {
					t.Fatalf("%s, observed %+v", r.Body, o)
				}
				<-time.After(100 * 24 * time.Hour)
				later, err := qimen.NewHandler(qimen.Secrets{"9": {"another"}}, append(f.options(), qimen.WithClock(time.Now))...)
				if err != nil {
					t.Fatal(err)
				}
				rotated := &receiver{later, in.inbox}
				rotated.runFor(t, time.Hour)
				if f.count() != 1 {
					t.Fatalf("%d runs, observed %+v", f.count(), f.last())
				}
				want.Key, want.Digest, want.Findings = o.Key, f.handled[0].Digest, o.Findings
				if diff := cmp.Diff(*want, *f.handled[0].Delivery, cmp.AllowUnexported(qimen.Push{})); diff != "" {
					t.Errorf("(-verified +handed over):\n%s", diff)
				}
				if _, err := qimen.VerifyPush(f.handled[0].Delivery.Push, officeSecrets); err != nil {
					t.Error(err)
				}
				e, ok := f.handled[0].Event.(*events.RenewalFeeRefund)
				if !ok || e.RenewalOrderID != "77" || e.Reason != "续租退款" {
					t.Errorf("%+v", f.handled[0].Event)
				}
				if got := f.last(); got.Reason != qimen.ReasonAccepted || got.IsStored || got.IsRepeat || got.Attempt != 1 ||
					got.Key != o.Key || got.AppKey != officeApp || got.EventType != 142 || got.Status != 200 {
					t.Errorf("observed %+v", got)
				}
			})
		})
	}
}

// What a function returns, and what becomes of the event.
func TestInboxOutcomes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		act    func(ctx context.Context) error // of the first attempt
		reason qimen.Reason
		parked string // with these words; else it comes again
	}{
		"error":       {func(context.Context) error { return errors.New("no database") }, qimen.ReasonHandlerError, ""},
		"panic":       {func(context.Context) error { panic("oops") }, qimen.ReasonPanic, ""},
		"abort":       {func(context.Context) error { panic(http.ErrAbortHandler) }, qimen.ReasonPanic, ""},
		"timeout":     {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, qimen.ReasonHandlerError, ""},
		"nil refusal": {func(context.Context) error { return (*qimen.Refusal)(nil) }, qimen.ReasonHandlerError, ""},
		"refusal": {
			func(context.Context) error { return qimen.Refuse("7", "never") }, qimen.ReasonRefused, "refused: 7: never",
		},
		"wrapped refusal": {
			func(context.Context) error { return fmt.Errorf("order: %w", qimen.Refuse("7", "never")) }, qimen.ReasonRefused,
			"order: qimen: refused: 7: never",
		},
		"permanent": {
			func(context.Context) error { return durable.Permanent(errors.New("no such order")) }, qimen.ReasonHandlerError,
			"no such order",
		},
		"wrapped permanent": {func(context.Context) error {
			return fmt.Errorf("x: %w", durable.Permanent(errors.New("no such order")))
		}, qimen.ReasonHandlerError, "x: no such order"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := office{act: func(ctx context.Context, d *qimen.Delivery) error {
					if d.Attempt == 1 {
						return c.act(ctx)
					}
					return nil
				}}
				store := newTestStore()
				in := f.receiver(t, store)
				p := pushOf(t, qimen.DefaultEventMethod, event103)
				in.Handle(context.Background(), p)
				in.runFor(t, time.Hour)
				parked := store.Parked(durable.InboxQueue)
				o := f.observed[1] // of the first attempt
				if o.Reason != c.reason || o.Attempt != 1 || o.Err == nil || o.IsRepeat {
					t.Errorf("observed %+v", o)
				}
				if c.parked != "" {
					if f.count() != 1 || len(parked) != 1 || !strings.Contains(
						parked[0].Reason, c.parked,
					) || parked[0].Item.ID != o.Key {
						t.Errorf("%d runs, parked %v", f.count(), parked)
					}
					if r := in.Handle(context.Background(), p); string(r.Body) != accepted { // it is not lost
						t.Errorf("%s", r.Body)
					}
					if err := store.Release(durable.InboxQueue, o.Key); err != nil { // and somebody looks at it
						t.Fatal(err)
					}
					in.runFor(t, time.Hour)
				}
				if f.count() != 2 || f.handled[1].Delivery.Attempt != 2 || f.handled[1].Key != f.handled[0].Key ||
					f.last().Attempt != 2 || f.last().Reason != qimen.ReasonAccepted {
					t.Errorf("%d runs, observed %+v", f.count(), f.last())
				}
				if in.Handle(context.Background(), p); len(store.waiting(t)) != 0 {
					t.Error("stored again")
				}
			})
		})
	}
}

// The function has done its work, and then the mark fails or the process dies: it runs
// again, with Attempt 2 and the same key. No gate stands in the way.
func TestInboxCommitFails(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]qimen.Option{"gate": nil, "no gate": {qimen.WithoutGate()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var f office
				store := newTestStore()
				store.commit = func(item *durable.Item) error {
					if item.Queue == durable.InboxQueue && item.Attempt == 1 {
						return errors.New("disk full")
					}
					return nil
				}
				// What the function adds in its transaction goes with it.
				outbox, err := durable.NewQueue("outbox", store, durable.Config{})
				if err != nil {
					t.Fatal(err)
				}
				f.act = func(ctx context.Context, d *qimen.Delivery) error {
					_, err := outbox.Add(ctx, d.Key, "", []byte(fmt.Sprint(d.Attempt)))
					return err
				}
				in := f.receiver(t, store, opts...)
				in.Handle(context.Background(), pushOf(t, qimen.DefaultEventMethod, event103))
				in.runFor(t, time.Hour)
				if f.count() != 2 || f.handled[0].Delivery.Attempt != 1 || f.handled[1].Delivery.Attempt != 2 ||
					f.handled[0].Key != f.handled[1].Key {
					t.Errorf("%d runs: %v", f.count(), f.handled)
				}
				var got []string
				err = outbox.Run(afterHour(t), func(_ context.Context, item *durable.Item) error {
					got = append(got, string(item.Data))
					return nil
				})
				if !errors.Is(err, context.DeadlineExceeded) || len(got) != 1 || got[0] != "2" {
					t.Errorf("sent %v, %v", got, err)
				}
			})
		})
	}
	t.Run("killed", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var f office
			store := newTestStore()
			f.receiver(t, store).Handle(context.Background(), pushOf(t, qimen.DefaultEventMethod, event103))
			now := time.Now()
			item, err := store.Claim(t.Context(), durable.InboxQueue, now, now.Add(time.Minute)) // by a process that dies
			if err != nil || item == nil {
				t.Fatalf("%v, %v", item, err)
			}
			f.receiver(t, store).runFor(t, 59*time.Second)
			if f.count() != 0 {
				t.Errorf("handed out while another has it: %v", f.handled)
			}
			if f.receiver(t, store).runFor(
				t, time.Hour,
			); f.count() != 1 || f.handled[0].Delivery.Attempt != 2 || f.handled[0].Key != item.ID {
				t.Errorf("%d runs, %v", f.count(), f.handled)
			}
		})
	})
}

func afterHour(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	t.Cleanup(cancel)
	return ctx
}

// The function's context carries the values of the store's transaction, and ends in
// the handler's time.
func TestInboxContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var f office
		f.act = func(ctx context.Context, d *qimen.Delivery) error {
			at, ok := ctx.Deadline()
			if left := time.Until(at); !ok || left != 5*time.Second || d.Push == nil {
				t.Errorf("%v left", left)
			}
			return nil
		}
		in := f.receiver(t, newTestStore(), qimen.WithHandlerTimeout(5*time.Second))
		in.Handle(context.Background(), pushOf(t, qimen.DefaultEventMethod, event103))
		if in.runFor(t, time.Hour); f.count() != 1 {
			t.Errorf("%d runs", f.count())
		}
	})
}

// What cannot be an event any more is set aside with the reason, without a quote of
// it; what is stored behind it is handled.
func TestInboxCorrupted(t *testing.T) {
	t.Parallel()
	var first office
	store := newTestStore()
	in := first.receiver(t, store)
	d, err := in.Verify(pushOf(t, qimen.DefaultEventMethod, event103))
	if err != nil {
		t.Fatal(err)
	}
	d.Key, d.IsConflict = "k", true
	good := ""
	store.add = func(item *durable.Item) error { good = string(item.Data); return nil }
	if err := in.inbox.Add(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	edit := func(from, to string) string {
		if !strings.Contains(good, from) {
			t.Fatalf("%s lacks %s", good, from)
		}
		return strings.Replace(good, from, to, 1)
	}
	cut := strings.Replace(good, `"body":"`, `"body":"bTRyazNk`, 1) // m4rk3d in front of the event
	const unreadable = "the stored event cannot be read: "
	for name, c := range map[string][2]string{
		"nothing":         {"", unreadable},
		"cut off":         {good[:len(good)/2], unreadable},
		"other bytes":     {"\x00m4rk3d\xff", unreadable},
		"other type":      {`["m4rk3d"]`, unreadable},
		"other member":    {edit(`"header":{`, `"header":{"X":"m4rk3d",`), unreadable},
		"no base64":       {edit(`"body":"`, `"body":"!`), unreadable},
		"null":            {`null`, "no query"},
		"no query":        {`{}`, "no query"},
		"malformed query": {edit(`raw_query":"`, `raw_query":"%zz=m4rk3d&`), "escape"},
		"no type":         {edit(`"Content-Type"`, `"Other"`), "no Content-Type"},
		"not the event":   {cut, "not JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var f office
				store := newTestStore()
				now := time.Now()
				for id, data := range map[string]string{"bad": c[0], "good": good} {
					if _, err := store.Add(
						t.Context(),
						&durable.Item{Queue: durable.InboxQueue, ID: id, Digest: id, Data: []byte(data), Added: now, Due: now},
					); err != nil {
						t.Fatal(err)
					}
				}
				f.receiver(t, store).runFor(t, time.Hour)
				parked := store.Parked(durable.InboxQueue)
				if len(parked) != 1 || parked[0].Item.ID != "bad" || !strings.Contains(parked[0].Reason, c[1]) || strings.Contains(
					parked[0].Reason, "m4rk3d",
				) {
					t.Errorf("parked %+v", parked)
				}
				if string(parked[0].Item.Data) != c[0] {
					t.Error("what was parked has changed")
				}
				if f.count() != 1 || !f.handled[0].IsConflict || f.handled[0].Delivery.Text != event103 {
					t.Errorf("%d runs", f.count())
				}
			})
		})
	}
}
