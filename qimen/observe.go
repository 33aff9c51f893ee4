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

// An Observation is the result of one push, for metrics and alarms. It has no payload.
type Observation struct {
	// Method and AppKey are those of the delivery. They are empty if the push was not verified.
	Method string
	AppKey string
	// Client is the address of the client, without a zone; see [WithTrustedProxies]. It is unset if the client is unknown,
	// as in [Handler.Handle].
	Client netip.Addr
	// EventType is the number of the event, 0 if no event was parsed.
	EventType events.Type
	// Key is [Delivery.Key], Attempt is [Delivery.Attempt].
	Key     string
	Attempt int
	// OrderID and OutOrderID are Fliggy's and your id of the order. They are empty if nothing was parsed, or if the id is
	// longer than 64 bytes or has characters other than letters, digits, "-", "_", "." and ":".
	OrderID    fliggy.ID
	OutOrderID string
	// IsRepeat reports whether the gate recognised a repeat. It gave the stored reply (ReasonAccepted), or the message is
	// still being handled (ReasonInProgress).
	IsRepeat bool
	// IsConflict reports whether the gate has seen Key with other content.
	IsConflict bool
	// IsStored reports whether the function of [WithStore] stored the event, to be handled later.
	IsStored bool
	// Findings lists the documented rules that the event or request breaks.
	Findings []fliggy.Problem
	// IsPressureTest reports whether a request to a merchant is load-test traffic (压测流量).
	IsPressureTest bool
	// Reason is the result, and Status the HTTP status of the reply.
	Reason Reason
	Status int
	// Duration is the time from the arrival of the push to the reply.
	Duration time.Duration
	// Err is the error: why the push was refused, the error of your function (including a [*Refusal]), a
	// [*fliggy.PanicError], or the failure to write the reply. Several are joined.
	Err error
}

// contain passes a panic to caught as an error. It must be deferred.
func contain(caught func(*fliggy.PanicError)) {
	if value := recover(); value != nil {
		caught(&fliggy.PanicError{Value: value, Stack: debug.Stack()})
	}
}

// report calls observers, logger and tracer. The reply is sent by then, so their panics are recovered. Nothing is left
// to report a panic of the logger.
func (c *config) report(ctx context.Context, o Observation) {
	defer c.traceEnd(func(t Tracer) { t.TracePushEnd(ctx, o) })
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
	case ReasonRefused: // your function returned a Refusal
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
	c.log(ctx, level, message, o.Err, slog.String("client", client), slog.String(
		"method", shown(o.Method),
	), slog.String("app_key", o.AppKey),
		slog.Int("event_type", int(o.EventType)), slog.String("key", o.Key), slog.Int("attempt", o.Attempt),
		slog.String("order_id", string(o.OrderID)), slog.String("out_order_id", o.OutOrderID),
		slog.String("code", shown(code)),
		slog.Bool("repeat", o.IsRepeat), slog.Bool("conflict", o.IsConflict), slog.Bool("stored", o.IsStored),
		slog.Int("findings", len(o.Findings)),
		slog.String("reason", string(o.Reason)), slog.Int("status", o.Status), slog.Duration("duration", o.Duration))
}

// note records the ids of the order. A text that does not look like an id is dropped, since it may be personal data.
func (o *Observation) note(orderID fliggy.ID, outOrderID string) {
	plain := func(id string) string {
		const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:"
		if len(id) > 64 || strings.Trim(id, allowed) != "" {
			return ""
		}
		return id
	}
	o.OrderID, o.OutOrderID = fliggy.ID(plain(string(orderID))), plain(outOrderID)
}

// shown shortens an untrusted text for the log.
func shown(text string) string {
	const most = 80
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}

// textOf returns err.Error(). The method may panic, for example on a nil pointer.
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
