package rentcar

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"
	"unicode"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/contain"
	"github.com/fliggy-go/rentcar/internal/top"
)

// An Environment is a pair of gateways, TOP and Qimen. App keys and secrets
// differ between environments.
type Environment uint8

// The environments of the B2B renewal guide (环境).
const (
	Production Environment = iota // 正式环境
	Sandbox                       // 沙箱环境, the pre-release gateway
)

// String returns the environment's name.
func (e Environment) String() string {
	return nameOf(e, "Environment", "production", "sandbox")
}

// gateways are the addresses of an environment, without the scheme.
var gateways = [...]struct{ top, qimen string }{
	Production: {"gw.api.taobao.com/top/router/rest", "qimen.api.taobao.com/top/router/qm"},
	Sandbox:    {"pre-gw.api.taobao.com/top/router/rest", "qimen.api.taobao.com/top/router/qmtest"},
}

// A Format is how replies travel.
type Format uint8

// The formats of replies. All decode to the same values.
const (
	SimplifiedJSON Format = iota // JSON without root and list wrappers: format=json, simplify=true
	WrappedJSON                  // JSON with root and list wrappers: format=json
	XML                          // format=xml
)

// String returns the format's name.
func (f Format) String() string {
	return nameOf(f, "Format", "simplified JSON", "wrapped JSON", "XML")
}

// nameOf returns the name of a value of an enumeration that counts from 0.
func nameOf[T ~uint8](value T, kind string, names ...string) string {
	if int(value) < len(names) {
		return names[value]
	}
	return fmt.Sprintf("%s(%d)", kind, value)
}

// The defaults of a client.
const (
	DefaultTimeout    = 30 * time.Second // of one attempt
	DefaultReplyLimit = 8 << 20          // bytes of a reply, inflated
)

// An Option configures a client.
type Option func(*config) error

// option makes an Option that sets something if its argument is valid, and fails with rule otherwise.
func option(valid bool, rule string, set func(*config)) Option {
	return func(c *config) error {
		if !valid {
			return errors.New(rule)
		}
		set(c)
		return nil
	}
}

type config struct {
	environment    Environment
	environmentSet bool
	plainHTTP      bool
	topURL         string
	qimenURL       string
	httpClient     *http.Client
	timeout        time.Duration
	replyLimit     int64
	session        func() string
	sessionSource  func(context.Context) (string, error) // nil for session
	channel        fliggy.Channel
	signMethod     SignMethod
	format         Format
	retry          RetryPolicy
	limiter        Limiter
	now            func() (time.Time, error)
	sleep          func(context.Context, time.Duration) error
	logger         *slog.Logger
	observers      []func(context.Context, Observation)
	wireLog        func(context.Context, WireLog) // nil for none
	wireShown      []string
	userAgent      string
	partnerID      string
	names          map[string]Names
}

func defaultConfig() config {
	return config{
		timeout:    DefaultTimeout,
		replyLimit: DefaultReplyLimit,
		session:    func() string { return "" },
		signMethod: HMACSHA256,
		retry:      RetryPolicy{}.withDefaults(),
		now:        func() (time.Time, error) { return time.Now(), nil },
		sleep:      sleep,
		userAgent:  "rentcar-go/" + Version,
		partnerID:  "rentcar-go-" + Version,
		names:      map[string]Names{},
	}
}

// WithEnvironment chooses the gateways: Production, which is the default, or
// Sandbox. It does not go together with WithBaseURL.
func WithEnvironment(e Environment) Option {
	return option(e <= Sandbox,
		fmt.Sprintf("unknown environment %v: use Production or Sandbox, or WithBaseURL for any other address", e),
		func(c *config) { c.environment, c.environmentSet = e, true })
}

// WithPlainHTTP uses the http addresses of the environment instead of https:
// signatures stay valid, but everyone on the way can read the orders.
func WithPlainHTTP() Option {
	return func(c *config) error { c.plainHTTP = true; return nil }
}

// WithBaseURL sends calls to another TOP gateway, such as a test server or the
// overseas one. It must be an absolute http or https URL.
func WithBaseURL(rawURL string) Option {
	return func(c *config) error { return setURL(&c.topURL, "base URL", rawURL) }
}

// WithQimenURL sends the calls of CallQimen to another Qimen gateway (奇门). With
// WithBaseURL and without this option CallQimen has no address.
func WithQimenURL(rawURL string) Option {
	return func(c *config) error { return setURL(&c.qimenURL, "Qimen URL", rawURL) }
}

func setURL(to *string, what, rawURL string) error {
	u, err := url.Parse(rawURL)
	switch {
	case err != nil:
		return fmt.Errorf("%s: not a URL", what) // the parser's text would quote it
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("%s: must be absolute and start with http:// or https://", what)
	case u.User != nil:
		return fmt.Errorf("%s: must not carry a user or password", what)
	case strings.Contains(rawURL, "#"):
		return fmt.Errorf("%s: must not carry a fragment (#)", what)
	}
	*to = rawURL
	return nil
}

// WithHTTPClient sends through a copy of hc: its transport and timeout are kept (a
// transport must not send a request again by itself, or a write may be sent twice),
// cookies and redirects are switched off in the copy. Without this option the
// client has a transport of its own, which opens at most 80 connections to a host,
// keeps them for further calls, and lets the calls of more callers wait for one.
func WithHTTPClient(hc *http.Client) Option {
	return option(hc != nil, "the HTTP client is nil: leave the option out for the default one",
		func(c *config) { c.httpClient = hc })
}

// WithTimeout bounds one attempt, from connecting to the last byte of the reply;
// DefaultTimeout without it. A call that is repeated takes several attempts and the
// waits between them; the caller's context bounds the whole.
func WithTimeout(d time.Duration) Option {
	return option(d > 0, "the timeout must be positive: use a context to wait longer",
		func(c *config) { c.timeout = d })
}

// WithReplyLimit bounds the size of a reply, inflated, in bytes;
// DefaultReplyLimit without it. A larger reply is an error that matches
// ErrReplyTooLarge.
func WithReplyLimit(n int64) Option {
	return option(n > 0, "the reply limit must be positive", func(c *config) { c.replyLimit = n })
}

// WithSession sends the session (授权令牌) with every call that does not bring its
// own: for APIs that act for a user.
func WithSession(session string) Option {
	return option(!top.IsBlank(session), "the session is empty: leave the option out to send none",
		func(c *config) { c.session = func() string { return session } })
}

// WithSessionSource asks source for the session (授权令牌) of every call that does not
// bring its own with CallSession: for sessions that are refreshed. It is asked once for
// each attempt, so that a call sent again carries a session refreshed meanwhile; keep the
// session, and return it until it is about to end. Empty text sends none.
//
// A session that the platform refuses (code 27) ends the call, a read too, unless
// RetryPolicy.Codes names "27": then source is asked again for the next attempt. A write is
// sent again too: one refused for its session was surely not carried out.
//
// The context is that of the call, and ends after the timeout of an attempt at the
// latest. An error of source ends the call: it is a *TransportError before sending, with
// OutcomeNotSent, that holds the error of source. source may be called concurrently.
// The option does not go together with WithSession.
func WithSessionSource(source func(ctx context.Context) (session string, err error)) Option {
	return option(source != nil, "the source of sessions is nil: leave the option out to send none",
		func(c *config) {
			c.sessionSource = func(ctx context.Context) (session string, err error) {
				err = contain.Call("the source of sessions", func() (err error) { session, err = source(ctx); return err })
				return session, err
			}
		})
}

// WithChannel fills the channel (channel_id, 分销渠道) of requests that leave it
// out.
func WithChannel(channel fliggy.Channel) Option {
	return option(!top.IsBlank(string(channel)), "the channel is empty: leave the option out and set ChannelID in each request",
		func(c *config) { c.channel = channel })
}

// WithSignMethod chooses how calls are signed; HMACSHA256 without it.
func WithSignMethod(m SignMethod) Option {
	return option(m.Known(), fmt.Sprintf("unknown sign method %q: use HMACSHA256, HMACMD5 or MD5", string(m)),
		func(c *config) { c.signMethod = m })
}

// WithFormat chooses how replies travel; SimplifiedJSON without it.
func WithFormat(f Format) Option {
	return option(f <= XML, fmt.Sprintf("unknown format %v: use SimplifiedJSON, WrappedJSON or XML", f),
		func(c *config) { c.format = f })
}

// WithRetry sets how often calls are sent again, and after what wait; see
// RetryPolicy for the defaults. RetryPolicy{MaxAttempts: 1} sends every call once.
func WithRetry(p RetryPolicy) Option {
	return func(c *config) error {
		if err := p.check(); err != nil {
			return err
		}
		c.retry = p.withDefaults()
		return nil
	}
}

// WithLimiter asks l before every attempt. An error of it that is not the end of
// the context is a *RateLimitError.
func WithLimiter(l Limiter) Option {
	v := reflect.ValueOf(l)
	return option(v.IsValid() && (v.Kind() != reflect.Pointer || !v.IsNil()), "the limiter is nil: leave the option out for none",
		func(c *config) { c.limiter = containedLimiter{l} })
}

// A containedLimiter survives a panic of its own.
type containedLimiter struct{ l Limiter }

func (c containedLimiter) Wait(ctx context.Context) error {
	return contain.Call("the limiter", func() error { return c.l.Wait(ctx) })
}

// WithSleep sets how the client waits before it sends a call again, for tests: wait
// returns an error when the context ends first. It goes with WithClock, by which
// bans end.
func WithSleep(wait func(ctx context.Context, d time.Duration) error) Option {
	return option(wait != nil, "the function to wait with is nil",
		func(c *config) {
			c.sleep = func(ctx context.Context, d time.Duration) error {
				return contain.Call("the function to wait with", func() error { return wait(ctx, d) })
			}
		})
}

// WithClock sets the clock that timestamps are read from, by which bans end, and
// that durations are measured with: for tests. The deadline of a context goes by
// real time. A clock that panics, or gives the zero time, ends a call that is not sent
// yet; of one that was sent, durations are then measured by real time.
func WithClock(now func() time.Time) Option {
	return option(now != nil, "the clock is nil", func(c *config) { c.now = contained(now) })
}

// contained reads a clock of the user's.
func contained(clock func() time.Time) func() (time.Time, error) {
	return func() (now time.Time, err error) {
		err = contain.Call("the clock", func() error { now = clock(); return nil })
		if err == nil && now.IsZero() {
			err = errors.New("the clock gave the zero time")
		}
		return now, err
	}
}

// WithLogger logs failed calls (Warn), warnings about requests (Warn) and
// completed ones (Debug), by method, outcome, duration, request id, codes, and the ids of
// order, renewal, bill and batch that the request names. Payloads, the platform's own
// messages and secrets are never logged. Without this option nothing is.
func WithLogger(l *slog.Logger) Option {
	return option(l != nil, "the logger is nil: leave the option out to log nothing", func(c *config) { c.logger = l })
}

// WithObserver calls observe once per attempt and once per call, for metrics and
// traces, with the context of the call. The call waits for it, so it must not block; it
// may be called concurrently. Several observers are called in the order given. A panic
// of one is logged, and changes nothing for the call.
func WithObserver(observe func(ctx context.Context, o Observation)) Option {
	return option(observe != nil, "the observer is nil", func(c *config) { c.observers = append(c.observers, observe) })
}

// WithUserAgent replaces the User-Agent header "rentcar-go/VERSION".
func WithUserAgent(agent string) Option {
	return option(strings.TrimSpace(agent) != "" && !strings.ContainsFunc(agent, unicode.IsControl),
		"the user agent must be one line of text without control characters",
		func(c *config) { c.userAgent = agent })
}

// WithPartnerID replaces the protocol parameter partner_id, by which the gateway
// tells SDKs apart. Empty text leaves it out.
func WithPartnerID(id string) Option {
	return func(c *config) error { c.partnerID = id; return nil }
}

// check refuses combinations that contradict each other.
func (c *config) check() error {
	switch {
	case c.sessionSource != nil && c.session() != "":
		return errors.New("WithSession and WithSessionSource give two sessions: choose one")
	case c.topURL != "" && c.environmentSet:
		return errors.New("WithBaseURL and WithEnvironment name two gateways: choose one")
	case c.topURL != "" && c.plainHTTP:
		return errors.New("WithPlainHTTP is for the gateways of an environment: write http:// into WithBaseURL instead")
	}
	return nil
}

// urls returns the addresses of both gateways; the Qimen one is empty when
// only a TOP address is known.
func (c *config) urls() (topURL, qimenURL string) {
	scheme := "https://"
	if c.plainHTTP {
		scheme = "http://"
	}
	g := gateways[c.environment]
	topURL, qimenURL = c.topURL, c.qimenURL
	if topURL == "" {
		topURL = scheme + g.top
		if qimenURL == "" {
			qimenURL = scheme + g.qimen
		}
	}
	return topURL, qimenURL
}
