package top_test

import (
	"strconv"
	"strings"
	"testing"
)

// A name from outside that no API has may be personal data: an error gives its length.
func TestErrorNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"a\n":                     "(a name of 2 bytes)",
		"张三 13800000000":          "(a name of 18 bytes)",
		"13800000000":             "(a name of 11 bytes)",
		strings.Repeat("x", 64):   strings.Repeat("x", 64),
		strings.Repeat("x", 65):   "(a name of 65 bytes)",
		strings.Repeat("长", 1000): "(a name of 3000 bytes)",
		"order_info-1.a:b#":       "order_info-1.a:b#",
	} {
		member := strconv.Quote(name) + ":1"
		_, err := fromJSON[all](t, "{"+member+","+member+"}")
		wantError(t, name, err, want+": comes more than once")
	}
}

// A path has a dot between names and none before an index.
func TestErrorPaths(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"int":"x"}`:                      "int",
		`{"item":{"next":{"n":"x"}}}`:      "item.next.n",
		`{"items":[{},{"next":{"n":{}}}]}`: "items[1].next.n",
		`{"ints":[1,2,"x"]}`:               "ints[2]",
	} {
		_, err := fromJSON[all](t, text)
		if err == nil || !strings.HasPrefix(err.Error()+":", want+":") {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
