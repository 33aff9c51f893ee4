package fliggytest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar"
)

// Sub codes of flow control (限流), code 7: who is banned.
const (
	BanApp     = "accesscontrol.limited-by-app-access-count"     // the app, for the rest of the day
	BanAPI     = "accesscontrol.limited-by-api-access-count"     // everybody on one API
	BanAppAPI  = "accesscontrol.limited-by-app-api-access-count" // the app on one API
	BanDynamic = "accesscontrol.limited-by-dynamic-access-count" // dynamic
)

// A Fault is something that goes wrong with requests: make one with a function of
// this package, say with its methods which requests it hits, and give it to
// [Gateway.Fail]. Without more it hits the next request, whichever it is, before
// it is carried out. Requests that the gateway refuses by itself, such as those
// with a wrong signature, are not hit.
//
// Methods return a changed copy, so a Fault can be kept and used again.
type Fault struct {
	name    string
	given   string // by Named
	methods []string
	times   int // how many requests; negative for all, 0 for one
	timed   bool
	lasts   time.Duration // if timed
	when    func(Request) bool

	commit  bool          // the request is carried out first
	instead bool          // unless commit, the request is not carried out at all
	delay   time.Duration // negative for ever
	noFlag  bool
	answer  func(left time.Duration) error // what is answered, nil for the regular reply
	body    *reply                         // what is sent whatever was asked
	deliver delivery                       // how it travels, nil for whole

	left time.Duration // how much longer a ban lasts
}

// On limits the fault to these APIs. Without it, it hits any.
func (f Fault) On(methods ...string) Fault { f.methods = slices.Clone(methods); return f }

// Times lets the fault hit n requests, or all of them if n is below 1.
func (f Fault) Times(n int) Fault {
	f.times = n
	if n <= 0 {
		f.times = -1
	}
	return f
}

// Always lets the fault hit every request.
func (f Fault) Always() Fault { return f.Times(-1) }

// For lets the fault hit every request until d has passed by the gateway's clock,
// counted from [Gateway.Fail].
func (f Fault) For(d time.Duration) Fault {
	f.timed, f.lasts = true, d
	return f.Always()
}

// When limits the fault to requests for which match is true. It is called for
// every request that the fault might hit, and must not call Fail.
func (f Fault) When(match func(Request) bool) Fault { f.when = match; return f }

// AfterCommit lets the request be carried out before it goes wrong, so that the
// caller sees a failure though the request had its effect.
func (f Fault) AfterCommit() Fault { f.commit = true; return f }

// Named gives the fault a name of yours, by which [Gateway.ActiveFaults] and [Answer] show it.
func (f Fault) Named(name string) Fault { f.given = name; return f }

// String says what goes wrong, or the name of Named.
func (f Fault) String() string {
	if f.given != "" {
		return f.given
	}
	if f.commit {
		return f.name + ", after commit"
	}
	return f.name
}

func failing(name string, err error) Fault {
	return Fault{name: name, instead: true, answer: func(time.Duration) error { return err }}
}

// Failed answers with err, as if the function of [Gateway.Handle] had returned it: a *rentcar.GatewayError as
// error_response with its codes, a *rentcar.BusinessError as a reply whose success flag is false, any other as code 15,
// sub code isp.unknown-error.
func Failed(err error) Fault {
	if refused := (*rentcar.BusinessError)(nil); errors.As(err, &refused) {
		return failing("refused with code "+refused.Code, err)
	}
	if failed := (*rentcar.GatewayError)(nil); errors.As(err, &failed) {
		return failing(strings.TrimSpace("gateway error "+failed.Code+" "+failed.SubCode), err)
	}
	return failing("error", err)
}

// Unavailable answers with code 10, Service Currently Unavailable.
func Unavailable() Fault { return failing("gateway error 10", errUnavailable) }

// Banned answers with flow control until d has passed by the gateway's clock: code 7, App Call Limited, and that the
// ban lasts so many more seconds. subCode is one of the Ban constants, BanAPI when empty. With Times(1) the next
// request is let through although the ban was announced.
func Banned(d time.Duration, subCode string) Fault {
	return Fault{name: "banned", instead: true, answer: func(left time.Duration) error {
		seconds := left / time.Second
		if left%time.Second > 0 {
			seconds++
		}
		says := fmt.Sprintf("This ban will last for %d more seconds", seconds)
		return gatewayError("7", "App Call Limited", cmp.Or(subCode, BanAPI), says)
	}}.For(d)
}

// NoFlag carries the request out and leaves the success flag out of the reply.
func NoFlag() Fault { return Fault{name: "no success flag", noFlag: true} }

// Delayed waits for d before the request is carried out; after it with
// AfterCommit. A client that hangs up meanwhile gets no answer, and the request is
// not carried out if it has not been.
func Delayed(d time.Duration) Fault { return Fault{name: "delayed", delay: max(d, 0)} }

// Hanging never answers: it waits until the client hangs up or the gateway
// closes. With AfterCommit it is the timeout of a call that was carried out.
func Hanging() Fault { return Fault{name: "hanging", instead: true, delay: -1} }

// Dropped closes the connection instead of answering.
func Dropped() Fault {
	return Fault{name: "connection dropped", instead: true, body: &reply{}, deliver: deliverNothing}
}

// CutOff closes the connection in the middle of the reply.
func CutOff() Fault { return Fault{name: "reply cut off", instead: true, deliver: deliverHalf} }

// TruncatedGzip sends half of a compressed reply as if it were all of it.
func TruncatedGzip() Fault {
	return Fault{name: "truncated gzip", instead: true, deliver: deliverTruncatedGzip}
}

// InGBK carries the request out and answers in GBK, declared as such.
func InGBK() Fault { return Fault{name: "reply in GBK", deliver: deliverGBK} }

// HTTPStatus answers with an HTTP status, 200 to 599 as for [RawBody], and a text
// that is no envelope, as a proxy in front of the gateway would.
func HTTPStatus(status int) Fault {
	return RawBody(status, "text/plain;charset=UTF-8", []byte(http.StatusText(status)))
}

// RawBody answers with exactly this. A status outside of 200 to 599 becomes 502;
// an empty content type is that of the format asked for.
func RawBody(status int, contentType string, body []byte) Fault {
	if status < 200 || status > 599 {
		status = http.StatusBadGateway
	}
	return Fault{
		name: fmt.Sprintf("HTTP status %d", status), instead: true,
		body: &reply{status: status, contentType: contentType, body: slices.Clone(body)},
	}
}

// pause waits as the fault wants. It is false when ctx ended first.
func (f *Fault) pause(ctx context.Context) bool { return wait(ctx, f.delay) }

// Fail lets f hit requests from now on, after the faults that are there already:
// a request is hit by the first that matches. The returned function takes f away.
func (g *Gateway) Fail(f Fault) (stop func()) {
	if f.times == 0 {
		f.times = 1
	}
	a := &activeFault{Fault: f}
	if f.timed {
		a.until = g.now().Add(f.lasts)
	}
	return g.faults.add(a)
}

type activeFault struct {
	Fault
	until time.Time // if timed
}

// An ActiveFault is a fault that waits for requests.
type ActiveFault struct {
	Name  string    // what String of the fault says
	Left  int       // how many requests it will still hit; negative for all
	Until time.Time // when it ends by the gateway's clock; zero for never
}

// ActiveFaults lists the faults that requests may still hit, in the order of [Gateway.Fail].
func (g *Gateway) ActiveFaults() []ActiveFault {
	fs := &g.faults
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.dropSpent(g.now())
	out := make([]ActiveFault, len(fs.list))
	for i, a := range fs.list {
		out[i] = ActiveFault{Name: a.String(), Left: a.times, Until: a.until}
	}
	return out
}

// faults are the faults that are active, in their order.
type faults struct {
	mu   sync.Mutex
	list []*activeFault
}

func (fs *faults) add(a *activeFault) (stop func()) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.list = append(fs.list, a)
	return func() {
		fs.mu.Lock()
		defer fs.mu.Unlock()
		fs.list = slices.DeleteFunc(fs.list, func(b *activeFault) bool { return a == b })
	}
}

// clear takes all faults away.
func (fs *faults) clear() {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.list = nil
}

// dropSpent drops the faults that hit no request any more. The caller holds the lock.
func (fs *faults) dropSpent(now time.Time) {
	fs.list = slices.DeleteFunc(fs.list, func(a *activeFault) bool {
		return a.times == 0 || a.timed && !now.Before(a.until)
	})
}

// take returns the fault that hits a request; the zero Fault for none.
func (fs *faults) take(r Request, now time.Time) Fault {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.dropSpent(now)
	for _, a := range fs.list {
		if len(a.methods) > 0 && !slices.Contains(a.methods, r.Method) || a.when != nil && !a.when(r) {
			continue
		}
		if a.times > 0 {
			a.times--
		}
		hit := a.Fault
		if a.timed {
			hit.left = a.until.Sub(now)
		}
		hit.name = a.String()
		return hit
	}
	return Fault{}
}
