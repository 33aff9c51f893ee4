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

// DefaultPushTimeout is how long a push waits for its answer, unless its [Push] has a Timeout.
const DefaultPushTimeout = 10 * time.Second

// An Option configures a gateway. See [NewGateway] for those that make no sense.
type Option func(*config)

type config struct {
	appKey, secret string
	session        string
	now            func() time.Time
	names          map[string]rentcar.Names
}

func defaultConfig() config {
	return config{
		appKey: DefaultAppKey, secret: DefaultAppSecret,
		now:   time.Now,
		names: map[string]rentcar.Names{},
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

// WithNames makes the gateway use other names for an API, in requests and replies: those that you give your client with
// rentcar.WithNames. A member of a reply that is called "-" is left out, of the refusals of the API too, to see what a
// client does without it:
//
//	fliggytest.WithNames(method, rentcar.Names{Reply: map[string]string{"added_service_list.amount": "-"}})
//
// Names that fit no member are an error of [Gateway.Client]. Give all names of an API in one option.
func WithNames(method string, names rentcar.Names) Option {
	return func(c *config) { c.names[method] = names }
}
