package fliggy

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// enumCase is one enumeration, its type erased.
type enumCase struct {
	name     string
	values   []string                          // of all constants, as written on the wire
	labels   map[string]string                 // String of each
	describe func(raw string) string           // String of any value
	read     func(data string) (string, error) // UnmarshalJSON over a value of "1"
	write    func(raw string) string           // encoding/json
	numeric  bool
}

type enum interface {
	comparable
	fmt.Stringer
}

func enumOf[T enum, P interface {
	*T
	json.Unmarshaler
}](name string, names map[T]string, of func(string) T, raw func(T) string) enumCase {
	c := enumCase{name: name, labels: map[string]string{}}
	for v, label := range names {
		c.values = append(c.values, raw(v))
		c.labels[raw(v)] = label
	}
	slices.Sort(c.values)
	c.describe = func(s string) string { return of(s).String() }
	c.read = func(data string) (string, error) {
		v := of("1")
		err := P(&v).UnmarshalJSON([]byte(data))
		return raw(v), err
	}
	c.write = func(s string) string { data, _ := json.Marshal(of(s)); return string(data) }
	return c
}

func textEnum[T interface {
	~string
	enum
}, P interface {
	*T
	json.Unmarshaler
}](name string, names map[T]string) enumCase {
	return enumOf[T, P](name, names, func(s string) T { return T(s) }, func(v T) string { return string(v) })
}

func intEnum[T interface {
	~int
	enum
}, P interface {
	*T
	json.Unmarshaler
}](name string, names map[T]string) enumCase {
	of := func(s string) T { n, _ := strconv.Atoi(s); return T(n) }
	c := enumOf[T, P](name, names, of, func(v T) string { return strconv.Itoa(int(v)) })
	c.numeric = true
	return c
}

func allEnums() []enumCase {
	return []enumCase{
		textEnum("Channel", channelNames), textEnum("OrderServiceType", orderServiceTypeNames),
		textEnum("Canceller", cancellerNames),
		textEnum("PayModel", payModelNames), textEnum("PositionType", positionTypeNames),
		textEnum("AddedServiceCode", addedServiceCodeNames), textEnum("Flag", flagNames),
		intEnum("PayStatus", payStatusNames), intEnum("RefundType", refundTypeNames),
		intEnum("BillBizType", billBizTypeNames),
		intEnum("TradeType", tradeTypeNames), intEnum("PayType", payTypeNames),
		intEnum("AgencyOrderStatus", agencyOrderStatusNames),
		intEnum("CarType", carTypeNames), intEnum("OutputType", outputTypeNames), intEnum("Transmission", transmissionNames),
		intEnum("FuelType", fuelTypeNames),
		intEnum("LicenseType", licenseTypeNames), intEnum("StoreType", storeTypeNames),
		intEnum("CoordinateSource", coordinateSourceNames),
		intEnum("PlaceType", placeTypeNames), intEnum("DoorServiceType", doorServiceTypeNames),
		intEnum("ServiceType", serviceTypeNames),
	}
}

// catalogueValues gives the values that the catalogue lists for each enumeration, from every place that lists some.
func catalogueValues(t *testing.T) map[string][]string {
	t.Helper()
	type list struct {
		Values []struct{ Value any } `json:"values"`
	}
	type field struct {
		Name   string
		Enum   []struct{ Value any }
		Fields []json.RawMessage
	}
	var catalogue struct {
		Enums map[string]list
		APIs  []struct {
			Name              *string
			Request, Response struct{ Fields []json.RawMessage }
		} `json:"apis"`
	}
	data, err := os.ReadFile("../testdata/catalogue/apis.json")
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.UseNumber()
	if err := decoder.Decode(&catalogue); err != nil {
		t.Fatal(err)
	}
	found := map[string]map[string]bool{}
	add := func(key string, values []struct{ Value any }) {
		for _, v := range values {
			if found[key] == nil {
				found[key] = map[string]bool{}
			}
			found[key][fmt.Sprint(v.Value)] = true
		}
	}
	for name, l := range catalogue.Enums {
		add("enums/"+name, l.Values)
	}
	var walk func(api string, fields []json.RawMessage)
	walk = func(api string, fields []json.RawMessage) {
		for _, raw := range fields {
			var f field
			if err := json.Unmarshal(raw, &f); err != nil {
				t.Fatal(err)
			}
			add(api+"/"+f.Name, f.Enum)
			walk(api, f.Fields)
		}
	}
	for _, api := range catalogue.APIs {
		if api.Name != nil {
			walk(*api.Name, api.Request.Fields)
			walk(*api.Name, api.Response.Fields)
		}
	}
	all := map[string][]string{}
	for key, values := range found {
		all[key] = slices.Sorted(maps.Keys(values))
	}
	return all
}

// Every value of the catalogue is a constant, and every constant is in the catalogue.
func TestEnumsAgreeWithTheCatalogue(t *testing.T) {
	t.Parallel()
	const order, bill, agency = "alitrip.rentcar.btb.order.query/", "alitrip.rentcar.btb.bill.notify/",
		"alitrip.rentcar.zzc.callback.order."
	places := map[string][]string{
		"Channel":           {"enums/channel_id", order + "channel_id", "qimen.alitrip.rentcar.btborder.notify/channelId"},
		"OrderServiceType":  {"enums/renewal_service_flag", order + "service_type"},
		"Canceller":         {"enums/canceller"},
		"PayModel":          {agency + "create/pay_model"},
		"PositionType":      {order + "position_type"},
		"Flag":              {order + "is_one_way_fee", order + "is_fixed"},
		"AddedServiceCode":  {"enums/added_service_code"},
		"PayStatus":         {order + "pay_status"},
		"RefundType":        {"enums/refund_type"},
		"BillBizType":       {"enums/bill_biz_type", bill + "biz_type"},
		"TradeType":         {bill + "trade_type"},
		"PayType":           {bill + "pay_type"},
		"AgencyOrderStatus": {agency + "update/biz_status"},
		"CarType":           {"alitrip.rentcar.btb.vehicle.query/type"},
		"OutputType":        {order + "output_type"},
		"Transmission":      {order + "transmission_type", "alitrip.rentcar.btb.vehicle.query/transmission"},
		"FuelType":          {"alitrip.rentcar.btb.vehicle.query/fuel_type"},
		"LicenseType":       {order + "license_type"},
		"StoreType":         {order + "store_type"},
		"CoordinateSource":  {order + "coordinate_source"},
		"PlaceType":         {order + "type"},
		"DoorServiceType":   {order + "service_on_door_type"},
		"ServiceType":       {"qimen.alitrip.rentcar.renewalprices.query/serviceType"},
	}
	// Shorter lists of the same enumeration elsewhere.
	subsets := map[string]string{
		"AgencyOrderStatus": agency + "create/biz_status", "CarType": order + "car_type",
		"OutputType": "alitrip.rentcar.btb.vehicle.query/output_type",
	}
	catalogue := catalogueValues(t)
	for _, e := range allEnums() {
		if len(places[e.name]) == 0 {
			t.Errorf("%s: not compared", e.name)
		}
		for _, place := range places[e.name] {
			if diff := cmp.Diff(catalogue[place], e.values); diff != "" {
				t.Errorf("%s against %s (-catalogue +constants):\n%s", e.name, place, diff)
			}
		}
		place, ok := subsets[e.name]
		for _, v := range catalogue[place] {
			if !slices.Contains(e.values, v) {
				t.Errorf("%s lacks %s of %s", e.name, v, place)
			}
		}
		if ok && len(catalogue[place]) == 0 {
			t.Errorf("%s: no values at %s", e.name, place)
		}
	}
}

func TestEnumNames(t *testing.T) {
	t.Parallel()
	for _, e := range allEnums() {
		seen := map[string]bool{}
		for raw, label := range e.labels {
			if got := e.describe(raw); got != label || label == "" || seen[label] {
				t.Errorf("%s(%s): String %q; label %q must be unique", e.name, raw, got, label)
			}
			seen[label] = true
		}
		for _, raw := range []string{"80009", "-7", "0000"} {
			want := raw
			if e.numeric {
				want = strings.Replace(raw, "0000", "0", 1)
			}
			if got := e.describe(raw); e.labels[want] == "" && got != want {
				t.Errorf("%s(%s): String %q", e.name, raw, got)
			}
		}
	}
}

func TestIntEnumReading(t *testing.T) {
	t.Parallel()
	for _, e := range allEnums() {
		if !e.numeric {
			continue
		}
		for data, want := range map[string]string{
			`2`: "2", `"2"`: "2", `-1`: "-1", `"-1"`: "-1", `1.0`: "1", `"1.0"`: "1", `1.000`: "1", `1e1`: "10", `"007"`: "7",
			`"80009"`: "80009", ` " 3 " `: "3",
			`""`: "0", `null`: "0", `"null"`: "0", `0`: "0",
		} {
			if got, err := e.read(data); err != nil || got != want {
				t.Errorf("%s from %s: got %s, %v; want %s", e.name, data, got, err, want)
			}
		}
		for data, rule := range map[string]string{
			`"two"`: "not a whole number", `1.5`: "not a whole number", `"1."`: "not a whole number",
			`"0x1"`:                "not a whole number",
			`99999999999999999999`: "out of range", `1e39`: "out of range", `1e400`: "not a whole number",
			`true`: "want a JSON string or number", `[1]`: "want a JSON string or number", `{}`: "want a JSON string or number",
		} {
			got, err := e.read(data)
			if err == nil || !strings.Contains(err.Error(), rule) || !strings.Contains(err.Error(), e.name) || got != "1" {
				t.Errorf("%s from %s: got %s, %v; want an error about %q", e.name, data, got, err, rule)
			}
		}
		if got := e.write("80009"); got != "80009" {
			t.Errorf("%s is written %s", e.name, got)
		}
	}
}

func TestTextEnumReading(t *testing.T) {
	t.Parallel()
	for _, e := range allEnums() {
		if e.numeric {
			continue
		}
		for data, want := range map[string]string{
			`"2"`: "2", `2`: "2", `-3`: "-3", `"new"`: "new", `""`: "", `null`: "", `"null"`: "null", `"\u0032"`: "2",
			`" 2"`: " 2",
		} {
			if got, err := e.read(data); err != nil || got != want {
				t.Errorf("%s from %s: got %q, %v; want %q", e.name, data, got, err, want)
			}
		}
		for _, data := range []string{`1.5`, `1e3`, `true`, `[]`, `{}`, `"`, ``} {
			if got, err := e.read(data); err == nil || !strings.Contains(err.Error(), e.name) || got != "1" {
				t.Errorf("%s from %s: got %q, %v; want an error", e.name, data, got, err)
			}
		}
		if got := e.write("80009"); got != `"80009"` {
			t.Errorf("%s is written %s", e.name, got)
		}
	}
}

// Unknown values pass through unchanged, as numbers and as texts.
func TestIntEnumProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := rapid.SampledFrom(allEnums()).Draw(t, "enumeration")
		raw := strconv.Itoa(rapid.IntRange(-1<<31, 1<<31-1).Draw(t, "value"))
		for _, data := range []string{raw, `"` + raw + `"`} {
			if got, err := e.read(data); err != nil || got != raw {
				t.Fatalf("%s from %s: got %s, %v", e.name, data, got, err)
			}
		}
	})
}
