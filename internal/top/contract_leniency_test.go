package top_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
)

// lenient is one form that documents or samples show, and what it means.
type lenient struct {
	from string // the contradiction of the catalogue, the sample, or the section of the platform's rules
	json string // members of the object
	xml  string // the same in XML, empty where it has no such form
	want all
}

var leniencies = []lenient{
	{
		"C3 renewalOrderId as text", `"id":"3187983531024266527"`, `<id>3187983531024266527</id>`,
		all{scalars: scalars{ID: "3187983531024266527"}},
	},
	{
		"C3 renewalOrderId as number, above 2^53", `"id":3187983531024266527`, ``,
		all{scalars: scalars{ID: "3187983531024266527"}},
	},
	{"C4 order id that is no number", `"id":"fz2939293","id_number":"fz293` +
		`9293"`, `<id>fz2939293</id><id_number>fz2939293</id_number>`,
		all{scalars: scalars{ID: "fz2939293", IDNumber: "fz2939293"}}},
	{
		"C4 order id as number", `"id_number":3104050285204362836123`, ``,
		all{scalars: scalars{IDNumber: "3104050285204362836123"}},
	},
	{
		"C8 createdTime as text", `"time":"2022-10-22 10:22:00"`, `<time>2022-10-22 10:22:00</time>`,
		all{scalars: scalars{Time: fliggy.MustTime("2022-10-22 10:22:00")}},
	},
	{
		"C8 createdTime as epoch milliseconds", `"time":1666405320000`, `<time>1666405320000</time>`,
		all{scalars: scalars{Time: fliggy.MustTime("2022-10-22 10:22:00")}},
	},
	{
		"C8 createdTime as milliseconds in text", `"time":"1666405320000"`, ``,
		all{scalars: scalars{Time: fliggy.MustTime("2022-10-22 10:22:00")}},
	},
	{"C9 amounts keep their text", `"yuan":"10.00","bare":10,"decimal":1.0,"fen"` +
		`:"21"`, `<yuan>10.00</yuan><bare>10</bare><decimal>1.0</decimal><fen>21</fen>`,
		all{
			scalars: scalars{
				Yuan: fliggy.MustYuan("10.00"), Bare: fliggy.MustYuan("10"), Decimal: fliggy.MustDecimal("1.0"),
				Fen: fliggy.FenOf(21),
			},
		}},
	{
		"C9 amounts as numbers", `"yuan":21.0,"fen":2100`, ``,
		all{scalars: scalars{Yuan: fliggy.MustYuan("21.0"), Fen: fliggy.FenOf(2100)}},
	},
	{
		"C9 explicit zero is not missing", `"yuan":"0.00","fen":0`, `<yuan>0.00</yuan><fen>0</fen>`,
		all{scalars: scalars{Yuan: fliggy.MustYuan("0.00"), Fen: fliggy.FenOf(0)}},
	},
	{"C11 reason missing, C6 payTradeNo missing", ``, ``, all{}},
	{"C15 plain list", `"texts":["a","b"]`, ``, all{Texts: []string{"a", "b"}}},
	{
		"C15 wrapped list", `"texts":{"string":["a","b"]}`, `<texts><string>a</string><string>b</string></texts>`,
		all{Texts: []string{"a", "b"}},
	},
	{
		"C15 list of one without brackets", `"texts":{"string":"x"}`, `<texts><string>x</string></texts>`,
		all{Texts: []string{"x"}},
	},
	{"C15 empty object for a list", `"texts":{}`, `<texts/>`, all{Texts: []string{}}},
	{"C15 empty wrapped list", `"texts":{"string":[]}`, `<texts></texts>`, all{Texts: []string{}}},
	{"wrapped null: missing, not empty", `"texts":{"string":null}`, ``, all{}},
	{"C15 missing list", ``, ``, all{}},
	{"C15 null list", `"texts":null`, `<texts>null</texts>`, all{}},
	{"C15 empty text for a list", `"texts":""`, ``, all{}},
	{"C15 list as JSON text", `"texts":"[\"a\",\"b\"]"`, `<texts>["a","b"]</texts>`, all{Texts: []string{"a", "b"}}},
	{"3.2 other name of a wrapper", `"texts":{"text":["a"]}`, `<texts><text>a</text></texts>`, all{Texts: []string{"a"}}},
	{"3.2 list of objects, wrapped", `"items":{"order_detail_item":[{"sid":"1"},{"n":2}]}`,
		`<items><order_detail_item><sid>1</sid></order_detail_item><order_detail_item><n>2</n></order_detail_item></items>`,
		all{Items: []item{{SID: "1"}, {N: 2}}}},
	{
		"3.2 list of one object without brackets", `"items":{"order_detail_item":{"sid":"1"}}`, ``,
		all{Items: []item{{SID: "1"}}},
	},
	{
		"3.2 objects as JSON text", `"items":["{\"sid\":\"1\"}"]`, `<items><i>{"sid":"1"}</i></items>`,
		all{Items: []item{{SID: "1"}}},
	},
	{
		"3.2 numbers in a list", `"ints":{"number":[1,"2",3.0]}`,
		`<ints><number>1</number><number>2</number><number>3.0</number></ints>`, all{Ints: []int64{1, 2, 3}},
	},
	{"3.2 null elements keep their place", `"ints":[1,null,""],"items":[null,{"n":1}],"int_ptrs":[null,1,""]`,
		`<ints><n>1</n><n/><n></n></ints><items><i/><i><n>1</n></i></items><int_ptrs><n/><n>1</n><n/></int_ptrs>`,
		all{Ints: []int64{1, 0, 0}, Items: []item{{}, {N: 1}}, IntPtrs: []*int{nil, ptr(1), nil}}},
	{"3.2 numbers as text", `"int":"123","small":" -7 ","uint":"65535","float":"0.5","int_ptr":"2.0"`,
		`<int>123</int><small> -7 </small><uint>65535</uint><float>0.5</float><int_ptr>2.0</int_ptr>`,
		all{Int: 123, Small: -7, Uint: 65535, Float: 0.5, IntPtr: ptr(2)}},
	{"3.2 numbers with a fraction of zeros", `"int":2.0,"small":-0.0,"uint":3.000`, ``, all{Int: 2, Uint: 3}},
	{"3.2 booleans as text", `"flag":"true","flag_ptr":"FALSE","flags":["1",0,true,"False"]`,
		`<flag>true</flag><flag_ptr>FALSE</flag_ptr><flags><b>1</b><b>0</b><b>true</b><b>False</b></flags>`,
		all{Flag: true, FlagPtr: ptr(false), Flags: []bool{true, false, true, false}}},
	{
		"3.2 text of other kinds", `"text":12.50,"texts":[true,1e3,{"k" : [1, "a \" b\\" ]},null]`, ``,
		all{Text: "12.50", Texts: []string{"true", "1e3", `{"k":[1,"a \" b\\"]}`, ""}},
	},
	{"3.2 JSON as object", `"exts":{"key":"value"}`, ``, all{scalars: scalars{Exts: `{"key":"value"}`}}},
	{
		"3.2 JSON as text", `"exts":"{\"key\":\"value\"}"`, `<exts>{&quot;key&quot;:&quot;value&quot;}</exts>`,
		all{scalars: scalars{Exts: `{"key":"value"}`}},
	},
	{"C13 canceller missing, C18 and C19 open " +
		"values", `"channel":"80999","pay_status":"77"`, `<channel>80999</channel><pay_status>77</pay_status>`,
		all{scalars: scalars{Channel: "80999", PayStatus: 77}}},
	{"C21 retCode null", `"text":null`, ``, all{}},
	{"C21 retCode empty", `"text":"","text_ptr":""`, `<text></text><text_ptr/>`, all{TextPtr: ptr("")}},
	{"C21 retCode a number", `"text":200`, ``, all{Text: "200"}},
	{"C25 time without seconds", `"minute":"2023-02-04 10:00","time":"2023-02-04 ` +
		`10:00:00"`, `<minute>2023-02-04 10:00</minute><time>2023-02-04 10:00</time>`,
		all{scalars: scalars{Minute: fliggy.MustTime("2023-02-04 10:00:00"), Time: fliggy.MustTime("2023-02-04 10:00:00")}}},
	{
		"C26 isPressureTest as text", `"as_text":"true","flag":"false"`, `<as_text>true</as_text><flag>false</flag>`,
		all{AsText: true},
	},
	{"C26 exts null as text", `"exts":"null"`, `<exts>null</exts>`, all{}},
	{"C26 null as text elsewhere", `"int":"null","int_ptr":" null ` +
		`","flag_ptr":"null","item_ptr":"null","list_ptr":"null","yuan_ptr":"null","time":"null"`,
		`<int>null</int><int_ptr> null ` +
			`</int_ptr><flag_ptr>null</flag_ptr><item_ptr>null</item_ptr><list_ptr>null</list_ptr><yuan_ptr>null</yuan_ptr><t` +
			`ime>null</time>`,
		all{}},
	{"C26 nothing stays nil behind pointers", `"int_ptr":"","flag_ptr":" ` +
		`","single":"","item_ptr":"","list_ptr":"","yuan_ptr":"","item":""`,
		`<int_ptr/><flag_ptr> </flag_ptr><single/><item_ptr/><yuan_ptr/><item> </item>`, all{}},
	{"samples event-142 eventData as object", `"item":{"sid":"1","next":{"sid":"2"}}`, `<item><sid>1</sid><next><sid>2<` +
		`/sid></next></item>`,
		all{Item: item{SID: "1", Next: &item{SID: "2"}}}},
	{"samples event-142 eventData as " +
		"JSON text", `"item":"{\"sid\":\"1\",\"next\":\"{\\\"sid\\\":\\\"2\\\"}\"}"`,
		`<item>{"sid":"1","next":"{\"sid\":\"2\"}"}</item>`,
		all{Item: item{SID: "1", Next: &item{SID: "2"}}}},
	{"PHP writes an empty object as a list", `"item":[],"item_ptr":[ ]`, ``, all{}},
	{"empty object is an object", `"item_ptr":{}`, ``, all{ItemPtr: &item{}}},
	{"unknown members pass", `"who":{"knows":[1]}`, `<who><knows>1</knows></who>`, all{}},
}

func TestLeniencies(t *testing.T) {
	t.Parallel()
	for _, c := range leniencies {
		if c.json != "" || c.xml == "" {
			got, err := fromJSON[all](t, "{"+c.json+"}")
			if err != nil {
				t.Errorf("%s: JSON: %v", c.from, err)
			}
			wantDiff(t, c.from+": JSON", c.want, got)
		}
		if c.xml == "" {
			continue
		}
		got, err := fromXML[all](t, "<r>"+c.xml+"</r>")
		if err != nil {
			t.Errorf("%s: XML: %v", c.from, err)
		}
		wantDiff(t, c.from+": XML", c.want, got)
	}
}

// Every contradiction that the decoder has to bear has its leniency above.
func TestLeniencyNames(t *testing.T) {
	t.Parallel()
	var catalogue struct {
		Contradictions []struct{ ID string }
	}
	if err := json.Unmarshal(readFile(t, "catalogue/events.json"), &catalogue); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, c := range catalogue.Contradictions {
		known[c.ID] = true
	}
	used := map[string]bool{}
	for _, c := range leniencies {
		for word := range strings.FieldsSeq(c.from) {
			if known[word] {
				used[word] = true
			} else if strings.HasPrefix(word, "C") && len(word) < 4 {
				t.Errorf("%s: the catalogue has no contradiction %s", c.from, word)
			}
		}
	}
	for _, id := range []string{"C3", "C4", "C6", "C8", "C9", "C11", "C13", "C15", "C18", "C19", "C21", "C25", "C26"} {
		if !used[id] {
			t.Errorf("contradiction %s has no case", id)
		}
	}
}

// The samples of the catalogue decode, and what was read encodes to the same
// JSON where the sample has no leniency to it.
func TestSamples(t *testing.T) {
	t.Parallel()
	type bill struct {
		TraceID string                     `top:"trace_id,required"`
		Rest    map[string]json.RawMessage `top:",unknown"`
	}
	sample := readFile(t, "samples/alitrip.rentcar.btb.bill.notify.request.json")
	got, err := fromJSON[bill](t, string(sample))
	if err != nil {
		t.Fatal(err)
	}
	out, err := toJSON(t, &got, top.EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	wantDiff(t, "bill", jsonValue(t, string(sample)), jsonValue(t, out))

	type address struct {
		StoreType int64            `top:"store_type"`
		Address   string           `top:"address"`
		Code      string           `top:"code"`
		Latitude  fliggy.Decimal   `top:"latitude"`
		Type      fliggy.PlaceType `top:"type"`
	}
	type service struct {
		SID         int64       `top:"sid"`
		Exts        fliggy.Exts `top:"third_ext_infos"`
		Amount      fliggy.Yuan `top:"service_price_amount"`
		SetNegative bool        `top:"set_negative"`
	}
	type order struct {
		Successful bool `top:"successful,required"`
		Booking    struct {
			UseTime   fliggy.Time `top:"car_use_time"`
			Stores    []address   `top:"rent_store_address_info,wrap=order_detail_store_address_info"`
			Addresses []string    `top:"address_list"`
		} `top:"booking_info"`
		Order struct {
			Discount fliggy.Yuan `top:"platform_discount"`
			Services []service   `top:"added_service_list"`
		} `top:"order_info"`
		RetCode string `top:"ret_code"`
		Deposit *struct {
			Enable bool `top:"enable_deposit"`
		} `top:"deposit_info"`
	}
	want := order{Successful: true, RetCode: "012"}
	want.Booking.UseTime = fliggy.MustTime("2022-11-24 10:00:00")
	want.Booking.Stores = []address{{1, "北京市昌平区东小口文化路100号", "asd11", fliggy.MustDecimal("33.534642"), 1}}
	want.Order.Discount = fliggy.MustYuan("50.1")
	want.Order.Services = []service{{1, `{"name":"xxx"}`, fliggy.MustYuan("500"), true}}
	want.Deposit = &struct {
		Enable bool `top:"enable_deposit"`
	}{true}
	xmlGot, err := fromXML[order](t, string(readFile(t, "samples/alitrip.rentcar.btb.order.query.response.xml")))
	if err != nil {
		t.Fatal(err)
	}
	wantDiff(t, "order", want, xmlGot)
}
