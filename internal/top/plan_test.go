package top_test

import (
	"encoding/json"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
)

type (
	tree struct {
		Name  string  `top:"name"`
		Left  *tree   `top:"left"`
		Under []*tree `top:"under"`
	}
	ping struct {
		Pong *pong `top:"pong"`
		N    int   `top:"n"`
	}
	pong struct {
		Pings []ping `top:"pings"`
	}
	Embedded struct {
		Code string `top:"code"`
	}
	listOfGeneric[T any] struct {
		Items []generic[T] `top:"items"`
	}
	generic[T any] struct {
		V T `top:"v"`
	}
)

// Types that cannot be messages give errors, never a panic.
func TestPlanErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typ  reflect.Type
		want string
	}{
		{reflect.TypeFor[int](), "int is not a struct"},
		{reflect.TypeFor[*item](), "*top_test.item is not a struct"},
		{reflect.TypeFor[time.Time](), "a time.Time has no wire format here: use fliggy.Time"},
		{
			reflect.TypeFor[struct{ A map[string]string }](),
			".A: a map[string]string has no wire format: use a struct with tags, or a json.RawMessage",
		},
		{
			reflect.TypeFor[struct{ A chan int }](),
			".A: a chan int has no wire format: use a struct with tags, or a json.RawMessage",
		},
		{
			reflect.TypeFor[struct{ A func() }](),
			".A: a func() has no wire format: use a struct with tags, or a json.RawMessage",
		},
		{
			reflect.TypeFor[struct{ A any }](),
			".A: a interface {} has no wire format: use a struct with tags, or a json.RawMessage",
		},
		{
			reflect.TypeFor[struct{ A error }](), ".A: a error has no wire format: use a struct with tags, or a json.RawMessage",
		},
		{
			reflect.TypeFor[struct{ A [2]int }](),
			".A: a [2]int has no wire format: use a struct with tags, or a json.RawMessage",
		},
		{
			reflect.TypeFor[struct{ A complex128 }](),
			".A: a complex128 has no wire format: use a struct with tags, or a json.RawMessage",
		},
		{
			reflect.TypeFor[struct{ A uintptr }](),
			".A: a uintptr has no wire format: use a struct with tags, or a json.RawMessage",
		},
		{reflect.TypeFor[struct{ A []byte }](), ".A: bytes have no wire format: use text or json.RawMessage"},
		{reflect.TypeFor[struct{ A time.Time }](), ".A: a time.Time has no wire format here: use fliggy.Time"},
		{reflect.TypeFor[struct{ A **time.Time }](), ".A: a time.Time has no wire format here: use fliggy.Time"},
		{reflect.TypeFor[struct{ A [][]int }](), ".A: a list of lists has no wire format"},
		{reflect.TypeFor[struct{ A []*[]int }](), ".A: a list of lists has no wire format"},
		{
			reflect.TypeFor[struct{ A []map[string]int }](),
			".A: a map[string]int has no wire format: use a struct with tags, or a json.RawMessage",
		},
		{
			reflect.TypeFor[struct{ A struct{ B chan int } }](),
			".A: .B: a chan int has no wire format: use a struct with tags, or a json.RawMessage",
		},
		{reflect.TypeFor[struct{ *Embedded }](), ".Embedded: embed the struct itself, not a pointer"},
		{reflect.TypeFor[struct{ *item }](), ".item: embed the struct itself, not a pointer"},
		{reflect.TypeFor[struct {
			Embedded
			Code string `top:"code"`
		}](), `.Code: a second member "code"`},
		{
			reflect.TypeFor[struct{ generic[chan int] }](),
			"generic[chan int].V: a chan int has no wire format: use a struct with tags, or a json.RawMessage",
		},
		{reflect.TypeFor[struct {
			A int `top:"a,omitempty"`
		}](), `.A: unknown option "omitempty"`},
		{reflect.TypeFor[struct {
			A fliggy.Time `top:"a,layout=hour"`
		}](), `.A: unknown layout "hour"`},
		{reflect.TypeFor[struct {
			A string `top:"a,layout=minute"`
		}](), ".A: option layout needs a fliggy.Time"},
		{reflect.TypeFor[struct {
			A []string `top:"a,layout=minute"`
		}](), ".A: option layout needs a fliggy.Time"},
		{reflect.TypeFor[struct {
			A string `top:"a,wrap=x"`
		}](), `.A: option wrap="x" needs a list and a name`},
		{reflect.TypeFor[struct {
			A []string `top:"a,wrap="`
		}](), `.A: option wrap="" needs a list and a name`},
		{reflect.TypeFor[struct {
			A []string `top:"a,wrap=<x>"`
		}](), `.A: option wrap="<x>" needs a list and a name`},
		{reflect.TypeFor[struct {
			A map[string]string `top:",unknown"`
		}](), ".A: option unknown needs a map[string]json.RawMessage"},
		{reflect.TypeFor[struct {
			A map[string]json.RawMessage `top:",unknown"`
			B map[string]json.RawMessage `top:",unknown"`
		}](), ".B: a second place for unknown members"},
	} {
		for range 2 { // the second time from the cache, if it were there
			_, err := top.PlanFor(c.typ)
			wantError(t, c.typ.String(), err, c.want)
		}
	}
}

// Whatever is no member is passed over.
func TestPlanFields(t *testing.T) {
	t.Parallel()
	type message struct {
		Tagged   string `top:"tagged" json:"not_this"`
		JSON     string `json:"json_name,omitempty"`
		Options  string `json:",omitempty"`
		Untagged string
		Skipped  string         `top:"-"`
		Dropped  string         `json:"-"`
		Channel  chan int       `top:"-"`
		private  map[string]int //nolint:unused // says that unexported fields are no members
		Embedded
		Named       Embedded `top:"named"`
		*sync.Mutex `top:"-"`
		Item        item `top:""`
	}
	got, err := fromJSON[message](
		t,
		`{"tagged":"1","json_name":"2","Options":"3","Untagged":"4","Skipped":"5","Dropped":"6","code":"7","named":{"code"`+
			`:"8"},"Item":{"n":9}}`,
	)
	if err != nil {
		t.Fatal(err)
	}
	want := message{
		Tagged: "1", JSON: "2", Options: "3", Untagged: "4", Embedded: Embedded{"7"}, Named: Embedded{"8"}, Item: item{N: 9},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	p := planOf[message](t)
	for name, known := range map[string]bool{
		"tagged": true, "code": true, "Item": true, "Skipped": false, "-": false, "private": false, "": false,
	} {
		if p.Knows(name) != known {
			t.Errorf("%q: known %v", name, !known)
		}
	}
}

// The same type has its members in camelCase below a field that says so, and only there.
func TestCamelNames(t *testing.T) {
	t.Parallel()
	type part struct {
		DayPrice int    `top:"day_price"`
		Inner    []tree `top:"some_more_parts"`
	}
	type message struct {
		Gateway  part `top:"gateway_part"`
		Merchant part `top:"merchantPart,camel"`
		After    part `top:"after_it"`
	}
	const text = `{"gateway_part":{"day_price":1,"some_more_parts":[]},"merchantPart":{"dayPrice":2,"someMoreParts":[]},` +
		`"after_it":{"day_price":3,"some_more_parts":[]}}`
	got, err := fromJSON[message](t, text)
	if err != nil {
		t.Fatal(err)
	}
	if got.Gateway.DayPrice != 1 || got.Merchant.DayPrice != 2 || got.After.DayPrice != 3 {
		t.Errorf("%+v", got)
	}
	if again, err := toJSON(t, &got, top.EncodeOptions{}); err != nil || again != text {
		t.Errorf("%s, %v", again, err)
	}
}

func TestPlanRecursion(t *testing.T) {
	t.Parallel()
	got, err := fromJSON[tree](
		t, `{"name":"a","left":{"name":"b","under":[{"name":"c"}]},"under":[{"left":{"name":"d"}}]}`,
	)
	want := tree{Name: "a", Left: &tree{Name: "b", Under: []*tree{{Name: "c"}}}, Under: []*tree{{Left: &tree{Name: "d"}}}}
	if err != nil {
		t.Fatal(err)
	}
	wantDiff(t, "tree", want, got)
	text, err := toJSON(t, &ping{Pong: &pong{Pings: []ping{{N: 1}}}}, top.EncodeOptions{Wrapped: true})
	if err != nil || text != `{"pong":{"pings":{"ping":[{"n":1}]}}}` {
		t.Errorf("%s, %v", text, err)
	}
}

// Plans are made once, also when many ask at the same time.
func TestPlanCache(t *testing.T) {
	t.Parallel()
	type message struct{ A []item }
	var wg sync.WaitGroup
	plans := make([]*top.Plan, 16)
	for i := range plans {
		wg.Go(func() { plans[i], _ = top.PlanFor(reflect.TypeFor[message]()) })
	}
	wg.Wait()
	for i, p := range plans {
		if p == nil || p != plans[0] {
			t.Errorf("plan %d differs", i)
		}
	}
}

func TestWrapNames(t *testing.T) {
	t.Parallel()
	type RentStoreURL2 struct{ A int }
	for _, c := range []struct {
		value any
		want  string
	}{
		{&struct{ L []string }{[]string{"a"}}, `{"L":{"string":["a"]}}`},
		{&struct{ L []int }{[]int{1}}, `{"L":{"number":[1]}}`},
		{&struct{ L []uint }{[]uint{1}}, `{"L":{"number":[1]}}`},
		{&struct{ L []float64 }{[]float64{1}}, `{"L":{"number":[1]}}`},
		{&struct{ L []bool }{[]bool{true}}, `{"L":{"boolean":[true]}}`},
		{&struct{ L []fliggy.ID }{[]fliggy.ID{"1"}}, `{"L":{"string":["1"]}}`},
		{&struct{ L []RentStoreURL2 }{[]RentStoreURL2{{1}}}, `{"L":{"rent_store_u_r_l2":[{"A":1}]}}`},
		{&struct{ L []*RentStoreURL2 }{[]*RentStoreURL2{{1}}}, `{"L":{"rent_store_u_r_l2":[{"A":1}]}}`},
		{&struct{ L []struct{ A int } }{[]struct{ A int }{{1}}}, `{"L":{"item":[{"A":1}]}}`},
		{&listOfGeneric[int]{[]generic[int]{{1}}}, `{"items":{"item":[{"v":1}]}}`},
		{&struct {
			L []string `top:"l,wrap=x"`
		}{[]string{"a"}}, `{"l":{"x":["a"]}}`},
	} {
		p, err := top.PlanFor(reflect.TypeOf(c.value).Elem())
		if err != nil {
			t.Errorf("%T: %v", c.value, err)
			continue
		}
		got, err := p.AppendJSON(nil, c.value, top.EncodeOptions{Wrapped: true})
		if err != nil || string(got) != c.want {
			t.Errorf("%T: got %s, %v, want %s", c.value, got, err, c.want)
		}
	}
}

func TestRenamedPlan(t *testing.T) {
	t.Parallel()
	type message struct {
		Embedded
		ID    fliggy.ID `top:"id,number,required"`
		Item  item      `top:"item"`
		Items []item    `top:"items"`
		Self  *tree     `top:"self"`
	}
	value := message{Embedded{"c"}, "7", item{N: 1}, []item{{SID: "a"}}, &tree{Name: "t", Left: &tree{Name: "u"}}}
	for _, c := range []struct {
		name  string
		names map[string]string
		want  string
	}{
		{"nothing", nil, `{"code":"c","id":7,"item":{"n":1},"items":[{"sid":"a"}],"self":{"name":"t","left":{"name":"u"}}}`},
		{
			"one", map[string]string{"id": "orderId"},
			`{"code":"c","orderId":7,"item":{"n":1},"items":[{"sid":"a"}],"self":{"name":"t","left":{"name":"u"}}}`,
		},
		{
			"embedded", map[string]string{"code": "x"},
			`{"x":"c","id":7,"item":{"n":1},"items":[{"sid":"a"}],"self":{"name":"t","left":{"name":"u"}}}`,
		},
		{
			"dotted, in one place only", map[string]string{"item.n": "m", "items.sid": "s"},
			`{"code":"c","id":7,"item":{"m":1},"items":[{"s":"a"}],"self":{"name":"t","left":{"name":"u"}}}`,
		},
		{
			"dotted below a renamed one", map[string]string{"item": "it", "item.n": "m"},
			`{"code":"c","id":7,"it":{"m":1},"items":[{"sid":"a"}],"self":{"name":"t","left":{"name":"u"}}}`,
		},
		{
			"swapped", map[string]string{"id": "code", "code": "id"},
			`{"id":"c","code":7,"item":{"n":1},"items":[{"sid":"a"}],"self":{"name":"t","left":{"name":"u"}}}`,
		},
		{
			"within itself", map[string]string{"self.name": "label"},
			`{"code":"c","id":7,"item":{"n":1},"items":[{"sid":"a"}],"self":{"label":"t","left":{"label":"u"}}}`,
		},
		{
			"to itself", map[string]string{"id": "id"},
			`{"code":"c","id":7,"item":{"n":1},"items":[{"sid":"a"}],"self":{"name":"t","left":{"name":"u"}}}`,
		},
	} {
		p, err := top.RenamedPlan(reflect.TypeFor[message](), c.names)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got, err := p.AppendJSON(nil, &value, top.EncodeOptions{})
		if err != nil || string(got) != c.want {
			t.Errorf("%s:\n got %s, %v\nwant %s", c.name, got, err, c.want)
		}
		var back message
		if err := p.DecodeJSON(got, &back); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		wantDiff(t, c.name, value, back)
	}
	for _, c := range []struct {
		names map[string]string
		want  string
	}{
		{map[string]string{"order": "x", "id": "y"}, `message has no member "order"`},
		{map[string]string{"item.x": "y"}, `message has no member "item.x"`},
		{map[string]string{"ID": "y"}, `message has no member "ID"`},
		{map[string]string{"": "y"}, `message has no member ""`},
		{map[string]string{"id": "code"}, `message.ID: a second member "code"`},
		{map[string]string{"item.n": "sid"}, `message.Item: item.N: a second member "sid"`},
		{map[string]string{"id": ""}, "message.ID: the new name is empty"},
	} {
		_, err := top.RenamedPlan(reflect.TypeFor[message](), c.names)
		wantError(t, c.want, err, c.want)
	}
	_, err := top.RenamedPlan(reflect.TypeFor[int](), map[string]string{"a": "b"})
	wantError(t, "int", err, "int is not a struct")
	// A renamed plan names its members so in errors, and is not the cached one.
	p, err := top.RenamedPlan(reflect.TypeFor[message](), map[string]string{"id": "orderId"})
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, "missing", p.DecodeJSON([]byte(`{"id":1}`), &message{}), "orderId: missing")
	wantError(t, "missing", planOf[message](t).DecodeJSON([]byte(`{"orderId":1}`), &message{}), "id: missing")
}
