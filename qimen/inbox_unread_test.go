package qimen

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fliggy-go/rentcar/durable"
)

// A signed event that this version cannot read is refused as ever, and not lost: it
// waits for a version that can.
func TestInboxKeepsWhatItCannotRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var f office
		store := newTestStore()
		in := f.inbox(t, store)
		strange := pushOf(t, DefaultEventMethod, `{"newEnvelope":{"orderId":"31"}}`)
		for range 3 {
			r := in.Handle(context.Background(), strange.clone())
			if o := f.last(); string(r.Body) != string(DefaultReplies()[ReasonUndecodable].Body) || o.Reason != ReasonUndecodable || !o.IsStored || o.Err == nil {
				t.Fatalf("%s, observed %+v", r.Body, o)
			}
		}
		drain(t, in, time.Hour)
		parked := store.Parked(InboxQueue)
		if len(parked) != 1 || !strings.HasPrefix(parked[0].Item.ID, "event/unread/") || f.count() != 0 {
			t.Fatalf("parked %v after %d runs", parked, f.count())
		}

		// A later version finds the message in it.
		later := f.inbox(t, store, WithPayload(func(*Delivery) ([]byte, error) {
			return []byte(`{"channelId":"80001","orderId":"31","eventType":104,"eventData":{"renewalOrderId":77,"errorCode":"1"}}`), nil
		}))
		if err := store.Release(InboxQueue, parked[0].Item.ID); err != nil {
			t.Fatal(err)
		}
		drain(t, later, time.Hour)
		if f.count() != 1 || f.runs[0].Delivery.Attempt != 2 || !strings.HasPrefix(f.runs[0].Delivery.Key, "event/104/") {
			t.Fatalf("%d runs, observed %+v", f.count(), f.last())
		}

		// Where it cannot be stored, Fliggy is told of a failure, so that it pushes again.
		store.add = func(*durable.Item) error { return errors.New("no disk") }
		if in.Handle(context.Background(), pushOf(t, DefaultEventMethod, `{"newEnvelope":2}`)); f.last().Reason != ReasonNotStored {
			t.Errorf("observed %+v", f.last())
		}
	})
}
