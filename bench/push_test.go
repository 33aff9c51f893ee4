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
	"slices"
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

// A receiver verifies pushes, parses their events and hands them to a function. It
// brings pushes of its own, freshly signed: all of them look at the age.
type receiver struct {
	name   string
	pushes []*qimen.Push
	handle func(*qimen.Push) error
	serve  http.Handler    // the same from a request to its reply
	last   func() received // the event that the function got last
	forget func()          // all pushes are new again
}

// pushCount is how many pushes a receiver brings.
const pushCount = 2048

const (
	taken      = `{"success":true,"retCode":"","retMessage":""}`
	jsonType   = "application/json;charset=utf-8"
	limit      = 1 << 20
	stripeSign = "Stripe-Signature"
)

// newPeerReceiver adds the HTTP side that a receiver made by hand needs.
func newPeerReceiver(name string, pushes []*qimen.Push, handle func(*qimen.Push) error, last *received) *receiver {
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
	return &receiver{name, pushes, handle, http.HandlerFunc(serve), func() received { return *last }, func() {}}
}

// An envelope is what the peers read first: which event it is decides what its data
// are read into.
type envelope struct {
	ChannelID  fliggy.Channel  `json:"channelId"`
	OrderID    fliggy.ID       `json:"orderId"`
	OutOrderID string          `json:"outOrderId"`
	EventType  events.Type     `json:"eventType"`
	Data       json.RawMessage `json:"eventData"`
}

// A refund is event 142 in the peers' own form.
type refund struct {
	RenewalOrderID    fliggy.ID         `json:"renewalOrderId"`
	RenewalOutOrderID string            `json:"renewalOutOrderId"`
	RefundType        fliggy.RefundType `json:"refundType"`
	Amount            fliggy.Yuan       `json:"amount"`
	Reason            string            `json:"reason"`
	PayTradeNo        string            `json:"payTradeNo"`
}

// The other events in the peers' own form.
type (
	accepted struct {
		RenewalOrderID fliggy.ID   `json:"renewalOrderId"`
		CreatedTime    fliggy.Time `json:"createdTime"`
		PayTradeNo     string      `json:"payTradeNo"`
	}
	rejected struct {
		RenewalOrderID fliggy.ID `json:"renewalOrderId"`
		ErrorCode      string    `json:"errorCode"`
		ErrorMessage   string    `json:"errorMessage"`
	}
)

// A received is an event as a function of the user gets it: an envelope and one of the
// types above.
type received struct {
	ChannelID  fliggy.Channel
	OrderID    fliggy.ID
	OutOrderID string
	EventType  events.Type
	Data       any
}

// receivers are ours as it comes, which lets each message through once, std, and std
// with as many checks as ours.
func receivers(tb testing.TB) []*receiver {
	pushes := signedPushes(tb)
	return []*receiver{newOurs(tb, pushes), newStdReceiver(pushes), newCheckedReceiver(pushes)}
}

// ungated are receivers that hand on every push.
func ungated(tb testing.TB) []*receiver {
	pushes := signedPushes(tb)
	ours := newOurs(tb, pushes, qimen.WithoutGate())
	return []*receiver{ours, newStdReceiver(pushes), newStandardWebhooks(tb), newStripe()}
}

func signedPushes(tb testing.TB) []*qimen.Push {
	pushes, err := work.Pushes(time.Now(), pushCount)
	must(tb, err)
	return pushes
}

// newOurs is the SDK's handler.
func newOurs(tb testing.TB, pushes []*qimen.Push, opts ...qimen.Option) *receiver {
	var last *events.RenewalFeeRefund
	newHandler := func() *qimen.Handler {
		opts := append(slices.Clone(opts),
			qimen.OnEvent(func(_ context.Context, _ *qimen.Delivery, e events.Event) error {
				refund, ok := e.(*events.RenewalFeeRefund)
				if !ok {
					return errors.New("another event")
				}
				last = refund
				return nil
			}))
		handler, err := qimen.NewHandler(qimen.Secrets{work.AppKey: {work.Secret}}, opts...)
		must(tb, err)
		return handler
	}
	handler := newHandler()
	ctx := context.Background()
	return &receiver{
		name:   "ours",
		pushes: pushes,
		handle: func(p *qimen.Push) error {
			if reply := handler.Handle(ctx, p); reply.Status != http.StatusOK || string(reply.Body) != taken {
				return errors.New("refused")
			}
			return nil
		},
		serve:  http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }),
		forget: func() { handler = newHandler() },
		last: func() received {
			return received{
				last.ChannelID, last.OrderID, last.OutOrderID, last.Type(),
				&refund{last.RenewalOrderID, last.RenewalOutOrderID, last.RefundType, last.Amount, last.Reason, last.PayTradeNo},
			}
		},
	}
}

// newStdReceiver does by hand what this push needs: JSON in UTF-8, no signed headers.
func newStdReceiver(pushes []*qimen.Push) *receiver {
	last := &received{}
	return newPeerReceiver("std", pushes, func(p *qimen.Push) error {
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

// dispatch parses an event for the peers, and keeps it for the user.
func dispatch(payload []byte, to *received) error {
	e, err := parse(payload)
	if err == nil {
		*to = e
	}
	return err
}

func parse(payload []byte) (received, error) {
	var e envelope
	if err := json.Unmarshal(payload, &e); err != nil {
		return received{}, err
	}
	var data any
	switch e.EventType {
	case events.TypeRenewalAccepted:
		data = &accepted{}
	case events.TypeRenewalRejected:
		data = &rejected{}
	case events.TypeFeeRefund, events.TypeRenewalFeeRefund:
		data = &refund{}
	default:
		return received{}, fmt.Errorf("event %d", e.EventType)
	}
	if err := json.Unmarshal(e.Data, data); err != nil {
		return received{}, err
	}
	return received{e.ChannelID, e.OrderID, e.OutOrderID, e.EventType, data}, nil
}

// newStripe is stripe-go, with the same event in the member of Stripe's envelope
// that holds an event's data.
func newStripe() *receiver {
	pushes := make([]*qimen.Push, pushCount)
	for i := range pushes {
		envelope := fmt.Appendf(nil, `{"id":"evt_1","object":"event","type":"renewal.refund",`+
			`"created":%d,"api_version":%s,"data":{"object":%s}}`,
			time.Now().Unix(), strconv.Quote(stripe.APIVersion), work.Event(i))
		signed := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{
			Payload: envelope, Secret: work.Secret, Timestamp: time.Now(),
		})
		pushes[i] = &qimen.Push{Header: http.Header{stripeSign: {signed.Header}}, Body: signed.Payload}
	}
	last := &received{}
	return newPeerReceiver("stripe-go", pushes, func(p *qimen.Push) error {
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
	pushes := make([]*qimen.Push, pushCount)
	for i := range pushes {
		p := &qimen.Push{Header: http.Header{}, Body: work.Event(i)}
		signature, err := hook.Sign("msg_1", now, p.Body)
		must(tb, err)
		p.Header.Set(standardwebhooks.HeaderWebhookID, "msg_1")
		p.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
		p.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
		pushes[i] = p
	}
	last := &received{}
	return newPeerReceiver("standard-webhooks", pushes, func(p *qimen.Push) error {
		if err := hook.Verify(p.Body, p.Header); err != nil {
			return err
		}
		return dispatch(p.Body, last)
	}, last)
}

// forged is a push with another amount under the same signature.
func forged(p *qimen.Push) *qimen.Push {
	body := bytes.Replace(p.Body, []byte(`"200.98"`), []byte(`"900.98"`), 1)
	return &qimen.Push{RawQuery: p.RawQuery, Header: p.Header, Body: body}
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

func deliveries(pushes []*qimen.Push) []*delivery {
	all := make([]*delivery, len(pushes))
	for i, p := range pushes {
		all[i] = newDelivery(p)
	}
	return all
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
