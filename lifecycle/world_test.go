package lifecycle_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/internal/api"
	"github.com/fliggy-go/rentcar/lifecycle"
	"github.com/fliggy-go/rentcar/qimen"
)

// A world is a distributor of three processes on one journal, Fliggy with a merchant and a customer service, and
// customers, in the time of synctest. The network loses requests and replies, events come late, twice and in any order,
// and processes die at any operation of the store. Everything random follows from the seed, but for the order in which
// goroutines run.
type world struct {
	tb      testing.TB
	seed    uint64
	gw      *fliggytest.Gateway
	store   *lifecycle.MemoryStore
	quiet   bool // no more faults
	orders  []fliggy.ID
	detours sync.WaitGroup  // of what happens beside: requests that arrive late, pushes that are repeated
	ear     http.Handler    // hears what was acknowledged
	other   *rentcar.Client // of somebody who renews the same orders, beside the journal

	mu           sync.Mutex
	processes    []*process
	wallet       map[string]fliggy.Yuan // what the payment provider has paid, by key
	paying       map[string]bool        // keys of calls that run
	told         map[string]bool        // what OnOverdue was told of: a renewal and its problem
	decided      map[fliggy.ID]bool     // renewals that the merchant has seen
	acknowledged []*qimen.Delivery      // pushes of which Fliggy was told that they are stored
	refused      map[string]bool        // batches that a person has to look at
	bills        int
	until        map[string]time.Time // of bills
	broken       []string             // invariants, with what broke them
}

// The length of a world: everything happens in ten days, and then everything has time to settle.
const (
	busyFor   = 10 * 24 * time.Hour
	quietFor  = 40 * 24 * time.Hour
	processes = 3
	farOrders = 4 // of six: their renewals begin after everything is settled
)

// runWorld runs a world of some renewals, and returns the invariants that it breaks.
func runWorld(t *testing.T, seed uint64, renewals int) (broken []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, seed)
		var actors sync.WaitGroup
		for i := range renewals {
			actors.Go(func() { w.customer(i) })
		}
		actors.Go(w.merchant)
		actors.Go(w.faults)
		actors.Go(w.finance)
		for i := range w.processes {
			actors.Go(func() { w.reaper(i) })
		}
		time.Sleep(busyFor)
		w.mu.Lock()
		w.quiet = true
		w.mu.Unlock()
		actors.Wait()
		time.Sleep(quietFor)
		w.detours.Wait()
		for range 2 {
			w.bill(w.processes[0])
			w.bill(w.processes[1])
			time.Sleep(24 * time.Hour)
		}
		for _, p := range w.processes {
			p.stop()
		}
		w.check()
		broken = w.broken
		w.gw.Close()
	})
	return broken
}

func newWorld(tb testing.TB, seed uint64) *world {
	w := &world{
		tb: tb, seed: seed, store: lifecycle.NewMemoryStore(), wallet: map[string]fliggy.Yuan{}, paying: map[string]bool{},
		told: map[string]bool{}, decided: map[fliggy.ID]bool{}, refused: map[string]bool{},
		until: map[string]time.Time{},
	}
	w.gw = fliggytest.NewGateway(fliggytest.WithOrigin("http://fliggy.test"), fliggytest.WithCapacity(1_000_000))
	w.gw.PushToHandler(http.HandlerFunc(w.receive))
	for i := range 6 {
		o := fliggytest.SampleOrder()
		o.OrderID, o.OutOrderID = fliggy.ID(fmt.Sprint(9000+i)), fmt.Sprint("MAIN", i)
		o.Details.Booking.CarReturnTime = fliggy.At(time.Now().Add(60 * 24 * time.Hour))
		if i >= farOrders { // cancelling a renewal of it costs something, and is refused once it has started
			o.Details.Booking.CarReturnTime = fliggy.At(time.Now().Add(108 * time.Hour))
		}
		w.orders = append(w.orders, w.gw.AddOrder(o))
	}
	w.listen()
	for i := range processes {
		w.processes = append(w.processes, w.start(i))
	}
	return w
}

func (w *world) rand(actor string) *rand.Rand {
	var sum uint64
	for _, c := range actor {
		sum = sum*31 + uint64(c)
	}
	return rand.New(rand.NewPCG(w.seed, sum))
}

func (w *world) isQuiet() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.quiet
}

// breaks notes a broken invariant.
func (w *world) breaks(invariant, format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = append(w.broken, fmt.Sprintf("%s: seed %d: %s", invariant, w.seed, fmt.Sprintf(format, args...)))
}

// A process is one of the distributor's. A dead one does nothing more: its store fails, its requests do not leave.
type process struct {
	w       *world
	name    string
	book    *lifecycle.Book
	handler http.Handler
	stop    func()

	mu    sync.Mutex
	dead  bool
	fuse  int // operations of the store until it dies; negative for never
	after bool
}

var errDead = errors.New("the process is dead")

func (w *world) start(i int) *process {
	p := &process{w: w, name: fmt.Sprint("process", i), fuse: -1}
	offset := time.Duration(i-1) * 5 * time.Minute // of its clock
	client, err := w.gw.Client(
		rentcar.WithChannel(fliggy.ChannelAmap), rentcar.WithHTTPClient(&http.Client{Transport: p}),
		rentcar.WithClock(func() time.Time { return time.Now().Add(offset) }),
	)
	if err != nil {
		w.tb.Fatal(err)
	}
	p.book, err = lifecycle.Open(client, &mortalStore{w.store, p},
		lifecycle.OnRefund(p.pay), lifecycle.OnChange(p.changed), lifecycle.OnOverdue(w.overdue),
		lifecycle.WithProcess(p.name), lifecycle.WithWorkers(2))
	if err == nil {
		p.handler, err = p.book.Handler(qimen.Secrets{w.gw.AppKey(): {w.gw.AppSecret()}})
	}
	if err != nil {
		w.tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() { _ = p.book.Run(ctx) })
	p.stop = func() { cancel(); group.Wait() }
	return p
}

// isDead reports whether the process is dead.
func (p *process) isDead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

// op does an operation of the store, unless the process is dead, or dies before or after it.
func (p *process) op(f func() error) error {
	p.mu.Lock()
	if !p.dead && p.fuse == 0 && !p.after {
		p.dead = true
	}
	dead := p.dead
	p.mu.Unlock()
	if dead {
		return errDead
	}
	err := f()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fuse == 0 {
		p.dead = true
	} else if p.fuse > 0 {
		p.fuse--
	}
	if p.dead {
		return errDead
	}
	return err
}

// reaper lets a process die from time to time, and starts it again.
func (w *world) reaper(i int) {
	r := w.rand(fmt.Sprint("reaper", i))
	for !w.isQuiet() {
		time.Sleep(time.Duration(r.Int64N(int64(30 * time.Hour))))
		p := w.processes[i]
		p.mu.Lock()
		p.fuse, p.after = r.IntN(30), r.IntN(2) == 0
		p.mu.Unlock()
		time.Sleep(time.Duration(r.Int64N(int64(2 * time.Hour))))
		p.mu.Lock()
		p.dead = true
		p.mu.Unlock()
		p.stop()
		next := w.start(i)
		w.mu.Lock()
		w.processes[i] = next
		w.mu.Unlock()
	}
}

// any returns a process that lives, or any.
func (w *world) any(r *rand.Rand) *process {
	w.mu.Lock()
	defer w.mu.Unlock()
	from := r.IntN(len(w.processes))
	for i := range w.processes {
		if p := w.processes[(from+i)%len(w.processes)]; !p.isDead() {
			return p
		}
	}
	return w.processes[from]
}

// listen makes the ear, and the client of the other.
func (w *world) listen() {
	secrets := qimen.Secrets{w.gw.AppKey(): {w.gw.AppSecret()}}
	store := func(_ context.Context, d *qimen.Delivery) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.acknowledged = append(w.acknowledged, d)
		return nil
	}
	no := func(context.Context, *qimen.Delivery, events.Event) error { return nil }
	var err error
	if w.ear, err = qimen.NewHandler(secrets, qimen.WithStore(store), qimen.OnEvent(no)); err != nil {
		w.tb.Fatal(err)
	}
	w.other, err = w.gw.Client(rentcar.WithChannel(fliggy.ChannelAmap),
		rentcar.WithHTTPClient(&http.Client{Transport: handlerTransport{w.gw.Handler()}}))
	if err != nil {
		w.tb.Fatal(err)
	}
}

// receive is the load balancer before the endpoints.
func (w *world) receive(rw http.ResponseWriter, r *http.Request) {
	p := w.any(rand.New(rand.NewPCG(w.seed, uint64(time.Now().UnixNano()))))
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.tb.Error(err)
	}
	push := func(h http.Handler) *httptest.ResponseRecorder {
		own, rec := r.Clone(r.Context()), httptest.NewRecorder()
		own.Body = io.NopCloser(bytes.NewReader(body))
		h.ServeHTTP(rec, own)
		return rec
	}
	rec := push(p.handler)
	if rec.Code == http.StatusOK && bytes.Contains(rec.Body.Bytes(), []byte(`"success":true`)) {
		push(w.ear)
	}
	rw.WriteHeader(rec.Code)
	_, _ = rw.Write(rec.Body.Bytes())
}

// RoundTrip is the network of a process.
func (p *process) RoundTrip(r *http.Request) (*http.Response, error) {
	if p.isDead() {
		return nil, errDead
	}
	p.w.beforeSubmit(r)
	p.w.noTransaction(r.Context(), "a request")
	if p.w.isLate(r) { // it arrives when its caller has given up, or never
		time.Sleep(time.Minute)
		return nil, errors.New("timeout")
	}
	res, err := handlerTransport{p.w.gw.Handler()}.RoundTrip(r)
	p.w.beforeReply(r)
	if p.isDead() {
		return nil, errDead
	}
	return res, err
}

// isLate sends one of twelve submits and cancellations on a detour, on which some get lost. What happens meanwhile is
// what misleads most.
func (w *world) isLate(r *http.Request) bool {
	form := formOf(r)
	method := form.Get("method")
	if w.isQuiet() || method != api.RenewalSubmit.Method && method != api.RenewalCancel.Method {
		return false
	}
	rnd := w.rand(form.Get("sign"))
	if rnd.IntN(12) > 0 {
		return false
	}
	body, err := r.GetBody()
	if err != nil {
		return false
	}
	if arrives, after := rnd.IntN(3) > 0, time.Duration(rnd.Int64N(int64(4*time.Minute))); arrives {
		w.detours.Go(func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), time.Hour)
			defer cancel()
			late := r.Clone(ctx)
			late.Body = body
			time.Sleep(after)
			_, _ = handlerTransport{w.gw.Handler()}.RoundTrip(late)
		})
	}
	if rnd.IntN(3) > 0 {
		if method == api.RenewalSubmit.Method {
			w.detours.Go(func() { w.outsider(form.Get(api.RenewalSubmit.Param)) })
		} else {
			w.detours.Go(func() { w.lieOfCancel(form.Get(api.RenewalCancel.Param)) })
		}
	}
	return true
}

// A txMark tells a context whose transaction is open.
type txMark struct{ open atomic.Bool }

type txMarkKey struct{}

// noTransaction checks that no transaction is open where something outside is called.
func (w *world) noTransaction(ctx context.Context, what string) {
	if m, ok := ctx.Value(txMarkKey{}).(*txMark); ok && m.open.Load() {
		w.breaks("I15", "%s while a transaction is open", what)
	}
}

// formOf reads the form of a request, and leaves the request as it is.
func formOf(r *http.Request) url.Values {
	own := r.Clone(r.Context())
	if r.GetBody != nil {
		own.Body, _ = r.GetBody()
	}
	if own.ParseForm() != nil {
		return nil
	}
	return own.Form
}

// A mortalStore is the store as a process sees it.
type mortalStore struct {
	*lifecycle.MemoryStore
	p *process
}

func (s *mortalStore) Add(ctx context.Context, i *durable.Item) (known *durable.Item, err error) {
	if w := s.p.w; !w.isQuiet() && w.rand(fmt.Sprint(i.ID, time.Now())).IntN(20) == 0 {
		return nil, errors.New("the disk is full")
	}
	err = s.p.op(func() (err error) { known, err = s.MemoryStore.Add(ctx, i); return err })
	return known, err
}

func (s *mortalStore) Claim(ctx context.Context, q string, now, until time.Time) (i *durable.Item, err error) {
	err = s.p.op(func() (err error) { i, err = s.MemoryStore.Claim(ctx, q, now, until); return err })
	return i, err
}

func (s *mortalStore) Do(ctx context.Context, i *durable.Item, work func(context.Context) error) error {
	ctx = context.WithValue(ctx, txMarkKey{}, &txMark{})
	return s.p.op(func() error { return s.MemoryStore.Do(ctx, i, work) })
}

func (s *mortalStore) Retry(ctx context.Context, i *durable.Item, due time.Time) error {
	return s.p.op(func() error { return s.MemoryStore.Retry(ctx, i, due) })
}

func (s *mortalStore) Atomically(ctx context.Context, f func(context.Context, lifecycle.Tx) error) error {
	mark, joins := ctx.Value(txMarkKey{}).(*txMark)
	if !joins {
		mark = &txMark{}
		ctx = context.WithValue(ctx, txMarkKey{}, mark)
	}
	return s.p.op(func() error {
		mark.open.Store(true)
		return s.MemoryStore.Atomically(ctx, func(ctx context.Context, tx lifecycle.Tx) error {
			if err := f(ctx, tx); err != nil {
				return err
			}
			if s.p.isDead() {
				return errDead
			}
			return nil
		})
	})
}

func (s *mortalStore) Due(ctx context.Context, limit int) (docs []*lifecycle.Doc, err error) {
	err = s.p.op(func() (err error) { docs, err = s.MemoryStore.Due(ctx, limit); return err })
	return docs, err
}

// pay is the function of OnRefund, before a provider that tells repeats by their key.
func (p *process) pay(ctx context.Context, r lifecycle.Refund) (lifecycle.RefundResult, error) {
	w := p.w
	w.noTransaction(ctx, "the function of OnRefund")
	rnd := w.rand(r.Key + fmt.Sprint(r.Attempts))
	w.mu.Lock()
	twice := w.paying[r.Key]
	w.paying[r.Key] = true
	known, paid := w.wallet[r.Key]
	w.mu.Unlock()
	if twice {
		w.breaks("I6", "%s is called twice at once", r.Key)
	}
	time.Sleep(time.Duration(rnd.Int64N(int64(time.Minute))))
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.paying, r.Key)
	}()
	luck := rnd.IntN(10)
	switch {
	case p.isDead():
		return lifecycle.RefundResult{}, errDead
	case paid && !known.Equal(r.Amount):
		w.breaks("I6", "%s came with %s and %s", r.Key, known, r.Amount)
	case luck == 0:
		return lifecycle.RefundResult{}, errors.New("the provider cannot be reached")
	case luck == 1:
		return lifecycle.RefundResult{}, nil
	}
	w.mu.Lock()
	w.wallet[r.Key] = r.Amount
	w.mu.Unlock()
	if luck == 2 {
		return lifecycle.RefundResult{}, errors.New("the reply of the provider was lost")
	}
	return lifecycle.RefundPaid("T/"+r.Key, time.Now()), nil
}

// changed is the user's table, which has the state of each renewal, and how often it has changed.
func (p *process) changed(ctx context.Context, before, after lifecycle.Renewal) error {
	return p.w.store.Atomically(ctx, func(ctx context.Context, tx lifecycle.Tx) error {
		row, err := tx.Get(ctx, "user", after.ID)
		if err != nil {
			return err
		}
		if row == nil {
			row = &lifecycle.Doc{Kind: "user", ID: after.ID}
		}
		if row.State != strings.ReplaceAll(string(before.State), " ", "-") { // and stays so, if it is stored
			row.State = "wrong"
		} else {
			row.State = strings.ReplaceAll(string(after.State), " ", "-")
		}
		return tx.Put(ctx, row)
	})
}

func (w *world) overdue(_ context.Context, o lifecycle.Overdue) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told[cmp.Or(o.Renewal.ID, o.Subject)+"/"+string(o.Problem)] = true
	if o.Problem == lifecycle.ProblemBatchRefused {
		w.refused[o.Subject] = true
	}
	return nil
}

// beforeReply lets the merchant decide on one of eight renewals before the reply to its submit arrives.
func (w *world) beforeReply(r *http.Request) {
	form := formOf(r)
	rnd := w.rand(form.Get("sign") + "reply")
	if form.Get("method") != api.RenewalSubmit.Method || w.isQuiet() || rnd.IntN(8) > 0 {
		return
	}
	id := idOf(form)
	for _, g := range w.gw.Renewals() {
		if g.RenewalOutOrderID == id && w.decides(g) {
			p := w.decision(g, rnd.IntN(3) > 0)
			w.detours.Go(func() { w.deliver(p) })
			if rnd.IntN(2) == 0 { // it is applied by then
				<-time.After(10 * time.Second)
			}
		}
	}
}

// idOf is the distributor's id in a submit.
func idOf(form url.Values) string {
	_, id, _ := strings.Cut(form.Get(api.RenewalSubmit.Param), `"renewal_out_order_id":"`)
	id, _, _ = strings.Cut(id, `"`)
	return id
}

// beforeSubmit checks that a submit which arrives is in the journal.
func (w *world) beforeSubmit(r *http.Request) {
	form := formOf(r)
	if form.Get("method") != api.RenewalSubmit.Method {
		return
	}
	id := idOf(form)
	if doc, err := w.store.Get(context.Background(), "renewal", id); err != nil || doc == nil {
		w.breaks("I2", "%q is sent and not in the journal", id)
	}
}
