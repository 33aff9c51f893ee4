package rentcar

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/internal/golden"
)

var inferredTable = regexp.MustCompile(`<!-- inferred:((?: \w+\.\w+)+) -->\n(\|.*\n\|[-|]+\|\n)((?:\|.*\n)*)`)

// The guides list what the comments call inferred: a table after a comment that names types has their members, and
// everything else is named in the text. go test -run TestInferredGuide -update writes the tables anew.
func TestInferredGuide(t *testing.T) {
	t.Parallel()
	members := inferredNames(t)
	for _, guide := range []string{"docs/inferred.md", "docs/inferred.zh-CN.md"} {
		text := readFile(t, guide)
		want := inferredTable.ReplaceAllStringFunc(text, func(table string) string {
			m := inferredTable.FindStringSubmatch(table)
			return fmt.Sprintf("<!-- inferred:%s -->\n%s%s", m[1], m[2], inferredRows(strings.Fields(m[1]), members))
		})
		golden.Compare(t, guide, []byte(want))
		for name, of := range members {
			switch {
			case !strings.Contains(want, "`"+name+"`"):
				t.Errorf("%s does not name %s, whose comment says that something of it is inferred", guide, name)
			case len(of) > 0 && !strings.Contains(want, "\n| `"+name+"` |"):
				t.Errorf("%s has no table with the inferred members of %s: add it to the comment above one", guide, name)
			}
		}
	}
}

// inferredRows returns the rows of a table: the inferred members of each type, each with its name on the wire.
func inferredRows(types []string, members map[string][]string) string {
	var rows strings.Builder
	for _, name := range types {
		fmt.Fprintf(&rows, "| `%s` | %s |\n", name, strings.Join(members[name], ", "))
	}
	return rows.String()
}

// inferredNames returns the functions and types whose comment, or that of a member, says that something is inferred,
// and the members of each type.
func inferredNames(t *testing.T) map[string][]string {
	t.Helper()
	word := regexp.MustCompile(`(?i)\binferred\b`)
	out := map[string][]string{}
	for _, name := range []string{"rentcar", "fliggy", "events", "qimen", "pricing", "durable"} {
		folder := name
		if name == "rentcar" {
			folder = "."
		}
		for _, d := range exportedIn(packageSource(t, folder, name)) {
			if !word.MatchString(d.text) {
				continue
			}
			top, member, _ := strings.Cut(d.name, ".")
			key := name + "." + top
			members := out[key]
			if member != "" {
				members = append(members, strings.TrimSuffix("`"+member+"` `"+d.wire+"`", " ``"))
			}
			out[key] = members
		}
	}
	return out
}
