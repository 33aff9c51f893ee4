package fliggytest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar"
)

// errClosed says that the gateway is closed.
var errClosed = errors.New("fliggytest: the gateway is closed")

// A Gateway is Fliggy: the TOP and Qimen gateways, the service behind them and
// the pusher of events. Make one with [NewGateway]; its methods may be called
// from any goroutine.
type Gateway struct {
	appKey  string
	secret  func() string // a function, so that no formatting verb reaches the text
	session func() string
	now     func() time.Time
	wireNow func() time.Time

	server *httptest.Server // nil when no port could be had
	origin string
	broken error // what was wrong from the start: returned by Client
	ctx    context.Context
	cancel context.CancelFunc
	close  sync.Once

	operations map[string]*operation
	state      *state
	faults     faults
	pushes     pusher
	log        journal

	mu       sync.Mutex
	handlers map[string]handlerFunc
	auto     autoDecision
}

// NewGateway starts a gateway on a free port of the loopback interface, or as [WithOrigin] says. Close it.
//
// It never fails: where no port can be had, or WithNames names what no API has,
// [Gateway.Client] says so. Other options without a meaning, nil among them, are ignored.
func NewGateway(opts ...Option) *Gateway {
	cfg := defaultConfig()
	for _, opt := range opts {
		if opt != nil {
			opt(&cfg)
		}
	}
	g := &Gateway{
		appKey:   cfg.appKey,
		secret:   func() string { return cfg.secret },
		session:  func() string { return cfg.session },
		now:      cfg.now,
		wireNow:  cfg.wireNow,
		handlers: map[string]handlerFunc{},
	}
	if g.wireNow == nil {
		g.wireNow = g.now
	}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	var namesErr, listenErr error
	g.operations, namesErr = compileOperations(cfg.names)
	g.state = newState(g.now(), &cfg)
	g.log = journal{capacity: cfg.capacity, changed: make(chan struct{})}
	g.pushes.init()
	if g.origin = cfg.origin; g.origin == "" {
		g.server, listenErr = g.listen()
	}
	if g.server != nil {
		g.origin = g.server.URL
	}
	g.broken = errors.Join(namesErr, listenErr)
	return g
}

func (g *Gateway) listen() (*httptest.Server, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(g.ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		if l, err = lc.Listen(g.ctx, "tcp6", "[::1]:0"); err != nil {
			return nil, fmt.Errorf("fliggytest: no port on the loopback interface: %w", err)
		}
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{
		Handler:           g.Handler(),
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0), // what goes wrong is in Requests
	}}
	s.Start()
	return s, nil
}

const (
	topPath   = "/router/rest"
	qimenPath = "/router/qm"
)

// Handler serves the gateway's calls, for a server of yours: see [WithOrigin]. The paths are those of production,
// sandbox and the classic gateways: /router/rest for TOP, /router/qm and /router/qmtest for Qimen, each also after
// /top.
func (g *Gateway) Handler() http.Handler {
	m := http.NewServeMux()
	handle := func(path string, qimen bool) {
		m.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithCancel(r.Context())
			defer cancel()
			defer context.AfterFunc(g.ctx, cancel)()
			g.serve(w, r.WithContext(ctx), qimen)
		})
	}
	for _, prefix := range []string{"", "/top"} {
		handle(prefix+topPath, false)
		handle(prefix+qimenPath, true)
		handle(prefix+qimenPath+"test", true)
	}
	return m
}

// Close stops the gateway: waiting requests and pushes in flight are ended, and
// no goroutine of it is left. Calls and pushes after that fail. What it holds can
// still be read. Closing twice does no harm.
func (g *Gateway) Close() {
	g.close.Do(func() {
		g.cancel()
		g.pushes.stop()
		if g.server != nil {
			g.server.CloseClientConnections()
			g.server.Close()
		}
		g.pushes.wait()
	})
}

// Client returns a client of this gateway: with its addresses, app key, secret,
// clock and, where it demands one, session. opts come after those and win. The error
// says what was wrong when the gateway was made, or is that of rentcar.NewClient.
func (g *Gateway) Client(opts ...rentcar.Option) (*rentcar.Client, error) {
	if g.broken != nil {
		return nil, g.broken
	}
	own := []rentcar.Option{
		rentcar.WithBaseURL(g.URL()), rentcar.WithQimenURL(g.QimenURL()), rentcar.WithClock(g.wireNow),
	}
	if s := g.session(); s != "" {
		c, err := rentcar.NewClient(
			g.appKey, g.secret(), slices.Concat(own, []rentcar.Option{rentcar.WithSession(s)}, opts)...,
		)
		if err == nil {
			return c, nil
		}
	}
	// There is none to give, or opts do not go together with it, as a source of sessions.
	return rentcar.NewClient(g.appKey, g.secret(), append(own, opts...)...)
}

// URL is the address of the TOP gateway, for rentcar.WithBaseURL.
func (g *Gateway) URL() string { return g.origin + topPath }

// QimenURL is the address of the Qimen gateway, for rentcar.WithQimenURL.
func (g *Gateway) QimenURL() string { return g.origin + qimenPath }

// AppKey is the app key that the gateway knows, and that its pushes carry.
func (g *Gateway) AppKey() string { return g.appKey }

// AppSecret is the secret of that app: calls and pushes are signed with it.
func (g *Gateway) AppSecret() string { return g.secret() }

// String names app key and address, never the secret.
func (g *Gateway) String() string {
	return fmt.Sprintf("fliggytest.Gateway{app key %s, %s}", g.appKey, g.origin)
}

// Format writes String for every verb.
func (g *Gateway) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, g.String()) }

// MarshalText is String: a gateway has no other form.
func (g *Gateway) MarshalText() ([]byte, error) { return []byte(g.String()), nil }
