package acceptance

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/fliggy-go/rentcar/fliggytest"
)

// The clock of a world, shared by client and gateway. It stands on whole seconds, and
// a wait ends on the next one: so the jitter of the client's waits, which no seed
// governs, leaves no trace, as long as no wait's random part is a second or more.
type chaosClock struct{ seconds atomic.Int64 }

func (c *chaosClock) now() time.Time { return time.Unix(c.seconds.Load(), 0) }

func (c *chaosClock) advance(d time.Duration) { c.seconds.Add(int64(d / time.Second)) }

// The writes that the model drives, and what it asks besides.
const (
	methodSubmit      = "alitrip.rentcar.btb.renewal.submit"
	methodCancel      = "alitrip.rentcar.btb.renewal.order.cancel"
	methodBill        = "alitrip.rentcar.btb.bill.notify"
	methodCallback    = "alitrip.rentcar.btb.distribution.callback"
	methodQuote       = "alitrip.rentcar.btb.renewaldetail.query"
	methodCheckCancel = "alitrip.rentcar.btb.renewal.checkcancel"
)

var (
	chaosWrites  = []string{methodSubmit, methodCancel, methodBill, methodCallback}
	chaosMethods = append([]string{methodQuote, methodCheckCancel}, chaosWrites...)
)

// A network is the way from the client to the gateway, and what goes wrong on it. It
// runs on the goroutine of its world.
type network struct {
	rng    *rand.Rand
	clock  *chaosClock
	gw     *fliggytest.Gateway
	rate   float64 // how many of the requests meet a fault
	base   *http.Transport
	dead   *http.Transport // connects to nothing
	giveUp func(error)     // ends the context of the call that is under way
	late   func(deliver func())
	hits   map[string]int // faults by name

	met   atomic.Pointer[ban]  // the ban that the request on its way ran into
	until map[string]time.Time // the bans that the client was told of: "" for all methods
	wrong func(text string)    // reports a request that should not have been sent
}

// A ban is what a reply of flow control tells.
type ban struct {
	method string // "" for all
	left   time.Duration
}

func newNetwork(rng *rand.Rand, clock *chaosClock, gw *fliggytest.Gateway) *network {
	return &network{
		rng: rng, clock: clock, gw: gw,
		base: &http.Transport{DisableCompression: rng.IntN(4) > 0}, // compressing is half the work of a world
		dead: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			return nil, opError("dial", syscall.ECONNREFUSED)
		}},
		hits: map[string]int{}, until: map[string]time.Time{},
	}
}

func (n *network) close() {
	n.base.CloseIdleConnections()
	n.dead.CloseIdleConnections()
}

// RoundTrip sends a request, with luck. It keeps the books of the bans as the client
// should: whoever was told of one sends nothing before its end.
func (n *network) RoundTrip(req *http.Request) (*http.Response, error) {
	method := req.URL.Query().Get("method")
	if left := n.banned(method); left > 0 {
		n.wrong(fmt.Sprintf("%s was sent %v before the end", method, left))
	}
	n.met.Store(nil)
	resp, err := n.send(req)
	if b := n.met.Load(); b != nil && err == nil {
		if end := n.clock.now().Add(b.left); end.After(n.until[b.method]) {
			n.until[b.method] = end
		}
	}
	return resp, err
}

// banned returns how much longer calls of a method are banned, as far as the client knows.
func (n *network) banned(method string) time.Duration {
	now := n.clock.now()
	return max(n.until[method].Sub(now), n.until[""].Sub(now), 0)
}

func (n *network) send(req *http.Request) (*http.Response, error) {
	if n.rng.Float64() >= n.rate {
		return n.base.RoundTrip(req)
	}
	// A third goes wrong on the way, the rest at the gateway.
	if n.rng.IntN(3) == 0 {
		f := onTheWay[n.rng.IntN(len(onTheWay))]
		n.hits[f.name]++
		return f.trip(n, req)
	}
	if n.rng.IntN(20) == 0 {
		return n.throttled(time.Duration(1+n.rng.IntN(3))*time.Second, req)
	}
	f := atTheGateway[n.rng.IntN(len(atTheGateway))]
	return n.withFault(f.name, f.fault, nil, req)
}

// throttled is refused by flow control, for a few seconds and without a ban of others.
func (n *network) throttled(d time.Duration, req *http.Request) (*http.Response, error) {
	f := fliggytest.Banned(d, fliggytest.BanAppAPI).Times(1)
	return n.withFault(f.String(), f, &ban{req.URL.Query().Get("method"), d}, req)
}

// withFault sends a request that the gateway lets fail, unless a ban is in front.
func (n *network) withFault(name string, f fliggytest.Fault, tells *ban, req *http.Request) (*http.Response, error) {
	var hit atomic.Bool
	stop := n.gw.Fail(f.When(func(fliggytest.Request) bool {
		hit.Store(true)
		n.met.Store(tells)
		return true
	}))
	defer stop()
	resp, err := n.base.RoundTrip(req)
	if hit.Load() {
		n.hits[name]++
	}
	return resp, err
}

// atTheGateway are the faults of the gateway. Where a failure proves nothing, it comes
// before the request is carried out as often as after it. Refusals that prove that
// nothing was carried out come before it only: a platform that lies there is beyond
// any client.
var atTheGateway = slices.Concat(
	beforeAndAfter("", fliggytest.Unavailable()),
	beforeAndAfter("", serviceFault("isp.remote-service-timeout", "invoke timeout")),
	beforeAndAfter("", serviceFault("isp.null-pointer-exception", "")),
	beforeAndAfter("service error without a sub code", serviceFault("", "")),
	beforeAndAfter(
		"gateway error 10 isp.unknown-error", gatewayFault("10", "Service Currently Unavailable", "isp.unknown-error", ""),
	),
	beforeAndAfter("", gatewayFault("3", "Upload Fail", "", "")),
	beforeAndAfter("", gatewayFault("901", "Never Heard Of", "", "")),
	beforeAndAfter(
		"HTML page, status 502",
		fliggytest.RawBody(http.StatusBadGateway, "text/html", []byte("<html>502 Bad Gateway</html>")),
	),
	beforeAndAfter("", fliggytest.HTTPStatus(http.StatusServiceUnavailable)),
	beforeAndAfter("", fliggytest.HTTPStatus(http.StatusTooManyRequests)),
	beforeAndAfter("", fliggytest.HTTPStatus(http.StatusNotFound)),
	beforeAndAfter("HTML page, status 200", htmlPage()),
	beforeAndAfter("half an answer", fliggytest.RawBody(http.StatusOK, "", []byte(`{"successful":tr`))),
	beforeAndAfter("empty answer", fliggytest.RawBody(http.StatusOK, "", nil)),
	beforeAndAfter("", fliggytest.Dropped()),
	beforeAndAfter("", fliggytest.CutOff()),
	beforeAndAfter("", fliggytest.TruncatedGzip()),
	once(
		fliggytest.NoFlag(),
		fliggytest.InGBK(),
		refused("012", "库存不足"),
		serviceFault("isv.invalid-parameter", "非法参数"),
		gatewayFault("27", "Invalid session", "invalid-sessionkey", ""),
		gatewayFault("40", "Missing required arguments:x", "", ""),
		gatewayFault("7", "App Call Limited", fliggytest.BanAPI, ""), // for how long it does not say
	),
)

type namedFault struct {
	name  string
	fault fliggytest.Fault
}

func beforeAndAfter(name string, f fliggytest.Fault) []namedFault {
	name = cmp.Or(name, f.String())
	return []namedFault{{name, f}, {name + ", after commit", f.AfterCommit()}}
}

func once(faults ...fliggytest.Fault) (all []namedFault) {
	for _, f := range faults {
		all = append(all, namedFault{f.String(), f})
	}
	return all
}

// onTheWay are the faults before and behind the gateway. "After commit" here means
// that the gateway got the request and did with it what it does.
var onTheWay = []struct {
	name string
	trip func(n *network, req *http.Request) (*http.Response, error)
}{
	{"no connection", func(n *network, req *http.Request) (*http.Response, error) {
		return n.dead.RoundTrip(req)
	}},
	{"no connection, untraced", func(_ *network, req *http.Request) (*http.Response, error) {
		return lost(req, opError("dial", syscall.ECONNREFUSED))
	}},
	{"request lost", func(_ *network, req *http.Request) (*http.Response, error) {
		return lost(req, opError("write", syscall.ECONNRESET))
	}},
	{"request lost, timeout", func(_ *network, req *http.Request) (*http.Response, error) {
		return lost(req, opError("read", os.ErrDeadlineExceeded))
	}},
	{"request arrives after the timeout", (*network).arriveLate},
	{"gateway hangs until the timeout", (*network).hang},
	{"reply lost, timeout after commit", func(n *network, req *http.Request) (*http.Response, error) {
		return n.unheard(req, opError("read", os.ErrDeadlineExceeded))
	}},
	{"reply lost, no connection when asked again below, after commit", func(
		n *network, req *http.Request,
	) (*http.Response, error) {
		return n.unheard(req, opError("dial", syscall.ECONNREFUSED))
	}},
	{"caller gives up", func(n *network, req *http.Request) (*http.Response, error) {
		n.giveUp(errGaveUp)
		return lost(req, req.Context().Err())
	}},
	{"caller gives up, after commit", func(n *network, req *http.Request) (*http.Response, error) {
		resp, err := n.unheard(req, context.Canceled)
		n.giveUp(errGaveUp)
		return resp, err
	}},
	{"slow", func(n *network, req *http.Request) (*http.Response, error) {
		n.clock.advance(25 * time.Second)
		defer n.clock.advance(5 * time.Second)
		return n.base.RoundTrip(req)
	}},
	{"slower than the timestamp may be old", func(n *network, req *http.Request) (*http.Response, error) {
		n.clock.advance(11 * time.Minute)
		return n.base.RoundTrip(req)
	}},
}

var errGaveUp = errors.New("the customer has left the shop")

func opError(op string, err error) error { return &net.OpError{Op: op, Net: "tcp", Err: err} }

// lost fails a request that reaches nobody.
func lost(req *http.Request, err error) (*http.Response, error) {
	_ = req.Body.Close()
	return nil, err
}

// unheard delivers a request and loses the reply.
func (n *network) unheard(req *http.Request, err error) (*http.Response, error) {
	n.deliver(req)
	return nil, err
}

// deliver sends a request whose reply nobody waits for.
func (n *network) deliver(req *http.Request) {
	resp, err := n.base.RoundTrip(req)
	if err != nil {
		panic(fmt.Sprintf("chaos: a request without a fault did not arrive: %v", err)) // of the test itself
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
}

// arriveLate keeps a write on its way until the caller has long been told of a timeout.
func (n *network) arriveLate(req *http.Request) (*http.Response, error) {
	if slices.Contains(chaosWrites, req.URL.Query().Get("method")) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		later := req.Clone(context.Background())
		later.Body, later.GetBody = io.NopCloser(bytes.NewReader(body)), nil
		n.late(func() { n.deliver(later) })
	}
	return lost(req, opError("read", os.ErrDeadlineExceeded))
}

// hang lets the gateway take the request in and never answer, until the time is up: at
// once, since that takes no time by the clock of the world.
func (n *network) hang(req *http.Request) (*http.Response, error) {
	ctx, timeUp := context.WithCancelCause(req.Context())
	defer timeUp(nil)
	stop := n.gw.Fail(fliggytest.Hanging().When(func(fliggytest.Request) bool {
		timeUp(opError("read", os.ErrDeadlineExceeded))
		return true
	}))
	defer stop()
	return n.base.RoundTrip(req.WithContext(ctx))
}
