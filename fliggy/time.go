package fliggy

import (
	"strconv"
	"time"
)

// Time is an instant. On the wire it is text yyyy-MM-dd HH:mm:ss in GMT+8 (China time), whatever the zone of the host;
// the merchant quote and submit requests leave the seconds out, see AppendLayout.
//
// Every Time made by this package reads as a clock in GMT+8. The zero value is unset. The methods of the embedded
// [time.Time] stay reachable; those that write text or JSON are replaced.
//
// Accepted text, spaces around it dropped:
//
//	2006-01-02 15:04:05  2006-01-02 15:04  2006-01-02 (midnight)   in GMT+8
//	2006-01-02T15:04:05                                            T for the space
//	2006-01-02 15:04:05.000                                        fraction of 1 to 9 digits
//	2006-01-02T15:04:05Z  ...+08:00  ...+0800                      with its own offset
//	1666405320000                                                  milliseconds since 1970, 12 or 13 digits
//
// Fields have a fixed width and must be a real date and time of day, in the years 1 to 9999. The instant
// 0001-01-01 00:00:00 UTC is refused, as Go keeps it for "no time". Fourteen digits are refused too: they are more likely
// yyyyMMddHHmmss than a moment after the year 2286.
type Time struct{ time.Time }

const (
	kindTime  = "time"
	ruleTime  = "want yyyy-MM-dd HH:mm:ss in GMT+8"
	ruleClock = "no such date or time of day"
	ruleYear  = "outside the years 1 to 9999"
)

// A fixed offset needs no time-zone database; China has no daylight saving time.
var zone = time.FixedZone("GMT+8", 8*60*60)

// Zone gives the zone of all times on the wire: GMT+8, a fixed offset.
func Zone() *time.Location { return zone }

// At gives t as a wire time. The zero time gives the unset Time.
func At(t time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	return Time{t.In(zone)}
}

// ParseTime reads the text described at Time. Empty text is an error.
func ParseTime(s string) (Time, error) {
	s, err := textScalar(kindTime, s)
	if err != nil {
		return Time{}, err
	}
	t, rule := readTime(s)
	if rule == "" && t.IsZero() {
		rule = "stands for no time"
	}
	if rule == "" && !writable(t) {
		rule = ruleYear
	}
	if rule != "" {
		return Time{}, invalid(kindTime, s, rule)
	}
	return Time{t}, nil
}

// MustTime is ParseTime for constants: it panics on an error.
func MustTime(s string) Time { return must(ParseTime(s)) }

// IsSet tells a time from none.
func (t Time) IsSet() bool { return !t.Time.IsZero() }

// String gives yyyy-MM-dd HH:mm:ss in GMT+8, "" when unset.
func (t Time) String() string {
	if !t.IsSet() {
		return ""
	}
	return t.In(zone).Format(time.DateTime)
}

// AppendText appends yyyy-MM-dd HH:mm:ss in GMT+8, fractions of a second cut, nothing when unset. A year outside 1..9999
// is an error.
func (t Time) AppendText(b []byte) ([]byte, error) { return t.AppendLayout(b, time.DateTime) }

// AppendLayout is AppendText with another layout of package time, such as "2006-01-02 15:04" for the pick-up and return
// times of the merchant requests.
func (t Time) AppendLayout(b []byte, layout string) ([]byte, error) {
	if !t.IsSet() {
		return b, nil
	}
	local := t.In(zone)
	if !writable(local) {
		return b, invalid(kindTime, local.String(), ruleYear)
	}
	if layout == time.DateTime { // by far the most frequent, and three times as fast
		return appendDateTime(b, local), nil
	}
	return local.AppendFormat(b, layout), nil
}

func appendDateTime(b []byte, t time.Time) []byte {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	b = appendTwo(appendTwo(b, year/100), year%100)
	b = appendTwo(append(b, '-'), int(month))
	b = appendTwo(append(b, '-'), day)
	b = appendTwo(append(b, ' '), hour)
	b = appendTwo(append(b, ':'), minute)
	return appendTwo(append(b, ':'), second)
}

// appendTwo appends a number from 0 to 99 as two digits.
func appendTwo(b []byte, n int) []byte {
	const digits = "0123456789"
	return append(b, digits[n/10], digits[n%10])
}

// MarshalText gives yyyy-MM-dd HH:mm:ss in GMT+8, as AppendText does.
func (t Time) MarshalText() ([]byte, error) { return t.AppendText(nil) }

// MarshalJSON gives a JSON string such as "2023-02-03 19:23:32", null when unset.
func (t Time) MarshalJSON() ([]byte, error) { return quoteScalar(t) }

// UnmarshalText takes the text described at Time; empty text and "null" mean unset.
func (t *Time) UnmarshalText(text []byte) error {
	s, err := textScalar(kindTime, text)
	return readParsed(t, ParseTime, s, err)
}

// UnmarshalJSON takes a JSON string with such text, a JSON number of milliseconds since 1970, or null (unset).
func (t *Time) UnmarshalJSON(data []byte) error {
	s, err := jsonScalar(kindTime, data)
	return readParsed(t, ParseTime, s, err)
}

// readParsed ends the Unmarshal methods of the types that are read by their Parse function alone: s is the text found.
func readParsed[T any](target *T, parse func(string) (T, error), s string, err error) error {
	var v T
	if err == nil && s != "" {
		v, err = parse(s)
	}
	if err == nil {
		*target = v
	}
	return err
}

// readTime reads an instant, or gives the rule it breaks.
func readTime(s string) (t time.Time, rule string) {
	if len(s) == 12 || len(s) == 13 {
		if isInteger(s) && s[0] != '-' {
			ms, _ := strconv.ParseInt(s, 10, 64)
			return time.UnixMilli(ms).In(zone), ""
		}
	}
	c, rest, rule := readClock(s)
	if rule == "" && rest != "" {
		c.offset, rule = readOffset(rest)
	}
	if rule != "" {
		return time.Time{}, rule
	}
	t = time.Date(c.Year, c.Month, c.Day, c.Hour, c.Minute, c.Second, c.nanosecond, time.UTC)
	return t.Add(-c.offset).In(zone), ""
}

// clock is a clock reading as text gives it.
type clock struct {
	LocalTime
	nanosecond int
	timed      bool // has a time of day
	offset     time.Duration
}

// readClock reads yyyy-MM-dd[ HH:mm[:ss[.fraction]]] and gives what follows it, or the rule it breaks. Without an offset a
// reading is in GMT+8.
func readClock(s string) (c clock, rest, rule string) {
	const date, minutes, seconds = len("2006-01-02"), len("2006-01-02 15:04"), len("2006-01-02 15:04:05")
	c.offset = 8 * time.Hour
	ok := len(s) >= date && s[4] == '-' && s[7] == '-'
	if !ok {
		return c, s, ruleTime
	}
	c.Year, c.Month, c.Day = number(s[:4]), time.Month(number(s[5:7])), number(s[8:date])
	ok = c.Year >= 0 && c.Month >= 0 && c.Day >= 0
	rest = s[date:]
	if ok && rest != "" {
		c.timed = true
		ok = len(s) >= minutes && (s[10] == ' ' || s[10] == 'T') && s[13] == ':'
		if ok {
			c.Hour, c.Minute = number(s[11:13]), number(s[14:minutes])
			ok = c.Hour >= 0 && c.Minute >= 0
			rest = s[minutes:]
		}
		if ok && len(s) >= seconds && rest[0] == ':' {
			c.Second = number(s[17:seconds])
			ok = c.Second >= 0
			rest = s[seconds:]
			if ok && rest != "" && rest[0] == '.' {
				c.nanosecond, rest = readFraction(rest[1:])
				ok = c.nanosecond >= 0
			}
		}
	}
	switch {
	case !ok:
		return c, rest, ruleTime
	case !c.IsValid():
		return c, rest, ruleClock
	}
	return c, rest, ""
}

// readFraction reads 1 to 9 digits as nanoseconds; -1 says there are none or more.
func readFraction(s string) (nanosecond int, rest string) {
	n := countDigits(s)
	if n == 0 || n > 9 {
		return -1, s
	}
	nanosecond = number(s[:n])
	for range 9 - n {
		nanosecond *= 10
	}
	return nanosecond, s[n:]
}

// readOffset reads Z, +hh:mm or +hhmm.
func readOffset(s string) (offset time.Duration, rule string) {
	if s == "Z" {
		return 0, ""
	}
	if len(s) == len("+08:00") && s[3] == ':' {
		s = s[:3] + s[4:]
	}
	if len(s) != len("+0800") || s[0] != '+' && s[0] != '-' {
		return 0, ruleTime
	}
	hours, minutes := number(s[1:3]), number(s[3:])
	if hours < 0 || minutes < 0 {
		return 0, ruleTime
	}
	if hours > 23 || minutes > 59 {
		return 0, "no such offset from UTC"
	}
	offset = time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if s[0] == '-' {
		offset = -offset
	}
	return offset, ""
}

// number reads ASCII digits, at most 9 so that they fit into any int; anything else gives -1.
func number(s string) int {
	n := 0
	for i := range len(s) {
		if !isDigit(s[i]) {
			return -1
		}
		n = 10*n + int(s[i]-'0')
	}
	return n
}

func writable(t time.Time) bool { return 1 <= t.Year() && t.Year() <= 9999 }
