package top_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
)

type checked struct {
	Text   string           `top:"text,required"`
	Ptr    *string          `top:"ptr,required"`
	ID     fliggy.ID        `top:"id,number,required"`
	Yuan   fliggy.Yuan      `top:"yuan,required"`
	Time   fliggy.Time      `top:"time,required"`
	Flag   *bool            `top:"flag,required"`
	Status fliggy.PayStatus `top:"status,required"`
	List   []checkedLine    `top:"list,required"`
	Exts   fliggy.Exts      `top:"exts"`
	Raw    json.RawMessage  `top:"raw"`
	Float  float64          `top:"float"`
	Inner  *checkedLine     `top:"inner"`
	Plain  checkedLine      `top:"plain"`
	Note   string           `top:"note"`
	Others []*fliggy.Exts   `top:"others"`
}

type checkedLine struct {
	No    string        `top:"no,required"`
	Next  *checkedLine  `top:"next"`
	Exts  *fliggy.Exts  `top:"exts"`
	Links []checkedLine `top:"links"`
}

func goodChecked() checked {
	return checked{
		Text: "x", Ptr: ptr("x"), ID: "1", Yuan: fliggy.MustYuan("0.00"), Time: fliggy.MustTime("2023-02-04 10:00:00"),
		Flag: ptr(false), Status: 1, List: []checkedLine{{No: "1"}},
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	self := &checkedLine{No: "1"}
	self.Next = self
	deep := "inner"
	for range 64 {
		deep += ".next"
	}
	for _, c := range []struct {
		name   string
		change func(v *checked)
		want   []string
	}{
		{"good", func(*checked) {}, nil},
		{"nothing", func(v *checked) { *v = checked{} }, []string{
			"text: is required", "ptr: is required", "id: is required", "yuan: is required", "time: is required",
			"flag: is required",
			"status: is required", "list: is required",
		}},
		{"white space", func(v *checked) { v.Text, v.Ptr, v.ID = " \t", ptr("\u3000"), " " }, []string{
			"text: is required, got white space only", "ptr: is required, got white space only",
			"id: is required, got white space only",
		}},
		{"empty behind a pointer", func(v *checked) { v.Ptr = ptr("") }, []string{"ptr: is required, got white space only"}},
		{"not blank after all", func(v *checked) { v.Text = "\u00a0" }, nil},
		{"optional white space", func(v *checked) { v.Note = " " }, nil},
		{"empty list", func(v *checked) { v.List = []checkedLine{} }, []string{"list: is required, got an empty list"}},
		{
			"id", func(v *checked) { v.ID = "fz1" },
			[]string{"id: must be digits without a leading zero: the platform takes a number here"},
		},
		{"in lists", func(v *checked) {
			v.List = []checkedLine{{}, {No: "1", Links: []checkedLine{{No: " "}, {No: "2"}, {}}}}
		}, []string{
			"list[0].no: is required", "list[1].links[0].no: is required, got white space only",
			"list[1].links[2].no: is required",
		}},
		{"in messages", func(v *checked) {
			v.Inner, v.Plain = &checkedLine{}, checkedLine{Next: &checkedLine{No: "1"}}
		}, []string{
			"inner.no: is required", "plain.no: is required",
		}},
		{"exts", func(v *checked) {
			v.Exts = "x"
			v.List[0].Exts = ptr(fliggy.Exts("[]"))
			v.Others = []*fliggy.Exts{nil, ptr(fliggy.Exts("")), ptr(fliggy.Exts("{}")), ptr(fliggy.Exts(`{"a":`))}
		}, []string{
			"list[0].exts: must be the text of a JSON object", "exts: must be the text of a JSON object",
			"others[3]: must be the text of a JSON object",
		}},
		{"exts of an object", func(v *checked) { v.Exts = `{"a":1}` }, nil},
		{"raw", func(v *checked) { v.Raw = []byte(`{"a"}`) }, []string{"raw: must be valid JSON"}},
		{"raw, good and empty", func(v *checked) { v.Raw = []byte{} }, nil},
		{
			"no wire form", func(v *checked) { v.Float, v.Note = math.NaN(), "\xff" },
			[]string{"float: not a finite number", "note: not valid UTF-8"},
		},
		{"contains itself", func(v *checked) { v.Inner = self }, []string{deep + ": nested deeper than 64"}},
	} {
		v := goodChecked()
		c.change(&v)
		var got []string
		for _, p := range planOf[checked](t).Check(&v) {
			got = append(got, p.String())
		}
		wantDiff(t, c.name, c.want, got)
	}
}

func TestCheckPointers(t *testing.T) {
	t.Parallel()
	type message struct {
		A **string `top:"a,required"`
		B **string `top:"b"`
	}
	var none *string
	some := ptr("x")
	for want, v := range map[string]message{
		"a: is required":                       {},
		"a: is required, got white space only": {A: &none, B: &none},
		"":                                     {A: &some, B: &some},
	} {
		got := ""
		for _, p := range planOf[message](t).Check(&v) {
			got += p.String()
		}
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
