package fliggy_test

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/fliggy"
)

func TestFenReading(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]fliggy.Fen{
		`5565`: fliggy.FenOf(5565), `"5565"`: fliggy.FenOf(5565), `" 5565 "`: fliggy.FenOf(5565), `0`: fliggy.FenOf(0),
		`"-45"`: fliggy.FenOf(-45),
		`"+7"`:  fliggy.FenOf(7), `"007"`: fliggy.FenOf(7), `-0`: fliggy.FenOf(0),
		`9223372036854775807`: fliggy.FenOf(math.MaxInt64), `-9223372036854775808`: fliggy.FenOf(math.MinInt64),
		`null`: {}, `""`: {}, `"null"`: {},
	} {
		got, err := fromJSON[fliggy.Fen](data)
		if err != nil || got != want {
			t.Errorf("%s: got %v, %v; want %v", data, got, err, want)
		}
	}
	_, err := fromText[fliggy.Fen](strings.Repeat("9", 300))
	wantError(t, err, "amount in fen", "too long")
	for data, rule := range map[string]string{
		`5565.00`: "not a whole number", `"5565.00"`: "not a whole number", `1e3`: "not a whole number",
		`"five"`:  "not a whole number",
		`"1_000"`: "not a whole number", `"0x10"`: "not a whole number", `"-"`: "not a whole number",
		`9223372036854775808`: "64 bits", `"-9223372036854775809"`: "64 bits",
		`true`: "want a JSON string or number", `[5565]`: "want a JSON string or number",
	} {
		v := fliggy.FenOf(1)
		wantError(t, v.UnmarshalJSON([]byte(data)), "amount in fen", rule)
		if v != fliggy.FenOf(1) {
			t.Errorf("%s: target became %v", data, v)
		}
	}
}

func TestFenWriting(t *testing.T) {
	t.Parallel()
	for fen, want := range map[fliggy.Fen][2]string{
		fliggy.FenOf(5565): {"5565", "5565"},
		fliggy.FenOf(0):    {"0", "0"},
		fliggy.FenOf(-45):  {"-45", "-45"},
		{}:                 {"", "null"},
	} {
		if got := [2]string{textOf(t, fen), jsonOf(t, fen)}; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if fen.IsSet() != (want[0] != "") {
			t.Errorf("%v: IsSet = %v", fen, fen.IsSet())
		}
		roundTrip[fliggy.Fen](t, fen)
	}
}

func FuzzFen(f *testing.F) {
	for _, seed := range []string{
		`5565`, `"5565"`, `null`, `5565.00`, `-9223372036854775808`, `"9223372036854775808"`, `+7`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		text, _ := fuzzScalar[fliggy.Fen](t, fliggy.FenOf(-7), data)
		if n, err := strconv.ParseInt(string(data), 10, 64); err == nil && len(data) <= 256 && (text == nil ||
			*text != fliggy.FenOf(n)) {
			t.Fatalf("%q gives %v, want %d", data, text, n)
		}
	})
}

func TestFenEqual(t *testing.T) {
	t.Parallel()
	if a, b := fliggy.FenOf(0), (fliggy.Fen{}); a.Equal(b) || !a.Equal(
		fliggy.FenOf(0),
	) || !b.Equal(fliggy.Fen{}) || a.Equal(fliggy.FenOf(1)) {
		t.Error("an explicit 0 and unset must differ, equal amounts must not")
	}
	if diff := cmp.Diff(struct{ A fliggy.Fen }{fliggy.FenOf(1)}, struct{ A fliggy.Fen }{fliggy.FenOf(2)}); diff == "" {
		t.Error("go-cmp finds no difference between 1 and 2 fen")
	}
}
