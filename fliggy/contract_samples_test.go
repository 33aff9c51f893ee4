package fliggy_test

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	_ "github.com/fliggy-go/rentcar/internal/golden" // -update
)

// Every leniency that a document or sample asks for, by the name of the file it is seen in.
func TestLenienciesOfTheSamples(t *testing.T) {
	t.Parallel()
	const (
		quote1, quote2 = "qimen.alitrip.rentcar.renewalprices.query.scenario1",
			"qimen.alitrip.rentcar.renewalprices.query.scenario2"
		quote3         = "qimen.alitrip.rentcar.renewalprices.query.scenario3"
		submit, cancel = "qimen.alitrip.rentcar.renewalorder.submit", "qimen.alitrip.rentcar.renewalorder.cancel"
		bill           = "alitrip.rentcar.btb.bill.notify.request.json"
		agency         = "alitrip.rentcar.zzc.callback.order.create.request.json"
	)
	id, amount := text[fliggy.ID], text[fliggy.Yuan]
	number, moment := text[fliggy.Decimal], text[fliggy.Time]
	line := func(name string) []string {
		return []string{"distributor_bill_list", "0", "bill_detail_list", "0", name}
	}
	for _, c := range []struct {
		what string
		read func(*testing.T, string) string
		want string
		file string
		path []string
	}{
		{"id quoted", id, "3187983531024266527", "event-103.json", []string{"eventData", "renewalOrderId"}},
		{"id bare, above 2^53", id, "3187983531024266522", "event-104.json", []string{"eventData", "renewalOrderId"}},
		{"id not numeric", id, "fz2939293", bill, line("order_id")},
		{"id bare, of the agency", id, "23412341234", agency, []string{"promotion_list", "0", "promotion_id"}},
		{"yuan without decimals", amount, "10", quote2 + ".response.json", []string{"priceInfo", "standardUnitPrice"}},
		{"yuan with one decimal", amount, "21.0", quote2 + ".response.json", []string{"priceInfo", "standardPrice"}},
		{
			"yuan with two decimals", amount, "10.00", quote1 + ".response.json",
			[]string{"priceInfo", "calendarPrice", "0", "dayPrice"},
		},
		{"yuan of a refund", amount, "200.98", "event-142.json", []string{"eventData", "amount"}},
		{"yuan of a bill", amount, "10000", bill, []string{"distributor_bill_list", "0", "total_amount"}},
		{"yuan zero", amount, "0", bill, line("discount_amount")},
		{"fen", text[fliggy.Fen], "5565", agency, []string{"total_amount"}},
		{"fractional days", number, "14.5", quote3 + ".response.json", []string{"priceInfo", "quantity"}},
		{"whole days with a zero", number, "2.0", quote2 + ".response.json", []string{"priceInfo", "quantity"}},
		{
			"percentage as text", number, "50", "fragment.scatteredPriceRuleInfo.json",
			[]string{"scatteredPriceRuleInfo", "data", "0", "value"},
		},
		{
			"percentage as number", number, "10", "fragment.cancelStrategyStruct.json",
			[]string{"cancelStrategyStruct", "cancelRules", "1", "num"},
		},
		{"coordinate", number, "11.11111", agency, []string{"pickup_car_position", "lon"}},
		{"time with seconds", moment, "2023-02-01 15:46:51", cancel + ".request.json", []string{"cancelTime"}},
		{"time without seconds", moment, "2023-02-04 10:00:00", quote1 + ".request.json", []string{"carUseTime"}},
		{"time of an event", moment, "2022-10-22 10:22:00", "event-103.json", []string{"eventData", "createdTime"}},
		{"local time", text[fliggy.LocalTime], "2024-11-05 19:42:29", agency, []string{"return_car_time"}},
		{
			"day of the price calendar", text[fliggy.Date], "2023-02-05", quote1 + ".response.json",
			[]string{"priceInfo", "calendarPrice", "1", "date"},
		},
		{
			"extension data", text[fliggy.Exts], `{"key":"value"}`, "alitrip.rentcar.btb.order.query.request.json",
			[]string{"exts"},
		},
		{"extension data null as text", text[fliggy.Exts], "", submit + ".request.json", []string{"exts"}},
		{"extension data empty", text[fliggy.Exts], "", agency, []string{"extra"}},
		{"channel", text[fliggy.Channel], "Didi", bill, []string{"channel_id"}},
		{"refund type", text[fliggy.RefundType], "fuel fee", "callback-270.json", []string{"eventData", "refundType"}},
		{"bill biz type", text[fliggy.BillBizType], "order fee", bill, line("biz_type")},
		{"pay model", text[fliggy.PayModel], "down payment", agency, []string{"pay_model"}},
		{"agency order status 0", text[fliggy.AgencyOrderStatus], "unpaid", agency, []string{"biz_status"}},
		{
			"service type", text[fliggy.ServiceType], "scattered hours", quote1 + ".response.json",
			[]string{"addedServiceList", "1", "serviceType"},
		},
	} {
		if got := c.read(t, member(t, c.file, c.path...)); got != c.want {
			t.Errorf("%s (%s): got %q, want %q", c.what, c.file, got, c.want)
		}
	}
	// createdTime is a Java Date in the class of event 103: milliseconds are taken too.
	if got := text[fliggy.Time](t, "1666405320000"); got != text[fliggy.Time](
		t, member(t, "event-103.json", "eventData", "createdTime"),
	) {
		t.Errorf("milliseconds give %s", got)
	}
}

// text reads one JSON value and gives what String makes of it.
func text[T interface{ String() string }, P interface {
	*T
	UnmarshalJSON([]byte) error
}](t *testing.T, data string) string {
	t.Helper()
	var v T
	if err := P(&v).UnmarshalJSON([]byte(data)); err != nil {
		t.Fatal(err)
	}
	return v.String()
}

// The XML form reads through UnmarshalText.
func TestXMLOrderSample(t *testing.T) {
	t.Parallel()
	type address struct {
		Store    fliggy.StoreType        `xml:"store_type"`
		Map      fliggy.CoordinateSource `xml:"coordinate_source"`
		Type     fliggy.PlaceType        `xml:"type"`
		Position fliggy.PositionType     `xml:"position_type"`
		Door     fliggy.DoorServiceType  `xml:"service_on_door_type"`
		Latitude fliggy.Decimal          `xml:"latitude"`
	}
	type order struct {
		Use          fliggy.Time         `xml:"booking_info>car_use_time"`
		Output       fliggy.OutputType   `xml:"booking_info>output_type"`
		Car          fliggy.CarType      `xml:"booking_info>car_type"`
		License      fliggy.LicenseType  `xml:"booking_info>license_type"`
		Transmission fliggy.Transmission `xml:"booking_info>transmission_type"`
		Volume       fliggy.Decimal      `xml:"booking_info>output_volumn"`
		Stores       []address           `xml:"booking_info>rent_store_address_info>order_detail_store_address_info"`
		Customers    []address           `xml:"booking_info>user_rent_address_info>order_detail_user_rent_car_address"`
		Discount     fliggy.Yuan         `xml:"order_info>platform_discount"`
		Pay          fliggy.PayStatus    `xml:"order_info>pay_status"`
		Trade        fliggy.ID           `xml:"order_info>alipay_trade_no"`
		Exts         fliggy.Exts         `xml:"exts"`
	}
	data, err := os.ReadFile(filepath.Join("..", "testdata", "samples", "alitrip.rentcar.btb.order.query.response.xml"))
	if err != nil {
		t.Fatal(err)
	}
	var got order
	if err := xml.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Stores) != 1 || len(got.Customers) != 1 {
		t.Fatalf("got %d stores and %d customers", len(got.Stores), len(got.Customers))
	}
	store, customer := got.Stores[0], got.Customers[0]
	for what, ok := range map[string]bool{
		"time":   got.Use.Time.Equal(time.Date(2022, 11, 24, 2, 0, 0, 0, time.UTC)),
		"output": got.Output == fliggy.OutputTurbo && got.Volume == fliggy.MustDecimal("2.0"),
		"car": got.Car == fliggy.CarEconomy && got.License == fliggy.LicenseLocal &&
			got.Transmission == fliggy.TransmissionAutomatic,
		"store": store.Store == fliggy.StoreTypeStore && store.Map == fliggy.CoordinateAmap &&
			store.Type == fliggy.PlacePickUp,
		"door service": store.Door == fliggy.DoorServiceShuttle,
		"latitude":     store.Latitude == fliggy.MustDecimal("33.534642"),
		"customer":     customer.Position == fliggy.PositionDropOff && customer.Type == fliggy.PlacePickUp,
		"amount":       got.Discount == fliggy.MustYuan("50.1"),
		"pay status":   got.Pay == fliggy.PayStatusUnpaid,
		"trade number": got.Trade == "hd21312312313",
		"extension":    got.Exts == `{"key":"value"}`,
	} {
		if !ok {
			t.Errorf("%s: %+v", what, got)
		}
	}
}
