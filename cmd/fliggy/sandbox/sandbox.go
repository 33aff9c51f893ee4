// Package sandbox is Fliggy (飞猪) behind one address: the TOP and Qimen gateways of package fliggytest, a control API
// that does everything a tester needs, and a console in the browser that stands on the control API.
package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar/fliggytest"
)

// A Config says what a sandbox is like.
type Config struct {
	Origin       string             // URL where it is served, such as http://127.0.0.1:8787
	AllowedHosts []string           // host names that control API and console answer to, with localhost
	AppKey       string             // of the app that it knows
	AppSecret    string             `json:"-"` // calls and pushes are signed with it
	Session      string             `json:"-"` // which every call must carry; empty for none
	PushTo       string             // URL where events are pushed to; empty for nowhere yet
	Merchant     string             // URL that a merchant's methods are forwarded to; empty for none
	Orders       []fliggytest.Order // orders at the start; nil for the sample order
	Scenario     Scenario           // how renewals go; empty for Never
	Time         time.Time          // what the clock of the business shows at the start; zero for the real time
	WireTime     time.Time          // what timestamps of calls are compared with; zero for the real time
	Capacity     int                // how many calls, pushes, renewals and bills are kept; 0 for DefaultCapacity
	Version      string             // of the command, as GET /ready and GET /state show it
}

// DefaultCapacity is how many calls, pushes, renewals and bills a sandbox keeps.
const DefaultCapacity = 2000

// A Sandbox is one Fliggy. Make it with [New], serve [Sandbox.Handler], and Close it.
type Sandbox struct {
	config  Config
	gateway *fliggytest.Gateway
	clock   *clock
	bell    *bell
	handler http.Handler

	mu        sync.Mutex
	pushTo    string
	scenario  Scenario
	faults    []*fault // in the order in which they were set
	lastFault int
}

// New makes a sandbox. The error names push_to, scenario or merchant, and what is wrong with it.
func New(cfg Config) (*Sandbox, error) {
	if cfg.Capacity == 0 {
		cfg.Capacity = DefaultCapacity
	}
	cfg.Origin = strings.TrimRight(cfg.Origin, "/")
	s := &Sandbox{config: cfg, clock: newClock(cfg.Time), bell: newBell()}
	wireNow := time.Now
	if !cfg.WireTime.IsZero() { // for calls that were recorded
		wireNow = func() time.Time { return cfg.WireTime }
	}
	opts := []fliggytest.Option{
		fliggytest.WithOrigin(cfg.Origin), fliggytest.WithApp(cfg.AppKey, cfg.AppSecret),
		fliggytest.WithClock(s.clock.now), fliggytest.WithWireClock(wireNow), fliggytest.WithCapacity(cfg.Capacity),
	}
	if cfg.Orders != nil {
		opts = append(opts, fliggytest.WithOrders(cfg.Orders...))
	}
	if cfg.Session != "" {
		opts = append(opts, fliggytest.WithSession(cfg.Session))
	}
	s.gateway = fliggytest.NewGateway(opts...)
	err := errors.Join(s.aim(cfg.PushTo), s.play(cfg.Scenario), s.forward(cfg.Merchant))
	if err != nil {
		s.gateway.Close()
		return nil, err
	}
	s.handler = s.routes()
	return s, nil
}

// Handler serves the gateways, the control API and the console.
func (s *Sandbox) Handler() http.Handler { return s.handler }

// Close ends what is on its way: requests that hang, pushes, streams.
func (s *Sandbox) Close() { s.gateway.Close() }

// String names the address, never the secret.
func (s *Sandbox) String() string { return fmt.Sprintf("Sandbox(%s)", s.config.Origin) }

// aim pushes events to an address from now on.
func (s *Sandbox) aim(address string) error {
	if err := checkURL(address); address != "" && err != nil {
		return &invalid{"push_to", err.Error()}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pushTo = address
	s.gateway.PushTo(address)
	s.bell.ring(false)
	return nil
}

// reset puts everything back to the start, but for the clock and the address of the endpoint.
func (s *Sandbox) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
	s.gateway.Reset()
	_ = s.decide(s.scenario) // one that there is
	s.bell.ring(true)
}

// A Scenario is how renewals go.
type Scenario string

// The scenarios.
const (
	Accepted Scenario = "accepted" // the merchant accepts as soon as the submit is answered
	Rejected Scenario = "rejected" // the merchant refuses
	Slow     Scenario = "slow"     // the merchant accepts half a minute later
	Never    Scenario = "never"    // the merchant never answers by itself: use the buttons
)

// Scenarios lists all scenarios.
var Scenarios = []Scenario{Accepted, Rejected, Slow, Never}

// slowness is how late a slow merchant accepts.
const slowness = 30 * time.Second

// play lets renewals go as a scenario says.
func (s *Sandbox) play(scenario Scenario) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.decide(scenario)
}

// decide is play for one who holds the lock.
func (s *Sandbox) decide(scenario Scenario) error {
	switch scenario {
	case Accepted:
		s.gateway.AutoAccept()
	case Rejected:
		s.gateway.AutoReject("71008", "商家接单失败")
	case Slow:
		s.gateway.AutoAccept(fliggytest.Push{Late: slowness})
	case Never, "":
		scenario = Never
		s.gateway.DecideByHand()
	default:
		return &invalid{"scenario", fmt.Sprintf("there is no scenario %q: want accepted, rejected, slow or never", scenario)}
	}
	s.scenario = scenario
	s.bell.ring(false)
	return nil
}
