package fliggy

import (
	"strconv"
	"strings"
)

// Enumerations are plain strings and ints, so that encoding/json writes them as the documents show them: a string in
// quotes, an int bare. Each has one table of names; the functions here do the rest.

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

const ruleWhole = "not a whole number"

// parseInt reads a whole number, also with a fraction of zeros as some writers print it.
func parseInt[T ~int](s string) (v T, rule string) {
	n, err := strconv.Atoi(s)
	if err == nil {
		return T(n), ""
	}
	d, rule := parseDecimal(s)
	whole, fraction, _ := strings.Cut(d.text, ".")
	if rule != "" || strings.Trim(fraction, "0") != "" {
		return 0, ruleWhole
	}
	if n, err = strconv.Atoi(whole); err != nil {
		return 0, "out of range"
	}
	return T(n), ""
}
