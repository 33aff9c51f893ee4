package rentcar_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What SECURITY.md promises is shown by tests of this module: every test that it names exists, and every promise of its
// tables names one.
func TestSecurityNamesTests(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := testNames(t)
	quoted := regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Z][A-Za-z0-9_]*)`")
	for _, m := range quoted.FindAllStringSubmatch(string(text), -1) {
		if !tests[m[1]] {
			t.Errorf("SECURITY.md names %s, which does not exist", m[1])
		}
	}
	promises, inTable := 0, false
	for line := range strings.Lines(string(text)) {
		switch {
		case !strings.HasPrefix(line, "|"):
			inTable = false
		case strings.HasSuffix(strings.TrimSpace(line), "| shown by |"):
			inTable = true
		case inTable && !strings.HasPrefix(line, "|-"):
			promises++
			cells := strings.Split(strings.TrimSuffix(strings.TrimSpace(line), " |"), " | ")
			if len(cells) != 3 || !quoted.MatchString(cells[2]) {
				t.Errorf("SECURITY.md: no test shows %s", line)
			}
		}
	}
	if promises < 30 {
		t.Errorf("SECURITY.md: only %d promises found", promises)
	}
}

// testNames returns the names of the tests, benchmarks and fuzz targets of this module.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)[A-Z][A-Za-z0-9_]*)\(`)
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil && path != "." {
				return fs.SkipDir // another module
			}
			return nil
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(path)
		for _, m := range declared.FindAllStringSubmatch(string(source), -1) {
			names[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
