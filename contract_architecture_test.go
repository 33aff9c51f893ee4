package rentcar

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/internal/golden"
)

const (
	architecture = "docs/architecture.md"
	module       = "github.com/fliggy-go/rentcar"
)

// The picture of docs/architecture.md shows the packages of this module and who imports whom, without the arrows
// that follow from others. go test -run TestArchitecture -update draws it anew.
func TestArchitecturePicture(t *testing.T) {
	t.Parallel()
	text := readFile(t, architecture)
	picture := regexp.MustCompile("(?s)```mermaid\n.*?```\n")
	golden.Compare(t, architecture, []byte(picture.ReplaceAllLiteralString(text, mermaid(importsOf(t)))))
}

// Every file that docs/architecture.md names is there.
func TestArchitectureNamesFiles(t *testing.T) {
	t.Parallel()
	names := regexp.MustCompile("`((?:[a-z]+/)*[a-z_]+\\.go)`").FindAllStringSubmatch(readFile(t, architecture), -1)
	if len(names) < 20 {
		t.Errorf("only %d files are named", len(names))
	}
	for _, name := range names {
		if _, err := os.Stat(name[1]); err != nil {
			t.Error(err)
		}
	}
}

// importsOf lists for each package of this module what it imports of the others. Programs, and packages that hold
// nothing but tests, are left out.
func importsOf(t *testing.T) map[string][]string {
	t.Helper()
	const format = `{{if and .GoFiles (ne .Name "main")}}{{.ImportPath}}{{range .Imports}} {{.}}{{end}}{{end}}`
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", format, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	short := func(path string) string {
		if path == module {
			return "rentcar"
		}
		return strings.TrimPrefix(path, module+"/")
	}
	imports := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		name := short(fields[0])
		if strings.HasPrefix(name, "internal/acceptance") || name == "internal/golden" {
			continue // of tests only
		}
		imports[name] = nil
		for _, path := range fields[1:] {
			if strings.HasPrefix(path, module) {
				imports[name] = append(imports[name], short(path))
			}
		}
	}
	return imports
}

// mermaid draws packages and arrows, each from who imports to what is imported.
func mermaid(imports map[string][]string) string {
	reaches := func(from, to string) bool {
		seen := map[string]bool{}
		var walk func(string) bool
		walk = func(at string) bool {
			for _, next := range imports[at] {
				if next == to {
					return true
				}
				if !seen[next] {
					seen[next] = true
					if walk(next) {
						return true
					}
				}
			}
			return false
		}
		return walk(from)
	}
	var b strings.Builder
	b.WriteString("```mermaid\ngraph TD\n")
	for _, name := range slices.Sorted(maps.Keys(imports)) {
		fmt.Fprintf(&b, "  %s[\"%s\"]\n", strings.ReplaceAll(name, "/", "_"), name)
	}
	for _, from := range slices.Sorted(maps.Keys(imports)) {
		for _, to := range slices.Sorted(slices.Values(imports[from])) {
			isImplied := slices.ContainsFunc(imports[from], func(over string) bool { return over != to && reaches(over, to) })
			if !isImplied {
				fmt.Fprintf(&b, "  %s --> %s\n", strings.ReplaceAll(from, "/", "_"), strings.ReplaceAll(to, "/", "_"))
			}
		}
	}
	b.WriteString("```\n")
	return b.String()
}

// Every test package imports internal/golden, so that go test ./... -update is accepted by all.
func TestUpdateFlag(t *testing.T) {
	t.Parallel()
	const format = `{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}} {{.TestImports}} {{.XTestImports}}{{end}}`
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", format, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if name, _, _ := strings.Cut(line, " "); !strings.Contains(line, module+"/internal/golden") {
			t.Errorf("no test file of %s imports internal/golden", name)
		}
	}
}
