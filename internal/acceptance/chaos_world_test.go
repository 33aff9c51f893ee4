package acceptance

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// chaosWorldOps is how many operations a world lives. The run of a seed depends on it.
const chaosWorldOps = 250

// A world is a distributor, a client, a network, Fliggy and its merchants, all of it
// drawn from one seed. Everything that chooses runs on one goroutine.
type world struct {
	seed   uint64
	rng    *rand.Rand
	clock  *chaosClock
	gw     *fliggytest.Gateway
	net    *network
	client *rentcar.Client
	orders []mainOrder
	us     *distributor
	format rentcar.Format
	policy rentcar.RetryPolicy

	now     int           // steps so far
	agenda  []appointment // what happens later
	seen    int           // renewals that the merchants have looked at
	limited float64       // how often the limiter refuses
	bans    map[string]*atomic.Int64
}

// An appointment is something that happens at a later step.
type appointment struct {
	due int
	do  func()
}

type mainOrder struct {
	id  fliggy.ID
	out string
}

// newWorld makes the world of a seed with a distributor of these habits.
func newWorld(seed uint64, h habits) (*world, error) {
	w := &world{seed: seed, rng: rand.New(rand.NewPCG(seed, 4)), clock: &chaosClock{}, bans: map[string]*atomic.Int64{}}
	w.clock.seconds.Store(fliggy.MustTime("2023-02-03 14:00:00").Unix())
	w.gw = fliggytest.NewGateway(fliggytest.WithClock(w.clock.now))
	w.gw.PushToHandler(http.HandlerFunc(w.receive))
	for n := range 4 + w.rng.IntN(20) { // few main orders confuse, many let events of one renewal tell
		o := fliggytest.SampleOrder()
		o.OrderID, o.OutOrderID = "", fmt.Sprintf("M-%d", n)
		if n == 0 {
			o.Details.Info.ServiceTypes = nil // cannot be renewed
		}
		w.orders = append(w.orders, mainOrder{w.gw.AddOrder(o), o.OutOrderID})
	}
	w.net = newNetwork(w.rng, w.clock, w.gw)
	w.net.rate = []float64{0.1, 0.35, 0.6}[w.rng.IntN(3)]
	w.net.late = func(deliver func()) { w.later(30, deliver) }
	w.limited = 0.01
	w.format = []rentcar.Format{rentcar.SimplifiedJSON, rentcar.WrappedJSON, rentcar.XML}[w.rng.IntN(3)]
	w.policy = rentcar.RetryPolicy{
		MaxAttempts: 1 + w.rng.IntN(4), BaseDelay: 100 * time.Millisecond, Budget: []int{0, 1000}[w.rng.IntN(2)],
	}
	w.us = &distributor{world: w, habits: h, refunds: map[string]bool{}, settledBy: map[string]int{}}
	if w.chance(0.5) {
		w.us.cancels = []rentcar.CallOption{rentcar.CallRepeatUnknown()}
	}
	w.net.wrong = func(text string) { w.us.report(ruleBan, nil, text) }
	var err error
	w.client, err = w.connect()
	return w, err
}

// connect makes a client.
func (w *world) connect() (*rentcar.Client, error) {
	return w.gw.Client(
		rentcar.WithChannel(fliggy.ChannelAmap),
		rentcar.WithHTTPClient(&http.Client{Transport: w.net}),
		rentcar.WithFormat(w.format),
		rentcar.WithRetry(w.policy),
		rentcar.WithSleep(w.sleep),
		rentcar.WithLimiter(w),
	)
}

func (w *world) close() {
	w.net.close()
	w.gw.Close()
}

// chance is true with this probability.
func (w *world) chance(p float64) bool { return w.rng.Float64() < p }

// later makes an appointment within so many steps.
func (w *world) later(steps int, do func()) {
	w.agenda = append(w.agenda, appointment{w.now + w.rng.IntN(steps+1), do})
}

// call is the context of one call, which the caller may give up.
func (w *world) call() (ctx context.Context, done func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	w.net.giveUp = cancel
	return ctx, func() { cancel(nil) }
}

// sleep takes no time but the world's. Now and then the caller gives up meanwhile.
func (w *world) sleep(ctx context.Context, d time.Duration) error {
	if w.chance(0.03) {
		w.net.giveUp(errGaveUp)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	w.clock.advance(d + time.Second)
	return nil
}

// Wait is the limiter: it refuses now and then.
func (w *world) Wait(ctx context.Context) error {
	if w.chance(w.limited) {
		return fmt.Errorf("chaos: no token left")
	}
	return ctx.Err()
}

// live runs the world to its end. Nothing is left on the way after that but what
// nobody will ever do.
func (w *world) live() {
	for len(w.us.ops) < chaosWorldOps {
		w.now++
		w.clock.advance(time.Duration(w.rng.IntN(7)) * time.Second)
		if w.chance(0.06) {
			w.ban()
		}
		if w.now%10 == 0 {
			w.merchants()
		}
		w.keepAppointments()
		if w.chance(0.5) {
			w.us.settleOne()
		}
		w.us.act()
	}
	w.net.rate, w.limited = 0, 0
	w.clock.advance(2 * time.Minute) // outlasts every ban
	for w.merchants(); len(w.agenda) > 0; w.merchants() {
		w.now++
		w.keepAppointments()
	}
	w.us.settleAll()
	w.gw.Close() // what hangs ends
}

func (w *world) keepAppointments() {
	all := w.agenda
	w.agenda = nil
	for _, a := range all {
		if a.due <= w.now {
			a.do()
		} else {
			w.agenda = append(w.agenda, a)
		}
	}
}

var banCodes = []string{fliggytest.BanApp, fliggytest.BanAPI, fliggytest.BanAppAPI, fliggytest.BanDynamic}

// ban bans the app by one of the sub codes, for a time that a call waits out or for
// one that it does not.
func (w *world) ban() {
	code := banCodes[w.rng.IntN(len(banCodes))]
	length, d := "short", time.Duration(2+w.rng.IntN(3))*time.Second
	if w.chance(0.5) {
		length, d = "long", time.Duration(10+w.rng.IntN(50))*time.Second
	}
	name := fmt.Sprintf("%s ban %s", length, code)
	if w.bans[name] == nil {
		w.bans[name] = &atomic.Int64{}
	}
	hits, end := w.bans[name], w.clock.now().Add(d)
	f, method := fliggytest.Banned(d, code), ""
	if code != fliggytest.BanApp {
		method = chaosMethods[w.rng.IntN(len(chaosMethods))]
		f = f.On(method)
	}
	w.gw.Fail(f.When(func(fliggytest.Request) bool {
		hits.Add(1)
		w.net.met.Store(&ban{method, end.Sub(w.clock.now())})
		return true
	}))
}

// merchants look at the renewals that have come in, and decide on each later, or never.
// Some decide twice, which pushes the event again; customer service orders refunds.
func (w *world) merchants() {
	all := w.gw.Renewals()
	for _, r := range all[w.seen:] {
		id := r.RenewalOrderID
		switch {
		case w.chance(0.1): // never
		case w.chance(0.4):
			w.later(20, func() { w.gw.Reject(id, "71008", "无车") })
		default:
			for range 1 + w.rng.IntN(2) {
				w.later(20, func() { w.gw.Accept(id, fliggytest.Push{Times: 1 + w.rng.IntN(2)}) })
			}
			for range w.rng.IntN(3) {
				w.later(40, func() { w.refund(id) })
			}
		}
	}
	w.seen = len(all)
}

// refund orders a refund, even of a renewal that nobody has accepted yet: its event may
// come before the other one.
func (w *world) refund(id fliggy.ID) {
	w.gw.RequestRefund(id, fliggytest.Refund{
		Type: fliggy.RefundEarlyReturn, Amount: fliggy.MustYuan("1.50"), Reason: "提前还车", Canceller: fliggy.CancellerPlatform,
	})
}

// receive takes a push, which then lies about for a while: every copy of it for its own
// time, so that events come late, repeatedly and in any order.
func (w *world) receive(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err) // there is no connection in between
	}
	e, err := events.Parse(body)
	if err != nil {
		panic(err)
	}
	for range 1 + w.rng.IntN(2) {
		w.later(30, func() { w.deliver(e) })
	}
	_, _ = rw.Write([]byte(`{"success":true}`))
}

// deliver hands an event over. Now and then one follows that contradicts it.
func (w *world) deliver(e events.Event) {
	w.us.receive(e)
	accepted, ok := e.(*events.RenewalAccepted)
	if !ok || !w.chance(0.1) {
		return
	}
	order := w.orders[w.rng.IntN(len(w.orders))]
	if r, ok := w.gw.Renewal(accepted.RenewalOrderID); ok {
		order = mainOrder{r.OrderID, r.OutOrderID}
	}
	w.us.receive(&events.RenewalRejected{
		Envelope: events.Envelope{
			ChannelID: fliggy.ChannelAmap, OrderID: order.id, OutOrderID: order.out, EventType: events.TypeRenewalRejected,
		},
		RenewalOrderID: accepted.RenewalOrderID, ErrorCode: "71008", ErrorMessage: "无车",
	})
}
