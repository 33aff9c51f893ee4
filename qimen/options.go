package qimen

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/internal/top"
)

// The defaults of a Handler.
const (
	// DefaultEventMethod is the method of event pushes (分销订单事件通知).
	DefaultEventMethod = "qimen.alitrip.rentcar.btborder.notify"
	// DefaultWindow is how far a timestamp may be from now, before or after.
	DefaultWindow = 10 * time.Minute
	// DefaultBodyLimit is the size of the largest body, in bytes.
	DefaultBodyLimit = 1 << 20
	// DefaultHeaderLimit is the size of the largest query and signed headers, together
	// and in bytes.
	DefaultHeaderLimit = 64 << 10
	// DefaultReadTimeout is the time that a body has to arrive.
	DefaultReadTimeout = 30 * time.Second
	// DefaultHandlerTimeout is the time that a function of the user has.
	DefaultHandlerTimeout = 30 * time.Second
)

// An Option configures a Handler.
type Option func(*config) error

type config struct {
	ring         keyring
	operations   map[string]operation // by signed method
	onEvent      func(context.Context, *Delivery, events.Event) error
	store        func(context.Context, *Delivery) error // nil where events are handled at once
	eventMethod  string
	payload      func(*Delivery) ([]byte, error) // nil for messageOf
	window       time.Duration
	timeout      time.Duration
	bodyLimit    int64
	headerLimit  int64
	readTimeout  time.Duration
	clients      clients
	now          func() time.Time
	replies      Replies
	checkReplies bool
	gate         Gate
	refusesForms bool
	hasOwnGate   bool
	observers    []func(context.Context, Observation)
	logger       *slog.Logger
}

func defaultConfig() config {
	return config{
		operations:   map[string]operation{},
		eventMethod:  DefaultEventMethod,
		window:       DefaultWindow,
		timeout:      DefaultHandlerTimeout,
		bodyLimit:    DefaultBodyLimit,
		headerLimit:  DefaultHeaderLimit,
		readTimeout:  DefaultReadTimeout,
		now:          time.Now,
		replies:      DefaultReplies(),
		checkReplies: true,
		logger:       slog.New(slog.DiscardHandler),
	}
}

// OnEvent registers the function for pushed events. It is called once for each
// verified push, by several goroutines at once; the same event may be pushed
// again. It gets every event, *events.Unknown included; rules that the event
// breaks are in d.Findings.
//
// Return nil when the work is done or durably stored: Fliggy is told that the
// event was taken. An error is answered with HTTP 500, so that Fliggy pushes the
// event again (inferred: its repeat policy is not documented); the text of the
// error goes to observer and logger only. An error made by [Refuse] goes out as
// the failure reply, with HTTP 200. The context is that of the request,
// with a deadline (see [WithHandlerTimeout]).
func OnEvent(f func(ctx context.Context, d *Delivery, e events.Event) error) Option {
	return func(c *config) error {
		if f == nil {
			return errors.New("OnEvent: the function is nil")
		}
		if c.onEvent != nil {
			return errors.New("OnEvent is given twice: register one function, and switch on the type of the event in it")
		}
		c.onEvent = f
		return nil
	}
}

// WithStore stores events before they are acknowledged instead of handling them at once. store is called with each
// verified event, and Fliggy is told that it was taken when store returns nil; an error is answered with HTTP 500. Give
// what was stored to [Handler.Work], which calls the function of [OnEvent]. An Inbox of package durable does both:
//
//	handler, err := qimen.NewHandler(secrets, qimen.WithStore(inbox.Add), qimen.OnEvent(...))
//
// Store AppKey, IsConflict and the three fields of Push under Key. What the store has already under Key and Digest is a
// repeat. Where it has another Digest under Key, store sets IsConflict, for the observer too, and keeps both. A signed
// event that cannot be read is refused and stored all the same, under a Key of its own, unless it is garbled.
//
// Requests to a merchant are handled at once as without it: their reply cannot wait.
func WithStore(store func(ctx context.Context, d *Delivery) error) Option {
	return func(c *config) error {
		if store == nil {
			return errors.New("WithStore: the function is nil")
		}
		c.store = store
		return nil
	}
}

// WithEventMethod sets the method of event pushes, DefaultEventMethod without it.
func WithEventMethod(name string) Option {
	return func(c *config) error {
		if top.IsBlank(name) {
			return errors.New("WithEventMethod: the method is empty")
		}
		c.eventMethod = name
		return nil
	}
}

// WithoutForms refuses pushes with a form body, as of an unsupported content type, and
// those without a body that have all their parameters in the query. Of other parameters
// in the query none becomes part of a message. Use
// it where the console has your API configured for JSON or XML: names and values of a form
// are signed without a mark between them, so whoever has seen one push with text of his
// own in it could make another message of it; see SECURITY.md.
func WithoutForms() Option {
	return func(c *config) error {
		c.refusesForms = true
		return nil
	}
}

// WithPayload replaces [Delivery.Payload], which extracts the message, a JSON or
// (for a merchant's request) an XML document: for a push that carries it in another
// place than expected.
func WithPayload(f func(*Delivery) ([]byte, error)) Option {
	return func(c *config) error {
		if f == nil {
			return errors.New("WithPayload: the function is nil")
		}
		c.payload = f
		return nil
	}
}

// WithReplies replaces rows of [DefaultReplies]; reasons that it leaves out keep
// theirs.
func WithReplies(replies Replies) Option {
	rows := make(Replies, len(replies))
	for reason, reply := range replies {
		rows[reason] = reply.clone()
	}
	return func(c *config) error {
		maps.Copy(c.replies, rows)
		return rows.check()
	}
}

// WithUncheckedReplies sends replies of a merchant's functions as they are, without
// calling their Validate. What a reply must hold is inferred from samples.
func WithUncheckedReplies() Option {
	return func(c *config) error {
		c.checkReplies = false
		return nil
	}
}

// WithGate replaces the gate that recognises messages which come again: a
// [MemoryGate] of the handler's own without it. Use one that all your processes
// share, or that remembers beyond a restart.
func WithGate(gate Gate) Option {
	return func(c *config) error {
		if gate == nil {
			return errors.New("WithGate: the gate is nil: WithoutGate switches it off")
		}
		c.gate, c.hasOwnGate = gate, true
		return nil
	}
}

// WithoutGate hands every message to your function, repeats included. It must
// recognise them itself, by [Delivery.Key]. So must it recognise pushes that
// somebody else repeats: they pass for fresh ones as long as their timestamp is
// inside the window.
func WithoutGate() Option {
	return func(c *config) error {
		c.gate, c.hasOwnGate = nil, true
		return nil
	}
}

// WithWindow sets how far a timestamp may be from now, before or after:
// DefaultWindow without it.
func WithWindow(window time.Duration) Option {
	return positive("WithWindow", window, func(c *config) { c.window = window })
}

// WithHandlerTimeout sets the deadline of the context that a function of the user
// gets: DefaultHandlerTimeout without it. The gateway waits for the reply; how
// long is not documented.
func WithHandlerTimeout(timeout time.Duration) Option {
	return positive("WithHandlerTimeout", timeout, func(c *config) { c.timeout = timeout })
}

// WithBodyLimit sets the size of the largest body in bytes: DefaultBodyLimit
// without it.
func WithBodyLimit(limit int64) Option {
	return positive("WithBodyLimit", limit, func(c *config) { c.bodyLimit = limit })
}

// WithHeaderLimit sets the size of the largest query and signed headers, together and
// in bytes: DefaultHeaderLimit without it. A header counts as often as it is listed.
// Whatever has more is not verified. Your http.Server's MaxHeaderBytes bounds all
// headers.
func WithHeaderLimit(limit int64) Option {
	return positive("WithHeaderLimit", limit, func(c *config) { c.headerLimit = limit })
}

// WithReadTimeout sets the time that a body has to arrive in whole:
// DefaultReadTimeout without it. Reading also ends with the context of the request,
// and with the ReadTimeout of your http.Server, which should have one: it bounds what
// comes before the handler too.
//
// A client that falls silent can be cut off only through the ResponseWriter of
// net/http. Middleware that wraps it has to have an Unwrap method, which
// http.TimeoutHandler lacks; otherwise only ReadTimeout ends the silence.
func WithReadTimeout(timeout time.Duration) Option {
	return positive("WithReadTimeout", timeout, func(c *config) { c.readTimeout = timeout })
}

// longest bounds durations: sums and products of a few do not overflow.
const longest = 50 * 365 * 24 * time.Hour

func positive[T time.Duration | int64](option string, value T, set func(*config)) Option {
	return func(c *config) error {
		if value <= 0 {
			return fmt.Errorf("%s: %v: want more than zero", option, value)
		}
		if d, ok := any(value).(time.Duration); ok && d > longest {
			return fmt.Errorf("%s: %v: want 50 years at most", option, value)
		}
		set(c)
		return nil
	}
}

// WithClock sets the clock that timestamps are compared with: time.Now without
// it.
func WithClock(now func() time.Time) Option {
	return func(c *config) error {
		if now == nil {
			return errors.New("WithClock: the function is nil")
		}
		c.now = now
		return nil
	}
}

// WithLogger logs one record for each push: accepted ones at debug level, those that
// the user's function declined with [Refuse] at info level, refused ones as warnings,
// failures of the user's function as errors. Without it nothing
// is logged.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error {
		if logger == nil {
			return errors.New("WithLogger: the logger is nil: leave the option out to log nothing")
		}
		c.logger = logger
		return nil
	}
}

// WithObserver calls f once for each push, after the reply, with the context of the
// request, or that of [Handler.Work] for an event that was stored. Several observers
// are called in the order given.
func WithObserver(f func(context.Context, Observation)) Option {
	return func(c *config) error {
		if f == nil {
			return errors.New("WithObserver: the function is nil")
		}
		c.observers = append(c.observers, f)
		return nil
	}
}
