package qimen

import (
	"context"
	"net/url"
	"testing"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/internal/charset"
)

// Control characters inside the strings of a push are read and kept, whatever carries the JSON and whoever reads it.
func TestPushWithControlCharacters(t *testing.T) {
	t.Parallel()
	const event = "{\"channelId\":\"80001\",\"orderId\":\"31\",\"eventType\":104,\"eventData\":{\"renewalOrderId\":77," +
		"\"errorCode\":\"1\",\"errorMessage\":\"a\n\r\tb\"}}"
	const escaped = `{"channelId":"80001","orderId":"31","eventType":104,"eventData":{"renewalOrderId":77,"errorCode":"` +
		`1","errorMessage":"a\n\r\tb"}}`
	const form = "application/x-www-form-urlencoded;charset=UTF-8"
	text := "{\"eventType\":104,\"channelId\":\"80001\",\"orderId\":\"31\",\"eventData\":\"{\\\"renewalOrderId\\\":77," +
		"\\\"errorCode\\\":\\\"1\\\",\\\"errorMessage\\\":\\\"a\n\\r\tb\\\"}\"}"
	var keys, digests []string
	for name, p := range map[string]*Push{
		"JSON":              newPush(queryFor(DefaultEventMethod), jsonType, event),
		"eventData as text": newPush(queryFor(DefaultEventMethod), jsonType, text),
		"form, whole event": newPush(queryFor(DefaultEventMethod), form, url.Values{"eventMessage": {event}}.Encode()),
		"form, event's data": newPush(
			queryFor(DefaultEventMethod), form,
			url.Values{
				"eventType": {"104"}, "channelId": {"80001"}, "orderId": {"31"},
				"eventData": {"{\"renewalOrderId\":77,\"errorCode\":\"1\",\"errorMessage\":\"a\n\r\tb\"}"},
			}.Encode(),
		),
		"escaped": newPush(queryFor(DefaultEventMethod), jsonType, escaped),
	} {
		p = mustSign(t, p, testSecret)
		var f office
		f.handler(t).Handle(context.Background(), p.clone())
		if f.count() != 1 || f.last().Reason != ReasonAccepted {
			t.Fatalf("%s: observed %+v", name, f.last())
		}
		e, ok := f.runs[0].Message.(*events.RenewalRejected)
		if !ok || e.ErrorMessage != "a\n\r\tb" {
			t.Errorf("%s: event %+v", name, f.runs[0].Message)
		}
		keys = append(keys, f.runs[0].Key)
		if name == "JSON" || name == "escaped" {
			digest, err := checkedDigest(charset.UTF8, p.Body)
			if err != nil {
				t.Error(err)
			}
			digests = append(digests, digest)
		}
	}
	for _, key := range keys {
		if key != keys[0] {
			t.Errorf("keys %v", keys)
		}
	}
	if digests[0] != digests[1] {
		t.Error("the escape changes the digest")
	}
}

func TestMerchantRequestWithControlCharacters(t *testing.T) {
	t.Parallel()
	r, _ := taken(
		t, RenewalCancelMethod, jsonType,
		"{\"orderId\":\"1\",\"outOrderId\":\"a\nb\",\"renewalOrderId\":\"2\",\"unknown\":\"\t\"}",
	)
	if got := r.(*RenewalCancelRequest); got.OutOrderID != "a\nb" {
		t.Errorf("%+v", got)
	}
}

func TestStoredEventWithControlCharacters(t *testing.T) {
	t.Parallel()
	var f office
	var s shelf
	h := f.handler(t, WithStore(s.add))
	h.Handle(t.Context(), pushOf(t, DefaultEventMethod,
		"{\"channelId\":\"80001\",\"orderId\":\"31\",\"eventType\":104,\"eventData\":{\"renewalOrderId\":77,\"errorMessage"+
			"\":\"a\nb\"}}"))
	if reason, err := h.Work(t.Context(), s.stored[0]); reason != ReasonAccepted || err != nil {
		t.Fatal(reason, err)
	}
	if e, ok := f.runs[0].Message.(*events.RenewalRejected); f.count() != 1 || !ok || e.ErrorMessage != "a\nb" {
		t.Errorf("%+v", f.runs)
	}
}
