package rentcar

import (
	"os"
	"strings"
	"testing"
)

// Both READMEs say of every API whether it is repeated, as the code has it.
func TestREADMETableOfOutcomes(t *testing.T) {
	t.Parallel()
	for file, yes := range map[string]string{"README.md": "yes, they only read", "README.zh-CN.md": "会，只读"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, op := range operations {
			name := strings.TrimPrefix(strings.TrimPrefix(op.method, "alitrip.rentcar."), "btb.")
			var rows []string
			for line := range strings.Lines(string(text)) {
				cells := strings.Split(line, " | ")
				if strings.HasPrefix(line, "| ") && len(cells) == 4 && strings.Contains(cells[0], "`"+name+"`") {
					rows = append(rows, cells[1])
				}
			}
			if len(rows) == 0 {
				t.Errorf("%s: no row for %s", file, name)
			}
			for _, repeated := range rows {
				if (repeated == yes) == op.write {
					t.Errorf("%s: %s: %q, and write is %v", file, name, repeated, op.write)
				}
			}
		}
	}
}
