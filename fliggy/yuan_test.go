package fliggy_test

import (
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// yuan is MustYuan that also takes "" for unset.
func yuan(s string) fliggy.Yuan {
	if s == "" {
		return fliggy.Yuan{}
	}
	return fliggy.MustYuan(s)
}

func TestYuanArithmetic(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ a, b, sum, difference string }{
		{"11.00", "5.00", "16.00", "6.00"},
		{"1", "0.015", "1.015", "0.985"},
		// Nothing is calculated from an amount that is missing. (It counted as 0 here before: sums were too low.)
		{"10.00", "", "", ""},
		{"", "5", "", ""},
		{"", "", "", ""},
		{"0.10", "0.10", "0.20", "0.00"},
		{"-1.5", "1", "-0.5", "-2.5"},
	} {
		a, b := yuan(c.a), yuan(c.b)
		got := [2]string{a.Add(b).String(), a.Sub(b).String()}
		if diff := cmp.Diff([2]string{c.sum, c.difference}, got); diff != "" {
			t.Errorf("%q and %q: %s", c.a, c.b, diff)
		}
	}
	for s, want := range map[string]string{"": "", "0.00": "0.00", "1.50": "-1.50", "-1.50": "1.50"} {
		if got := yuan(s).Neg(); got != yuan(want) {
			t.Errorf("Neg(%q) = %q", s, got)
		}
	}
	// The total of the submit sample: standard price + scattered-hour fee + basic service.
	if got := yuan("11.00").Add(yuan("5.00")).Add(yuan("0.02")); got != yuan("16.02") {
		t.Errorf("sum is %q", got)
	}
	if got := yuan("11.00").Add(yuan("")).Add(yuan("0.02")); got.IsSet() {
		t.Errorf("without an amount the sum is %q", got)
	}
}

// The amounts of the basic service in the three scenarios of the merchant renewal guide.
func TestYuanMulAndRoundBank(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ price, quantity, exact, rounded string }{
		{"0.01", "1.5", "0.015", "0.02"},
		{"0.01", "2.0", "0.020", "0.02"},
		{"0.01", "14.5", "0.145", "0.14"},
		{"10", "3", "30", "30.00"},
		{"-0.01", "1.5", "-0.015", "-0.02"},
		{"-0.01", "0.1", "-0.001", "0.00"},
		{"", "1.5", "", ""},
		{"0.01", "", "", ""},
	} {
		quantity, err := fromText[fliggy.Decimal](c.quantity)
		if err != nil {
			t.Fatal(err)
		}
		product := yuan(c.price).Mul(quantity)
		if product.String() != c.exact || product.RoundBank(2).String() != c.rounded {
			t.Errorf("%s x %s = %q, rounded %q", c.price, c.quantity, product, product.RoundBank(2))
		}
	}
	for places, want := range map[int32]string{-5: "2", 0: "2", 1: "2.5", 3: "2.500", math.MinInt32: "2"} {
		if got := yuan("2.50").RoundBank(places); got.String() != want {
			t.Errorf("RoundBank(%d) = %q", places, got)
		}
	}
	if got := yuan("1").RoundBank(math.MaxInt32); len(got.String()) != len("1.")+40 {
		t.Errorf("RoundBank(MaxInt32) = %q", got)
	}
}

func TestYuanAndFen(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]int64{
		"55.65": 5565, "55.650000": 5565, "0": 0, "0.00": 0, "-0.05": -5, "1": 100, "1.5": 150,
		"92233720368547758.07": math.MaxInt64, "-92233720368547758.08": math.MinInt64,
	} {
		fen, err := yuan(s).Fen()
		if err != nil || fen != fliggy.FenOf(want) {
			t.Errorf("%s: got %v, %v", s, fen, err)
		}
	}
	for s, rule := range map[string]string{
		"0.015": "not a whole number of fen", "0.001": "not a whole number of fen",
		"92233720368547758.08": "64 bits", "-92233720368547758.09": "64 bits",
		"9999999999999999999999999999999999999999": "64 bits",
	} {
		_, err := yuan(s).Fen()
		wantError(t, err, s, rule)
	}
	if _, err := fliggy.YuanOf(decimal.New(1, 2000)).Fen(); err == nil {
		t.Error("10^2000 yuan fit into 64 bits of fen")
	}
	if fen, err := (fliggy.Yuan{}).Fen(); err != nil || fen.IsSet() {
		t.Errorf("unset gives %v, %v", fen, err)
	}
	for fen, want := range map[int64]string{
		5565: "55.65", 0: "0.00", -5: "-0.05", 100: "1.00", math.MinInt64: "-92233720368547758.08",
	} {
		if got := fliggy.FenOf(fen).Yuan(); got.String() != want {
			t.Errorf("%d fen = %q", fen, got)
		}
	}
	if (fliggy.Fen{}).Yuan().IsSet() {
		t.Error("unset fen became an amount")
	}
}

func TestYuanEquality(t *testing.T) {
	t.Parallel()
	if yuan("10") == yuan("10.00") || !yuan("10").Equal(yuan("10.00")) {
		t.Error("== compares texts, Equal amounts")
	}
	if yuan("").Equal(yuan("0.00")) || yuan("0").Equal(yuan("")) || !yuan("").Equal(yuan("")) {
		t.Error("unset is equal to nothing but unset")
	}
	if c, err := yuan("2").Cmp(yuan("10")); err != nil || c != -1 || !yuan("-2").IsNegative() {
		t.Error("amounts are compared as texts")
	}
}

// No price cap lets a missing amount pass, nothing is calculated from one, and none is more or less than 0. (Cmp
// counted unset as 0 before, and a cap let it pass.)
func TestUnsetAmounts(t *testing.T) {
	t.Parallel()
	var none fliggy.Yuan
	var noDecimal fliggy.Decimal
	ten := yuan("10")
	for name, pair := range map[string][2]fliggy.Yuan{"left": {none, ten}, "right": {ten, none}, "both": {none, none}} {
		if c, err := pair[0].Cmp(pair[1]); c != 0 || err == nil {
			t.Errorf("%s unset: Cmp gives %d, %v", name, c, err)
		}
		if c, err := fliggy.Decimal(pair[0]).Cmp(fliggy.Decimal(pair[1])); c != 0 || err == nil {
			t.Errorf("%s unset: Cmp of decimals gives %d, %v", name, c, err)
		}
		for what, got := range map[string]fliggy.Yuan{
			"Add": pair[0].Add(pair[1]), "Sub": pair[0].Sub(pair[1]),
			"Mul": pair[0].Mul(fliggy.Decimal(pair[1])),
		} {
			if got.IsSet() {
				t.Errorf("%s unset: %s gives %q", name, what, got)
			}
		}
	}
	_, err := none.Cmp(ten)
	wantError(t, err, "amount in yuan", "unset, or too far from 0 to be compared")
	if none.Neg().IsSet() || none.RoundBank(2).IsSet() || none.IsNegative() || none.IsPositive() ||
		noDecimal.IsNegative() || noDecimal.IsPositive() {
		t.Error("an unset amount became a number")
	}
	if d, ok := none.Decimal(); ok || !d.IsZero() {
		t.Errorf("the decimal of an unset amount is %v, %v", d, ok)
	}
	if d, ok := noDecimal.Decimal(); ok || !d.IsZero() {
		t.Errorf("the decimal of an unset number is %v, %v", d, ok)
	}
	if n, ok := (fliggy.Fen{}).Int64(); ok || n != 0 {
		t.Errorf("unset fen are %d, %v", n, ok)
	}
	if n, ok := fliggy.FenOf(0).Int64(); !ok || n != 0 {
		t.Errorf("0 fen are %d, %v", n, ok)
	}
}

// More than 40 digits are kept by calculations and refused on the wire only.
func TestYuanKeepsLongResults(t *testing.T) {
	t.Parallel()
	long := yuan("9999999999999999999999999999999999999999")
	product := long.Mul(fliggy.MustDecimal(long.String()))
	if got := product.String(); len(got) != 80 || rat(t, got).Cmp(
		new(big.Rat).Mul(rat(t, long.String()), rat(t, long.String())),
	) != 0 {
		t.Errorf("product is %q", got)
	}
	_, err := product.MarshalJSON()
	wantError(t, err, "amount in yuan", "more than 40 digits")
	if back := product.Sub(product).Add(long); back != long {
		t.Errorf("got %q", back)
	}
}

func TestYuanPrinting(t *testing.T) {
	t.Parallel()
	if got := fmt.Sprintf(
		"%v %s %+v", yuan("10.00"), yuan("10.00"), struct{ Y fliggy.Yuan }{yuan("10.00")},
	); got != "10.00 10.00 {Y:10.00}" {
		t.Errorf("got %q", got)
	}
}

func TestYuanProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := yuan(drawDecimal(t, "a")), yuan(drawDecimal(t, "b"))
		roundTrip[fliggy.Yuan](t, a)
		ra, rb := rat(t, a.String()), rat(t, b.String())
		same := func(what string, got fliggy.Yuan, want *big.Rat) {
			if rat(t, got.String()).Cmp(want) != 0 {
				t.Fatalf("%s of %v and %v = %v", what, a, b, got)
			}
		}
		same("sum", a.Add(b), new(big.Rat).Add(ra, rb))
		same("difference", a.Sub(b), new(big.Rat).Sub(ra, rb))
		same("product", a.Mul(fliggy.Decimal(b)), new(big.Rat).Mul(ra, rb))
		if a.Add(b) != b.Add(a) || !a.Add(b).Sub(b).Equal(a) || a.Neg().Neg() != a && (a.IsPositive() || a.IsNegative()) {
			t.Fatalf("%v and %v do not add up", a, b)
		}
		if d, ok := a.Decimal(); !ok || fliggy.YuanOf(d) != a {
			t.Fatalf("%v through decimal is %v, %v", a, d, ok)
		}
	})
}

// RoundBank against integer arithmetic of its own: nearest multiple of 0.01, ties to the even one.
func TestYuanRoundBankProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := drawDecimal(t, "amount")
		got := yuan(text).RoundBank(2)
		scaled := new(big.Rat).Mul(rat(t, text), big.NewRat(100, 1))
		low := new(big.Int).Div(scaled.Num(), scaled.Denom()) // rounds down, the denominator is positive
		rest := new(big.Rat).Sub(scaled, new(big.Rat).SetInt(low))
		if c := rest.Cmp(big.NewRat(1, 2)); c > 0 || c == 0 && low.Bit(0) == 1 {
			low.Add(low, big.NewInt(1))
		}
		if want := fliggy.FenOf(low.Int64()).Yuan(); got != want {
			t.Fatalf("%s rounds to %v, want %v", text, got, want)
		}
	})
}

func TestYuanFenProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64().Draw(t, "fen")
		fen, err := fliggy.FenOf(n).Yuan().Fen()
		if back, ok := fen.Int64(); err != nil || !ok || back != n {
			t.Fatalf("%d came back as %v, %v", n, fen, err)
		}
		if got, want := fliggy.FenOf(n).Yuan(), fliggy.YuanOf(decimal.New(n, -2)); got != want {
			t.Fatalf("%d fen are %v, want %v", n, got, want)
		}
		roundTrip[fliggy.Fen](t, fen)
	})
}

func FuzzYuan(f *testing.F) {
	for text := range decimalTexts {
		f.Add([]byte(`"` + text + `"`))
	}
	for text := range brokenDecimals {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		text, js := fuzzScalar[fliggy.Yuan](t, fliggy.MustYuan("-7.70"), data)
		for _, v := range []*fliggy.Yuan{text, js} {
			if v == nil || !v.IsSet() {
				continue
			}
			if fen, err := v.Fen(); err == nil && !fen.Yuan().Equal(*v) {
				t.Fatalf("%v is %v fen", v, fen)
			}
			c, err := v.RoundBank(2).Sub(*v).Cmp(yuan("0.005"))
			if !v.Sub(*v).Equal(yuan("0")) || err != nil || c > 0 {
				t.Fatalf("%v does not calculate", v)
			}
		}
	})
}
