package fliggy

import (
	"strconv"
	"strings"
)

// Enumerations are plain strings and ints, so that encoding/json writes them as the documents show them: a string in
// quotes, an int bare. Each has one table of names, which also says what is known; the functions here do the rest.

func known[T comparable](names map[T]string, v T) bool {
	_, ok := names[v]
	return ok
}

func textName[T ~string](names map[T]string, v T) string {
	if name, ok := names[v]; ok {
		return name
	}
	return string(v)
}

func intName[T ~int](names map[T]string, v T) string {
	if name, ok := names[v]; ok {
		return name
	}
	return strconv.Itoa(int(v))
}

// readTextEnum is UnmarshalJSON of the string enumerations.
func readTextEnum[T ~string](target *T, kind string, data []byte) error {
	text, err := jsonOpaque(kind, data)
	if err != nil {
		return err
	}
	*target = T(text)
	return nil
}

// textIntEnum is UnmarshalText of the int enumerations.
func textIntEnum[T ~int](target *T, kind string, text []byte) error {
	if readShort(target, text) {
		return nil
	}
	s, err := textScalar(kind, text)
	return readIntEnum(target, kind, s, err)
}

// jsonIntEnum is UnmarshalJSON of the int enumerations.
func jsonIntEnum[T ~int](target *T, kind string, data []byte) error {
	digits := data
	if n := len(data); n > 2 && data[0] == '"' && data[n-1] == '"' {
		digits = data[1 : n-1]
	}
	if readShort(target, digits) {
		return nil
	}
	s, err := jsonScalar(kind, data)
	return readIntEnum(target, kind, s, err)
}

// readShort reads a whole number of few digits, which nearly all are; it is false for any other text.
func readShort[T ~int](target *T, text []byte) bool {
	if len(text) == 0 || len(text) > 9 {
		return false
	}
	n := 0
	for _, c := range text {
		if !isDigit(c) {
			return false
		}
		n = 10*n + int(c-'0')
	}
	*target = T(n)
	return true
}

// readIntEnum reads a whole number, also with a fraction of zeros as some writers print it. Enumerations have no value
// for "unset": nothing gives 0.
func readIntEnum[T ~int](target *T, kind, s string, err error) error {
	n := 0
	if err == nil && s != "" {
		plain, syntax := normalise(kind, s)
		whole, fraction, _ := strings.Cut(plain, ".")
		if syntax != nil || strings.Trim(fraction, "0") != "" {
			return invalid(kind, s, "not a whole number")
		}
		if n, err = strconv.Atoi(whole); err != nil {
			return invalid(kind, s, "out of range")
		}
	}
	if err == nil {
		*target = T(n)
	}
	return err
}
