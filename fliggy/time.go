package fliggy

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Time is an instant. On the wire it is text yyyy-MM-dd HH:mm:ss in GMT+8 (China time), whatever the zone of the host;
// the merchant quote and submit requests leave the seconds out, see AppendLayout.
//
// Every Time made by this package reads as a clock in GMT+8. The zero value is unset. The methods of the embedded
// [time.Time] stay reachable; those that write text or JSON are replaced. IsSet is the word of all scalars for what its
// IsZero denies.
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
// 0001-01-01 00:00:00 UTC is refused, as Go keeps it for "no time". Fourteen digits are refused too: they are more
// likely yyyyMMddHHmmss than a moment after the year 2286.
type Time struct{ time.Time }

const (
	kindTime  = "time"
	ruleTime  = "want yyyy-MM-dd HH:mm:ss in GMT+8"
	ruleClock = "no such date or time of day"
	ruleYear  = "outside the years 1 to 9999"
	ruleUnset = "stands for no time"
)

// A fixed offset needs no time-zone database; China has no daylight saving time.
var zone = time.FixedZone("GMT+8", 8*60*60)

// Zone returns the zone of all times on the wire: GMT+8, a fixed offset.
func Zone() *time.Location { return zone }

// At returns t as a wire time. The zero time gives the unset Time.
func At(t time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	return Time{t.In(zone)}
}

// ParseTime reads the text described at Time. Empty text is an error.
func ParseTime(s string) (Time, error) { return parse(kindTime, s, parseTime) }

// MustTime is ParseTime for constants: it panics on an error.
func MustTime(s string) Time { return must(ParseTime(s)) }

// IsSet reports whether there is a time.
func (t Time) IsSet() bool { return !t.Time.IsZero() }

// String returns yyyy-MM-dd HH:mm:ss in GMT+8, "" when unset.
func (t Time) String() string {
	if !t.IsSet() {
		return ""
	}
	return t.In(zone).Format(time.DateTime)
}

// AppendText appends yyyy-MM-dd HH:mm:ss in GMT+8, fractions of a second cut, nothing when unset. A year outside
// 1..9999 is an error, and so is a time that would be read as none.
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
	if local.Truncate(time.Second).IsZero() {
		return b, invalid(kindTime, local.String(), ruleUnset)
	}
	return local.AppendFormat(b, layout), nil
}

// MarshalText returns yyyy-MM-dd HH:mm:ss in GMT+8, as AppendText does.
func (t Time) MarshalText() ([]byte, error) { return t.AppendText(nil) }

// MarshalJSON returns a JSON string such as "2023-02-03 19:23:32", null when unset.
func (t Time) MarshalJSON() ([]byte, error) { return quoteScalar(t) }

// UnmarshalText takes the text described at Time; empty text and "null" mean unset.
func (t *Time) UnmarshalText(text []byte) error { return readText(t, kindTime, text, parseTime) }

// UnmarshalJSON takes a JSON string with such text, a JSON number of milliseconds since 1970, or null (unset).
func (t *Time) UnmarshalJSON(data []byte) error { return readJSON(t, kindTime, data, parseTime) }

func parseTime(s string) (Time, string) {
	if (len(s) == 12 || len(s) == 13) && ID(s).IsNumeric() {
		ms, _ := strconv.ParseInt(s, 10, 64)
		return At(time.UnixMilli(ms)), ""
	}
	t, _, rule := readClock(s, zone)
	switch {
	case rule != "":
		return Time{}, rule
	case t.IsZero():
		return Time{}, ruleUnset
	case !writable(t.In(zone)):
		return Time{}, ruleYear
	}
	return At(t), ""
}

// The forms of a time, as layouts of package time. A fraction may follow the seconds, an offset the time of day.
var (
	clockLayouts = []string{
		time.DateTime,
		"2006-01-02 15:04",
		time.DateOnly,
		"2006-01-02T15:04:05",
		"2006-01-02T15:04",
	}
	offsetLayouts = map[int]string{
		0:             "",
		len("Z"):      "Z07:00",
		len("+0800"):  "Z0700",
		len("+08:00"): "Z07:00",
	}
)

// readClock reads a time that is in loc unless it says otherwise, or returns the rule that it breaks.
func readClock(s string, loc *time.Location) (t time.Time, hasOffset bool, rule string) {
	clock, offset := s, ""
	if at := strings.LastIndexAny(s, "Z+-"); at > len(time.DateOnly) {
		clock, offset = s[:at], s[at:]
	}
	clock, fraction, hasFraction := strings.Cut(clock, ".")
	const afterDate = len(time.DateOnly) // the index of the space or T
	i := slices.IndexFunc(clockLayouts, func(layout string) bool {
		return len(layout) == len(clock) && (len(clock) == afterDate || layout[afterDate] == clock[afterDate])
	})
	if i < 0 || hasFraction && (len(clock) < len(time.DateTime) || !isDigits(fraction) || len(fraction) > 9) {
		return time.Time{}, false, ruleTime
	}
	t, err := time.ParseInLocation(clockLayouts[i]+offsetLayouts[len(offset)], s, loc)
	if err != nil {
		var wrong *time.ParseError
		if errors.As(err, &wrong) && strings.HasSuffix(wrong.Message, "out of range") {
			return time.Time{}, false, ruleClock
		}
		return time.Time{}, false, ruleTime
	}
	var again [len(time.DateTime)]byte
	switch {
	case string(t.AppendFormat(again[:0], clockLayouts[i])) != clock: // package time takes hours of one digit, too
		return time.Time{}, false, ruleTime
	case t.Year() == 0:
		return time.Time{}, false, ruleClock
	case len(offset) > 1 && (offset[1:3] > "23" || offset[len(offset)-2:] > "59"):
		return time.Time{}, false, "no such offset from UTC"
	}
	return t, offset != "", ""
}

func writable(t time.Time) bool { return 1 <= t.Year() && t.Year() <= 9999 }
