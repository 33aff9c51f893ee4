package qimen

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/internal/charset"
)

// What is handed over is what arrived, in every form of a push: the delivery is the one that
// verification gave, long after its window and when its secret is gone.
func TestInboxHandsOver(t *testing.T) {
	t.Parallel()
	const reason = "退款原因 ①"
	event := `{"channelId":"80001","orderId":"31","eventType":142,"exts":"{\"a\":1}","eventData":{"renewalOrderId":77,"reason":"续租退款","amount":-5}}`
	for name, p := range map[string]*Push{
		"JSON":     newPush(eventQuery+"&x=1&x=2&y", jsonType, event),
		"headers":  newPush(eventQuery, jsonType, event, "top-sign-list", "x-a,x-b", "x-a", "1%202", "x-b", ""),
		"form":     newPush(eventQuery+"&z=%3D", formPrefix, asForm(charset.UTF8, []pair{{"eventData", event}, {"reason", reason}, {"v", "2.0"}})),
		"GBK":      newPush(eventQuery+"&n=%D6%D0", "application/json;charset=GBK", string(charset.GBK.Encode(event))),
		"GBK form": newPush(eventQuery, formPrefix+";charset=gbk", asForm(charset.GBK, []pair{{"eventData", event}})),
		"quotes":   newPush(eventQuery+`&q="<>&'`, `application/json; x="<&>"; charset=utf-8`, event),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := mustSign(t, p, testSecret)
				want, err := VerifyPush(p, testSecrets)
				if err != nil {
					t.Fatal(err)
				}
				var f office
				store := newTestStore()
				in := f.inbox(t, store)
				sent := p.clone()
				r := in.Handle(context.Background(), sent)
				clear(sent.Body) // the store has its own
				o := f.last()
				if string(r.Body) != bodyAccepted || len(o.Findings) == 0 {
					t.Fatalf("%s, observed %+v", r.Body, o)
				}
				<-time.After(100 * 24 * time.Hour)
				later, err := NewHandler(Secrets{"9": {"another"}}, append(f.options(), WithClock(time.Now))...)
				if err != nil {
					t.Fatal(err)
				}
				rotated, err := NewInbox(later, store)
				if err != nil {
					t.Fatal(err)
				}
				drain(t, rotated, time.Hour)
				if f.count() != 1 {
					t.Fatalf("%d runs, observed %+v", f.count(), f.last())
				}
				want.Key, want.Findings = o.Key, o.Findings
				if diff := cmp.Diff(*want, *f.runs[0].Delivery, cmp.AllowUnexported(Push{})); diff != "" {
					t.Errorf("(-verified +handed over):\n%s", diff)
				}
				if _, err := VerifyPush(f.runs[0].Delivery.Push, testSecrets); err != nil {
					t.Error(err)
				}
				e, ok := f.runs[0].Message.(*events.RenewalFeeRefund)
				if !ok || e.RenewalOrderID != "77" || e.Reason != "续租退款" {
					t.Errorf("%+v", f.runs[0].Message)
				}
				if got := f.last(); got.Reason != ReasonAccepted || got.IsStored || got.IsRepeat || got.Attempt != 1 || got.Key != o.Key || got.AppKey != testApp || got.EventType != 142 || got.Status != 200 {
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
		reason Reason
		parked string // with these words; else it comes again
	}{
		"error":           {func(context.Context) error { return errors.New("no database") }, ReasonHandlerError, ""},
		"panic":           {func(context.Context) error { panic("oops") }, ReasonPanic, ""},
		"abort":           {func(context.Context) error { panic(http.ErrAbortHandler) }, ReasonPanic, ""},
		"timeout":         {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, ReasonHandlerError, ""},
		"nil refusal":     {func(context.Context) error { return (*Refusal)(nil) }, ReasonHandlerError, ""},
		"refusal":         {func(context.Context) error { return Refuse("7", "never") }, ReasonRefused, "refused: 7: never"},
		"wrapped refusal": {func(context.Context) error { return fmt.Errorf("order: %w", Refuse("7", "never")) }, ReasonRefused, "order: qimen: refused: 7: never"},
		"permanent":       {func(context.Context) error { return durable.Permanent(errors.New("no such order")) }, ReasonHandlerError, "no such order"},
		"wrapped permanent": {func(context.Context) error {
			return fmt.Errorf("x: %w", durable.Permanent(errors.New("no such order")))
		}, ReasonHandlerError, "x: no such order"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := office{act: func(ctx context.Context, d *Delivery, _ int) error {
					if d.Attempt == 1 {
						return c.act(ctx)
					}
					return nil
				}}
				store := newTestStore()
				in := f.inbox(t, store)
				p := pushOf(t, DefaultEventMethod, event103)
				in.Handle(context.Background(), p)
				drain(t, in, time.Hour)
				parked := store.Parked(InboxQueue)
				o := f.observed[1] // of the first attempt
				if o.Reason != c.reason || o.Attempt != 1 || o.Err == nil || o.IsRepeat {
					t.Errorf("observed %+v", o)
				}
				if c.parked != "" {
					if f.count() != 1 || len(parked) != 1 || !strings.Contains(parked[0].Reason, c.parked) || parked[0].Item.ID != o.Key {
						t.Errorf("%d runs, parked %v", f.count(), parked)
					}
					if r := in.Handle(context.Background(), p); string(r.Body) != bodyAccepted { // it is not lost
						t.Errorf("%s", r.Body)
					}
					if err := store.Release(InboxQueue, o.Key); err != nil { // and somebody looks at it
						t.Fatal(err)
					}
					drain(t, in, time.Hour)
				}
				if f.count() != 2 || f.runs[1].Delivery.Attempt != 2 || f.runs[1].Key != f.runs[0].Key || f.last().Attempt != 2 || f.last().Reason != ReasonAccepted {
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
	for name, opts := range map[string][]Option{"gate": nil, "no gate": {WithoutGate()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var f office
				store := newTestStore()
				store.commit = func(item *durable.Item) error {
					if item.Queue == InboxQueue && item.Attempt == 1 {
						return errors.New("disk full")
					}
					return nil
				}
				// What the function adds in its transaction goes with it.
				outbox, err := durable.NewQueue("outbox", store)
				if err != nil {
					t.Fatal(err)
				}
				f.act = func(ctx context.Context, d *Delivery, _ int) error {
					_, err := outbox.Add(ctx, d.Key, "", []byte(fmt.Sprint(d.Attempt)))
					return err
				}
				in := f.inbox(t, store, opts...)
				in.Handle(context.Background(), pushOf(t, DefaultEventMethod, event103))
				drain(t, in, time.Hour)
				if f.count() != 2 || f.runs[0].Delivery.Attempt != 1 || f.runs[1].Delivery.Attempt != 2 || f.runs[0].Key != f.runs[1].Key {
					t.Errorf("%d runs: %v", f.count(), f.runs)
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
			f.inbox(t, store).Handle(context.Background(), pushOf(t, DefaultEventMethod, event103))
			now := time.Now()
			item, err := store.Claim(t.Context(), InboxQueue, now, now.Add(time.Minute)) // by a process that dies
			if err != nil || item == nil {
				t.Fatalf("%v, %v", item, err)
			}
			drain(t, f.inbox(t, store), 59*time.Second)
			if f.count() != 0 {
				t.Errorf("handed out while another has it: %v", f.runs)
			}
			if drain(t, f.inbox(t, store), time.Hour); f.count() != 1 || f.runs[0].Delivery.Attempt != 2 || f.runs[0].Key != item.ID {
				t.Errorf("%d runs, %v", f.count(), f.runs)
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
		f.act = func(ctx context.Context, d *Delivery, _ int) error {
			at, ok := ctx.Deadline()
			if left := time.Until(at); !ok || left != 5*time.Second || d.Push == nil {
				t.Errorf("%v left", left)
			}
			return nil
		}
		in := f.inbox(t, newTestStore(), WithHandlerTimeout(5*time.Second))
		in.Handle(context.Background(), pushOf(t, DefaultEventMethod, event103))
		if drain(t, in, time.Hour); f.count() != 1 {
			t.Errorf("%d runs", f.count())
		}
	})
}

// What cannot be an event any more is set aside with the reason, without a quote of
// it; what is stored behind it is handled.
func TestInboxCorrupted(t *testing.T) {
	t.Parallel()
	good, err := json.Marshal(record{testApp, eventQuery, http.Header{"Content-Type": {jsonType}}, []byte(event103), true})
	if err != nil {
		t.Fatal(err)
	}
	edit := func(from, to string) string {
		if !strings.Contains(string(good), from) {
			t.Fatalf("%s lacks %s", good, from)
		}
		return strings.Replace(string(good), from, to, 1)
	}
	cut := strings.Replace(string(good), `"body":"`, `"body":"bTRyazNk`, 1) // m4rk3d in front of the event
	for name, c := range map[string][2]string{
		"nothing":         {"", "the stored event cannot be read: unexpected end"},
		"cut off":         {string(good[:len(good)/2]), "the stored event cannot be read: unexpected end"},
		"other bytes":     {"\x00m4rk3d\xff", "the stored event cannot be read: invalid character"},
		"other type":      {`["m4rk3d"]`, "the stored event cannot be read: json: cannot unmarshal array"},
		"other member":    {edit(`"header":{`, `"header":{"X":"m4rk3d",`), "the stored event cannot be read: json: cannot unmarshal string"},
		"no base64":       {edit(`"body":"`, `"body":"!`), "the stored event cannot be read: illegal base64"},
		"null":            {`null`, "no query"},
		"no query":        {edit(eventQuery[:12], ``)[:1] + `}`, "no query"},
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
				for id, data := range map[string]string{"bad": c[0], "good": string(good)} {
					if _, err := store.Add(t.Context(), &durable.Item{Queue: InboxQueue, ID: id, Digest: id, Data: []byte(data), Added: now, Due: now}); err != nil {
						t.Fatal(err)
					}
				}
				drain(t, f.inbox(t, store), time.Hour)
				parked := store.Parked(InboxQueue)
				if len(parked) != 1 || parked[0].Item.ID != "bad" || !strings.Contains(parked[0].Reason, c[1]) || strings.Contains(parked[0].Reason, "m4rk3d") {
					t.Errorf("parked %+v", parked)
				}
				if string(parked[0].Item.Data) != c[0] {
					t.Error("what was parked has changed")
				}
				if f.count() != 1 || !f.runs[0].IsConflict || f.runs[0].Delivery.Text != event103 {
					t.Errorf("%d runs", f.count())
				}
			})
		})
	}
}
