package qimen

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

// An Observation tells how one push ended: for metrics and alarms. It carries no
// payload.
type Observation struct {
	// Method and AppKey are those of the verified push; empty where nothing was
	// verified.
	Method string
	AppKey string
	// Client is the address of the client, without a zone; see [WithTrustedProxies].
	// Unset where it is not known, as for [Handler.Handle].
	Client netip.Addr
	// EventType is the number of the event, 0 where none was parsed.
	EventType events.Type
	// Key is [Delivery.Key], Attempt is [Delivery.Attempt].
	Key     string
	Attempt int
	// OrderID and OutOrderID are Fliggy's id of the order that the event or request is
	// about, and yours; empty where nothing was parsed, and for what is longer than 64
	// bytes or has more than letters, digits, "-", "_", "." and ":" in it.
	OrderID    fliggy.ID
	OutOrderID string
	// IsRepeat tells that the gate answered: with the stored reply
	// (ReasonAccepted), or that the message is being worked on (ReasonInProgress).
	IsRepeat bool
	// IsConflict tells that the gate knows Key with other content.
	IsConflict bool
	// IsStored: the function of [WithStore] has stored the event, to be worked on later.
	IsStored bool
	// Findings lists the documented rules that the event or request breaks.
	Findings []fliggy.Problem
	// IsPressureTest tells that a merchant's request is load-test traffic (压测流量).
	IsPressureTest bool
	// Reason tells how it ended, Status which HTTP status said so.
	Reason Reason
	Status int
	// Duration is the time from the arrival to the reply.
	Duration time.Duration
	// Err says what went wrong: why the push was refused, the error of the user's
	// function (a [*Refusal] included), a [*fliggy.PanicError], or that the reply could not be written.
	Err error
}

// contain turns a panic into an error; it is to be deferred.
func contain(caught func(*fliggy.PanicError)) {
	if value := recover(); value != nil {
		caught(&fliggy.PanicError{Value: value, Stack: debug.Stack()})
	}
}

// report tells observer and logger. The reply is decided by then, so a panic of
// theirs must not spoil it; that of the logger has nobody left to be told to.
func (c *config) report(ctx context.Context, o Observation) {
	defer contain(func(*fliggy.PanicError) {})
	for _, observe := range c.observers {
		func() {
			defer contain(func(p *fliggy.PanicError) { c.log(ctx, slog.LevelError, "qimen: the observer panicked", p) })
			observe(ctx, o)
		}()
	}
	level, message := slog.LevelWarn, "qimen: push refused"
	switch o.Reason {
	case ReasonAccepted:
		level, message = slog.LevelDebug, "qimen: push accepted"
		if o.Err != nil { // the reply did not go out
			level = slog.LevelWarn
		}
	case ReasonRefused: // the answer no of the user's own function
		level, message = slog.LevelInfo, "qimen: request declined"
	case ReasonInProgress:
		level, message = slog.LevelInfo, "qimen: repeat of a push in progress"
	case ReasonHandlerError, ReasonBadReply, ReasonGateFailed, ReasonNotStored, ReasonPanic:
		level, message = slog.LevelError, "qimen: push failed"
	}
	if !c.logger.Enabled(ctx, level) {
		return
	}
	client := "" // none
	if o.Client.IsValid() {
		client = o.Client.String()
	}
	code := ""
	if refusal := (*Refusal)(nil); errors.As(o.Err, &refusal) && refusal != nil {
		code = refusal.Code
	}
	c.log(ctx, level, message, o.Err, slog.String("client", client), slog.String("method", shown(o.Method)), slog.String("app_key", o.AppKey),
		slog.Int("event_type", int(o.EventType)), slog.String("key", o.Key), slog.Int("attempt", o.Attempt),
		slog.String("order_id", string(o.OrderID)), slog.String("out_order_id", o.OutOrderID), slog.String("code", shown(code)),
		slog.Bool("repeat", o.IsRepeat), slog.Bool("conflict", o.IsConflict), slog.Bool("stored", o.IsStored),
		slog.Int("findings", len(o.Findings)),
		slog.String("reason", string(o.Reason)), slog.Int("status", o.Status), slog.Duration("duration", o.Duration))
}

// note keeps the ids of the order. A text that does not look like an id may be anything,
// personal data too.
func (o *Observation) note(orderID fliggy.ID, outOrderID string) {
	o.OrderID, o.OutOrderID = fliggy.ID(plainID(string(orderID))), plainID(outOrderID)
}

func plainID(id string) string {
	isPlain := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-_.:", r)
	}
	if len(id) > 64 || strings.ContainsFunc(id, func(r rune) bool { return !isPlain(r) }) {
		return ""
	}
	return id
}

// shown is the beginning of a text that came from outside, for the log.
func shown(text string) string {
	const most = 80
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}

// textOf is the text of an error, also where its method panics, as that of a nil
// pointer may.
func textOf(err error) (text string) {
	defer contain(func(*fliggy.PanicError) { text = fmt.Sprintf("an error of type %T, whose Error method panics", err) })
	return err.Error()
}

func (c *config) log(ctx context.Context, level slog.Level, message string, err error, attrs ...slog.Attr) {
	if err != nil {
		attrs = append(attrs, slog.String("error", textOf(err)))
	}
	if p := (*fliggy.PanicError)(nil); errors.As(err, &p) {
		attrs = append(attrs, slog.String("stack", string(p.Stack)))
	}
	c.logger.LogAttrs(ctx, level, message, attrs...)
}
