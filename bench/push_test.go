package bench

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/webhook"

	"github.com/fliggy-go/rentcar/bench/internal/work"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
)

// A receiver verifies a push, parses the event and hands it to a function. It brings
// a push of its own, freshly signed: all of them look at the age.
type receiver struct {
	name   string
	push   *qimen.Push
	handle func(*qimen.Push) error
	serve  http.Handler  // the same from a request to its reply
	last   func() refund // the event that the function got last
}

const (
	taken      = `{"success":true,"retCode":"","retMessage":""}`
	jsonType   = "application/json;charset=utf-8"
	limit      = 1 << 20
	stripeSign = "Stripe-Signature"
)

// newPeerReceiver adds the HTTP side that a receiver made by hand needs.
func newPeerReceiver(name string, push *qimen.Push, handle func(*qimen.Push) error, last *refund) *receiver {
	serve := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
		if err != nil || r.Method != http.MethodPost {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", jsonType)
		if handle(&qimen.Push{RawQuery: r.URL.RawQuery, Header: r.Header, Body: body}) != nil {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = io.WriteString(w, taken)
	}
	return &receiver{name, push, handle, http.HandlerFunc(serve), func() refund { return *last }}
}

// A refund is event 142 in the peers' own form.
type refund struct {
	ChannelID  fliggy.Channel `json:"channelId"`
	OrderID    fliggy.ID      `json:"orderId"`
	OutOrderID string         `json:"outOrderId"`
	EventType  int            `json:"eventType"`
	Data       refundData     `json:"eventData"`
}

type refundData struct {
	RenewalOrderID    fliggy.ID         `json:"renewalOrderId"`
	RenewalOutOrderID string            `json:"renewalOutOrderId"`
	RefundType        fliggy.RefundType `json:"refundType"`
	Amount            fliggy.Yuan       `json:"amount"`
	Reason            string            `json:"reason"`
	PayTradeNo        string            `json:"payTradeNo"`
}

func receivers(tb testing.TB) []*receiver {
	return []*receiver{newOurs(tb), newStdReceiver(tb), newStripe(), newStandardWebhooks(tb)}
}

// newOurs is the SDK's handler as it comes.
func newOurs(tb testing.TB) *receiver {
	var last *events.RenewalFeeRefund
	handler, err := qimen.NewHandler(qimen.Secrets{work.AppKey: {work.Secret}},
		qimen.OnEvent(func(_ context.Context, _ *qimen.Delivery, e events.Event) error {
			refund, ok := e.(*events.RenewalFeeRefund)
			if !ok {
				return errors.New("another event")
			}
			last = refund
			return nil
		}))
	must(tb, err)
	push, err := work.Push(time.Now())
	must(tb, err)
	ctx := context.Background()
	return &receiver{
		name: "ours",
		push: push,
		handle: func(p *qimen.Push) error {
			if reply := handler.Handle(ctx, p); reply.Status != http.StatusOK || string(reply.Body) != taken {
				return errors.New("refused")
			}
			return nil
		},
		serve: handler,
		last: func() refund {
			return refund{
				last.ChannelID, last.OrderID, last.OutOrderID, int(last.Type()),
				refundData{last.RenewalOrderID, last.RenewalOutOrderID, last.RefundType, last.Amount, last.Reason, last.PayTradeNo},
			}
		},
	}
}

// newStdReceiver does by hand what this push needs: JSON in UTF-8, no signed headers.
func newStdReceiver(tb testing.TB) *receiver {
	push, err := work.Push(time.Now())
	must(tb, err)
	last := &refund{}
	return newPeerReceiver("std", push, func(p *qimen.Push) error {
		if err := verifyByHand(p.RawQuery, p.Body, time.Now()); err != nil {
			return err
		}
		return dispatch(p.Body, last)
	}, last)
}

func verifyByHand(rawQuery string, body []byte, now time.Time) error {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return err
	}
	params := make(map[string]string, len(query))
	for name := range query {
		params[name] = query.Get(name)
	}
	var b strings.Builder
	b.WriteString(work.Secret)
	base(&b, params)
	b.Write(body)
	b.WriteString(work.Secret)
	sum := md5.Sum([]byte(b.String()))
	expected := strings.ToUpper(hex.EncodeToString(sum[:]))
	if subtle.ConstantTimeCompare([]byte(expected), []byte(params["sign"])) != 1 {
		return errors.New("wrong signature")
	}
	sent, err := time.ParseInLocation(time.DateTime, params["timestamp"], fliggy.Zone())
	if err != nil {
		return err
	}
	if age := now.Sub(sent).Abs(); age > 10*time.Minute {
		return errors.New("too old")
	}
	if params["method"] != qimen.DefaultEventMethod {
		return errors.New("another method")
	}
	return nil
}

// dispatch parses an event for the peers, and keeps the one that they know.
func dispatch(payload []byte, to *refund) error {
	var e refund
	if err := json.Unmarshal(payload, &e); err != nil {
		return err
	}
	switch e.EventType {
	case int(events.TypeRenewalFeeRefund):
		*to = e
		return nil
	default:
		return fmt.Errorf("event %d", e.EventType)
	}
}

// newStripe is stripe-go, with the same event in the member of Stripe's envelope
// that holds an event's data.
func newStripe() *receiver {
	envelope := fmt.Appendf(nil, `{"id":"evt_1","object":"event","type":"renewal.refund","created":%d,"api_version":%s,"data":{"object":%s}}`,
		time.Now().Unix(), strconv.Quote(stripe.APIVersion), work.EventJSON)
	signed := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: envelope, Secret: work.Secret, Timestamp: time.Now()})
	push := &qimen.Push{Header: http.Header{stripeSign: {signed.Header}}, Body: signed.Payload}
	last := &refund{}
	return newPeerReceiver("stripe-go", push, func(p *qimen.Push) error {
		event, err := webhook.ConstructEvent(p.Body, p.Header.Get(stripeSign), work.Secret)
		if err != nil {
			return err
		}
		return dispatch(event.Data.Raw, last)
	}, last)
}

// newStandardWebhooks is the reference library of Standard Webhooks.
func newStandardWebhooks(tb testing.TB) *receiver {
	hook, err := standardwebhooks.NewWebhook(base64.StdEncoding.EncodeToString([]byte(work.Secret)))
	must(tb, err)
	now := time.Now()
	signature, err := hook.Sign("msg_1", now, work.EventJSON)
	must(tb, err)
	push := &qimen.Push{Header: http.Header{}, Body: work.EventJSON}
	push.Header.Set(standardwebhooks.HeaderWebhookID, "msg_1")
	push.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	push.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	last := &refund{}
	return newPeerReceiver("standard-webhooks", push, func(p *qimen.Push) error {
		if err := hook.Verify(p.Body, p.Header); err != nil {
			return err
		}
		return dispatch(p.Body, last)
	}, last)
}

// forged is a push with another amount under the same signature.
func forged(p *qimen.Push) *qimen.Push {
	return &qimen.Push{RawQuery: p.RawQuery, Header: p.Header, Body: bytes.Replace(p.Body, []byte(`"200.98"`), []byte(`"900.98"`), 1)}
}

// A delivery brings a push over HTTP, again and again, without a server.
type delivery struct {
	request http.Request
	body    bytes.Reader
	payload []byte
	header  http.Header
	status  int
	reply   []byte
}

func newDelivery(p *qimen.Push) *delivery {
	d := &delivery{payload: p.Body, header: http.Header{}}
	d.request = http.Request{
		Method: http.MethodPost, URL: &url.URL{Path: "/fliggy", RawQuery: p.RawQuery},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: "example.com", Header: p.Header.Clone(),
		Body: io.NopCloser(&d.body), ContentLength: int64(len(p.Body)),
	}
	d.request.Header.Set("Content-Type", jsonType)
	return d
}

// to hands the push to a handler; the delivery is its own response writer.
func (d *delivery) to(h http.Handler) error {
	d.body.Reset(d.payload)
	clear(d.header)
	d.status, d.reply = http.StatusOK, d.reply[:0]
	h.ServeHTTP(d, &d.request)
	if d.status != http.StatusOK || string(d.reply) != taken {
		return errors.New("refused")
	}
	return nil
}

func (d *delivery) Header() http.Header    { return d.header }
func (d *delivery) WriteHeader(status int) { d.status = status }

func (d *delivery) Write(p []byte) (int, error) {
	d.reply = append(d.reply, p...)
	return len(p), nil
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
