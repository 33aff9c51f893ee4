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

// A Delivery is a push whose signature was verified. Fields may be added.
//
// It is printed and logged without its parameters and body, which hold personal data, and cannot be encoded as JSON. To
// store a delivery, store the three fields of its Push.
type Delivery struct {
	// Method is the signed method, such as "qimen.alitrip.rentcar.btborder.notify".
	Method string
	// AppKey is the key in [Secrets] of the app whose secret matched.
	AppKey string
	// Time is the signed timestamp, in whole seconds: the time of sending, which may be later than that of the event. It
	// is unset if the timestamp is missing or not "yyyy-MM-dd HH:mm:ss" (GMT+8).
	Time fliggy.Time
	// Params holds every signed parameter, decoded: those of the query, of the headers that the signature lists, and of a
	// form body. The signature itself and unsigned parameters are omitted.
	Params map[string]string
	// Text is the body, decoded from its charset. It is empty for a form.
	Text string
	// IsForm reports whether the message consists of fields: those of a form body or, without a body, those of the query.
	IsForm bool
	// IsGarbled reports whether the push has bytes that are not valid UTF-8. Text, Params and Form have U+FFFD instead.
	// The platform signs U+FFFD for such bytes, so other bytes have the same signature and the original text is unknown. A
	// [Handler] refuses such a push, and Payload returns an error.
	IsGarbled bool
	// Form holds the fields of a form body in order, each with its signed value: the first one if a name repeats, or that
	// of the query if the query has the name too. Without a body, Form holds the query parameters other than the gateway's
	// own, sorted by name.
	Form []Field
	// Key identifies the message by operation and business ids. It is the same for every repeat, and a [Gate] and the
	// function of [WithStore] use it as deduplication key. It is printable ASCII of at most 100 bytes: the operation, and
	// a hash of the app and the ids. The ids of an event are type, orderId, renewalOrderId and payTradeNo; those of a
	// submit are orderId, outOrderId, both times, payTradeNo and priceMark; those of a cancellation are orderId and
	// outOrderId. If a message has none of these ids, Key is derived from its content and, for an event, its trace id.
	// Otherwise the trace id does not matter. Key is empty before the message is decoded, and for price queries.
	Key string
	// Digest is the SHA-256 of the content of the message, in hexadecimal: see [Claim]. A message with the same Key and
	// another Digest is not a repeat. Digest is empty before the message is decoded.
	Digest string
	// IsConflict reports whether the gate has seen Key with other content. The message reaches your function all the same,
	// and you decide which one is right.
	IsConflict bool
	// Attempt is the number of times that this delivery has been passed to the handler, 1 for a push that has just
	// arrived.
	Attempt int
	// Findings lists the documented rules that the event or request breaks. A message is never refused because of them.
	Findings []fliggy.Problem
	// Push is the push as it arrived, for storing it or verifying it again.
	Push *Push
}

// CheckTime returns an error unless the signed timestamp is at most window before or after now. The error matches
// [ErrExpired], also if the timestamp is missing or invalid.
func (d *Delivery) CheckTime(now time.Time, window time.Duration) error {
	expired := func(format string, args ...any) error {
		return &refusal{ErrExpired, ReasonExpired, fmt.Sprintf(format, args...)}
	}
	if _, ok := d.Params[paramTimestamp]; !ok {
		return expired("there is no signed timestamp")
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

// protocolParams are the parameters of the gateway itself. In a form body they do not belong to the message.
var protocolParams = map[string]bool{
	"app_key": true, "target_app_key": true, "method": true, paramTimestamp: true, paramSign: true,
	"sign_method": true, "v": true, "format": true, "session": true, "simplify": true, "partner_id": true,
	"customerId": true,
}

// errGarbled refuses a push that has the same signature with other bytes.
var errGarbled = errors.New("qimen: the push is not valid UTF-8: its signature fits other bytes too")

// Payload returns the message: the body (JSON or XML) or, for a form or a push with all parameters in the query, a JSON
// object of the fields. Each value is a JSON string; parameters of the gateway are omitted. Payload has signed content
// only. Inferred: the message is the body; see [WithPayload].
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
		return nil, errors.New("qimen: the form holds parameters of the gateway only: it has no message")
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

// String returns method, app, time and counts, without content.
func (d Delivery) String() string {
	return fmt.Sprintf("Delivery(%s, app %q, signed %v, attempt %d, %d findings, content redacted)",
		top.Quote(d.Method, 80), d.AppKey, d.Time, d.Attempt, len(d.Findings))
}

// Format writes String for every verb.
func (d Delivery) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, d.String()) }

// LogValue returns the values of String as a group.
func (d Delivery) LogValue() slog.Value {
	return slog.GroupValue(slog.String("method", shown(d.Method)), slog.String("app_key", d.AppKey),
		slog.String("signed", d.Time.String()), slog.Int("attempt", d.Attempt), slog.Int("findings", len(d.Findings)))
}

// MarshalJSON always returns an error. A log must not show the content, and a summary would be lost data in a store.
func (d Delivery) MarshalJSON() ([]byte, error) {
	return nil, errors.New(
		"qimen: a Delivery cannot be encoded, to keep it out of logs: store RawQuery, Header and Body of its Push, and " +
			"verify them again",
	)
}
