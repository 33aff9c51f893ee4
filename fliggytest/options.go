package fliggytest

import (
	"strings"
	"time"

	"github.com/fliggy-go/rentcar"
)

// The app that a gateway knows without [WithApp].
const (
	DefaultAppKey    = "24700001"
	DefaultAppSecret = "0123456789abcdef0123456789abcdef"
)

// DefaultPushTimeout is how long a push waits for its answer.
const DefaultPushTimeout = 10 * time.Second

// An Option configures a gateway. See [NewGateway] for those that make no sense.
type Option func(*config)

type config struct {
	appKey, secret string
	session        string
	now            func() time.Time
	pushTimeout    time.Duration
	auto           decision
	names          map[string]rentcar.Names
	without        map[string][]string
}

func defaultConfig() config {
	return config{
		appKey: DefaultAppKey, secret: DefaultAppSecret,
		now: time.Now, pushTimeout: DefaultPushTimeout,
		names: map[string]rentcar.Names{}, without: map[string][]string{},
	}
}

// WithClock sets the clock: timestamps are compared with it, times of orders,
// requests and pushes come from it, bans end by it. It is called from several
// goroutines.
func WithClock(now func() time.Time) Option {
	return func(c *config) {
		if now != nil {
			c.now = now
		}
	}
}

// WithApp sets the app key and secret that the gateway knows.
func WithApp(appKey, appSecret string) Option {
	return func(c *config) {
		if strings.TrimSpace(appKey) != "" && strings.TrimSpace(appSecret) != "" {
			c.appKey, c.secret = appKey, appSecret
		}
	}
}

// WithSession makes the gateway demand this session (授权令牌) of every call: code
// 26 without one, 27 with another.
func WithSession(session string) Option { return func(c *config) { c.session = session } }

// WithAutoAccept accepts every renewal as soon as its submit has been answered:
// see [Gateway.AutoAccept].
func WithAutoAccept() Option { return func(c *config) { c.auto = decision{state: RenewalAccepted} } }

// WithAutoReject rejects every renewal as soon as its submit has been answered:
// see [Gateway.AutoReject].
func WithAutoReject(code, message string) Option {
	return func(c *config) { c.auto = decision{RenewalRejected, code, message} }
}

// WithPushTimeout bounds how long a push waits for its answer; DefaultPushTimeout
// without it.
func WithPushTimeout(d time.Duration) Option {
	return func(c *config) {
		if d > 0 {
			c.pushTimeout = d
		}
	}
}

// WithoutMembers leaves members out of the replies of an API, to see what a client
// does without them. They are named as in rentcar.Names: "cancel_fee", or
// "added_service_list.amount" for a member of inner messages. The refusals of the API
// lack them too. Names that fit no member are an error of [Gateway.Client]; a gateway
// takes the option once for each API, beside WithNames for it.
func WithoutMembers(method string, members ...string) Option {
	return func(c *config) { c.without[method] = members }
}

// WithNames makes the gateway use other names for an API, in requests and
// replies: those that you give your client with rentcar.WithNames. Names that fit
// no member are an error of [Gateway.Client].
func WithNames(method string, names rentcar.Names) Option {
	return func(c *config) { c.names[method] = names }
}
