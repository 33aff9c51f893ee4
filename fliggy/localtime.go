package fliggy

import (
	"cmp"
	"strconv"
	"time"
)

// LocalTime is a clock reading without a zone (当地时间), such as the pick-up and return times of the agency API at a store
// abroad. On the wire it is text yyyy-MM-dd HH:mm:ss and is never converted. The zero value is unset; == compares.
//
// Accepted text: the same without seconds or without time of day (midnight), with T for the space, and with a fraction of
// a second that is zero; spaces around it are dropped. Fields have a fixed width and must be a real date and time of day,
// in the years 1 to 9999. An offset or zone is an error: a clock reading has none.
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

// ParseLocalTime reads the text described at LocalTime. Empty text is an error.
func ParseLocalTime(s string) (LocalTime, error) {
	s, err := textScalar(kindLocalTime, s)
	if err != nil {
		return LocalTime{}, err
	}
	c, rest, rule := readClock(s)
	switch {
	case rule == ruleClock:
	case rule != "" || rest != "":
		rule = ruleLocalTime
	case c.nanosecond != 0:
		rule = "has a fraction of a second, which a local time cannot keep"
	}
	if rule != "" {
		return LocalTime{}, invalid(kindLocalTime, s, rule)
	}
	return c.LocalTime, nil
}

// LocalTimeOf gives what a clock shows at t in t's own location, seconds included, fractions cut. The zero time gives the
// unset LocalTime.
func LocalTimeOf(t time.Time) LocalTime {
	if t.IsZero() {
		return LocalTime{}
	}
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	return LocalTime{year, month, day, hour, minute, second}
}

// IsSet tells a reading from none.
func (l LocalTime) IsSet() bool { return l != LocalTime{} }

// IsValid reports whether the fields are a real date in the years 1 to 9999 and a real time of day. The unset LocalTime is
// not valid.
func (l LocalTime) IsValid() bool {
	return Date{l.Year, l.Month, l.Day}.IsValid() &&
		0 <= l.Hour && l.Hour < 24 && 0 <= l.Minute && l.Minute < 60 && 0 <= l.Second && l.Second < 60
}

// In gives the instant at which a clock in loc shows this reading; GMT+8 when loc is nil. Where the clock skips or repeats
// the reading, and for fields out of range, it follows [time.Date]. Unset stays unset.
func (l LocalTime) In(loc *time.Location) Time {
	if !l.IsSet() {
		return Time{}
	}
	if loc == nil {
		loc = zone
	}
	return At(time.Date(l.Year, l.Month, l.Day, l.Hour, l.Minute, l.Second, 0, loc))
}

// Compare gives -1 when l is before o, 0 when they are the same reading, 1 when l is after o. It says nothing about
// instants: two readings may belong to different zones.
func (l LocalTime) Compare(o LocalTime) int {
	return cmp.Or(
		Date{l.Year, l.Month, l.Day}.Compare(Date{o.Year, o.Month, o.Day}),
		cmp.Compare(l.Hour, o.Hour), cmp.Compare(l.Minute, o.Minute), cmp.Compare(l.Second, o.Second),
	)
}

// Before reports whether l is an earlier reading than o.
func (l LocalTime) Before(o LocalTime) bool { return l.Compare(o) < 0 }

// String gives yyyy-MM-dd HH:mm:ss, "" when unset; fields that are no real reading are shown as they are.
func (l LocalTime) String() string {
	if !l.IsSet() {
		return ""
	}
	return string(l.append(nil))
}

// AppendText appends yyyy-MM-dd HH:mm:ss, nothing when unset. Fields that are no real reading are an error.
func (l LocalTime) AppendText(b []byte) ([]byte, error) {
	switch {
	case !l.IsSet():
		return b, nil
	case !l.IsValid():
		return b, invalid(kindLocalTime, l.String(), ruleClock)
	}
	return l.append(b), nil
}

func (l LocalTime) append(b []byte) []byte {
	b = Date{l.Year, l.Month, l.Day}.append(b)
	b = appendPadded(append(b, ' '), l.Hour, 2)
	b = appendPadded(append(b, ':'), l.Minute, 2)
	return appendPadded(append(b, ':'), l.Second, 2)
}

// MarshalText gives yyyy-MM-dd HH:mm:ss, as AppendText does.
func (l LocalTime) MarshalText() ([]byte, error) { return l.AppendText(nil) }

// MarshalJSON gives a JSON string such as "2024-11-05 19:42:29", null when unset.
func (l LocalTime) MarshalJSON() ([]byte, error) { return quoteScalar(l) }

// UnmarshalText takes the text described at LocalTime; empty text and "null" mean unset.
func (l *LocalTime) UnmarshalText(text []byte) error {
	s, err := textScalar(kindLocalTime, text)
	return readParsed(l, ParseLocalTime, s, err)
}

// UnmarshalJSON takes a JSON string with such text, or null (unset).
func (l *LocalTime) UnmarshalJSON(data []byte) error {
	s, err := jsonScalar(kindLocalTime, data)
	return readParsed(l, ParseLocalTime, s, err)
}

// Date is a calendar day without a zone, such as a day of the price calendar of a merchant quote. On the wire it is text
// yyyy-MM-dd, fixed width, a real date in the years 1 to 9999. The zero value is unset; == compares.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

const (
	kindDate = "date"
	ruleDate = "want yyyy-MM-dd"
)

// ParseDate reads yyyy-MM-dd; spaces around it are dropped. Empty text is an error.
func ParseDate(s string) (Date, error) {
	s, err := textScalar(kindDate, s)
	if err != nil {
		return Date{}, err
	}
	c, _, rule := readClock(s)
	if rule == ruleTime || c.timed {
		rule = ruleDate
	}
	if rule != "" {
		return Date{}, invalid(kindDate, s, rule)
	}
	return Date{c.Year, c.Month, c.Day}, nil
}

// DateOf gives the day of t in t's own location. The zero time gives the unset Date.
func DateOf(t time.Time) Date {
	if t.IsZero() {
		return Date{}
	}
	year, month, day := t.Date()
	return Date{year, month, day}
}

// IsSet tells a day from none.
func (d Date) IsSet() bool { return d != Date{} }

// IsValid reports whether the fields are a real date in the years 1 to 9999. The unset Date is not valid.
func (d Date) IsValid() bool {
	if d.Year < 1 || d.Year > 9999 || d.Month < time.January || d.Month > time.December || d.Day < 1 {
		return false
	}
	return d.Day <= 28 || d.Day <= time.Date(d.Year, d.Month+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// Compare gives -1 when d is before o, 0 when they are the same day, 1 when d is after o.
func (d Date) Compare(o Date) int {
	return cmp.Or(cmp.Compare(d.Year, o.Year), cmp.Compare(d.Month, o.Month), cmp.Compare(d.Day, o.Day))
}

// AddDays gives the day n days later, earlier when n is negative. Unset stays unset.
func (d Date) AddDays(n int) Date {
	if !d.IsSet() {
		return d
	}
	return DateOf(time.Date(d.Year, d.Month, d.Day+n, 12, 0, 0, 0, time.UTC))
}

// String gives yyyy-MM-dd, "" when unset; fields that are no real date are shown as they are.
func (d Date) String() string {
	if !d.IsSet() {
		return ""
	}
	return string(d.append(nil))
}

// AppendText appends yyyy-MM-dd, nothing when unset. Fields that are no real date are an error.
func (d Date) AppendText(b []byte) ([]byte, error) {
	switch {
	case !d.IsSet():
		return b, nil
	case !d.IsValid():
		return b, invalid(kindDate, d.String(), "no such date")
	}
	return d.append(b), nil
}

func (d Date) append(b []byte) []byte {
	b = appendPadded(b, d.Year, 4)
	b = appendPadded(append(b, '-'), int(d.Month), 2)
	return appendPadded(append(b, '-'), d.Day, 2)
}

// MarshalText gives yyyy-MM-dd, as AppendText does.
func (d Date) MarshalText() ([]byte, error) { return d.AppendText(nil) }

// MarshalJSON gives a JSON string such as "2023-02-04", null when unset.
func (d Date) MarshalJSON() ([]byte, error) { return quoteScalar(d) }

// UnmarshalText takes yyyy-MM-dd; empty text and "null" mean unset.
func (d *Date) UnmarshalText(text []byte) error {
	s, err := textScalar(kindDate, text)
	return readParsed(d, ParseDate, s, err)
}

// UnmarshalJSON takes a JSON string with such text, or null (unset).
func (d *Date) UnmarshalJSON(data []byte) error {
	s, err := jsonScalar(kindDate, data)
	return readParsed(d, ParseDate, s, err)
}

// appendPadded appends n with leading zeros up to width.
func appendPadded(b []byte, n, width int) []byte {
	digits := strconv.Itoa(n)
	if n >= 0 && len(digits) < width {
		b = append(b, "0000"[:width-len(digits)]...)
	}
	return append(b, digits...)
}
