package top_test

import (
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
)

// The types of the recorded values: members are pointers, since there every one
// may be null, and in the order of the official text.
type (
	topBooking struct {
		Name        *string `top:"name"`
		SetNegative *bool   `top:"set_negative"`
		SortKey     *int64  `top:"sort_key"`
	}
	topBill struct {
		B2BCode     *string      `top:"b2b_code"`
		BizType     *int64       `top:"biz_type"`
		BookingInfo *topBooking  `top:"booking_info"`
		DetailList  []topBooking `top:"detail_list"`
		IsFixed     *int64       `top:"is_fixed"`
		ListInclude []string     `top:"list_include"`
		Numbers     []int64      `top:"numbers"`
		OrderID2    *string      `top:"order_id2"`
		PayTime     fliggy.Time  `top:"pay_time"`
		Rate        *float64     `top:"rate"`
		Remark      *string      `top:"remark"`
		Successful  *bool        `top:"successful"`
		TraceID     *string      `top:"trace_id"`
		URL2        *string      `top:"url2"`
	}
	qimenBooking struct {
		Name        *string `top:"name"`
		SetNegative *bool   `top:"setNegative"`
		SortKey     *int64  `top:"sortKey"`
	}
	qimenBill struct {
		B2BCode     *string        `top:"b2bCode"`
		BizType     *int64         `top:"bizType"`
		BookingInfo *qimenBooking  `top:"bookingInfo"`
		DetailList  []qimenBooking `top:"detailList"`
		IsFixed     *int64         `top:"isFixed"`
		ListInclude []string       `top:"listInclude"`
		Numbers     []int64        `top:"numbers"`
		OrderID2    *string        `top:"orderId2"`
		PayTime     fliggy.Time    `top:"payTime"`
		Rate        *float64       `top:"rate"`
		Remark      *string        `top:"remark"`
		Successful  *bool          `top:"successful"`
		TraceID     *string        `top:"traceId"`
		URL2        *string        `top:"uRL"`
	}
)

// recorded is a value as the vectors describe it.
type recorded struct {
	Type   string
	Value  any
	UnixMS int64 `json:"unix_ms"`
	Items  []recorded
	Fields []struct {
		Property string
		Declared string `json:"declared_name"`
		Value    recorded
	}
}

type structVector struct {
	Name      string
	Input     recorded
	TopJSON   string `json:"top_json"`
	QimenJSON string `json:"qimen_json"`
}

// build fills v with the recorded value. Members are found by name, which for
// TOP is the snake case of the property.
func (r recorded) build(t *testing.T, v reflect.Value, qimen bool) {
	t.Helper()
	if r.Type == "null" {
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch r.Type {
	case "struct":
		for _, f := range r.Fields {
			name := snake(f.Property)
			if qimen {
				name = f.Declared
			}
			f.Value.build(t, member(t, v, name), qimen)
		}
	case "list":
		v.Set(reflect.MakeSlice(v.Type(), len(r.Items), len(r.Items)))
		for i, item := range r.Items {
			item.build(t, v.Index(i), qimen)
		}
	case "date":
		v.Set(reflect.ValueOf(fliggy.At(time.UnixMilli(r.UnixMS))))
	case "string":
		v.SetString(r.Value.(string))
	case "bool":
		v.SetBool(r.Value.(bool))
	case "int64":
		n, err := strconv.ParseInt(r.Value.(string), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		v.SetInt(n)
	case "float64":
		n, err := strconv.ParseFloat(r.Value.(string), 64)
		if err != nil {
			t.Fatal(err)
		}
		v.SetFloat(n)
	default:
		t.Fatalf("unknown type %q", r.Type)
	}
}

// member returns the field of that wire name.
func member(t *testing.T, v reflect.Value, name string) reflect.Value {
	t.Helper()
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("top") == name {
			return v.Field(i)
		}
	}
	t.Fatalf("%s has no member %q", v.Type(), name)
	return reflect.Value{}
}

// snake is the platform's rule for names, written down once more.
func snake(s string) string {
	var out []rune
	for i, r := range s {
		if 'A' <= r && r <= 'Z' {
			if i > 0 {
				out = append(out, '_')
			}
			r += 'a' - 'A'
		}
		out = append(out, r)
	}
	return string(out)
}

func TestStructVectors(t *testing.T) {
	t.Parallel()
	for _, v := range vectors[structVector](t, "struct.json") {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			for _, form := range []struct {
				name   string
				qimen  bool
				text   string
				single reflect.Type
				list   reflect.Type
			}{
				{"top", false, v.TopJSON, reflect.TypeFor[topBill](), reflect.TypeFor[[]topBooking]()},
				{"qimen", true, v.QimenJSON, reflect.TypeFor[qimenBill](), reflect.TypeFor[[]qimenBooking]()},
			} {
				typ := form.single
				if v.Input.Type == "list" {
					typ = form.list
					if v.Input.Items[0].Type == "string" {
						typ = reflect.TypeFor[[]string]()
					}
				}
				value := reflect.New(typ)
				v.Input.build(t, value.Elem(), form.qimen)
				got, err := top.AppendValue(nil, value.Interface())
				if err != nil {
					t.Fatalf("%s: %v", form.name, err)
				}
				wantDiff(t, form.name, jsonValue(t, form.text), jsonValue(t, string(got)))
				// Members are in the recorded order, so the text is the same too.
				if string(got) != form.text {
					t.Errorf("%s: text\n got %s\nwant %s", form.name, got, form.text)
				}
				if typ.Kind() != reflect.Struct {
					continue
				}
				back := reflect.New(typ)
				plan, err := top.PlanFor(typ)
				if err == nil {
					err = plan.DecodeJSON(got, back.Interface())
				}
				if err != nil {
					t.Fatalf("%s: %v", form.name, err)
				}
				wantDiff(t, form.name+": read back", value.Interface(), back.Interface())
			}
		})
	}
}
