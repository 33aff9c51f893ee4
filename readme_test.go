package rentcar_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The code of both READMEs is the code of the Example tests, line by line.
func TestREADMECodeIsCompiled(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	more, err := os.ReadFile("example_renewal_test.go")
	if err != nil {
		t.Fatal(err)
	}
	compiled := string(source) + string(more)
	block := regexp.MustCompile("(?s)<!-- example: (\\w+) -->\n```go\n(.*?)```")
	for _, name := range []string{"README.md", "README.zh-CN.md"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		blocks := block.FindAllStringSubmatch(string(text), -1)
		if len(blocks) < 4 {
			t.Errorf("%s: %d compiled blocks, want at least 4", name, len(blocks))
		}
		for _, b := range blocks {
			_, body, ok := strings.Cut(compiled, "func "+b[1]+"() {\n")
			if !ok {
				t.Errorf("%s: no %s", name, b[1])
				continue
			}
			body, _, _ = strings.Cut(body, "\n}\n")
			var code strings.Builder
			for line := range strings.Lines(b[2]) {
				if strings.TrimSpace(line) != "" {
					line = "\t" + line
				}
				code.WriteString(line)
			}
			if !strings.Contains(body+"\n", code.String()) {
				t.Errorf("%s: the block of %s is not its code", name, b[1])
			}
		}
	}
}
