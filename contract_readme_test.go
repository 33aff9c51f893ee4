package rentcar_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// documents returns the paths of the READMEs and of everything under docs.
func documents(t *testing.T) []string {
	t.Helper()
	paths := []string{"README.md", "README.zh-CN.md"}
	err := filepath.WalkDir("docs", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// A Go block is from an Example, or from a file.
var exampleBlock = regexp.MustCompile("(?s)<!-- (?:example: (\\w+)|from: (examples/\\S+\\.go)) -->\n```go\n(.*?)```")

// Every Go block of the READMEs and of docs is the code of the Example, or of the file under examples, that is named
// above it, line by line, except for comments, which may be in another language. A block that is a whole program has
// the Example's body in its main.
func TestDocumentsAreCompiled(t *testing.T) {
	t.Parallel()
	var compiled strings.Builder
	for _, pattern := range []string{"example*_test.go", "*/example*_test.go"} {
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
	for _, name := range documents(t) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		blocks := exampleBlock.FindAllStringSubmatch(string(text), -1)
		if all := strings.Count(string(text), "```go\n"); len(blocks) != all {
			t.Errorf("%s: %d Go blocks of %d name their Example or file", name, len(blocks), all)
		}
		for _, b := range blocks {
			example, file, code := b[1], b[2], b[3]
			if file != "" {
				if source, err := os.ReadFile(file); err != nil || !strings.Contains(bare(string(source)), bare(code)) {
					t.Errorf("%s: the block of %s is not its code (%v):\n%s", name, file, err, bare(code))
				}
				continue
			}
			_, body, ok := strings.Cut(compiled.String(), "func "+example+"() {\n")
			if !ok {
				t.Errorf("%s: there is no %s", name, example)
				continue
			}
			body, _, _ = strings.Cut(body, "\n}\n")
			if strings.HasPrefix(code, "package main\n") {
				code = mainBody(t, name, code)
			}
			if !strings.Contains(bare(body), bare(code)) {
				t.Errorf("%s: the block of %s is not its code:\n%s", name, example, bare(code))
			}
		}
	}
}

// bare returns Go code without comments and the white space around its lines.
func bare(code string) string {
	var b strings.Builder
	for line := range strings.Lines(code) {
		line = strings.TrimSpace(trailingComment.ReplaceAllString(strings.TrimSpace(line), ""))
		if line != "" && !strings.HasPrefix(line, "//") {
			b.WriteString(strings.Join(strings.Fields(line), " ") + "\n")
		}
	}
	return b.String()
}

var trailingComment = regexp.MustCompile(`\s+// .*$`)

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

// Links within the repository lead to a file, and to a heading of it.
func TestLinks(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	code := regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	for _, name := range append(documents(t), "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(string(text), ""), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			target := name
			if file != "" {
				target = filepath.Join(filepath.Dir(name), file)
			}
			info, err := os.Stat(target)
			switch {
			case err != nil:
				t.Errorf("%s links to %s: %v", name, m[1], err)
			case anchor != "" && (info.IsDir() || !hasHeading(t, target, anchor)):
				t.Errorf("%s links to %s, which has no such heading", name, m[1])
			}
		}
	}
}

// hasHeading reports whether a document has a heading of that anchor, as GitHub makes it.
func hasHeading(t *testing.T, path, anchor string) bool {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(string(text), -1) {
		slug := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, m[1])
		if slug == anchor {
			return true
		}
	}
	return false
}

// Every shell block of a document says above it whether CI runs it, or why not.
func TestShellBlocksAreRun(t *testing.T) {
	t.Parallel()
	block := regexp.MustCompile("(?m)^(.*)\n *```(?:sh|bash|console|shell)$")
	run := 0
	for _, name := range append(documents(t), "bench/README.md", "CONTRIBUTING.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range block.FindAllStringSubmatch(string(text), -1) {
			switch mark := strings.TrimSpace(m[1]); {
			case mark == "<!-- run -->", mark == "<!-- newcomer -->":
				run++
			case !strings.HasPrefix(mark, "<!-- not run: "):
				t.Errorf("%s: a shell block after %q has neither <!-- run --> nor <!-- not run: why --> above it", name, mark)
			}
		}
	}
	if run < 10 {
		t.Errorf("only %d blocks are run", run)
	}
}
