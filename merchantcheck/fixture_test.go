package merchantcheck

import (
	"crypto/md5"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
)

const (
	// markedSecret is what must never be seen anywhere.
	markedSecret = `SECRET"MARKER-7c1e`
	testAppKey   = "24700009"
	guideOrderID = "3175520762897901122"
)

var (
	guideOrder = Order{
		OrderID: guideOrderID, OutOrderID: "FZ1111111", Start: fliggy.MustTime("2023-02-04 10:00"),
	}
	guideCheck = Config{Orders: []Order{guideOrder}, Submit: true, Clock: fixedClock}
)

type object = map[string]any

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// A testMerchant is a merchant written from the guide, by hand and with maps: it
// shares nothing with the self-test but decimal.
type testMerchant struct {
	dayPrice func(i int) decimal.Decimal
	poundage decimal.Decimal
	basic    decimal.Decimal // per day
	ranges   []testRange     // scattered-hour rule
	round    func(decimal.Decimal) decimal.Decimal
	flat     map[string]string // further services, flat: price by code
	perDay   map[string]string // further services per day
	guide    map[time.Duration]string

	// What goes wrong.
	prices      func(reply object)                                    // spoils a price reply
	total       func(string) string                                   // of the quote, as it is remembered
	submitted   func(n int, reply object)                             // spoils the reply to the n-th submit
	cancelled   func(n int, reply object)                             // spoils the reply to the n-th cancellation
	instead     func(http.ResponseWriter, *http.Request, string) bool // answers itself
	signedBadly string                                                // reply to a bad signature
	badStatus   int                                                   // and its status
	unknownApp  string                                                // reply to an unknown app
	stale       string                                                // reply to a stale request
	malformed   string                                                // reply to a malformed body
	unknown     string                                                // reply to an unknown order
	unsigned    bool                                                  // a request without signature is taken
	trusting    bool                                                  // no signature is checked
	eternal     bool                                                  // no timestamp is checked
	forgetful   bool                                                  // repeats are not recognised
	byTrade     bool                                                  // repeats are recognised by the trade number alone

	mu      sync.Mutex
	marks   map[string]string // total by price mark
	trades  map[string]string // renewal by what tells a repeat
	live    map[string]bool   // by renewal
	submits int
	cancels int
	seen    []object // requests, in order
}

type testRange struct {
	from, to int
	value    string
}

// newTestMerchant prices as the merchant of the guide does.
func newTestMerchant() *testMerchant {
	return &testMerchant{
		dayPrice: func(int) decimal.Decimal { return dec("10") },
		poundage: dec("1.0"), basic: dec("0.01"),
		ranges: []testRange{{0, 420, "50"}, {421, 1440, "100"}},
		round:  func(d decimal.Decimal) decimal.Decimal { return d.RoundBank(2) },
		total:  func(s string) string { return s },

		signedBadly: `{"success":"false","retMessage":"Illegal request","retCode":"sign-check-failure"}`,
		badStatus:   http.StatusOK,
		stale:       `{"success":false,"retCode":"stale","retMessage":"请求已过期"}`,
		malformed:   `{"success":false,"retCode":"malformed","retMessage":"请求无法解析"}`,
		unknown:     `{"success":false,"retCode":"unknown-order","retMessage":"订单不存在"}`,

		marks: map[string]string{}, trades: map[string]string{}, live: map[string]bool{},
	}
}

// signatureOf computes a signature from the description of the protocol.
func signatureOf(secret string, query url.Values, body []byte) string {
	var text strings.Builder
	for _, name := range sortedKeys(query) {
		if name != "sign" {
			text.WriteString(name + query.Get(name))
		}
	}
	return fmt.Sprintf("%X", md5.Sum([]byte(secret+text.String()+string(body)+secret)))
}

func sortedKeys(query url.Values) []string {
	var names []string
	for name := range query {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (m *testMerchant) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	query := r.URL.Query()
	method := query.Get("method")
	if m.instead != nil && m.instead(w, r, method) {
		return
	}
	say := func(status int, text string) {
		w.Header().Set("Content-Type", "application/json;charset=utf-8")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
	if query.Get("app_key") != testAppKey && m.unknownApp != "" {
		say(http.StatusOK, m.unknownApp)
		return
	}
	if !m.trusting && (!m.unsigned || query.Has("sign")) && (query.Get("sign") != signatureOf(markedSecret, query, body) ||
		query.Get("app_key") != testAppKey) {
		say(m.badStatus, m.signedBadly)
		return
	}
	signed, err := time.ParseInLocation(time.DateTime, query.Get("timestamp"), fliggy.Zone())
	if !m.eternal && (err != nil || testNow.Sub(signed).Abs() > 10*time.Minute) {
		say(http.StatusOK, m.stale)
		return
	}
	var request object
	if err := json.Unmarshal(body, &request); err != nil {
		say(http.StatusOK, m.malformed)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen = append(m.seen, request)
	say(http.StatusOK, m.answer(method, request))
}

func (m *testMerchant) answer(method string, request object) string {
	if id, _ := request["orderId"].(string); !strings.HasPrefix(id, guideOrderID) {
		return m.unknown
	}
	switch method {
	case qimen.RenewalPricesMethod:
		return m.quote(request)
	case qimen.RenewalSubmitMethod:
		return m.book(request)
	case qimen.RenewalCancelMethod:
		m.cancels++
		id, _ := request["outOrderId"].(string)
		if _, known := m.live[id]; !known {
			return `{"success":false,"retCode":"unknown-renewal","retMessage":"续租单不存在"}`
		}
		reply := object{"success": true, "retCode": 200, "retMessage": ""}
		if m.cancelled != nil {
			m.cancelled(m.cancels, reply)
		}
		m.live[id] = m.live[id] && fmt.Sprint(reply["success"]) != "true"
		return encoded(reply)
	}
	return `{"success":false,"retCode":"unknown-method","retMessage":"未知接口"}`
}

func encoded(reply object) string {
	data, err := json.Marshal(reply)
	if err != nil {
		panic(err)
	}
	return string(data)
}

func (m *testMerchant) book(request object) string {
	m.submits++
	mark := fmt.Sprint(request["priceMark"])
	trade := fmt.Sprint(request["payTradeNo"])
	if !m.byTrade {
		trade += fmt.Sprint(request["orderId"], request["carUseTime"], request["carReturnTime"], mark)
	}
	if total, ok := m.marks[mark]; !ok || !dec(total).Equal(dec(fmt.Sprint(request["renewalOrderTotalAmount"]))) {
		return `{"success":false,"retCode":"price-changed","retMessage":"价格已变化"}`
	}
	id, again := m.trades[trade]
	if !again || m.forgetful {
		id = fmt.Sprintf("88%06d", len(m.live)+1)
		m.trades[trade] = id
	}
	m.live[id] = true
	reply := object{
		"success": true, "retCode": "", "retMessage": "", "outOrderId": id, "createdTime": "2023-02-01 15:40:52",
	}
	if m.submitted != nil {
		m.submitted(m.submits, reply)
	}
	if reply["success"] != true {
		m.live[id] = false
	}
	return encoded(reply)
}

func (m *testMerchant) quote(request object) string {
	from, to := fliggy.MustTime(fmt.Sprint(request["carUseTime"])), fliggy.MustTime(fmt.Sprint(request["carReturnTime"]))
	if sample, ok := m.guide[to.Sub(from.Time)]; ok {
		var reply object
		if err := json.Unmarshal([]byte(sample), &reply); err != nil {
			panic(err)
		}
		m.remember(reply)
		return sample
	}
	reply := m.price(from.Time, to.Time)
	if m.prices != nil {
		m.prices(reply)
	}
	m.remember(reply)
	return encoded(reply)
}

// remember keeps the total under the price mark.
func (m *testMerchant) remember(reply object) {
	info, _ := reply["priceInfo"].(object)
	total, err := fliggy.ParseDecimal(fmt.Sprint(info["standardPrice"]))
	if err != nil {
		return
	}
	sum := fliggy.Yuan(total)
	lines, _ := reply["addedServiceList"].([]any)
	for _, line := range lines {
		if o, ok := line.(object); ok {
			if amount, err := fliggy.ParseDecimal(fmt.Sprint(o["amount"])); err == nil {
				sum = sum.Add(fliggy.Yuan(amount))
			}
		}
	}
	m.marks[fmt.Sprint(info["priceMark"])] = m.total(sum.String())
}

func (m *testMerchant) price(from, to time.Time) object {
	minutes := int(to.Sub(from) / time.Minute)
	days, scattered := minutes/1440, minutes%1440
	charged, value := days, "100"
	for _, r := range m.ranges {
		if scattered > 0 && r.from <= scattered && scattered <= r.to {
			value = r.value
		}
	}
	hit := scattered > 0 && !dec(value).Equal(dec("100"))
	if scattered > 0 && !hit {
		charged++
	}
	var calendar []any
	rent, base := decimal.Zero, decimal.Zero
	for i := range days + min(scattered, 1) {
		base = m.dayPrice(i)
		if i < charged {
			rent = rent.Add(base)
		}
		calendar = append(calendar, object{
			"date": from.In(fliggy.Zone()).AddDate(0, 0, i).Format(time.DateOnly), "dayPrice": base.StringFixed(2),
		})
	}
	quantity, fee := decimal.NewFromInt(int64(charged)), decimal.Zero
	if hit {
		quantity = quantity.Add(dec(value).Shift(-2))
		fee = m.round(base.Mul(dec(value)).Shift(-2))
		last := calendar[len(calendar)-1].(object)
		last["scatteredPrice"], last["scatteredMinutes"] = fee.StringFixed(2), scattered
	}
	basic := m.round(m.basic.Mul(quantity))
	services := []any{line(1, "basicServiceMoney", m.basic.String(), quantity.String(), basic.StringFixed(2), 0)}
	for code, price := range m.perDay {
		services = append(
			services, line(2, code, price, quantity.String(), m.round(dec(price).Mul(quantity)).StringFixed(2), 0),
		)
	}
	for code, price := range m.flat {
		services = append(services, line(3, code, price, "1", price, 1))
	}
	if hit {
		services = append(services, line(4, "hourFee", fee.StringFixed(2), "1", fee.StringFixed(2), 1))
	}
	var ranges, tiers []any
	for _, r := range m.ranges {
		ranges = append(ranges, object{"startTime": r.from, "endTime": r.to, "value": r.value})
	}
	for i, hours := range []int{72, 48, 24, 2, 0} {
		tiers = append(tiers, object{"time": hours, "num": []int{0, 10, 20, 30, 50}[i]})
	}
	return object{
		"success": true, "retCode": nil, "retMessage": nil,
		"addedServiceList":     services,
		"cancelStrategyStruct": object{"cancelRules": tiers, "manualCheckTime": 0, "cancelType": 1, "supportCancel": true},
		"priceInfo": object{
			"standardPrice": rent.Add(m.poundage).StringFixed(2), "poundageFee": m.poundage.String(),
			"standardUnitPrice": m.dayPrice(0).String(), "basicServiceFee": basic.StringFixed(2),
			"quantity": quantity.String(), "calendarPrice": calendar,
			"scatteredPriceRuleInfo": object{"data": ranges}, "priceMark": fmt.Sprintf("mark-%d", minutes),
		},
	}
}

func line(kind int, code, price, quantity, amount string, flat int) object {
	return object{
		"serviceType": kind, "serviceCode": code, "serviceName": code, "serviceDesc": "", "price": price,
		"quantity": quantity, "amount": amount, "isOneWayFee": flat, "isFixed": 1,
		"listInclude": []any{}, "listExcloud": []any{},
	}
}

// booked lists the renewals that are booked and not cancelled.
func (m *testMerchant) booked() (ids []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, live := range m.live {
		if live {
			ids = append(ids, id)
		}
	}
	return ids
}

// connectMerchant names h as a merchant whose clock stands still.
func connectMerchant(t testing.TB, h http.Handler) *Caller {
	t.Helper()
	m, err := NewForHandler(h, testAppKey, markedSecret)
	noError(t, err)
	m.sender.Now = fixedClock
	t.Cleanup(m.Close)
	return m
}

// broken lists which rules did not pass, as "rule" or "rule (warning)".
func broken(report *Report) []string {
	var out []string
	for _, result := range report.Results {
		name := result.Rule
		switch result.Status {
		case Warning:
			name += " (warning)"
		case Passed, Skipped:
			continue
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
