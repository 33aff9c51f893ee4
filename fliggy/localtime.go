package fliggy

import (
	"cmp"
	"fmt"
	"time"
)

// LocalTime is a clock reading without a zone (当地时间), such as the pick-up and return times of the agency API at a store
// abroad. On the wire it is text yyyy-MM-dd HH:mm:ss and is never converted. The zero value is unset; == compares.
//
// Accepted text: the same without seconds or without time of day (midnight), with T for the space, and with a fraction
// of a second that is zero; spaces around it are dropped. Fields have a fixed width and must be a real date and time of
// day, in the years 1 to 9999. An offset or zone is an error: a clock reading has none.
type LocalTime struct {
	Year   int
	Month  time.Month
	Day    int
	Hour   int
	Minute int
	Second int
}

const (
	kindLocalTime = "local time"
	ruleLocalTime = "want yyyy-MM-dd HH:mm:ss without a zone"
)

func parseLocalTime(s string) (LocalTime, string) {
	t, hasOffset, rule := readClock(s, time.UTC)
	switch {
	case rule == ruleTime || hasOffset:
		return LocalTime{}, ruleLocalTime
	case rule != "":
		return LocalTime{}, rule
	case t.Nanosecond() != 0:
		return LocalTime{}, "has a fraction of a second, which a local time cannot keep"
	}
	return clockOf(t), ""
}

// LocalTimeOf returns what a clock shows at t in t's own location, seconds included, fractions cut. The zero time gives
// the unset LocalTime.
func LocalTimeOf(t time.Time) LocalTime {
	if t.IsZero() {
		return LocalTime{}
	}
	return clockOf(t)
}

func clockOf(t time.Time) LocalTime {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	return LocalTime{year, month, day, hour, minute, second}
}

// IsSet reports whether there is a reading.
func (l LocalTime) IsSet() bool { return l != LocalTime{} }

// IsValid reports whether the fields are a real date in the years 1 to 9999 and a real time of day. The unset LocalTime
// is not valid.
func (l LocalTime) IsValid() bool {
	t := time.Date(l.Year, l.Month, l.Day, l.Hour, l.Minute, l.Second, 0, time.UTC)
	return clockOf(t) == l && writable(t)
}

// In returns the instant at which a clock in loc shows this reading; GMT+8 when loc is nil. Where the clock skips or
// repeats the reading, and for fields out of range, it follows [time.Date]. Unset stays unset.
func (l LocalTime) In(loc *time.Location) Time {
	if !l.IsSet() {
		return Time{}
	}
	if loc == nil {
		loc = zone
	}
	return At(time.Date(l.Year, l.Month, l.Day, l.Hour, l.Minute, l.Second, 0, loc))
}

// Compare returns -1 when l is before o, 0 when they are the same reading, 1 when l is after o. It says nothing about
// instants: two readings may belong to different zones.
func (l LocalTime) Compare(o LocalTime) int {
	return cmp.Or(
		Date{l.Year, l.Month, l.Day}.Compare(Date{o.Year, o.Month, o.Day}),
		cmp.Compare(l.Hour, o.Hour), cmp.Compare(l.Minute, o.Minute), cmp.Compare(l.Second, o.Second),
	)
}

// Before reports whether l is an earlier reading than o.
func (l LocalTime) Before(o LocalTime) bool { return l.Compare(o) < 0 }

// String returns yyyy-MM-dd HH:mm:ss, "" when unset; fields that are no real reading are shown as they are.
func (l LocalTime) String() string {
	if !l.IsSet() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d %02d:%02d:%02d", l.Year, int(l.Month), l.Day, l.Hour, l.Minute, l.Second)
}

// AppendText appends yyyy-MM-dd HH:mm:ss, nothing when unset. Fields that are no real reading are an error.
func (l LocalTime) AppendText(b []byte) ([]byte, error) {
	if l.IsSet() && !l.IsValid() {
		return b, invalid(kindLocalTime, l.String(), ruleClock)
	}
	return append(b, l.String()...), nil
}

// MarshalText returns yyyy-MM-dd HH:mm:ss, as AppendText does.
func (l LocalTime) MarshalText() ([]byte, error) { return l.AppendText(nil) }

// MarshalJSON returns a JSON string such as "2024-11-05 19:42:29", null when unset.
func (l LocalTime) MarshalJSON() ([]byte, error) { return quoteScalar(l) }

// UnmarshalText takes the text described at LocalTime; empty text and "null" mean unset.
func (l *LocalTime) UnmarshalText(text []byte) error {
	return readText(l, kindLocalTime, text, parseLocalTime)
}

// UnmarshalJSON takes a JSON string with such text, or null (unset).
func (l *LocalTime) UnmarshalJSON(data []byte) error {
	return readJSON(l, kindLocalTime, data, parseLocalTime)
}

// Date is a calendar day without a zone, such as a day of the price calendar of a merchant quote. On the wire it is
// text yyyy-MM-dd, fixed width, a real date in the years 1 to 9999. The zero value is unset; == compares.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

const (
	kindDate = "date"
	ruleDate = "want yyyy-MM-dd"
)

func parseDate(s string) (Date, string) {
	t, _, rule := readClock(s, time.UTC)
	switch {
	case len(s) != len(time.DateOnly) || rule == ruleTime:
		return Date{}, ruleDate
	case rule != "":
		return Date{}, rule
	}
	return dayOf(t), ""
}

// DateOf returns the day of t in t's own location. The zero time gives the unset Date.
func DateOf(t time.Time) Date {
	if t.IsZero() {
		return Date{}
	}
	return dayOf(t)
}

func dayOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date{year, month, day}
}

// IsSet reports whether there is a day.
func (d Date) IsSet() bool { return d != Date{} }

// IsValid reports whether the fields are a real date in the years 1 to 9999. The unset Date is not valid.
func (d Date) IsValid() bool {
	t := time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)
	return dayOf(t) == d && writable(t)
}

// Compare returns -1 when d is before o, 0 when they are the same day, 1 when d is after o.
func (d Date) Compare(o Date) int {
	return cmp.Or(cmp.Compare(d.Year, o.Year), cmp.Compare(d.Month, o.Month), cmp.Compare(d.Day, o.Day))
}

// AddDays returns the day n days later, earlier when n is negative. Unset stays unset.
func (d Date) AddDays(n int) Date {
	if !d.IsSet() {
		return d
	}
	return DateOf(time.Date(d.Year, d.Month, d.Day+n, 12, 0, 0, 0, time.UTC))
}

// String returns yyyy-MM-dd, "" when unset; fields that are no real date are shown as they are.
func (d Date) String() string {
	if !d.IsSet() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day)
}

// AppendText appends yyyy-MM-dd, nothing when unset. Fields that are no real date are an error.
func (d Date) AppendText(b []byte) ([]byte, error) {
	if d.IsSet() && !d.IsValid() {
		return b, invalid(kindDate, d.String(), "no such date")
	}
	return append(b, d.String()...), nil
}

// MarshalText returns yyyy-MM-dd, as AppendText does.
func (d Date) MarshalText() ([]byte, error) { return d.AppendText(nil) }

// MarshalJSON returns a JSON string such as "2023-02-04", null when unset.
func (d Date) MarshalJSON() ([]byte, error) { return quoteScalar(d) }

// UnmarshalText takes yyyy-MM-dd; empty text and "null" mean unset.
func (d *Date) UnmarshalText(text []byte) error { return readText(d, kindDate, text, parseDate) }

// UnmarshalJSON takes a JSON string with such text, or null (unset).
func (d *Date) UnmarshalJSON(data []byte) error { return readJSON(d, kindDate, data, parseDate) }
