package lifecycle_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/internal/api"
	_ "github.com/fliggy-go/rentcar/internal/golden" // the flag -update
	"github.com/fliggy-go/rentcar/lifecycle"
	"github.com/fliggy-go/rentcar/qimen"
)

func TestMain(m *testing.M) {
	lifecycle.SetPoll(time.Minute) // days pass here, and what happens in the process is told at once
	goleak.VerifyTestMain(m)
}

// A desk is a distributor with a journal, beside an in-process Fliggy, in the time of synctest.
type desk struct {
	t      *testing.T
	gw     *fliggytest.Gateway
	client *rentcar.Client
	store  lifecycle.Store
	book   *lifecycle.Book
	stop   func()

	mu      sync.Mutex
	wallet  map[string]fliggy.Yuan // what was paid back, by key
	calls   int
	results []lifecycle.RefundResult // what the function says first
	errs    []error
	changes []string
	overdue []lifecycle.Overdue
}

// newDesk runs a journal. The options come after those of the desk.
func newDesk(t *testing.T, opts ...lifecycle.Option) *desk {
	t.Helper()
	d := &desk{t: t, wallet: map[string]fliggy.Yuan{}, store: lifecycle.NewMemoryStore()}
	d.gw = fliggytest.NewGateway(fliggytest.WithOrigin("http://fliggy.test"))
	t.Cleanup(d.gw.Close)
	var err error
	d.client, err = d.gw.Client(rentcar.WithChannel(fliggy.ChannelAmap),
		rentcar.WithHTTPClient(&http.Client{Transport: handlerTransport{d.gw.Handler()}}))
	if err != nil {
		t.Fatal(err)
	}
	d.open(opts...)
	return d
}

func (d *desk) open(opts ...lifecycle.Option) {
	d.t.Helper()
	own := []lifecycle.Option{
		lifecycle.OnRefund(d.pay), lifecycle.WithProcess("desk"),
		lifecycle.OnChange(func(_ context.Context, before, after lifecycle.Renewal) error {
			d.mu.Lock()
			defer d.mu.Unlock()
			if before.State != after.State {
				d.changes = append(d.changes, string(after.State))
			}
			return nil
		}),
		lifecycle.OnOverdue(func(_ context.Context, o lifecycle.Overdue) error {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.overdue = append(d.overdue, o)
			return nil
		}),
	}
	var err error
	if d.book, err = lifecycle.Open(d.client, d.store, append(own, opts...)...); err != nil {
		d.t.Fatal(err)
	}
	h, err := d.book.Handler(qimen.Secrets{d.gw.AppKey(): {d.gw.AppSecret()}})
	if err != nil {
		d.t.Fatal(err)
	}
	d.gw.PushToHandler(h)
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	book := d.book
	group.Go(func() { _ = book.Run(ctx) })
	d.stop = sync.OnceFunc(func() { cancel(); group.Wait() })
	d.t.Cleanup(d.stop)
}

// pay is a payment provider that tells repeats by their key.
func (d *desk) pay(_ context.Context, r lifecycle.Refund) (lifecycle.RefundResult, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls++
	if len(d.errs) > 0 {
		err := d.errs[0]
		d.errs = d.errs[1:]
		return lifecycle.RefundResult{}, err
	}
	if len(d.results) > 0 {
		result := d.results[0]
		d.results = d.results[1:]
		return result, nil
	}
	if known, ok := d.wallet[r.Key]; ok && !known.Equal(r.Amount) {
		return lifecycle.RefundResult{}, fmt.Errorf("key %s came with %s and %s", r.Key, known, r.Amount)
	}
	d.wallet[r.Key] = r.Amount
	return lifecycle.RefundPaid("T"+r.Key, time.Now()), nil
}

// request is a renewal of the sample order.
func (d *desk) request(id string) *lifecycle.SubmitRequest {
	main, _ := d.gw.Order(fliggytest.SampleOrderID)
	until := main.Details.Booking.CarReturnTime
	return &lifecycle.SubmitRequest{
		RenewalSubmitRequest: rentcar.RenewalSubmitRequest{
			OrderID: fliggytest.SampleOrderID, OutOrderID: main.OutOrderID, RenewalOutOrderID: id,
			CarUseTime: until, CarReturnTime: fliggy.At(until.Add(24 * time.Hour)),
			TotalFee: fliggy.MustYuan("100.00"), Payment: fliggy.MustYuan("100.00"), PayTradeNo: "P-" + id,
		},
		PaidTime: time.Now().Truncate(time.Second), PayType: fliggy.PayAlipay,
	}
}

func (d *desk) submit(id string) lifecycle.Renewal {
	d.t.Helper()
	r, err := d.book.Submit(d.t.Context(), d.request(id))
	if err != nil {
		d.t.Fatal(err)
	}
	return r
}

// settle lets everything happen that happens within a time.
func (d *desk) settle(in time.Duration) {
	time.Sleep(in)
	synctest.Wait()
}

func (d *desk) get(id string) lifecycle.Renewal {
	d.t.Helper()
	r, err := d.book.Get(d.t.Context(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	return r
}

func (d *desk) want(id string, state lifecycle.State) lifecycle.Renewal {
	d.t.Helper()
	r := d.get(id)
	if r.State != state {
		d.t.Fatalf("%s is %s (%s), want %s: %+v", id, r.State, r.Problem, state, r.History)
	}
	return r
}

// wantPaid checks what went back in all, under how many keys.
func (d *desk) wantPaid(total string, keys int) {
	d.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	sum := fliggy.FenOf(0).Yuan()
	for _, y := range d.wallet {
		sum = sum.Add(y)
	}
	if !sum.Equal(fliggy.MustYuan(total)) || len(d.wallet) != keys {
		d.t.Fatalf("paid back: %v, want %s under %d keys", d.wallet, total, keys)
	}
}

// renewal is that of the gateway.
func (d *desk) renewal(r lifecycle.Renewal) fliggytest.Renewal {
	d.t.Helper()
	for _, g := range d.gw.Renewals() {
		if g.RenewalOutOrderID == r.ID {
			return g
		}
	}
	d.t.Fatalf("Fliggy does not have %s", r.ID)
	return fliggytest.Renewal{}
}

func wantIs(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("%v; want: %v", err, target)
	}
}

// A handlerTransport calls a handler in place of a network.
type handlerTransport struct{ h http.Handler }

func (t handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		_ = r.Body.Close()
	}
	in := r.Clone(r.Context())
	in.Body, in.RequestURI, in.RemoteAddr = io.NopCloser(bytes.NewReader(body)), r.URL.RequestURI(), "127.0.0.1:1"
	w := &hijackable{ResponseRecorder: httptest.NewRecorder()}
	t.h.ServeHTTP(w, in)
	if w.cut {
		return nil, io.ErrUnexpectedEOF
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	res := w.Result()
	res.Request = r
	return res, nil
}

// A hijackable answer can be cut off.
type hijackable struct {
	*httptest.ResponseRecorder
	cut bool
}

func (w *hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.cut = true
	a, b := net.Pipe()
	go func() { _, _ = io.Copy(io.Discard, b); _ = b.Close() }()
	return a, nil, nil
}

func refundOf(amount string) fliggytest.Refund {
	return fliggytest.Refund{Type: fliggy.RefundEarlyReturn, Amount: fliggy.MustYuan(amount), Reason: "early"}
}

func dropSubmit() fliggytest.Fault { return fliggytest.Dropped().On(api.RenewalSubmit.Method) }

// A hookedStore calls functions at its transactions; nil ones are left out.
type hookedStore struct {
	*lifecycle.MemoryStore
	before func()            // before each
	commit func() error      // before it is stored: with an error it is not
	after  func()            // after each
	got    func(kind string) // after a document was read in one
}

// hooked opens the journal of a desk once more, on a store that calls functions.
func (d *desk) hooked() (*lifecycle.Book, *hookedStore) {
	d.t.Helper()
	s := &hookedStore{MemoryStore: d.store.(*lifecycle.MemoryStore)}
	book, err := lifecycle.Open(d.client, s, lifecycle.OnRefund(d.pay), lifecycle.WithProcess("other"))
	if err != nil {
		d.t.Fatal(err)
	}
	return book, s
}

func (s *hookedStore) Atomically(ctx context.Context, f func(ctx context.Context, tx lifecycle.Tx) error) error {
	if s.before != nil {
		s.before()
	}
	if s.after != nil {
		defer s.after()
	}
	return s.MemoryStore.Atomically(ctx, func(ctx context.Context, tx lifecycle.Tx) error {
		err := f(ctx, hookedTx{tx, s.got})
		if err == nil && s.commit != nil {
			err = s.commit()
		}
		return err
	})
}

type hookedTx struct {
	lifecycle.Tx
	got func(kind string)
}

func (tx hookedTx) Get(ctx context.Context, kind, id string) (*lifecycle.Doc, error) {
	doc, err := tx.Tx.Get(ctx, kind, id)
	if tx.got != nil {
		tx.got(kind)
	}
	return doc, err
}
