package sandbox

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// stamp is a time as the control API writes it: RFC 3339 in GMT+8, nothing for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(fliggy.Zone()).Format("2006-01-02T15:04:05.000Z07:00")
}

// A callView is a call as the control API shows it.
type callView struct {
	ID         string `json:"id"`
	Time       string `json:"time"`
	Gateway    string `json:"gateway"` // top or qimen
	HTTPMethod string `json:"http_method"`
	Method     string `json:"method"`
	Signature  string `json:"signature"` // valid, invalid or missing
	Done       bool   `json:"done"`
	Executed   bool   `json:"executed"`
	Code       string `json:"code,omitempty"`
	Fault      string `json:"fault,omitempty"`
	HTTPStatus int    `json:"http_status,omitempty"`

	// The rest is that of one call alone.
	Protocol   map[string]string `json:"protocol,omitempty"`
	Params     map[string]string `json:"params,omitempty"`
	SignedText string            `json:"signed_text,omitempty"`
	Body       string            `json:"body,omitempty"`
	Reply      string            `json:"reply,omitempty"`
	Refused    *refusedView      `json:"refused,omitempty"`
}

func newCallView(r *fliggytest.Request) callView {
	gateway := "top"
	if r.Qimen {
		gateway = "qimen"
	}
	return callView{
		ID: r.ID, Time: stamp(r.Time), Gateway: gateway, HTTPMethod: r.HTTPMethod, Method: r.Method,
		Signature: string(r.Signature), Done: r.Answer.Done, Executed: r.Answer.Executed, Code: r.Answer.Code,
		Fault: r.Answer.Fault, HTTPStatus: r.Answer.HTTPStatus,
	}
}

// A refusedView says why the gateway refused a call.
type refusedView struct {
	ID         string `json:"id"`
	Method     string `json:"method"`
	Code       string `json:"code"`
	Reason     string `json:"reason"`
	Cause      string `json:"cause,omitempty"`
	Parameter  string `json:"parameter,omitempty"`
	SignedText string `json:"signed_text,omitempty"` // what the signature should cover
}

func (s *Sandbox) refusals() map[string]*refusedView {
	out := map[string]*refusedView{}
	for _, r := range s.gateway.RefusedRequests() {
		out[r.RequestID] = &refusedView{
			ID: r.RequestID, Method: r.Method, Code: r.Code, Reason: r.Reason, Cause: string(r.Cause),
			Parameter: r.Parameter, SignedText: r.SignedText,
		}
	}
	return out
}

func (s *Sandbox) getRefused(*http.Request) (any, error) {
	refused := slices.SortedFunc(maps.Values(s.refusals()), func(a, b *refusedView) int { return cmp.Compare(a.ID, b.ID) })
	return map[string]any{"refused": append([]*refusedView{}, refused...)}, nil
}

// limitOf is how many entries a list shows: ?limit=, 200 without.
func limitOf(r *http.Request) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return 200, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, &invalid{"limit", "want a number above zero"}
	}
	return n, nil
}

// newestOf is the end of a list.
func newestOf[T any](list []T, n int) []T { return list[max(0, len(list)-n):] }

func (s *Sandbox) getCalls(r *http.Request) (any, error) {
	limit, err := limitOf(r)
	if err != nil {
		return nil, err
	}
	calls := []callView{}
	for _, call := range newestOf(s.gateway.Requests(), limit) {
		calls = append(calls, newCallView(&call))
	}
	return map[string]any{"calls": calls}, nil
}

func (s *Sandbox) getCall(r *http.Request) (any, error) {
	id := r.PathValue("id")
	for _, call := range s.gateway.Requests() {
		if call.ID == id {
			v := newCallView(&call)
			v.Protocol, v.Params, v.SignedText = call.Protocol, call.Params, call.SignedText()
			v.Body, v.Reply = textOf(call.Body), textOf(call.Answer.Body)
			v.Refused = s.refusals()[id]
			return v, nil
		}
	}
	return nil, &missing{"call", id}
}

// textOf shows bytes that may be in another charset.
func textOf(b []byte) string {
	const most = 64 << 10
	if len(b) > most {
		return textOf(b[:most]) + "..."
	}
	if utf8.Valid(b) {
		return string(b)
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

// A pushedView is a push as the control API shows it.
type pushedView struct {
	ID          string `json:"id"` // empty for one that was not sent
	Time        string `json:"time,omitempty"`
	Method      string `json:"method,omitempty"`
	EventType   int    `json:"event_type,omitempty"`
	OrderID     string `json:"order_id,omitempty"`
	ContentType string `json:"content_type,omitempty"`
	Status      int    `json:"http_status,omitempty"`
	Accepted    bool   `json:"accepted"`
	Error       string `json:"error,omitempty"`

	// The rest is that of one push alone.
	Query   string `json:"query,omitempty"`
	Body    string `json:"body,omitempty"`
	Message string `json:"message,omitempty"` // the JSON in the body, where the body is a form or in another charset
	Answer  string `json:"answer,omitempty"`
}

func (s *Sandbox) pushView(p *fliggytest.PushResult, whole bool) pushedView {
	v := pushedView{
		ID: p.ID, Time: stamp(p.Time), Method: p.Method, ContentType: p.Header.Get("Content-Type"), Status: p.Status,
		Accepted: p.Accepted,
	}
	if p.Err != nil {
		v.Error = strings.TrimPrefix(p.Err.Error(), "fliggytest: ")
		if v.ID == "" && s.pushAddress() == "" {
			v.Error = "nowhere to push to: PUT " + Prefix + "/push-to, or set it in the console or by --push-to"
		}
	}
	event, message := s.eventOf(p)
	if event != nil {
		v.EventType, v.OrderID = int(event.Type()), string(event.Head().OrderID)
	}
	if whole {
		v.Query, v.Body, v.Answer = p.RawQuery, textOf(p.Body), textOf(p.Answer)
		if !bytes.Equal(message, p.Body) {
			v.Message = textOf(message)
		}
	}
	return v
}

func (s *Sandbox) getPushes(r *http.Request) (any, error) {
	limit, err := limitOf(r)
	if err != nil {
		return nil, err
	}
	pushes := []pushedView{}
	for _, p := range newestOf(s.gateway.Pushes(), limit) {
		pushes = append(pushes, s.pushView(&p, false))
	}
	return map[string]any{"pushes": pushes}, nil
}

func (s *Sandbox) getPush(r *http.Request) (any, error) {
	p, err := s.findPush(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return s.pushView(p, true), nil
}

// A refundView is a fee refund.
type refundView struct {
	Type       int    `json:"type"`
	Amount     string `json:"amount"`
	Reason     string `json:"reason,omitempty"`
	PayTradeNo string `json:"pay_trade_no"`
	State      string `json:"state"`
	Requested  string `json:"requested_time"`
	Settled    string `json:"settled_time,omitempty"`
}

func refundViews(refunds []fliggytest.Refund) []refundView {
	out := []refundView{}
	for _, r := range refunds {
		out = append(out, refundView{
			Type: int(r.Type), Amount: r.Amount.String(), Reason: r.Reason, PayTradeNo: r.PayTradeNo, State: string(r.State),
			Requested: stamp(r.RequestedTime), Settled: stamp(r.SettledTime),
		})
	}
	return out
}

// An orderView is a main order.
type orderView struct {
	OrderID    string       `json:"order_id"`
	OutOrderID string       `json:"out_order_id"`
	ChannelID  string       `json:"channel_id,omitempty"`
	Car        string       `json:"car,omitempty"`
	PickUp     string       `json:"car_use_time,omitempty"`
	Return     string       `json:"car_return_time,omitempty"`
	Renewable  bool         `json:"renewable"`
	Refunds    []refundView `json:"refunds"`
	CancelFee  string       `json:"cancel_fee,omitempty"`
}

// A renewalView is a renewal.
type renewalView struct {
	RenewalOrderID    string       `json:"renewal_order_id"`
	RenewalOutOrderID string       `json:"renewal_out_order_id,omitempty"`
	OrderID           string       `json:"order_id"`
	OutOrderID        string       `json:"out_order_id"`
	ChannelID         string       `json:"channel_id,omitempty"`
	State             string       `json:"state"`
	Created           string       `json:"created_time"`
	Start             string       `json:"start_time,omitempty"`
	End               string       `json:"end_time,omitempty"`
	Total             string       `json:"total,omitempty"` // in yuan
	CallID            string       `json:"call_id"`         // of the submit
	ErrorCode         string       `json:"error_code,omitempty"`
	ErrorMessage      string       `json:"error_message,omitempty"`
	CancelFee         string       `json:"cancel_fee,omitempty"`
	Cancelled         string       `json:"cancelled_time,omitempty"`
	Refunds           []refundView `json:"refunds"`
	// DoubleOf is another renewal of the same order that is alive too, and has the same id of yours or an overlapping
	// period: a double booking. Empty for none.
	DoubleOf string `json:"double_of,omitempty"`
}

func renewalViews(renewals []fliggytest.Renewal) []renewalView {
	out := []renewalView{}
	byOrder := map[fliggy.ID][]fliggytest.Renewal{}
	for _, r := range renewals {
		byOrder[r.OrderID] = append(byOrder[r.OrderID], r)
	}
	for _, r := range renewals {
		v := renewalView{
			RenewalOrderID: string(r.RenewalOrderID), RenewalOutOrderID: r.RenewalOutOrderID, OrderID: string(r.OrderID),
			OutOrderID: r.OutOrderID, ChannelID: codeOf(r.ChannelID), State: string(r.State), Created: stamp(r.CreatedTime),
			Start: stamp(r.Start), End: stamp(r.Submit.CarReturnTime.Time), Total: r.Total.String(), CallID: r.RequestID,
			ErrorCode: r.ErrorCode, ErrorMessage: r.ErrorMessage, CancelFee: r.CancelFee.String(),
			Cancelled: stamp(r.CancelledTime), Refunds: refundViews(r.Refunds),
		}
		for _, other := range byOrder[r.OrderID] {
			if isDouble(&r, &other) {
				v.DoubleOf = string(other.RenewalOrderID)
				break
			}
		}
		out = append(out, v)
	}
	return out
}

// isDouble reports whether two renewals of an order are one that was booked twice.
func isDouble(a, b *fliggytest.Renewal) bool {
	alive := func(r *fliggytest.Renewal) bool {
		return r.State == fliggytest.RenewalSubmitted || r.State == fliggytest.RenewalAccepted
	}
	if a.RenewalOrderID == b.RenewalOrderID || !alive(a) || !alive(b) {
		return false
	}
	if a.RenewalOutOrderID != "" && a.RenewalOutOrderID == b.RenewalOutOrderID {
		return true
	}
	endOf := func(r *fliggytest.Renewal) time.Time {
		if end := r.Submit.CarReturnTime; end.IsSet() {
			return end.Time
		}
		return r.Start
	}
	return !a.Start.IsZero() && (a.Start.Equal(b.Start) || a.Start.Before(endOf(b)) && b.Start.Before(endOf(a)))
}

// codeOf is the code of a channel.
func codeOf(c fliggy.Channel) string { return string(c) }

func orderViews(orders []fliggytest.Order) []orderView {
	out := []orderView{}
	for _, o := range orders {
		out = append(out, orderView{
			OrderID: string(o.OrderID), OutOrderID: o.OutOrderID, ChannelID: codeOf(o.ChannelID),
			Car: o.Details.Booking.CarBrandName, PickUp: stamp(o.Details.Booking.CarUseTime.Time),
			Return: stamp(o.Details.Booking.CarReturnTime.Time), Renewable: o.Details.SupportsRenewal(),
			CancelFee: o.CancelFee.String(), Refunds: refundViews(o.Refunds),
		})
	}
	return out
}

func (s *Sandbox) getOrders(*http.Request) (any, error) {
	return map[string]any{"orders": orderViews(s.gateway.Orders())}, nil
}

func (s *Sandbox) getRenewals(*http.Request) (any, error) {
	return map[string]any{"renewals": renewalViews(s.gateway.Renewals())}, nil
}

// A billView is a batch of a settlement bill, with sums by business type.
type billView struct {
	Time    string         `json:"time"`
	CallID  string         `json:"call_id"`
	BillNo  string         `json:"bill_no"`
	BatchNo string         `json:"req_batch_no"`
	Total   string         `json:"total_amount"`
	Sum     string         `json:"sum_of_lines"` // signed by the trade type
	Repeat  bool           `json:"repeat"`       // the batch number came before
	Lines   []billLineView `json:"lines"`
	Sums    []billSumView  `json:"sums"`
}

type billLineView struct {
	OrderID    string `json:"order_id"`
	OutOrderID string `json:"out_order_id"`
	TradeType  int    `json:"trade_type"`
	BizType    int    `json:"biz_type"`
	Amount     string `json:"order_amount"`
	PayTradeNo string `json:"pay_trade_no"`
	PayTime    string `json:"pay_time"`
}

type billSumView struct {
	BizType int    `json:"biz_type"`
	Lines   int    `json:"lines"`
	Sum     string `json:"sum"`
}

func (s *Sandbox) getBills(r *http.Request) (any, error) {
	limit, err := limitOf(r)
	if err != nil {
		return nil, err
	}
	bills, seen := []billView{}, map[string]bool{}
	for _, b := range s.gateway.Bills() {
		v := newBillView(&b)
		v.Repeat = seen[v.BatchNo]
		seen[v.BatchNo] = true
		bills = append(bills, v)
	}
	return map[string]any{"bills": newestOf(bills, limit)}, nil
}

func newBillView(b *fliggytest.Received[rentcar.Bill]) billView {
	v := billView{
		Time: stamp(b.Time), CallID: b.RequestID, BillNo: b.Message.BillNo, BatchNo: b.Message.BatchNo,
		Total: b.Message.TotalAmount.String(), Lines: []billLineView{}, Sums: []billSumView{},
	}
	byType := map[fliggy.BillBizType][]rentcar.BillLine{}
	for _, line := range b.Message.Lines {
		v.Lines = append(v.Lines, billLineView{
			OrderID: string(line.OrderID), OutOrderID: line.OutOrderID, TradeType: int(line.TradeType),
			BizType: int(line.BizType), Amount: line.OrderAmount.String(), PayTradeNo: line.PayTradeNo,
			PayTime: stamp(line.PayTime.Time),
		})
		byType[line.BizType] = append(byType[line.BizType], line)
	}
	v.Sum = sumOf(b.Message.Lines)
	for _, biz := range slices.Sorted(maps.Keys(byType)) {
		v.Sums = append(v.Sums, billSumView{BizType: int(biz), Lines: len(byType[biz]), Sum: sumOf(byType[biz])})
	}
	return v
}

// sumOf adds up lines as a bill does; empty where that is not possible.
func sumOf(lines []rentcar.BillLine) string {
	total, err := (&rentcar.Bill{Lines: lines}).LineTotal()
	if err != nil {
		return ""
	}
	return total.String()
}

func (s *Sandbox) getCallbacks(r *http.Request) (any, error) {
	limit, err := limitOf(r)
	if err != nil {
		return nil, err
	}
	out := []map[string]any{}
	for _, c := range newestOf(s.gateway.Callbacks(), limit) {
		data, err := json.Marshal(&c.Message)
		if err != nil {
			data = []byte("null")
		}
		out = append(out, map[string]any{
			"time": stamp(c.Time), "call_id": c.RequestID, "event_type": int(c.Message.EventType),
			"callback": json.RawMessage(data),
		})
	}
	return map[string]any{"callbacks": out}, nil
}

func (s *Sandbox) getAgencyOrders(*http.Request) (any, error) {
	out := []map[string]any{}
	for _, o := range s.gateway.AgencyOrders() {
		out = append(out, map[string]any{
			"fliggy_order_id": o.FliggyOrderID, "agent_order_no": o.Create.AgentOrderNo, "created_time": stamp(o.CreatedTime),
			"updates": len(o.Updates),
		})
	}
	return map[string]any{"agency_orders": out}, nil
}

// A clockView is what the clock shows.
type clockView struct {
	Now     string `json:"now"`
	Real    bool   `json:"real"`
	Stopped bool   `json:"stopped"`
}

func (s *Sandbox) clockView() clockView {
	isReal, isStopped := s.clock.state()
	return clockView{stamp(s.clock.now()), isReal, isStopped}
}

// getState is all that the console shows but for the lists of calls and pushes.
func (s *Sandbox) getState(r *http.Request) (any, error) {
	held := s.gateway.Snapshot()
	epoch, _ := s.bell.state()
	state := map[string]any{
		"app_key": s.gateway.AppKey(), "top": s.gateway.URL(), "qimen": s.gateway.QimenURL(), "version": s.config.Version,
		"merchant": s.config.Merchant, "push_to": s.pushAddress(), "clock": s.clockView(),
		"orders": orderViews(held.Orders), "renewals": renewalViews(newestOf(held.Renewals, 200)),
		"bills": len(held.Bills), "callbacks": len(held.Callbacks), "agency_orders": len(held.AgencyOrders),
		"renewal_count": len(held.Renewals), "epoch": epoch,
	}
	for _, get := range []func(*http.Request) (any, error){s.getFaults, s.getScenario} {
		part, err := get(r)
		if err != nil {
			return nil, err
		}
		maps.Copy(state, part.(map[string]any))
	}
	return state, nil
}
