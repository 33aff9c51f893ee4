package rentcar

import (
	"regexp"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/internal/api"
)

// TestREADMENamesEveryAPI holds both READMEs to the table: a row of a table names each API
// and the method that calls it.
func TestREADMENamesEveryAPI(t *testing.T) {
	t.Parallel()
	methods := apiMethods(t)
	quoted := regexp.MustCompile("`([^`]+)`")
	for _, file := range []string{"README.md", "README.zh-CN.md"} {
		found := map[string]bool{}
		for line := range strings.Lines(readFile(t, file)) {
			var op *api.Operation
			var names []string
			for _, m := range quoted.FindAllStringSubmatch(line, -1) {
				if at := api.ByMethod(m[1]); at != nil {
					op = at
				}
				if _, ok := methods[m[1]]; ok {
					names = append(names, m[1])
				}
			}
			if op == nil || !strings.HasPrefix(line, "| ") {
				continue
			}
			for _, name := range names {
				found[op.Method] = true
				if methods[name] != op.Method {
					t.Errorf("%s: a row names %s for %s, whose comment names %s", file, op.Method, name, methods[name])
				}
			}
		}
		for _, op := range api.All() {
			if !found[op.Method] {
				t.Errorf("%s: no row of a table names the method of the client and %s", file, op.Method)
			}
		}
	}
}

// TestREADMESaysWhatWrites: both READMEs say of every API whether it writes, as the table of APIs has it. Writes are
// not repeated after an unknown outcome.
func TestREADMESaysWhatWrites(t *testing.T) {
	t.Parallel()
	for file, words := range map[string]map[bool]string{
		"README.md":       {false: "read", true: "write"},
		"README.zh-CN.md": {false: "读", true: "写"},
	} {
		text := readFile(t, file)
		for _, op := range api.All() {
			want := "| `" + op.Method + "` | " + words[op.Write] + " |"
			if !strings.Contains(text, want) {
				t.Errorf("%s: no row of a table has %s, and Write is %v in internal/api/api.go", file, want, op.Write)
			}
		}
	}
}
