package rentcar

import (
	"cmp"
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
	limit          func(ctx context.Context, method string) error // nil for no limiter
	bans           Bans                                           // nil for those of the client
	now            func() (time.Time, error)
	sleep          func(context.Context, time.Duration) error
	logger         *slog.Logger
	observers      []func(context.Context, Observation)
	wireLog        func(context.Context, WireLog) // nil for none
	tracer         Tracer                         // nil for none
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
// Sandbox. It cannot be combined with WithBaseURL.
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

// WithHTTPClient sends requests through a copy of hc that keeps its transport and timeout but has neither cookies nor
// redirects. The transport must not retry requests, or a write may be sent twice. Without this option the client has a
// transport of its own, which opens at most 80 connections to a host, reuses them, and makes further calls wait.
func WithHTTPClient(hc *http.Client) Option {
	return option(hc != nil, "the HTTP client is nil: leave the option out for the default one",
		func(c *config) { c.httpClient = hc })
}

// WithTimeout bounds one attempt, from connecting to the last byte of the reply. The default is DefaultTimeout. A call
// that is retried takes several attempts and the waits between them; its context bounds the whole call.
func WithTimeout(d time.Duration) Option {
	return option(d > 0, "the timeout must be positive: use a context to wait longer",
		func(c *config) { c.timeout = d })
}

// WithReplyLimit bounds the size of a reply, inflated, in bytes. The default is DefaultReplyLimit. A larger reply is an
// error that matches ErrReplyTooLarge.
func WithReplyLimit(n int64) Option {
	return option(n > 0, "the reply limit must be positive", func(c *config) { c.replyLimit = n })
}

// WithSession sends the session (授权令牌) with every call that has no CallSession. It is for APIs that act for a user.
func WithSession(session string) Option {
	return option(!top.IsBlank(session), "the session is empty: leave the option out to send none",
		func(c *config) { c.session = func() string { return session } })
}

// WithSessionSource asks source for the session (授权令牌) of every call that has no CallSession. It is for sessions that
// are refreshed. source is called once for each attempt, possibly concurrently, so it should keep the session and
// return it until it is about to expire. Empty text sends no session.
//
// If the platform refuses a session (code 27), the call fails, unless RetryPolicy.Codes has "27": then source is asked
// again and the call is retried, a write too, since it was certainly not carried out.
//
// The context is that of the call, bounded by the timeout of an attempt. An error of source ends the call: it is
// wrapped in a *TransportError with OutcomeNotSent. The option cannot be combined with WithSession.
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
	return option(!top.IsBlank(
		string(channel),
	), "the channel is empty: leave the option out and set ChannelID in each request",
		func(c *config) { c.channel = channel })
}

// WithSignMethod chooses how calls are signed. The default is HMACSHA256.
func WithSignMethod(m SignMethod) Option {
	return option(m.Known(), fmt.Sprintf("unknown sign method %q: use HMACSHA256, HMACMD5 or MD5", string(m)),
		func(c *config) { c.signMethod = m })
}

// WithFormat chooses the format of replies. The default is SimplifiedJSON.
func WithFormat(f Format) Option {
	return option(f <= XML, fmt.Sprintf("unknown format %v: use SimplifiedJSON, WrappedJSON or XML", f),
		func(c *config) { c.format = f })
}

// WithRetry sets how often and after what wait calls are retried. See RetryPolicy for the defaults.
// RetryPolicy{MaxAttempts: 1} sends every call once.
func WithRetry(p RetryPolicy) Option {
	return func(c *config) error {
		c.retry = p.withDefaults()
		return p.check()
	}
}

// WithLimiter calls l.Wait before every attempt, or l.WaitMethod of a [MethodLimiter]. Its error is wrapped in a
// *RateLimitError unless the context has ended.
func WithLimiter(l Limiter) Option {
	return option(!isNil(l), "the limiter is nil: leave the option out for none",
		func(c *config) {
			wait := func(ctx context.Context, _ string) error { return l.Wait(ctx) }
			if l, ok := l.(MethodLimiter); ok {
				wait = l.WaitMethod
			}
			c.limit = func(ctx context.Context, method string) error {
				return contain.Call("the limiter", func() error { return wait(ctx, method) })
			}
		})
}

// WithBans keeps bans of flow control in b, so that what one client is told holds for all clients of the app that share
// b, also in other processes. WithClock is not for them: they have a clock of their own. If b panics before a call, the
// call is not sent; after it, the panic is logged.
func WithBans(b Bans) Option {
	return option(!isNil(b), "the bans are nil: leave the option out for those of the client",
		func(c *config) { c.bans = b })
}

// isNil reports whether an interface has no value, or a nil pointer.
func isNil(value any) bool {
	v := reflect.ValueOf(value)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}

// WithSleep sets how the client waits before a retry, for tests. wait returns an error if the context ends first. Use
// it together with WithClock, by which bans end.
func WithSleep(wait func(ctx context.Context, d time.Duration) error) Option {
	return option(wait != nil, "the function to wait with is nil",
		func(c *config) {
			c.sleep = func(ctx context.Context, d time.Duration) error {
				return contain.Call("the function to wait with", func() error { return wait(ctx, d) })
			}
		})
}

// WithClock sets the clock of timestamps, bans and durations, for tests. Deadlines of contexts go by real time. If the
// clock panics or returns the zero time, a call that was not sent fails; after that durations go by real time.
func WithClock(now func() time.Time) Option {
	return option(now != nil, "the clock is nil",
		func(c *config) {
			c.now = func() (at time.Time, err error) {
				err = contain.Call("the clock", func() error { at = now(); return nil })
				if err == nil && at.IsZero() {
					err = errors.New("the clock gave the zero time")
				}
				return at, err
			}
		})
}

// WithLogger logs failed calls and warnings about requests at level Warn, and successful calls at level Debug: method,
// outcome, duration, request id, codes, and the ids of order, renewal, bill and batch in the request. It never logs
// payloads, messages of the platform, or secrets. Without this option nothing is logged.
func WithLogger(l *slog.Logger) Option {
	return option(l != nil, "the logger is nil: leave the option out to log nothing", func(c *config) { c.logger = l })
}

// WithObserver calls observe after each attempt and after each call, with the context of the call, for metrics and
// traces. The call waits for observe, which may be called concurrently. Several observers are called in the order
// given. A panic of an observer is logged and changes nothing for the call.
func WithObserver(observe func(ctx context.Context, o Observation)) Option {
	return option(observe != nil, "the observer is nil", func(c *config) { c.observers = append(c.observers, observe) })
}

// WithUserAgent replaces the User-Agent header "rentcar-go/VERSION".
func WithUserAgent(agent string) Option {
	return option(strings.TrimSpace(agent) != "" && !strings.ContainsFunc(agent, unicode.IsControl),
		"the user agent must be one line of text without control characters",
		func(c *config) { c.userAgent = agent })
}

// WithPartnerID replaces the protocol parameter partner_id, which names the SDK. Empty text leaves it out.
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
	if c.topURL != "" {
		return c.topURL, c.qimenURL
	}
	scheme := "https://"
	if c.plainHTTP {
		scheme = "http://"
	}
	known := gateways[c.environment]
	return scheme + known.top, cmp.Or(c.qimenURL, scheme+known.qimen)
}
