package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/lifecycle"
	"github.com/fliggy-go/rentcar/qimen"
	"github.com/fliggy-go/rentcar/sqlstore"
)

// gatewayEnv is where a process that runs a journal finds Fliggy, and the wallet beside it.
const (
	gatewayEnv = "RENTCAR_PROCESS_GATEWAY"
	walletEnv  = "RENTCAR_PROCESS_WALLET"
)

// serveJournal is a process of its own: it runs a journal, serves its events, and submits what it is asked to.
func serveJournal() error {
	ctx := context.Background()
	db, err := sql.Open(os.Getenv(driverEnv), os.Getenv(sourceEnv))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(10)
	store, err := sqlstore.New(ctx, db, sqlstore.Dialect(os.Getenv(dialectEnv)), sqlstore.Config{})
	if err != nil {
		return err
	}
	key, secret := os.Getenv(keyEnv), os.Getenv(secretEnv)
	client, err := rentcar.NewClient(key, secret, rentcar.WithBaseURL(os.Getenv(gatewayEnv)),
		rentcar.WithChannel(fliggy.ChannelAmap), rentcar.WithTimeout(time.Second))
	if err != nil {
		return err
	}
	book, err := lifecycle.Open(client, store, lifecycle.OnRefund(payAtWallet), lifecycle.WithCallTimeout(2*time.Second))
	if err != nil {
		return err
	}
	handler, err := book.Handler(qimen.Secrets{key: {secret}})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() { _ = book.Run(ctx) }()
	fmt.Println("http://" + l.Addr().String())
	mux := http.NewServeMux()
	mux.Handle("/events", handler)
	mux.HandleFunc("/submit/{id}/{order}", func(w http.ResponseWriter, r *http.Request) {
		if _, err := book.Submit(r.Context(), journalRequest(r.PathValue("id"), r.PathValue("order"))); err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
		}
	})
	return http.Serve(l, mux)
}

// payAtWallet pays at the payment provider, which is in the process of the test.
func payAtWallet(ctx context.Context, r lifecycle.Refund) (lifecycle.RefundResult, error) {
	to := os.Getenv(walletEnv) + "?key=" + url.QueryEscape(r.Key) + "&amount=" + r.Amount.String()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, nil)
	if err != nil {
		return lifecycle.RefundResult{}, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return lifecycle.RefundResult{}, err
	}
	return lifecycle.RefundPaid("T-"+r.Key, time.Now()), res.Body.Close()
}

// journalTime is when the renewals begin: one that has begun is found by no check.
var journalTime = fliggy.MustTime("2099-01-01 10:00:00")

func journalOrder(i int) fliggytest.Order {
	order := fliggytest.SampleOrder()
	order.Details.Booking.CarReturnTime = journalTime
	order.OrderID, order.OutOrderID = fliggy.ID(fmt.Sprint(7000+i)), fmt.Sprint("M", 7000+i)
	return order
}

func journalRequest(id, order string) *lifecycle.SubmitRequest {
	until := journalTime
	return &lifecycle.SubmitRequest{
		RenewalSubmitRequest: rentcar.RenewalSubmitRequest{
			OrderID: fliggy.ID(order), OutOrderID: "M" + order, RenewalOutOrderID: id, CarUseTime: until,
			CarReturnTime: fliggy.At(until.Add(24 * time.Hour)), TotalFee: fliggy.MustYuan("100"),
			Payment: fliggy.MustYuan("100"), PayTradeNo: "P-" + id,
		},
		PaidTime: time.Unix(1_800_000_000, 0),
	}
}

// A journalWorld is Fliggy and a wallet in the process of the test, and three processes on one journal.
type journalWorld struct {
	t   *testing.T
	gw  *fliggytest.Gateway
	env []string

	mu        sync.Mutex
	processes []process
	wallet    map[string]string // amounts, by key
	double    []string          // keys that came with two amounts
}

// start starts the ith process, anew where it was killed.
func (w *journalWorld) start(i int) {
	says := make(chan string, 1000)
	p := startProcess(w.t.Context(), w.t, says, w.env)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.processes[i] = p
}

func (w *journalWorld) any() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.processes[rand.IntN(len(w.processes))].address
}

// ServeHTTP is the load balancer for events, and the wallet.
func (w *journalWorld) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/wallet" {
		to, err := url.Parse(w.any())
		if err != nil {
			http.Error(rw, err.Error(), http.StatusBadGateway)
			return
		}
		proxy := &httputil.ReverseProxy{
			Rewrite:      func(p *httputil.ProxyRequest) { p.SetURL(to) },
			ErrorHandler: func(rw http.ResponseWriter, _ *http.Request, _ error) { rw.WriteHeader(http.StatusBadGateway) },
		}
		proxy.ServeHTTP(rw, r)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	key, amount := r.URL.Query().Get("key"), r.URL.Query().Get("amount")
	if known, ok := w.wallet[key]; ok && known != amount {
		w.double = append(w.double, key)
	}
	w.wallet[key] = amount
}

// submit asks until the journal says what became of a renewal.
func (w *journalWorld) submit(id string, order int) {
	var last string
	for range 600 {
		res, err := http.Post(fmt.Sprintf("%s/submit/%s/%d", w.any(), id, 7000+order), "", nil)
		if err == nil {
			text, _ := io.ReadAll(res.Body)
			last = string(text)
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		<-time.After(200 * time.Millisecond)
	}
	w.t.Errorf("%s was not submitted: %s", id, last)
}

// Three processes on one journal are killed at any moment, while replies are lost: no renewal is made twice, and each
// is accepted in the end.
func TestJournalOfThreeProcesses(t *testing.T) {
	t.Parallel()
	servers(t, func(t *testing.T, e engine) {
		t.Parallel()
		s, db := newStore(t, e)
		from := originOf(db)
		w := &journalWorld{t: t, gw: fliggytest.NewGateway(), processes: make([]process, 3), wallet: map[string]string{}}
		t.Cleanup(w.gw.Close)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: w, ReadHeaderTimeout: time.Minute}
		var group sync.WaitGroup
		group.Go(func() { _ = server.Serve(l) })
		t.Cleanup(func() { _ = server.Close(); group.Wait(); http.DefaultClient.CloseIdleConnections() })
		w.env = []string{
			driverEnv + "=" + from.driver, sourceEnv + "=" + from.dsn, dialectEnv + "=" + string(e.dialect),
			keyEnv + "=" + w.gw.AppKey(), secretEnv + "=" + w.gw.AppSecret(), gatewayEnv + "=" + w.gw.URL(),
			walletEnv + "=http://" + l.Addr().String() + "/wallet",
		}
		const renewals, kills = 24, 6
		for i := range renewals {
			w.gw.AddOrder(journalOrder(i))
		}
		w.gw.PushTo("http://" + l.Addr().String() + "/events")
		for i := range w.processes {
			w.start(i)
		}
		w.gw.Fail(fliggytest.CutOff().AfterCommit().On("alitrip.rentcar.btb.renewal.submit").Times(8))
		var customers sync.WaitGroup
		for i := range renewals {
			customers.Go(func() {
				<-time.After(time.Duration(i) * 150 * time.Millisecond)
				w.submit(fmt.Sprint("R", i), i)
			})
		}
		for n := range kills {
			<-time.After(700 * time.Millisecond)
			w.mu.Lock()
			victim := w.processes[n%3]
			w.mu.Unlock()
			kill(victim)
			w.start(n % 3)
		}
		customers.Wait()
		w.settle(s)
		for _, p := range w.processes {
			kill(p)
		}
	})
}

func kill(p process) {
	_ = p.Process.Kill()
	_ = p.Wait()
}

// settle lets the merchant accept, and checks that journal and Fliggy agree.
func (w *journalWorld) settle(s *sqlstore.Store) {
	w.t.Helper()
	client, err := w.gw.Client()
	if err != nil {
		w.t.Fatal(err)
	}
	book, err := lifecycle.Open(client, s, lifecycle.OnRefund(payAtWallet))
	if err != nil {
		w.t.Fatal(err)
	}
	var ids []string
	for _, g := range w.gw.Renewals() {
		if slices.Contains(ids, g.RenewalOutOrderID) {
			w.t.Errorf("%s was made twice", g.RenewalOutOrderID)
		}
		ids = append(ids, g.RenewalOutOrderID)
		if p := w.gw.Accept(g.RenewalOrderID); !p.Accepted {
			w.t.Errorf("%s: %v", g.RenewalOutOrderID, p)
		}
	}
	for _, id := range ids {
		if err := awaitState(w.t.Context(), book, id, lifecycle.Accepted); err != nil {
			w.t.Errorf("%s: %v", id, err)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(ids) == 0 || len(w.wallet) != 0 || len(w.double) != 0 {
		w.t.Errorf("%d renewals, paid back: %v, twice: %v", len(ids), w.wallet, w.double)
	}
}

var errNotYet = errors.New("it is not there after three minutes")

func awaitState(ctx context.Context, book *lifecycle.Book, id string, want lifecycle.State) error {
	for range 3 * 60 * 5 {
		r, err := book.Get(ctx, id)
		if err != nil {
			return err
		}
		if r.State == want {
			return nil
		}
		<-time.After(200 * time.Millisecond)
	}
	r, err := book.Get(ctx, id)
	return errors.Join(fmt.Errorf("%w: %s %v", errNotYet, r.State, r.History), err)
}
