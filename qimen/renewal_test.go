package qimen

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/fliggy"
)

// A message is a pointer to one of the requests and replies.
type message interface {
	json.Marshaler
	json.Unmarshaler
	Validate() error
}

// A sample is what the guide prints, and what it says.
type sample struct {
	file string // without the common start
	into message
	want message
}

func samples() []sample {
	q := quotes()
	return []sample{
		{"renewalprices.query.scenario1.request", new(RenewalPricesRequest), &RenewalPricesRequest{
			OrderID: "3175520762897901122", OutOrderID: "FZ1111111", TraceID: "2108aa5516752211119918785ed7e4",
			CarUseTime: fliggy.MustTime("2023-02-04 10:00:00"), CarReturnTime: fliggy.MustTime("2023-02-05 10:30:00"),
		}},
		{"renewalprices.query.scenario1.response", new(RenewalPricesReply), q[0]},
		{"renewalprices.query.scenario2.request", new(RenewalPricesRequest), &RenewalPricesRequest{
			OrderID: "311111897908722", OutOrderID: "11111081294", TraceID: "2108aa551675211111858899ed7e4",
			CarUseTime: fliggy.MustTime("2023-02-04 10:00:00"), CarReturnTime: fliggy.MustTime("2023-02-05 18:00:00"),
		}},
		{"renewalprices.query.scenario2.response", new(RenewalPricesReply), q[1]},
		{"renewalprices.query.scenario3.request", new(RenewalPricesRequest), &RenewalPricesRequest{
			OrderID: "31755207111108722", OutOrderID: "11111194", TraceID: "2108aa551675223111111417ed7e4",
			CarUseTime: fliggy.MustTime("2023-02-04 10:00:00"), CarReturnTime: fliggy.MustTime("2023-02-18 12:00:00"),
		}},
		{"renewalprices.query.scenario3.response", new(RenewalPricesReply), q[2]},
		{"renewalorder.submit.request", new(RenewalSubmitRequest), &RenewalSubmitRequest{
			OrderID: "317694071118722", OutOrderID: "FZ1111294", TraceID: "3176911115908722",
			CarUseTime: fliggy.MustTime("2023-02-04 10:00:00"), CarReturnTime: fliggy.MustTime("2023-02-05 11:00:00"),
			RenewalOrderTotalAmount: fliggy.MustYuan("16.02"), PriceMark: "88668888511161", PayTradeNo: "202302011111183",
		}},
		{"renewalorder.submit.response", new(RenewalSubmitReply), sampleBooked()},
		{"renewalorder.cancel.request", new(RenewalCancelRequest), &RenewalCancelRequest{
			OrderID: "3176915908722", OutOrderID: "886681307527", TraceID: "2108aa55167523107",
			CancelTime: fliggy.MustTime("2023-02-01 15:46:51"), CancelMessage: "用户主动取消", PenaltyAmount: fliggy.MustYuan("14.41"),
		}},
		{"renewalorder.cancel.response", new(RenewalCancelReply), &RenewalCancelReply{}},
	}
}

func sampleBooked() *RenewalSubmitReply {
	return &RenewalSubmitReply{OutOrderID: "8861117527", CreatedTime: fliggy.MustTime("2023-02-01 15:40:52")}
}

// quotes are the three scenarios of the guide, made by hand.
func quotes() []*RenewalPricesReply {
	basic := func(quantity, amount string) AddedService {
		return AddedService{
			ServiceType: fliggy.ServiceTypeBasic, ServiceCode: BasicServiceCode, ServiceName: "基础服务费", ServiceDesc: "基础服务费",
			Price: fliggy.MustYuan("0.01"), Quantity: fliggy.MustDecimal(quantity), Amount: fliggy.MustYuan(amount),
			Mandatory:   true,
			ListInclude: []string{"基础服务费,超出1500元的交通事故车辆维修费用免赔(不包含玻璃、轮胎、轮毂),第三者保障50万,承租方承担停运损失费和折旧损失费。"},
			ListExclude: []string{},
		}
	}
	hours := AddedService{
		ServiceType: 4, ServiceCode: ScatteredHourCode, ServiceName: "零散小时费", ServiceDesc: "零散小时费",
		Price: fliggy.MustYuan("5.00"), Quantity: fliggy.MustDecimal("1"), Amount: fliggy.MustYuan("5.00"),
		FlatPrice: true, Mandatory: true, ListInclude: []string{}, ListExclude: []string{},
	}
	quote := func(info RenewalPrice, services ...AddedService) *RenewalPricesReply {
		info.StandardUnitPrice, info.PoundageFee = fliggy.MustYuan("10"), fliggy.MustYuan("1.0")
		info.BasicServiceFee, info.Quantity = services[0].Amount, services[0].Quantity
		info.ScatteredPriceRules.Rules = []fliggy.ScatteredPriceRule{
			{Value: fliggy.MustDecimal("50"), StartTime: 0, EndTime: 420},
			{Value: fliggy.MustDecimal("100"), StartTime: 421, EndTime: 1440},
		}
		return &RenewalPricesReply{
			AddedServices: services,
			Price:         info,
			CancelPolicy: fliggy.CancelPolicy{
				Rules: []fliggy.CancelRule{
					{Num: 0, Time: 72}, {Num: 10, Time: 48}, {Num: 20, Time: 24}, {Num: 30, Time: 2}, {Num: 50, Time: 0},
				},
				CancelType: 1, SupportCancel: true,
			},
		}
	}
	first := fliggy.Date{Year: 2023, Month: 2, Day: 4}
	days := func(prices ...string) (calendar []DailyPrice) {
		for i, price := range prices {
			calendar = append(calendar, DailyPrice{Date: first.AddDays(i), DayPrice: fliggy.MustYuan(price)})
		}
		return calendar
	}
	scattered := func(minutes int, calendar []DailyPrice) []DailyPrice {
		last := &calendar[len(calendar)-1]
		last.ScatteredPrice, last.ScatteredMinutes = hours.Amount, minutes
		return calendar
	}
	return []*RenewalPricesReply{
		quote(RenewalPrice{
			StandardPrice: fliggy.MustYuan("11.00"), PriceMark: "88612121212121216",
			CalendarPrice: scattered(30, days("10.00", "10.00")),
		},
			basic("1.5", "0.02"), hours),
		quote(RenewalPrice{
			StandardPrice: fliggy.MustYuan("21.0"), PriceMark: "8866291212121212124741", CalendarPrice: days("10", "10"),
		},
			basic("2.0", "0.02")),
		quote(RenewalPrice{StandardPrice: fliggy.MustYuan("141.00"), PriceMark: "88662111115414",
			CalendarPrice: scattered(120,
				days("10", "10", "10", "10", "10", "10", "10", "10", "10", "10", "10", "10", "10", "10.00", "10.00"))},
			basic("14.5", "0.14"), hours),
	}
}

// Every sample of the guide reads into its type with exactly its values and without findings, and is written again,
// with the same members and the same values in the same JSON types: from what was read, and from what was made by hand.
func TestSamples(t *testing.T) {
	t.Parallel()
	for _, c := range samples() {
		t.Run(c.file, func(t *testing.T) {
			t.Parallel()
			text := readFile(t, "samples/qimen.alitrip.rentcar."+c.file+".json")
			if err := json.Unmarshal(text, c.into); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, c.into, exact); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			want := parsed(t, text)
			if want["exts"] == "null" { // says nothing, and is left out
				delete(want, "exts")
			}
			for _, m := range []message{c.into, c.want} {
				if err := m.Validate(); err != nil {
					t.Error(err)
				}
				out, err := json.Marshal(m)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, parsed(t, out)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		})
	}
}

// A line that is optional, a policy that allows nothing and a rule that starts at once say so: members of the samples
// are written when they are zero, too.
func TestZeroIsWritten(t *testing.T) {
	t.Parallel()
	q := quotes()[1]
	line := &q.AddedServices[0]
	line.ServiceDesc, line.FlatPrice, line.Mandatory, line.ListInclude, line.ListExclude = "", false, false, nil, nil
	line.Price, line.Amount = fliggy.MustYuan("0.00"), fliggy.MustYuan("0")
	q.CancelPolicy = fliggy.CancelPolicy{CancelType: 1}
	q.Price.BasicServiceFee = fliggy.Yuan{}
	q.Price.ScatteredPriceRules.Rules = []fliggy.ScatteredPriceRule{{Value: fliggy.MustDecimal("0")}}
	if err := q.Validate(); err != nil {
		t.Error(err)
	}
	text, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	wantJSON(t, text, []byte(`{"success":true,"retCode":null,"retMessage":null,
		"addedServiceList":[{"serviceType":1,"serviceCode":"basicServiceMoney","serviceName":"基础服务费","serviceDesc":"","price":"0.00","quantity":"2.0","amount":"0",
			"isOneWayFee":0,"isFixed":0,"listInclude":[],"listExcloud":[]}],
		"cancelStrategyStruct":{"cancelRules":[],"manualCheckTime":0,"cancelType":1,"supportCancel":false},
		"priceInfo":{"standardPrice":"21.0","standardUnitPrice":"10","poundageFee":"1.0","quantity":"2.0","priceMark":"8866291212121212124741",
			"calendarPrice":[{"date":"2023-02-04","dayPrice":"10"},{"date":"2023-02-05","dayPrice":"10"}],
			"scatteredPriceRuleInfo":{"data":[{"value":"0","startTime":0,"endTime":0}]}}}`))
	q.AddedServices = nil
	if text, err = json.Marshal(q); err != nil || len(parsed(t, text)["addedServiceList"].([]any)) != 0 {
		t.Errorf("%s, %v", text, err)
	}
}

// A reply that says failure reads as a refusal, one that does not say what it is not at all; neither changes what it is
// read into.
func TestReplyRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text    string
		refusal *Refusal
		err     string
	}{
		{
			string(readFile(t, "samples/qimen.sign-check-failure.response.json")),
			&Refusal{"sign-check-failure", "Illegal request"}, "",
		},
		{`{"success":false,"retCode":71008,"retMessage":null}`, &Refusal{"71008", ""}, ""},
		{`{"success":0,"priceInfo":"no object"}`, &Refusal{"", ""}, ""},
		{`{"success":"","retCode":"x"}`, nil, "qimen: success: missing"},
		{`{"retCode":200}`, nil, "qimen: success: missing"},
		{`{"success":"yes"}`, nil, "qimen: success: expected true or false"},
		{`{"success":true,"success":false}`, nil, "qimen: success: "},
		{`[]`, nil, "qimen: expected an object, got a list"},
	} {
		for _, m := range []message{
			quotes()[0], sampleBooked(), &RenewalCancelReply{Extra: map[string]json.RawMessage{"x": json.RawMessage(`1`)}},
		} {
			before, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			err = m.UnmarshalJSON([]byte(c.text))
			var refusal *Refusal
			if errors.As(err, &refusal); err == nil || !cmp.Equal(refusal, c.refusal) || !strings.HasPrefix(err.Error(), c.err) {
				t.Errorf("%T, %s: %v", m, c.text, err)
			}
			if after, err := json.Marshal(m); err != nil || string(after) != string(before) {
				t.Errorf("%T, %s: changed to %s, %v", m, c.text, after, err)
			}
		}
	}
	for _, code := range []string{`null`, `""`, `200`, `"0"`, `"error"`} { // success decides, never the code
		cancelled := RenewalCancelReply{Extra: map[string]json.RawMessage{"old": nil}}
		if err := json.Unmarshal(
			[]byte(`{"success":"true","retCode":`+code+`,"retMessage":"m","new": {}}`), &cancelled,
		); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(
			RenewalCancelReply{Extra: map[string]json.RawMessage{"new": json.RawMessage(`{}`)}}, cancelled,
		); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	for _, c := range []struct{ without, err string }{
		{"priceInfo", "qimen: priceInfo: missing"},
		{"cancelStrategyStruct", "qimen: cancelStrategyStruct.cancelType: missing"},
	} {
		text := parsed(t, readFile(t, "samples/qimen.alitrip.rentcar.renewalprices.query.scenario1.response.json"))
		delete(text, c.without)
		rest, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := new(RenewalPricesReply).UnmarshalJSON(rest); err == nil || err.Error() != c.err {
			t.Errorf("%v, want %s", err, c.err)
		}
	}
}
