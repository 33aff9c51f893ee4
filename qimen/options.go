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
	// DefaultEventMethod is the default of [WithEventMethod] (分销订单事件通知).
	DefaultEventMethod = "qimen.alitrip.rentcar.btborder.notify"
	// DefaultWindow is the default of [WithWindow].
	DefaultWindow = 10 * time.Minute
	// DefaultBodyLimit is the default of [WithBodyLimit], in bytes.
	DefaultBodyLimit = 1 << 20
	// DefaultHeaderLimit is the default of [WithHeaderLimit], in bytes.
	DefaultHeaderLimit = 64 << 10
	// DefaultReadTimeout is the default of [WithReadTimeout].
	DefaultReadTimeout = 30 * time.Second
	// DefaultHandlerTimeout is the default of [WithHandlerTimeout].
	DefaultHandlerTimeout = 30 * time.Second
)

// An Option configures a Handler.
type Option func(*config) error

type config struct {
	ring         keyring
	operations   map[string]operation // by signed method
	onEvent      func(context.Context, *Delivery, events.Event) error
	store        func(context.Context, *Delivery) error // nil if events are not stored
	eventMethod  string
	payload      func(*Delivery) ([]byte, error) // nil for Delivery.Payload
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
	tracer       Tracer // nil for none
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

// OnEvent registers the function that handles events. It is called concurrently, with each verified event that the gate
// does not recognise as a repeat, including *events.Unknown. Rules that the event breaks are in d.Findings.
//
// Return nil when the work is done or durably stored: Fliggy then gets success. Any other error than that of [Refuse]
// becomes HTTP 500 without its text, so that Fliggy pushes the event again (inferred: its retry policy is not
// documented); observer and logger get the text. An error made by [Refuse] becomes a failure reply with HTTP 200. The
// context is that of the request, with a deadline (see [WithHandlerTimeout]).
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
// verified event. Fliggy gets success when store returns nil, and HTTP 500 when it returns an error. Pass stored events
// to [Handler.Work], which calls the function of [OnEvent]. An Inbox of package durable does both:
//
//	handler, err := qimen.NewHandler(secrets, qimen.WithStore(inbox.Add), qimen.OnEvent(...))
//
// Store AppKey, IsConflict and the three fields of Push under Key. If the store already has Key with the same Digest,
// the event is a repeat. If it has Key with another Digest, store must set IsConflict, which the observer sees too, and
// keep both. A signed event that cannot be decoded is refused, but also stored, under a Key of its own; a garbled one
// is not.
//
// Requests to a merchant are not stored, because their replies cannot wait.
func WithStore(store func(ctx context.Context, d *Delivery) error) Option {
	return func(c *config) error {
		if store == nil {
			return errors.New("WithStore: the function is nil")
		}
		c.store = store
		return nil
	}
}

// WithEventMethod sets the method of event pushes. The default is DefaultEventMethod.
func WithEventMethod(name string) Option {
	return func(c *config) error {
		if top.IsBlank(name) {
			return errors.New("WithEventMethod: the method is empty")
		}
		c.eventMethod = name
		return nil
	}
}

// WithoutForms refuses pushes with a form body, as an unsupported content type, and pushes without a body that have all
// parameters in the query. Query parameters never become part of a message. Use it if the console has your API
// configured for JSON or XML. Names and values of a form are signed without separators, so somebody who has seen a push
// with text of their own in it could make another message from it; see SECURITY.md.
func WithoutForms() Option {
	return func(c *config) error {
		c.refusesForms = true
		return nil
	}
}

// WithPayload replaces [Delivery.Payload], for pushes with the message elsewhere. f returns the message: a JSON
// document or, for a request to a merchant, a JSON or XML document.
func WithPayload(f func(*Delivery) ([]byte, error)) Option {
	return func(c *config) error {
		if f == nil {
			return errors.New("WithPayload: the function is nil")
		}
		c.payload = f
		return nil
	}
}

// WithReplies replaces rows of [DefaultReplies]. Reasons that are not in replies keep their rows.
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

// WithUncheckedReplies sends the replies of a merchant's functions without calling Validate. Inferred: the required
// members of a reply, from samples.
func WithUncheckedReplies() Option {
	return func(c *config) error {
		c.checkReplies = false
		return nil
	}
}

// WithGate sets the gate that recognises repeated messages. The default is a [MemoryGate] of the handler. Use a gate
// that all your processes share, or that survives a restart.
func WithGate(gate Gate) Option {
	return func(c *config) error {
		if gate == nil {
			return errors.New("WithGate: the gate is nil: use WithoutGate to have none")
		}
		c.gate, c.hasOwnGate = gate, true
		return nil
	}
}

// WithoutGate passes every message to your function, repeats included. The function must recognise them itself by
// [Delivery.Key]. This includes pushes that somebody else resends, which are accepted as long as their timestamp is
// inside the window.
func WithoutGate() Option {
	return func(c *config) error {
		c.gate, c.hasOwnGate = nil, true
		return nil
	}
}

// WithWindow sets how far a timestamp may be from now, before or after. The default is DefaultWindow.
func WithWindow(window time.Duration) Option {
	return positive("WithWindow", window, func(c *config) { c.window = window })
}

// WithHandlerTimeout sets the time limit of your functions, as the deadline of their context. The default is
// DefaultHandlerTimeout. The gateway waits for the reply; how long is not documented.
func WithHandlerTimeout(timeout time.Duration) Option {
	return positive("WithHandlerTimeout", timeout, func(c *config) { c.timeout = timeout })
}

// WithBodyLimit sets the maximum size of a body in bytes. The default is DefaultBodyLimit.
func WithBodyLimit(limit int64) Option {
	return positive("WithBodyLimit", limit, func(c *config) { c.bodyLimit = limit })
}

// WithHeaderLimit sets the maximum size of query and signed headers together, in bytes. The default is
// DefaultHeaderLimit. A header counts each time it is listed. Larger pushes are not verified. MaxHeaderBytes of your
// http.Server limits all headers.
func WithHeaderLimit(limit int64) Option {
	return positive("WithHeaderLimit", limit, func(c *config) { c.headerLimit = limit })
}

// WithReadTimeout sets how long a whole body may take to arrive. The default is DefaultReadTimeout. Reading also ends
// with the context of the request, and with the ReadTimeout of your http.Server. Set one: it also covers what is read
// before the handler runs.
//
// A silent client can be disconnected only through the ResponseWriter of net/http. Middleware that wraps it must have
// an Unwrap method, which http.TimeoutHandler lacks; otherwise only ReadTimeout ends the wait.
func WithReadTimeout(timeout time.Duration) Option {
	return positive("WithReadTimeout", timeout, func(c *config) { c.readTimeout = timeout })
}

// longest limits durations, so that sums and small multiples do not overflow.
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

// WithClock sets the clock that timestamps are compared with. The default is time.Now.
func WithClock(now func() time.Time) Option {
	return func(c *config) error {
		if now == nil {
			return errors.New("WithClock: the function is nil")
		}
		c.now = now
		return nil
	}
}

// WithLogger sets the logger, which gets one record for each push. Accepted pushes are logged at debug level, those
// that your function rejected with [Refuse] at info level, refused pushes as warnings, and failures of your function as
// errors. By default nothing is logged.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error {
		if logger == nil {
			return errors.New("WithLogger: the logger is nil: leave the option out to log nothing")
		}
		c.logger = logger
		return nil
	}
}

// WithObserver calls f once for each push, after the reply. The context is that of the request or, for a stored event,
// that of [Handler.Work]. Several observers are called in the order given.
func WithObserver(f func(context.Context, Observation)) Option {
	return func(c *config) error {
		if f == nil {
			return errors.New("WithObserver: the function is nil")
		}
		c.observers = append(c.observers, f)
		return nil
	}
}
