package qimen

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
)

// A Delivery is a push whose signature holds: what the gateway vouches for, and
// what the transport knows. It may grow.
//
// It formats and logs without parameters and body, which carry personal data, and has
// no JSON. To store a delivery, store the three fields of its Push.
type Delivery struct {
	// Method is the signed method, such as
	// "qimen.alitrip.rentcar.btborder.notify".
	Method string
	// AppKey is the app whose secret matched, as it is named in [Secrets].
	AppKey string
	// Time is the signed timestamp, in whole seconds; unset where it is missing or
	// not "yyyy-MM-dd HH:mm:ss" (GMT+8). It is the time of sending, not of the
	// event.
	Time fliggy.Time
	// Params holds every signed parameter, decoded: of the query, of the headers
	// that the signature lists, and of a form body. The signature itself and
	// parameters that it does not cover are left out.
	Params map[string]string
	// Text is the body as text, decoded from its charset; empty for a form.
	Text string
	// IsForm reports whether the message is fields: those of a form body or, where there
	// is no body, of the query.
	IsForm bool
	// IsGarbled tells that the push has bytes that are not UTF-8, in the place of which
	// Text, Params and Form have U+FFFD. The platform signs U+FFFD for them too, so the
	// signature would hold for other bytes as well: what was meant is not known. A
	// [Handler] refuses such a push, and Payload gives an error.
	IsGarbled bool
	// Form holds the fields of a form body in their order, each with its signed
	// value: the first one where a name repeats, that of the query where the query
	// has the name too. Without a body it holds the parameters of the query that are
	// none of the gateway's own, in the order of their names.
	Form []Field
	// Key names the message by operation and business ids: the same for every
	// repeat, and what a [Gate] and the function of [WithStore] go by. Printable ASCII, 100 bytes at
	// most: the operation, and a hash of the app and the ids. An event's are type,
	// orderId, renewalOrderId and payTradeNo; a submit's orderId, outOrderId, both times,
	// payTradeNo and priceMark; a cancellation's orderId and outOrderId. A message without any of
	// them is named by its content, an event by its trace id too; with ids,
	// one that differs in its trace id only is a repeat. Empty before the message is decoded, and for price queries.
	Key string
	// Digest is the SHA-256 of what the message says, in hexadecimal: see [Claim]. With Key it tells a repeat from
	// another message about the same ids. Empty before the message is decoded.
	Digest string
	// IsConflict tells that the gate knows Key with other content. Such a message
	// is handed over like any other: what differs is yours to judge.
	IsConflict bool
	// Attempt counts how often this delivery has been handed to the handler: 1 for
	// a push that has just arrived.
	Attempt int
	// Findings lists the documented rules that the event or request breaks. They
	// never refuse it.
	Findings []fliggy.Problem
	// Push is what arrived, to be stored or verified again.
	Push *Push
}

// CheckTime reports whether the signed timestamp lies within window of now, before
// or after. The error matches [ErrExpired]; a timestamp that is missing or no
// time is an error too.
func (d *Delivery) CheckTime(now time.Time, window time.Duration) error {
	expired := func(format string, args ...any) error {
		return &refusal{ErrExpired, ReasonExpired, fmt.Sprintf(format, args...)}
	}
	if _, ok := d.Params[paramTimestamp]; !ok {
		return expired("no timestamp is signed")
	}
	if !d.Time.IsSet() {
		return expired("timestamp: want yyyy-MM-dd HH:mm:ss in GMT+8")
	}
	switch age := now.Sub(d.Time.Time); {
	case age > window:
		return expired("%v old, at most %v is accepted", age.Round(time.Second), window)
	case age < -window:
		return expired("%v in the future, at most %v is accepted", -age.Round(time.Second), window)
	}
	return nil
}

// protocolParams are the parameters of the gateway itself, which are no part of
// the message in a form body.
var protocolParams = map[string]bool{
	"app_key": true, "target_app_key": true, "method": true, paramTimestamp: true, paramSign: true,
	"sign_method": true, "v": true, "format": true, "session": true, "simplify": true, "partner_id": true,
	"customerId": true,
}

// errGarbled refuses a push that verifies with other bytes too.
var errGarbled = errors.New("qimen: the push is not valid UTF-8: its signature does not tell what was meant")

// messageOf is Payload for whoever only reads it: a body that is the message is not
// copied.
func messageOf(d *Delivery) ([]byte, error) {
	if d.Push != nil && !d.IsForm && !d.IsGarbled && string(d.Push.Body) == d.Text {
		return d.Push.Body, nil
	}
	return d.Payload()
}

// Payload extracts the message: the text body (JSON, or XML), or for a form, or a push
// that has all its parameters in the query, an object of its fields, each value a JSON string, without the parameters of
// the gateway. Only signed content is in it. That the message is the body is
// inferred; see [WithPayload].
func (d *Delivery) Payload() ([]byte, error) {
	if d.IsGarbled {
		return nil, errGarbled
	}
	if !d.IsForm {
		return []byte(d.Text), nil
	}
	var out bytes.Buffer
	separator := byte('{')
	for _, field := range d.Form {
		if protocolParams[field.Name] {
			continue
		}
		out.WriteByte(separator)
		separator = ','
		writeJSONString(&out, field.Name)
		out.WriteByte(':')
		writeJSONString(&out, field.Value)
	}
	if separator == '{' {
		return nil, errors.New("qimen: the form has no field beside the parameters of the gateway")
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

func writeJSONString(out *bytes.Buffer, s string) {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(s)       // a string always encodes
	out.Truncate(out.Len() - 1) // its newline
}

// String tells method, app and time.
func (d Delivery) String() string {
	return fmt.Sprintf("Delivery(%s, app %q, signed %v, attempt %d, %d findings, content redacted)",
		top.Quote(d.Method, 80), d.AppKey, d.Time, d.Attempt, len(d.Findings))
}

// GoString is String.
func (d Delivery) GoString() string { return d.String() }

// Format writes String for every verb.
func (d Delivery) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, d.String()) }

// LogValue logs what String tells.
func (d Delivery) LogValue() slog.Value {
	return slog.GroupValue(slog.String("method", shown(d.Method)), slog.String("app_key", d.AppKey),
		slog.String("signed", d.Time.String()), slog.Int("attempt", d.Attempt), slog.Int("findings", len(d.Findings)))
}

// MarshalJSON gives an error: what marshals a value may be a log, and a summary would
// be lost data where it is a store.
func (d Delivery) MarshalJSON() ([]byte, error) {
	return nil, errors.New("qimen: a Delivery has no JSON, so that no log shows it: store RawQuery, Header and Body of its Push, and verify them again")
}
