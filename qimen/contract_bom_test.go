package qimen

import (
	"net/url"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/internal/charset"
)

// A byte order mark before a message is signed like all bytes, but skipped when the message is decoded. The message
// equals one without it.
func TestByteOrderMark(t *testing.T) {
	t.Parallel()
	const bom = "\uFEFF"
	const data = `{"renewalOrderId":77,"errorCode":"1"}`
	const head = `"channelId":"80001","orderId":"31","eventType":104,"eventData":`
	quoted := `"` + bom + strings.ReplaceAll(data, `"`, `\"`) + `"`
	gb := func(text string) string { return string(charset.GB18030.Encode(text)) }
	fields := url.Values{"channelId": {"80001"}, "orderId": {"31"}, "eventType": {"104"}, "eventData": {bom + data}}
	var key string
	for name, p := range map[string]*Push{
		"no mark":              newPush(eventQuery, jsonType, "{"+head+data+"}"),
		"body":                 newPush(eventQuery, jsonType, bom+"{"+head+data+"}"),
		"body and white space": newPush(eventQuery, jsonType, bom+" \r\n{"+head+data+"}"),
		"text of the data":     newPush(eventQuery, jsonType, "{"+head+quoted+"}"),
		"escaped in the data":  newPush(eventQuery, jsonType, "{"+head+strings.Replace(quoted, bom, `\ufeff`, 1)+"}"),
		"both":                 newPush(eventQuery, jsonType, bom+"{"+head+quoted+"}"),
		"GB18030":              newPush(eventQuery, "application/json;charset=GB18030", gb(bom+"{"+head+data+"}")),
		"form":                 newPush(eventQuery, formPrefix, fields.Encode()),
		"whole event in form": newPush(
			eventQuery, formPrefix, url.Values{"message": {bom + "{" + head + data + "}"}}.Encode(),
		),
		"query": newPush(eventQuery+"&"+fields.Encode(), jsonType, ""),
	} {
		p = mustSign(t, p, testSecret)
		var f office
		if f.handler(t).Handle(t.Context(), p.clone()); f.count() != 1 || f.last().Reason != ReasonAccepted {
			t.Errorf("%s: observed %+v", name, f.last())
			continue
		}
		if e, ok := f.runs[0].Message.(*events.RenewalRejected); !ok || e.RenewalOrderID != "77" || e.ErrorCode != "1" {
			t.Errorf("%s: %+v", name, f.runs[0].Message)
		}
		if key == "" {
			key = f.runs[0].Key
		}
		if f.runs[0].Key != key {
			t.Errorf("%s: another key", name)
		}
		var s shelf
		if r := f.handler(t, WithStore(s.add)).Handle(
			t.Context(), p.clone(),
		); string(r.Body) != bodyAccepted || len(s.stored) != 1 {
			t.Errorf("%s: %s, stored %v", name, r.Body, s.stored)
		}
		// The mark is signed: without it the signature is another one.
		if cut := p.clone(); name == "body" {
			cut.Body = []byte(strings.TrimPrefix(string(p.Body), bom))
			if _, err := VerifyPush(cut, testSecrets); err == nil {
				t.Error("the signature does not cover the mark")
			}
		}
	}
	r, _ := taken(t, RenewalCancelMethod, jsonType, bom+`{"orderId":"1","outOrderId":"a"}`)
	if got := r.(*RenewalCancelRequest); got.OutOrderID != "a" {
		t.Errorf("%+v", got)
	}
}
