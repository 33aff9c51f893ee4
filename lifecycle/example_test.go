package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/internal/api"
	"github.com/fliggy-go/rentcar/lifecycle"
	"github.com/fliggy-go/rentcar/qimen"
)

// A shop is what the examples stand on: an in-process Fliggy, a client and a journal in memory.
type shop struct {
	gw     *fliggytest.Gateway
	client *rentcar.Client
	store  *lifecycle.MemoryStore
	wallet wallet
}

func newShop() *shop {
	s := &shop{gw: fliggytest.NewGateway(), store: lifecycle.NewMemoryStore()}
	var err error
	if s.client, err = s.gw.Client(rentcar.WithChannel(fliggy.ChannelAmap)); err != nil {
		panic(err)
	}
	return s
}

func (s *shop) secrets() qimen.Secrets { return qimen.Secrets{s.gw.AppKey(): {s.gw.AppSecret()}} }

// open opens the journal and runs it until stop is called.
func (s *shop) open(opts ...lifecycle.Option) (book *lifecycle.Book, stop func()) {
	book, err := lifecycle.Open(s.client, s.store, append(opts, lifecycle.OnRefund(s.refund))...)
	if err != nil {
		panic(err)
	}
	handler, err := book.Handler(s.secrets())
	if err != nil {
		panic(err)
	}
	s.gw.PushToHandler(handler)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = book.Run(ctx) })
	return book, func() { cancel(); running.Wait(); s.gw.Close() }
}

func (s *shop) refund(ctx context.Context, r lifecycle.Refund) (lifecycle.RefundResult, error) {
	tradeNo, err := s.wallet.Refund(ctx, r.Key, r.PaidTradeNo, r.Amount)
	return lifecycle.RefundPaid(tradeNo, time.Now()), err
}

// request is a renewal of the sample order, for which the customer has paid 100.00 yuan.
func (s *shop) request(id string) rentcar.RenewalSubmitRequest {
	main, _ := s.gw.Order(fliggytest.SampleOrderID)
	until := main.Details.Booking.CarReturnTime
	return rentcar.RenewalSubmitRequest{
		OrderID: main.OrderID, OutOrderID: main.OutOrderID, RenewalOutOrderID: id,
		CarUseTime: until, CarReturnTime: fliggy.At(until.Add(24 * time.Hour)),
		TotalFee: fliggy.MustYuan("100.00"), Payment: fliggy.MustYuan("100.00"), PayTradeNo: "paid-" + id,
	}
}

// A wallet is a payment provider that tells repeats by their key.
type wallet struct{ keys sync.Map }

func (w *wallet) Refund(_ context.Context, key, _ string, _ fliggy.Yuan) (tradeNo string, err error) {
	w.keys.Store(key, true)
	return "W-" + key, nil
}

// await waits for a renewal to be as wanted.
func await(book *lifecycle.Book, id string, isSo func(lifecycle.Renewal) bool) lifecycle.Renewal {
	for {
		r, err := book.Get(context.Background(), id)
		if err != nil {
			panic(err)
		}
		if isSo(r) {
			return r
		}
		pause(10 * time.Millisecond)
	}
}

func pause(d time.Duration) { <-time.After(d) }

// The book in a few lines: open it, let Fliggy push to it, keep it running, and submit.
func ExampleOpen() {
	s := newShop()
	client, store, secrets, wallet := s.client, s.store, s.secrets(), &s.wallet
	ctx, stop := context.WithCancel(context.Background())
	request, paid := s.request("R20260301001"), time.Now()

	book, err := lifecycle.Open(client, store, lifecycle.OnRefund(
		func(ctx context.Context, r lifecycle.Refund) (lifecycle.RefundResult, error) {
			tradeNo, err := wallet.Refund(ctx, r.Key, r.PaidTradeNo, r.Amount) // pays once for each key
			return lifecycle.RefundPaid(tradeNo, time.Now()), err              // an error: asked again, same key
		}))
	if err != nil {
		log.Fatal(err)
	}
	handler, err := book.Handler(secrets)
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/fliggy/renewals", handler) // Fliggy pushes here
	var running sync.WaitGroup
	running.Go(func() { _ = book.Run(ctx) }) // settles, pays back, answers, bills

	renewal, err := book.Submit(ctx, &lifecycle.SubmitRequest{RenewalSubmitRequest: request, PaidTime: paid})
	fmt.Println(renewal.State, err)

	s.gw.PushToHandler(handler)
	s.gw.Reject(renewal.RenewalOrderID, "1", "no car")
	r := await(book, renewal.ID, func(r lifecycle.Renewal) bool {
		return r.Return != nil && r.Return.State == lifecycle.RefundClosed
	})
	fmt.Println(r.State, r.Return.Amount, "went back under", r.Return.Key)
	stop()
	running.Wait()
	s.gw.Close()
	// Output:
	// placed <nil>
	// rejected 100.00 went back under R20260301001@return
}

// What the customer can be told after a submit.
func ExampleBook_Submit() {
	s := newShop()
	s.gw.Fail(fliggytest.CutOff().On(api.RenewalSubmit.Method).AfterCommit()) // the reply is lost
	working := s.gw.Fail(fliggytest.Unavailable().On(api.RenewalCheckCancel.Method).Always())
	book, stop := s.open()
	defer stop()
	ctx := context.Background()

	submit := func(req *lifecycle.SubmitRequest) string {
		renewal, err := book.Submit(ctx, req)
		var open *lifecycle.OpenError
		switch {
		case renewal.State == lifecycle.Disputed:
			return "We have to look at this ourselves." // such as two ids of Fliggy: see Problem
		case err == nil:
			return "Placed. We will tell you when the merchant has answered."
		case errors.Is(err, rentcar.ErrOutcomeUnknown):
			return "We are checking. Please do not pay again."
		case errors.As(err, &open):
			return "We are still checking " + open.ID + "."
		case renewal.State == lifecycle.Rejected:
			return "Not possible. Your money is on its way back."
		case renewal.State == lifecycle.NotSent:
			return "Not possible right now. Try again, or get your money back." // Submit it again, or Cancel
		}
		log.Print(err) // a rule of Submit is broken, or the store does not work: nothing was sent
		return "Not possible."
	}
	fmt.Println(submit(&lifecycle.SubmitRequest{RenewalSubmitRequest: s.request("R1"), PaidTime: time.Now()}))
	fmt.Println(submit(&lifecycle.SubmitRequest{RenewalSubmitRequest: s.request("R2"), PaidTime: time.Now()}))

	working()
	// Output:
	// We are checking. Please do not pay again.
	// We are still checking R1.
}

// A cancellation: first the fee, then the customer's word, then the cancellation.
func ExampleBook_Cancel() {
	s := newShop()
	book, stop := s.open()
	defer stop()
	ctx := context.Background()
	paid := &lifecycle.SubmitRequest{RenewalSubmitRequest: s.request("R1"), PaidTime: time.Now()}
	if _, err := book.Submit(ctx, paid); err != nil {
		log.Fatal(err)
	}

	fee, err := book.CancelFee(ctx, "R1") // ask the customer whether they agree to it
	if err != nil {
		log.Fatal(err)
	}
	r, err := book.Cancel(ctx, "R1", lifecycle.CancelRequest{MaxFee: fee})
	var more *lifecycle.FeeError
	switch {
	case err == nil && r.State == lifecycle.Cancelled:
		fmt.Println("cancelled at", r.CancelFee, "yuan;", r.Return.Amount, "yuan go back")
	case err == nil: // Disputed: cancelled at another fee; Cancelling or CancelUnknown: asked for before
		fmt.Println("we are checking")
	case errors.As(err, &more):
		fmt.Println("it costs", more.Fee, "yuan now: ask again")
	case errors.Is(err, rentcar.ErrOutcomeUnknown), errors.Is(err, lifecycle.ErrNotSettled):
		fmt.Println("we are checking")
	default:
		fmt.Println("it was not cancelled:", err)
	}
	// Output:
	// cancelled at 0.00 yuan; 100.00 yuan go back
}

// Before the customer pays: while a renewal of the order is not settled, another one cannot be submitted.
func ExampleBook_List_beforePayment() {
	s := newShop()
	s.gw.Fail(fliggytest.CutOff().On(api.RenewalSubmit.Method).AfterCommit())
	s.gw.Fail(fliggytest.Unavailable().On(api.RenewalCheckCancel.Method).Always())
	book, stop := s.open()
	defer stop()
	ctx := context.Background()
	first := &lifecycle.SubmitRequest{RenewalSubmitRequest: s.request("R1"), PaidTime: time.Now()}
	_, err := book.Submit(ctx, first)
	fmt.Println(errors.Is(err, rentcar.ErrOutcomeUnknown))
	orderID := first.OrderID

	page, err := book.List(ctx, lifecycle.Filter{OrderID: orderID, Limit: 1000})
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range page.Renewals {
		if r.State == lifecycle.Submitting || r.State == lifecycle.Unknown { // Submit would be an *OpenError
			fmt.Println("We are still checking", r.ID, "- please do not pay yet.")
		}
	}
	// Output:
	// true
	// We are still checking R1 - please do not pay yet.
}

// The work list of a person.
func ExampleBook_List() {
	s := newShop()
	s.gw.Fail(fliggytest.CutOff().On(api.RenewalSubmit.Method).AfterCommit())
	s.gw.Fail(fliggytest.Unavailable().On(api.RenewalCheckCancel.Method).Always())
	book, stop := s.open()
	defer stop()
	ctx := context.Background()
	paid := &lifecycle.SubmitRequest{RenewalSubmitRequest: s.request("R1"), PaidTime: time.Now()}
	_, err := book.Submit(ctx, paid)
	fmt.Println(errors.Is(err, rentcar.ErrOutcomeUnknown))

	for f := (lifecycle.Filter{NeedsPerson: true}); ; {
		page, err := book.List(ctx, f)
		if err != nil {
			log.Fatal(err)
		}
		for _, r := range page.Renewals {
			fmt.Println(r.ID, "is", r.State)
		}
		if f.After = page.Next; page.IsLast {
			break
		}
	}
	r, err := book.Resolve(ctx, "R1", lifecycle.Resolution{
		State: lifecycle.Placed, By: "Li", Note: "customer service of Fliggy sees it",
	})
	if err != nil {
		log.Fatal(err) // lifecycle.ErrFinal: it was decided meanwhile
	}
	fmt.Println(r.State)
	// Output:
	// true
	// R1 is unknown
	// placed
}

// The bill of a month, and the comparison with the payment provider.
func ExampleBook_Bill() {
	s := newShop()
	book, stop := s.open()
	defer stop()
	ctx := context.Background()
	paid := &lifecycle.SubmitRequest{RenewalSubmitRequest: s.request("R1"), PaidTime: time.Now()}
	r, err := book.Submit(ctx, paid)
	if err != nil {
		log.Fatal(err)
	}
	s.gw.Accept(r.RenewalOrderID)
	await(book, "R1", func(r lifecycle.Renewal) bool { return r.State == lifecycle.Accepted })
	pause(2 * time.Millisecond) // the end of the period comes after the line
	endOfPeriod := time.Now()

	bill, err := book.Bill(ctx, "B202603", endOfPeriod) // again with the same arguments goes on where it was
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(bill.Lines, "line,", bill.Total, "yuan,", len(bill.Batches), "batch")

	export := strings.NewReader("trade_no,amount\npaid-R1,100.00\npaid-R7,5.00\n")
	report, err := book.Reconcile(ctx, lifecycle.ReadEntries(export, lifecycle.Columns{
		TradeNo: "trade_no", Amount: "amount",
	}))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Matched, "of", report.Entries, "agree")
	for _, f := range report.Findings {
		fmt.Println(f.Kind, f.TradeNo)
	}
	// Output:
	// 1 line, 100.00 yuan, 1 batch
	// 1 of 2 agree
	// missing here paid-R7
}
