package fliggy_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/fliggy-go/rentcar/fliggy"
)

// decimalTexts are accepted texts and their plain notation.
var decimalTexts = map[string]string{
	"0": "0", "10": "10", "10.00": "10.00", "1.0": "1.0", "21.0": "21.0", "-12.50": "-12.50", "0.015": "0.015",
	" 5.00\n": "5.00", "\t-1 ": "-1",
	"+5": "5", "+0.10": "0.10", "007.50": "7.50", "-007": "-7", "000": "0", "00.0": "0.0",
	"-0": "0", "-0.00": "0.00", "-00.0": "0.0", "-0.01": "-0.01",
	"1e3": "1000", "1E+3": "1000", "1.5e1": "15", "1.50e1": "15.0", "1.50e2": "150", "15e-1": "1.5", "1e-2": "0.01",
	"-1e-2":     "-0.01",
	"12.345e-2": "0.12345", "0e5": "0", "0e-2": "0.00", "-0e-2": "0.00", "0.00e1": "0.0", "1e05": "100000", "1e0": "1",
	strings.Repeat("9", 40):        strings.Repeat("9", 40),
	"0." + strings.Repeat("3", 39): "0." + strings.Repeat("3", 39),
	"1e39":                         "1" + strings.Repeat("0", 39),
	"1e-39":                        "0." + strings.Repeat("0", 38) + "1",
}

// brokenDecimals are refused texts and a part of the rule that the error names.
var brokenDecimals = map[string]string{
	".5": "want digits", "5.": "want digits", "5.e1": "want digits", ".": "want digits", "-": "want digits",
	"+":   "want digits",
	"--1": "want digits", "+-1": "want digits", "1 000": "want digits", "1,000.00": "want digits", "1_000": "want digits",
	"12x": "want digits", "0x10": "want digits", "1e": "want digits", "1e+": "want digits", "1e1.5": "want digits",
	"1ee1":  "want digits",
	"1.2.3": "want digits", "NaN": "want digits", "Infinity": "want digits", "¥5": "want digits", "５": "want digits",
	"NULL":                         "want digits",
	strings.Repeat("9", 41):        "more than 40 digits",
	"0." + strings.Repeat("3", 40): "more than 40 digits",
	"1e40":                         "more than 40 digits",
	"1e-40":                        "more than 40 digits",
	"0e-40":                        "more than 40 digits",
	"1e999999999":                  "more than 40 digits",
	"1e-999999999":                 "more than 40 digits",
	"1e99999999999999999999999":    "more than 40 digits",
	strings.Repeat("9", 257):       "too long",
}

// readers are all ways into a decimal type, giving String of what was read.
func decimalReaders[T fmt.Stringer, P interface {
	scalarPtr[T]
}](parse func(string) (T, error)) map[string]func(string) (string, error) {
	quote := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	text := func(v T, err error) (string, error) { return v.String(), err }
	return map[string]func(string) (string, error){
		"Parse":         func(s string) (string, error) { return text(parse(s)) },
		"UnmarshalText": func(s string) (string, error) { return text(fromText[T, P](s)) },
		"UnmarshalJSON": func(s string) (string, error) { return text(fromJSON[T, P](quote(s))) },
	}
}

func TestDecimalTexts(t *testing.T) {
	t.Parallel()
	types := map[string]map[string]func(string) (string, error){
		"decimal number": decimalReaders[fliggy.Decimal](fliggy.ParseDecimal),
		"amount in yuan": decimalReaders[fliggy.Yuan](fliggy.ParseYuan),
	}
	for kind, readers := range types {
		for name, read := range readers {
			for text, want := range decimalTexts {
				if got, err := read(text); err != nil || got != want {
					t.Errorf("%s, %s(%q): got %q, %v; want %q", kind, name, text, got, err, want)
				}
			}
			for text, part := range brokenDecimals {
				_, err := read(text)
				wantError(t, err, kind, part)
			}
		}
	}
}

func TestDecimalJSONForms(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		`14.50`: "14.50", `-3`: "-3", `1e2`: "100", `"14.50"`: "14.50", `"1\u0034.50"`: "14.50", "\n 7 ": "7",
		`null`: "", `""`: "", `"null"`: "", `" "`: "",
	} {
		got, err := fromJSON[fliggy.Decimal](data)
		if err != nil || got.String() != want || got.IsSet() != (want != "") {
			t.Errorf("%s: got %q, %v; want %q", data, got, err, want)
		}
	}
	for data, part := range map[string]string{
		`true`: "want a JSON string or number", `{"a":1}`: "want a JSON string or number",
		`[]`:  "want a JSON string or number",
		`NaN`: "want a JSON string or number", `"1`: "malformed", ``: "want a JSON string or number",
		`"\u0031` + strings.Repeat(`\u0031`, 60) + `"`: "too long",
	} {
		v := fliggy.MustDecimal("7")
		wantError(t, v.UnmarshalJSON([]byte(data)), part)
		if v != fliggy.MustDecimal("7") {
			t.Errorf("%s: target became %v", data, v)
		}
	}
}

func TestParseNeedsAValue(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", " ", "null"} {
		_, err := fliggy.ParseDecimal(text)
		wantError(t, err, "decimal number")
		_, err = fliggy.ParseYuan(text)
		wantError(t, err, "amount in yuan")
		_, err = fliggy.ParseTime(text)
		wantError(t, err, "time")
	}
}

func TestMustPanics(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(){
		"MustDecimal": func() { fliggy.MustDecimal("x") },
		"MustYuan":    func() { fliggy.MustYuan("") },
		"MustTime":    func() { fliggy.MustTime("today") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			call()
		}()
	}
}

func TestDecimalCompare(t *testing.T) {
	t.Parallel()
	d := func(s string) (v fliggy.Decimal) {
		if s != "" {
			v = fliggy.MustDecimal(s)
		}
		return v
	}
	for _, c := range []struct {
		a, b  string
		cmp   int
		equal bool
	}{
		{"1.5", "1.50", 0, true}, {"1.5", "1.5", 0, true}, {"1", "2", -1, false}, {"-1", "-2", 1, false},
		{"", "", 0, true}, {"", "0.00", 0, false}, {"", "1", 0, false}, {"-1", "", 0, false}, // an error
	} {
		if got, err := d(c.a).Cmp(d(c.b)); got != c.cmp || (err == nil) != (c.a != "" && c.b != "") {
			t.Errorf("Cmp(%q, %q) = %d, %v", c.a, c.b, got, err)
		}
		if got := d(c.a).Equal(d(c.b)); got != c.equal {
			t.Errorf("Equal(%q, %q) = %v", c.a, c.b, got)
		}
	}
	for s, want := range map[string]int{"": 0, "0": 0, "0.00": 0, "0.01": 1, "-0.01": -1, "10": 1} {
		if d(s).IsPositive() != (want > 0) || d(s).IsNegative() != (want < 0) {
			t.Errorf("%q: positive %v, negative %v", s, d(s).IsPositive(), d(s).IsNegative())
		}
	}
}

func TestDecimalOf(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]decimal.Decimal{
		"10.00": decimal.New(1000, -2), "0.00": decimal.New(0, -2), "-0.5": decimal.New(-5, -1), "0": {},
		"500": decimal.New(5, 2),
	} {
		got := fliggy.DecimalOf(d)
		if back, ok := got.Decimal(); got.String() != want || !ok || !back.Equal(d) || back.Exponent() > d.Exponent() {
			t.Errorf("got %q, want %q", got, want)
		}
		roundTrip[fliggy.Decimal](t, got)
	}
}

// A number that no document can carry is kept, shown and compared, but never written.
func TestOverlongDecimalsAreNotWritten(t *testing.T) {
	t.Parallel()
	for _, d := range []decimal.Decimal{
		decimal.New(1, 41), decimal.New(1, -41), decimal.New(1, 999_999_999), decimal.New(-1, -999_999_999),
	} {
		v := fliggy.DecimalOf(d)
		if !v.IsSet() || v.IsPositive() != d.IsPositive() || v.IsNegative() != d.IsNegative() || len(v.String()) > 60 ||
			!v.Equal(v) {
			t.Errorf("kept as %q", v)
		}
		if n, ok := v.Decimal(); ok && !n.Equal(d) { // 0 and true before, where it was too far from 0
			t.Errorf("%s calculates as %v", v, n)
		}
		if sum := fliggy.YuanOf(d).Add(fliggy.MustYuan("1")); sum.IsSet() && sum.Equal(fliggy.MustYuan("1")) {
			t.Errorf("%s and 1 are %s", v, sum)
		}
		_, err := v.MarshalText()
		wantError(t, err, "more than 40 digits")
		_, err = json.Marshal(fliggy.YuanOf(d))
		wantError(t, err, "amount in yuan", "more than 40 digits")
	}
	if zero := fliggy.DecimalOf(decimal.New(0, 999_999_999)); zero.String() != "0" {
		t.Errorf("zero kept as %q", zero)
	}
	if zero := fliggy.DecimalOf(
		decimal.New(0, -5000),
	); zero.IsPositive() || zero.IsNegative() || zero.String() != "0e-5000" {
		t.Errorf("zero kept as %q", zero)
	}
}

// drawDecimal gives a random number in plain notation.
func drawDecimal(t *rapid.T, label string) string {
	return rapid.StringMatching(`(0|-?[1-9][0-9]{0,12})(\.[0-9]{1,6})?`).Draw(t, label)
}

func rat(t interface{ Fatalf(string, ...any) }, text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%q is no number", text)
	}
	return r
}

func TestDecimalProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := drawDecimal(t, "number")
		v := fliggy.MustDecimal(text)
		if v.String() != text {
			t.Fatalf("%q became %q", text, v)
		}
		roundTrip[fliggy.Decimal](t, v)
		if bare, err := fromJSON[fliggy.Decimal](text); err != nil || bare != v {
			t.Fatalf("JSON number %s gives %v, %v", text, bare, err)
		}
		if d, ok := v.Decimal(); !ok || fliggy.DecimalOf(d) != v {
			t.Fatalf("%q through decimal is %v, %v", v, d, ok)
		}
		o := fliggy.MustDecimal(drawDecimal(t, "other"))
		got, err := v.Cmp(o)
		if want := rat(t, v.String()).Cmp(rat(t, o.String())); err != nil || got != want || v.Equal(o) != (want == 0) {
			t.Fatalf("Cmp(%v, %v) = %d, %v; Equal = %v", v, o, got, err, v.Equal(o))
		}
		if sign := rat(t, text).Sign(); v.IsPositive() != (sign > 0) || v.IsNegative() != (sign < 0) {
			t.Fatalf("%v: positive %v, negative %v", v, v.IsPositive(), v.IsNegative())
		}
	})
}

// Any accepted spelling keeps its value and comes out in plain notation.
func TestDecimalSpellings(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ \t]?[+-]?[0-9]{1,12}(\.[0-9]{1,8})?([eE][+-]?[0-9]{1,2})?[ \n]?`).Draw(t, "text")
		v, err := fliggy.ParseDecimal(text)
		if err != nil {
			wantError(t, err, "more than 40 digits")
			return
		}
		if rat(t, strings.TrimSpace(text)).Cmp(rat(t, v.String())) != 0 {
			t.Fatalf("%q became %q", text, v)
		}
		if again := fliggy.MustDecimal(v.String()); again != v {
			t.Fatalf("%q is not plain: %q", v, again)
		}
	})
}

func FuzzDecimal(f *testing.F) {
	for text := range decimalTexts {
		f.Add([]byte(text))
	}
	for text := range brokenDecimals {
		f.Add([]byte(`"` + text + `"`))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		text, _ := fuzzScalar[fliggy.Decimal](t, fliggy.MustDecimal("-7.70"), data)
		if text != nil && text.IsSet() && rat(t, strings.Trim(string(data), " \t\r\n\v\f")).Cmp(rat(t, text.String())) != 0 {
			t.Fatalf("%q became %q", data, *text)
		}
	})
}
