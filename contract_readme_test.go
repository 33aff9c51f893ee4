package rentcar_test

import (
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The code of both READMEs is the code of the Example tests, line by line; a
// block that is a whole program has the Example's body in its main.
func TestREADMECodeIsCompiled(t *testing.T) {
	t.Parallel()
	var compiled strings.Builder
	for _, pattern := range []string{"example*_test.go", "durable/example*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, files, err)
		}
		for _, f := range files {
			source, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			compiled.Write(source)
		}
	}
	block := regexp.MustCompile("(?s)<!-- example: (\\w+) -->\n```go\n(.*?)```")
	for _, name := range []string{"README.md", "README.zh-CN.md"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		blocks := block.FindAllStringSubmatch(string(text), -1)
		if all := strings.Count(string(text), "```go\n"); len(blocks) != all || all < 5 {
			t.Errorf("%s: %d compiled blocks of %d, want all, and at least 5", name, len(blocks), all)
		}
		for _, b := range blocks {
			example, code := b[1], b[2]
			_, body, ok := strings.Cut(compiled.String(), "func "+example+"() {\n")
			if !ok {
				t.Errorf("%s: no %s", name, example)
				continue
			}
			body, _, _ = strings.Cut(body, "\n}\n")
			if strings.HasPrefix(code, "package main\n") {
				code = mainBody(t, name, code)
			} else {
				code = indent(code)
			}
			if !strings.Contains(body+"\n", code) {
				t.Errorf("%s: the block of %s is not its code", name, example)
			}
		}
	}
}

// mainBody returns the body of main, after a look at the imports.
func mainBody(t *testing.T, name, program string) string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, program, 0)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	_, body, _ := strings.Cut(program, "\nfunc main() {\n")
	used := map[string]bool{}
	for _, spec := range file.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		used[path.Base(imported)] = true
		if !strings.Contains(body, path.Base(imported)+".") {
			t.Errorf("%s: %s is imported and not used", name, imported)
		}
	}
	for _, call := range regexp.MustCompile(`\b([a-z]+)\.[A-Z]`).FindAllStringSubmatch(body, -1) {
		if pkg := call[1]; !used[pkg] && !strings.Contains("client gw order quote renewal from errors rentcar", pkg) {
			t.Errorf("%s: %s is used and not imported", name, pkg)
		}
	}
	return strings.TrimSuffix(body, "}\n")
}

func indent(code string) string {
	var b strings.Builder
	for line := range strings.Lines(code) {
		if strings.TrimSpace(line) != "" {
			b.WriteByte('\t')
		}
		b.WriteString(line)
	}
	return b.String()
}
