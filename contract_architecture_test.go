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
)

const architecture = "docs/architecture.md"

// The picture of docs/architecture.md shows the packages of this module and who imports whom, without the arrows
// that follow from others. go test -run TestArchitecture -update draws it anew.
func TestArchitecturePicture(t *testing.T) {
	t.Parallel()
	text := readFile(t, architecture)
	picture := regexp.MustCompile("(?s)```mermaid\n.*?```\n")
	want := mermaid(importsOf(t))
	if *update {
		text = picture.ReplaceAllLiteralString(text, want)
		if err := os.WriteFile(architecture, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	diff(t, architecture, want, picture.FindString(text))
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
	const module = "github.com/fliggy-go/rentcar"
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
		if strings.HasPrefix(name, "internal/acceptance") {
			continue
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
