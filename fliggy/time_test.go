package fliggy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"pgregory.net/rapid"
)

// timeTexts are accepted texts and the same instant in UTC.
var timeTexts = map[string]string{
	"2023-02-03 19:23:32":            "2023-02-03T11:23:32Z",
	"2023-02-04 10:00":               "2023-02-04T02:00:00Z",
	"2023-02-04":                     "2023-02-03T16:00:00Z",
	" 2023-02-04 10:00\n":            "2023-02-04T02:00:00Z",
	"2023-02-03T19:23:32":            "2023-02-03T11:23:32Z",
	"2023-02-03T19:23":               "2023-02-03T11:23:00Z",
	"2023-02-03 19:23:32.0":          "2023-02-03T11:23:32Z",
	"2023-02-03 19:23:32.000":        "2023-02-03T11:23:32Z",
	"2023-02-03 19:23:32.123":        "2023-02-03T11:23:32.123Z",
	"2023-02-03T19:23:32.123456789Z": "2023-02-03T19:23:32.123456789Z",
	"2023-02-03T19:23:32Z":           "2023-02-03T19:23:32Z",
	"2023-02-03T19:23:32+08:00":      "2023-02-03T11:23:32Z",
	"2023-02-03T19:23:32.000+0000":   "2023-02-03T19:23:32Z",
	"2023-02-03T19:23:32-09:30":      "2023-02-04T04:53:32Z",
	"2023-02-03T19:23Z":              "2023-02-03T19:23:00Z",
	"2024-02-29 00:00:00":            "2024-02-28T16:00:00Z",
	"2000-02-29":                     "2000-02-28T16:00:00Z",
	"9999-12-31 23:59:59":            "9999-12-31T15:59:59Z",
	"0001-01-02 00:00:00":            "0001-01-01T16:00:00Z",
	"1666405320000":                  "2022-10-22T02:22:00Z",
	"1666405320123":                  "2022-10-22T02:22:00.123Z",
	"100000000000":                   "1973-03-03T09:46:40Z",
	"9999999999999":                  "2286-11-20T17:46:39.999Z",
}

// brokenTimes are refused texts and a part of the rule.
var brokenTimes = map[string]string{
	"2023-2-4 10:00:00": "want yyyy", "2023-02-04 1:00:00": "want yyyy", "2023-02-04 10:0:00": "want yyyy",
	"2023-02-04 10:00:0": "want yyyy",
	"2023-02-04 10":      "want yyyy", "2023-02-04  1:00:00": "want yyyy", "2023-02-04  1:00": "want yyyy",
	"2023-02-04Z": "want yyyy", "2023-02-04  10:00:00": "want yyyy", "2023-02-04t10:00:00": "want yyyy",
	"2023/02/04 10:00:00": "want yyyy", "20230204": "want yyyy", "20230204100000": "want yyyy", "10:00:00": "want yyyy",
	"today":                "want yyyy",
	"2023-02-04 10:00:00.": "want yyyy", "2023-02-04 10:00:00.1234567890": "want yyyy", "2023-02-04 10:00.5": "want yyyy",
	"2023-02-04 10:00:00,5": "want yyyy",
	"2023-02-04T10:00:00z":  "want yyyy", "2023-02-04T10:00:00+8": "want yyyy", "2023-02-04T10:00:00+08:0x": "want yyyy",
	"2023-02-04T10:00:00 08:00": "want yyyy",
	"2023-02-04T10:00:00+xx:00": "want yyyy", "2023-02-04 10:00:00 CST": "want yyyy", "2023-02-04T10:00:00ZZ": "want yyyy",
	"+023-02-04 10:00:00": "want yyyy", "2023--2-04 10:00:00": "want yyyy", "2023-02--4 10:00:00": "want yyyy",
	"2023-02-04 -1:00:00": "want yyyy",
	"2023-02-04 10:00:-1": "want yyyy", "2023-02-04 10:-1:00": "want yyyy", "2023-02-04 10:00x": "want yyyy",
	"２０２３-02-04":          "want yyyy",
	"2023-02-29 10:00:00": "no such date", "2023-02-30": "no such date", "1900-02-29": "no such date",
	"2023-04-31": "no such date",
	"2023-13-01": "no such date", "2023-00-01": "no such date", "2023-01-00": "no such date",
	"0000-00-00 00:00:00": "no such date", "0000-01-01": "no such date",
	"2023-02-04 24:00:00": "no such date", "2023-02-04 10:60": "no such date", "2023-02-04 10:00:60": "no such date",
	"2023-02-04T10:00:00+24:00": "no such offset", "2023-02-04T10:00:00+00:60": "no such offset",
	"0001-01-01 08:00:00": "no time", "0001-01-01T00:00:00Z": "no time",
	"9999-12-31T23:59:59Z": "years 1 to 9999", "0001-01-01T00:00:00+14:00": "years 1 to 9999",
	"-166640532000": "want yyyy", "-1666405320000": "want yyyy", "016664053200": "want yyyy", "16664053200": "want yyyy",
	"1666405320000.5": "want yyyy", "1.66640532e12": "want yyyy",
	strings.Repeat("2", 300): "too long",
}

func TestTimeReading(t *testing.T) {
	t.Parallel()
	for text, utc := range timeTexts {
		want, err := time.Parse(time.RFC3339Nano, utc)
		if err != nil {
			t.Fatal(err)
		}
		for name, read := range map[string]func() (fliggy.Time, error){
			"ParseTime":     func() (fliggy.Time, error) { return fliggy.ParseTime(text) },
			"UnmarshalText": func() (fliggy.Time, error) { return fromText[fliggy.Time](text) },
			"UnmarshalJSON": func() (fliggy.Time, error) { return fromJSON[fliggy.Time](fmt.Sprintf("%q", text)) },
		} {
			got, err := read()
			if err != nil || !got.Time.Equal(want) || got.Location() != fliggy.Zone() {
				t.Errorf("%s(%q): got %v in %v, %v; want %v", name, text, got.Time, got.Location(), err, want)
			}
		}
	}
	for text, rule := range brokenTimes {
		v := fliggy.MustTime("2023-02-04")
		wantError(t, v.UnmarshalText([]byte(text)), "time", rule)
		_, err := fliggy.ParseTime(text)
		wantError(t, err, "time", rule)
		if v != fliggy.MustTime("2023-02-04") {
			t.Errorf("%q: target became %v", text, v)
		}
	}
}

func TestTimeJSON(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		`1666405320000`: "2022-10-22 10:22:00", `"1666405320000"`: "2022-10-22 10:22:00",
		`"2022-10-22 10:22:00"`:   "2022-10-22 10:22:00",
		`"2022-10-22\u002010:22"`: "2022-10-22 10:22:00", `null`: "", `""`: "", `"null"`: "",
	} {
		got, err := fromJSON[fliggy.Time](data)
		if err != nil || got.String() != want || got.IsSet() != (want != "") {
			t.Errorf("%s: got %v, %v; want %q", data, got, err, want)
		}
	}
	for data, rule := range map[string]string{
		`1666405320`: "want yyyy", `16664053200000`: "want yyyy", `-1666405320000`: "want yyyy",
		`1666405320000.0`:        "want yyyy",
		`{"time":1666405320000}`: "want a JSON string or number", `true`: "want a JSON string or number",
	} {
		_, err := fromJSON[fliggy.Time](data)
		wantError(t, err, "time", rule)
	}
}

func TestTimeWriting(t *testing.T) {
	t.Parallel()
	instant := time.Date(2023, 2, 3, 19, 23, 32, 987_654_321, time.FixedZone("", -7*60*60))
	const text = "2023-02-04 10:23:32"
	for name, v := range map[string]fliggy.Time{
		"At": fliggy.At(instant), "literal": {Time: instant}, "UTC literal": {Time: instant.UTC()},
	} {
		if got := textOf(t, v); got != text {
			t.Errorf("%s: text %q", name, got)
		}
		if got := jsonOf(t, v); got != `"`+text+`"` {
			t.Errorf("%s: JSON %s", name, got)
		}
		if got := fmt.Sprintf("%v|%s|%+v", v, v, []fliggy.Time{v}); got != text+"|"+text+"|["+text+"]" {
			t.Errorf("%s: prints %q", name, got)
		}
		b, err := v.AppendLayout([]byte("carUseTime="), "2006-01-02 15:04")
		if err != nil || string(b) != "carUseTime=2023-02-04 10:23" {
			t.Errorf("%s: AppendLayout gives %q, %v", name, b, err)
		}
	}
	if got := fliggy.At(instant); !got.Time.Equal(instant) || got.Location() != fliggy.Zone() ||
		got.Nanosecond() != 987_654_321 {
		t.Errorf("At gives %v", got.Time)
	}
	if name, offset := fliggy.At(instant).Time.Zone(); name != "GMT+8" || offset != 8*60*60 {
		t.Errorf("zone %s %d", name, offset)
	}
	if b, err := (fliggy.Time{}).AppendLayout([]byte("x"), "2006"); err != nil || string(b) != "x" {
		t.Errorf("unset gives %q, %v", b, err)
	}
	if got := fliggy.At(time.Time{}.In(fliggy.Zone())); got.IsSet() || got != (fliggy.Time{}) {
		t.Errorf("the zero time gives %#v", got)
	}
}

func TestTimeYearsOutsideTheWireAreNotWritten(t *testing.T) {
	t.Parallel()
	for _, year := range []int{-5, 0, 10000, 250000} {
		v := fliggy.At(time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC))
		_, err := v.MarshalText()
		wantError(t, err, "years 1 to 9999")
		_, err = v.MarshalJSON()
		wantError(t, err, "years 1 to 9999")
		_, err = fliggy.LocalTimeOf(v.Time).MarshalText()
		wantError(t, err, "no such date")
	}
	// A time within the second of the zero time would be read as no time.
	_, zero := fliggy.At(time.Date(1, 1, 1, 0, 0, 0, 7, time.UTC)).MarshalText()
	wantError(t, zero, "stands for no time")
	// The last hours of 9999 in UTC are the year 10000 in GMT+8.
	_, err := fliggy.At(time.Date(9999, 12, 31, 20, 0, 0, 0, time.UTC)).MarshalText()
	wantError(t, err, "years 1 to 9999")
}

// drawTime gives an instant that can be written, in a random zone.
func drawTime(t *rapid.T) time.Time {
	first, last := time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 30, 0, 0, 0, 0, time.UTC)
	seconds := rapid.Int64Range(first.Unix(), last.Unix()).Draw(t, "seconds")
	offset := rapid.IntRange(-12*60, 14*60).Draw(t, "offset")
	return time.Unix(seconds, 0).In(time.FixedZone("somewhere", offset*60))
}

func TestTimeProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		instant := drawTime(t)
		v := fliggy.At(instant)
		roundTrip[fliggy.Time](t, v)
		if want := instant.UTC().Add(8 * time.Hour).Format("2006-01-02 15:04:05"); v.String() != want {
			t.Fatalf("%v is written %s, want %s", instant, v, want)
		}
		for _, text := range []string{
			instant.Format(time.RFC3339), instant.Format("2006-01-02T15:04:05.000-0700"), instant.UTC().Format(time.RFC3339Nano),
		} {
			if got, err := fliggy.ParseTime(text); err != nil || got != v {
				t.Fatalf("%s gives %v, %v; want %v", text, got, err, v)
			}
		}
		if ms := instant.UnixMilli(); ms >= 1e11 && ms < 1e13 {
			if got, err := fromJSON[fliggy.Time](fmt.Sprint(ms)); err != nil || got != v {
				t.Fatalf("%d gives %v, %v; want %v", ms, got, err, v)
			}
		}
	})
}

func FuzzTime(f *testing.F) {
	for text := range timeTexts {
		f.Add([]byte(text))
		f.Add([]byte(`"` + text + `"`))
	}
	for text := range brokenTimes {
		f.Add([]byte(text))
	}
	layouts := []string{"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02"}
	f.Fuzz(func(t *testing.T, data []byte) {
		// A fraction is read and not written: compare what goes over the wire.
		v, err := fromText[fliggy.Time](string(data))
		if err != nil {
			wantError(t, err)
		} else if got, err := fromText[fliggy.Time](textOf(t, v)); err != nil || !got.Time.Equal(v.Truncate(time.Second)) {
			t.Fatalf("%q gives %v, which reads as %v, %v", data, v, got, err)
		}
		if w, err := fromJSON[fliggy.Time](string(data)); err == nil {
			jsonOf(t, w)
		} else {
			wantError(t, err)
		}
		for _, layout := range layouts {
			want, err := time.ParseInLocation(layout, string(data), fliggy.Zone())
			if err == nil && want.Format(layout) == string(data) && want.Year() > 0 && !want.IsZero() && !v.Time.Equal(want) {
				t.Fatalf("%q gives %v, package time reads %v", data, v, want)
			}
		}
	})
}

// What is written is what package time writes.
func TestTimeTextProperty(t *testing.T) {
	t.Parallel()
	first, last := fliggy.MustTime("0001-01-02").Unix(), fliggy.MustTime("9999-12-31 23:59:59").Unix()
	rapid.Check(t, func(t *rapid.T) {
		at := fliggy.At(
			time.Unix(rapid.Int64Range(first, last).Draw(t, "second"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanosecond")),
		)
		text, err := at.MarshalText()
		if want := at.Format(time.DateTime); err != nil || string(text) != want {
			t.Fatalf("got %s, %v, want %s", text, err, want)
		}
	})
}
