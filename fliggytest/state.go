package fliggytest

import (
	"strconv"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
)

// Codes of refusals (ret_code, biz_error_code). They are made up: the platform
// publishes no list.
const (
	RetOrderNotFound    = "71001" // no such order (订单不存在)
	RetNotRenewable     = "71002" // the order does not support renewal (订单不支持续租)
	RetBadPeriod        = "71003" // the period of the renewal makes no sense (续租时间有误)
	RetQuoteNotFound    = "71004" // no quote of that item_id for this order (报价不存在)
	RetRenewalNotFound  = "71005" // no such renewal (续租单不存在)
	RetNotCancellable   = "71012" // the order cannot be cancelled any more (无法取消)
	RetTradeNotFound    = "71021" // no refund of that trade number (退款流水不存在)
	RetCallbackMismatch = "71022" // the callback does not fit the refund (回调与退款不符)
)

func refuse(code, message string) error {
	return &rentcar.BusinessError{Code: code, Message: message}
}

// state is what the service behind the gateway knows. Its operations run under
// its lock, one at a time.
type state struct {
	mu       sync.Mutex
	capacity int     // of each list but orders; 0 for no end
	stock    []Order // the orders at the start; nil for the sample order
	held
}

// held is what a state holds.
type held struct {
	orders      map[fliggy.ID]*Order
	ordersByOut map[string]*Order
	quotes      map[string]quoted // by item id
	quoteIDs    []string
	quoteCount  int

	renewals        []*Renewal
	renewalCount    int
	renewalsByID    map[fliggy.ID]*Renewal
	renewalsByOut   map[string][]*Renewal
	renewalsByOrder map[fliggy.ID][]*Renewal
	refunds         map[string][]*pendingRefund // by trade number, which may be shared
	lastRefund      int

	bills     []Received[rentcar.Bill]
	callbacks []Received[events.Callback]

	agency      []*AgencyOrder
	agencyCount int
	agencyByID  map[fliggy.ID]*AgencyOrder
	agencyByNo  map[string]*AgencyOrder
}

func newState(now time.Time, cfg *config) *state {
	s := &state{capacity: cfg.capacity, stock: cfg.orders}
	s.reset(now)
	return s
}

// reset leaves the orders of the start alone.
func (s *state) reset(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = held{
		orders: map[fliggy.ID]*Order{}, ordersByOut: map[string]*Order{}, quotes: map[string]quoted{},
		renewalsByID: map[fliggy.ID]*Renewal{}, renewalsByOut: map[string][]*Renewal{},
		renewalsByOrder: map[fliggy.ID][]*Renewal{},
		refunds:         map[string][]*pendingRefund{}, agencyByID: map[fliggy.ID]*AgencyOrder{},
		agencyByNo: map[string]*AgencyOrder{},
	}
	if s.stock == nil {
		s.addOrder(sampleOrder(now))
	}
	for _, o := range s.stock {
		s.addOrder(o)
	}
}

// A Snapshot is what a gateway holds at one moment.
type Snapshot struct {
	Orders       []Order // sorted by id
	Renewals     []Renewal
	Bills        []Received[rentcar.Bill]
	Callbacks    []Received[events.Callback]
	AgencyOrders []AgencyOrder
}

// Snapshot returns copies of all that the gateway holds: orders sorted by id, the rest in the order in which it came.
func (g *Gateway) Snapshot() Snapshot {
	s := g.state
	s.mu.Lock()
	defer s.mu.Unlock()
	return Snapshot{
		Orders: s.sortedOrders(), Renewals: copies(s.renewals), Bills: snapshots(s.bills),
		Callbacks: snapshots(s.callbacks), AgencyOrders: copies(s.agency),
	}
}

// Reset puts the gateway back to its start: it holds the sample order, or those of [WithOrders], has seen no request
// and no push, and has no fault; renewals wait for Accept or Reject. Its clock, [Gateway.PushTo] and [Gateway.Handle]
// stay. What is on its way is not stopped.
func (g *Gateway) Reset() {
	g.DecideByHand()
	g.faults.clear()
	g.state.reset(g.now())
	g.log.forget()
	g.log.stateChanged()
}

// do runs an operation.
func (s *state) do(op *operation, m moment, req any) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return op.execute(s, m, req)
}

// The first ids of what the platform numbers itself; later ones count on.
const (
	firstOrderID   = 3104050285204400001
	firstRenewalID = 3187983531024266527 // that of the guide's events
	firstAgencyID  = 3299010000000000001
)

func numbered(first int64, n int) fliggy.ID {
	return fliggy.ID(strconv.FormatInt(first+int64(n), 10))
}

func init() {
	serve(api.BillNotify, (*state).notifyBill)
}

// Received is a bill or a callback that arrived. The rest of the call that brought it is in the [Request] with the same
// id.
type Received[T any] struct {
	Time      time.Time // by the gateway's clock
	RequestID string
	ChannelID fliggy.Channel
	Message   T
}

// Bills returns the batches of settlement bills that arrived, repeated ones too, in their order.
func (g *Gateway) Bills() []Received[rentcar.Bill] {
	g.state.mu.Lock()
	defer g.state.mu.Unlock()
	return snapshots(g.state.bills)
}

func (s *state) notifyBill(m moment, req *rentcar.BillNotifyRequest) (*rentcar.BillNotifyResult, error) {
	for _, bill := range req.Bills {
		s.bills, _ = newest(append(s.bills, Received[rentcar.Bill]{m.now, m.id, req.ChannelID, bill}), s.capacity)
	}
	return &rentcar.BillNotifyResult{Status: success()}, nil
}

func success() rentcar.Status { return rentcar.Status{Successful: true} }

// Callbacks returns the callbacks that were taken, repeated ones too, in their order: 270, 271, 260 and 261 have
// settled a refund. Refused ones are in Requests only.
func (g *Gateway) Callbacks() []Received[events.Callback] {
	g.state.mu.Lock()
	defer g.state.mu.Unlock()
	return snapshots(g.state.callbacks)
}
