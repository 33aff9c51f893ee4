package fliggy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestLocalTimeReading(t *testing.T) {
	t.Parallel()
	full := fliggy.LocalTime{Year: 2024, Month: time.November, Day: 5, Hour: 19, Minute: 42, Second: 29}
	minute, day := full, fliggy.LocalTime{Year: 2024, Month: time.November, Day: 5}
	minute.Second = 0
	for text, want := range map[string]fliggy.LocalTime{
		"2024-11-05 19:42:29": full, "2024-11-05T19:42:29": full, " 2024-11-05 19:42:29 ": full,
		"2024-11-05 19:42:29.0": full, "2024-11-05 19:42:29.000000000": full,
		"2024-11-05 19:42": minute, "2024-11-05": day,
		"0001-01-01 00:00:00": {Year: 1, Month: 1, Day: 1},
	} {
		got, err := fromText[fliggy.LocalTime](text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v %s", text, err, diff)
		}
		js, err := fromJSON[fliggy.LocalTime](`"` + text + `"`)
		if err != nil || js != want {
			t.Errorf("%q as JSON: got %v, %v", text, js, err)
		}
	}
	for text, rule := range map[string]string{
		"2024-11-05T19:42:29Z": "without a zone", "2024-11-05 19:42:29+08:00": "without a zone",
		"2024-11-05 19:42:29 CST": "without a zone",
		"1730806949000":           "without a zone", "2024-11-5 19:42:29": "without a zone", "soon": "without a zone",
		"2024-11-05 19:42:29.5": "fraction", "2023-02-29 10:00:00": "no such date", "2024-11-05 24:00:00": "no such date",
		strings.Repeat("2", 300): "too long",
	} {
		v := full
		wantError(t, v.UnmarshalText([]byte(text)), "local time", rule)
		if v != full {
			t.Errorf("%q: target became %v", text, v)
		}
	}
	if _, err := fromText[fliggy.LocalTime](strings.Repeat(" ", 300)); err == nil {
		t.Error("300 spaces are a local time")
	}
	for _, data := range []string{`null`, `""`, `"null"`} {
		v := full
		if err := v.UnmarshalJSON([]byte(data)); err != nil || v.IsSet() {
			t.Errorf("%s: got %v, %v", data, v, err)
		}
	}
	_, err := fromJSON[fliggy.LocalTime](`{}`)
	wantError(t, err, "local time", "want a JSON string")
}

func TestLocalTimeWriting(t *testing.T) {
	t.Parallel()
	v := fliggy.LocalTime{Year: 24, Month: 1, Day: 5, Hour: 9, Minute: 2, Second: 3}
	if text, js := textOf(t, v), jsonOf(t, v); text != "0024-01-05 09:02:03" || js != `"0024-01-05 09:02:03"` {
		t.Errorf("got %s, %s", text, js)
	}
	for _, broken := range []fliggy.LocalTime{
		{Year: 2023, Month: 2, Day: 29}, {Year: 2023, Month: 13, Day: 1}, {Year: 2023, Month: 1}, {Day: 1},
		{Year: 10000, Month: 1, Day: 1},
		{Year: 2023, Month: 2, Day: 1, Hour: 24}, {Year: 2023, Month: 2, Day: 1, Minute: -1},
		{Year: 2023, Month: 2, Day: 1, Second: 60},
	} {
		if broken.IsValid() || !broken.IsSet() {
			t.Errorf("%v: valid %v, set %v", broken, broken.IsValid(), broken.IsSet())
		}
		_, err := broken.MarshalText()
		wantError(t, err, "local time", broken.String(), "no such date")
		_, err = broken.MarshalJSON()
		wantError(t, err, "local time")
	}
	if got := (fliggy.LocalTime{Year: 2023, Month: -2, Day: 123}).String(); got != "2023--2-123 00:00:00" {
		t.Errorf("broken reading is shown as %q", got)
	}
	if got := textOf(t, fliggy.LocalTime{}) + textOf(t, fliggy.Date{}); got != "" {
		t.Errorf("unset is written %q", got)
	}
	if (fliggy.LocalTime{}).IsValid() || (fliggy.Date{}).IsValid() {
		t.Error("unset is valid")
	}
}

func TestLocalTimeIn(t *testing.T) {
	t.Parallel()
	v := fliggy.LocalTime{Year: 2024, Month: 11, Day: 5, Hour: 19, Minute: 42, Second: 29}
	losAngeles := time.FixedZone("PST", -8*60*60)
	for name, c := range map[string]struct {
		loc  *time.Location
		want string
	}{
		"UTC": {time.UTC, "2024-11-06 03:42:29"}, "Los Angeles": {losAngeles, "2024-11-06 11:42:29"},
		"none": {nil, "2024-11-05 19:42:29"},
	} {
		got := v.In(c.loc)
		if got.String() != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
	if back := fliggy.LocalTimeOf(v.In(losAngeles).Time.In(losAngeles)); back != v {
		t.Errorf("came back as %v", back)
	}
	if got := (fliggy.LocalTime{}).In(time.UTC); got.IsSet() {
		t.Errorf("unset gives %v", got)
	}
	if fliggy.LocalTimeOf(time.Time{}).IsSet() || fliggy.DateOf(time.Time{}).IsSet() {
		t.Error("the zero time gives a reading")
	}
}

func TestDateReading(t *testing.T) {
	t.Parallel()
	want := fliggy.Date{Year: 2023, Month: time.February, Day: 4}
	for _, text := range []string{"2023-02-04", " 2023-02-04\n"} {
		if got, err := fromText[fliggy.Date](text); err != nil || got != want {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
	for text, rule := range map[string]string{
		"2023-2-4": "want yyyy-MM-dd", "20230204": "want yyyy-MM-dd", "2023-02-04 10:00:00": "want yyyy-MM-dd",
		"2023-02-04 99": "want yyyy-MM-dd",
		"2023-02-29":    "no such date", "2023-02-04Z": "want yyyy-MM-dd", strings.Repeat("2", 300): "too long",
	} {
		v := want
		wantError(t, v.UnmarshalText([]byte(text)), "date", rule)
		if v != want {
			t.Errorf("%q: target became %v", text, v)
		}
	}
	for _, data := range []string{`null`, `""`, `"null"`} {
		v := want
		if err := v.UnmarshalJSON([]byte(data)); err != nil || v.IsSet() {
			t.Errorf("%s: got %v, %v", data, v, err)
		}
	}
	_, err := fromJSON[fliggy.Date](`20230204`)
	wantError(t, err, "date", "want yyyy-MM-dd")
	_, err = fromText[fliggy.Date](strings.Repeat("2", 300))
	wantError(t, err, "too long")
}

func TestDateWriting(t *testing.T) {
	t.Parallel()
	v := fliggy.Date{Year: 2023, Month: 2, Day: 4}
	if text, js := textOf(t, v), jsonOf(t, v); text != "2023-02-04" || js != `"2023-02-04"` {
		t.Errorf("got %s, %s", text, js)
	}
	broken := fliggy.Date{Year: 2023, Month: 2, Day: 30}
	_, err := broken.MarshalText()
	wantError(t, err, "date", "2023-02-30", "no such date")
	_, err = broken.MarshalJSON()
	wantError(t, err, "date")
	if got := fmt.Sprint(v); got != "2023-02-04" {
		t.Errorf("prints %q", got)
	}
}

func TestDateCalendar(t *testing.T) {
	t.Parallel()
	first := fliggy.Date{Year: 2024, Month: 2, Day: 28}
	for n, want := range map[int]string{
		0: "2024-02-28", 1: "2024-02-29", 2: "2024-03-01", -28: "2024-01-31", 366: "2025-02-28",
	} {
		if got := first.AddDays(n); got.String() != want {
			t.Errorf("%d days later is %v, want %s", n, got, want)
		}
	}
	if (fliggy.Date{}).AddDays(3).IsSet() {
		t.Error("three days after no day is a day")
	}
	// The days of the third merchant scenario, 2023-02-04 to 2023-02-18.
	from, to := fliggy.DateOf(
		fliggy.MustTime("2023-02-04 10:00").Time,
	), fliggy.DateOf(fliggy.MustTime("2023-02-18 12:00").Time)
	days := 0
	for d := from; d.Compare(to) <= 0; d = d.AddDays(1) {
		days++
	}
	if days != 15 {
		t.Errorf("%d days, want 15", days)
	}
}

func TestLocalTimeProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawTime(t), drawTime(t)
		v, w := fliggy.LocalTimeOf(a), fliggy.LocalTimeOf(b)
		roundTrip[fliggy.LocalTime](t, v)
		if back := v.In(a.Location()); !back.Time.Equal(a) {
			t.Fatalf("%v in its own location is %v, want %v", v, back.Time, a)
		}
		if text := a.Format("2006-01-02 15:04:05"); v.String() != text || !v.IsValid() {
			t.Fatalf("%v is written %s", a, v)
		}
		if got, want := v.Compare(w), strings.Compare(v.String(), w.String()); got != want || v.Before(w) != (want < 0) {
			t.Fatalf("Compare(%v, %v) = %d", v, w, got)
		}
	})
}

func TestDateProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := fliggy.DateOf(drawTime(t))
		n := rapid.IntRange(-1000, 1000).Draw(t, "days")
		b := a.AddDays(n)
		if !a.IsValid() || b.AddDays(-n) != a || a.Compare(b) > 0 != (n < 0) || a.Compare(b) < 0 != (n > 0) {
			t.Fatalf("%v and %d days are %v", a, n, b)
		}
		roundTrip[fliggy.Date](t, a)
		days := []fliggy.Date{b, a, {}}
		slices.SortFunc(days, fliggy.Date.Compare)
		if days[0].IsSet() && b.Year > 0 {
			t.Fatalf("unset sorts after %v", days[0])
		}
	})
}

func FuzzLocalTime(f *testing.F) {
	for text := range timeTexts {
		f.Add([]byte(text))
	}
	for text := range brokenTimes {
		f.Add([]byte(`"` + text + `"`))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		text, _ := fuzzScalar(t, fliggy.LocalTime{Year: 1, Month: 1, Day: 1}, data)
		want, err := time.Parse("2006-01-02 15:04:05", string(data))
		if err == nil && want.Format("2006-01-02 15:04:05") == string(data) && want.Year() > 0 && (text == nil ||
			text.String() != string(data)) {
			t.Fatalf("%q gives %v", data, text)
		}
	})
}

func FuzzDate(f *testing.F) {
	for _, seed := range []string{
		"2023-02-04", `"2023-02-04"`, "2023-02-29", "2024-02-29", "null", `null`, "0000-01-01", "2023-02-04 10:00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		text, _ := fuzzScalar(t, fliggy.Date{Year: 1, Month: 1, Day: 1}, data)
		want, err := time.Parse("2006-01-02", string(data))
		if err == nil && want.Year() > 0 && (text == nil || text.String() != string(data)) {
			t.Fatalf("%q gives %v", data, text)
		}
	})
}
