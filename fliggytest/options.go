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
	wireNow        func() time.Time // nil for now
	names          map[string]rentcar.Names
	origin         string
	capacity       int
	orders         []Order // nil for the sample order
}

func defaultConfig() config {
	return config{
		appKey: DefaultAppKey, secret: DefaultAppSecret,
		now:   time.Now,
		names: map[string]rentcar.Names{},
	}
}

// WithClock sets the clock: timestamps are compared with it, unless there is [WithWireClock]; times of orders,
// requests and pushes come from it, bans end by it. It is called from several
// goroutines.
func WithClock(now func() time.Time) Option {
	return func(c *config) {
		if now != nil {
			c.now = now
		}
	}
}

// WithWireClock sets another clock for what crosses the wire: timestamps of calls are compared with it, and pushes are
// signed with it. So a gateway whose clock is moved still takes calls of clients, and pushes to endpoints, whose clocks
// are right.
func WithWireClock(now func() time.Time) Option { return func(c *config) { c.wireNow = now } }

// WithApp sets the app key and secret that the gateway knows.
func WithApp(appKey, appSecret string) Option {
	return func(c *config) {
		if strings.TrimSpace(appKey) != "" && strings.TrimSpace(appSecret) != "" {
			c.appKey, c.secret = appKey, appSecret
		}
	}
}

// WithOrigin makes a gateway that opens no port: you serve its [Gateway.Handler] at origin, such as
// "http://127.0.0.1:8787", which [Gateway.URL] and [Gateway.QimenURL] begin with.
func WithOrigin(origin string) Option {
	return func(c *config) { c.origin = strings.TrimRight(origin, "/") }
}

// WithCapacity bounds what the gateway keeps, for one that runs for days: the last n requests, pushes, activities,
// quotes, renewals, bills, callbacks and orders of the agency, the oldest forgotten first. Orders are kept, whatever
// their number. Without it, or with an n below 1, all is kept.
func WithCapacity(n int) Option { return func(c *config) { c.capacity = max(n, 0) } }

// WithOrders loads orders in place of the sample order, at the start and after [Gateway.Reset]: see [ReadOrders].
func WithOrders(orders ...Order) Option {
	return func(c *config) { c.orders = append(snapshots(c.orders), snapshots(orders)...) }
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
