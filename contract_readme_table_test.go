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

// TestREADMETableOfOutcomes: READMEs and guides say of every API whether it is sent again, as the
// table of APIs has it.
func TestREADMETableOfOutcomes(t *testing.T) {
	t.Parallel()
	for file, yes := range map[string]string{
		"README.md": "yes, they only read", "README.zh-CN.md": "会，只读",
		"docs/unknown-outcomes.md": "yes, they only read", "docs/unknown-outcomes.zh-CN.md": "会，只读",
	} {
		text := readFile(t, file)
		for _, op := range api.All() {
			name := strings.TrimPrefix(strings.TrimPrefix(op.Method, "alitrip.rentcar."), "btb.")
			var rows []string
			for line := range strings.Lines(text) {
				cells := strings.Split(line, " | ")
				if strings.HasPrefix(line, "| ") && len(cells) == 4 && strings.Contains(cells[0], "`"+name+"`") {
					rows = append(rows, cells[1])
				}
			}
			if len(rows) == 0 {
				t.Errorf("%s: no row for %s in the table that says what is sent again by itself", file, name)
			}
			for _, repeated := range rows {
				if (repeated == yes) == op.Write {
					t.Errorf("%s: %s: %q, and Write is %v in internal/api/api.go", file, name, repeated, op.Write)
				}
			}
		}
	}
}
