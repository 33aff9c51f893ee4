package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// programs are what a user may write, from nothing at all to a whole client. The
// second and third are there to compare with.
var programs = []struct{ name, source string }{
	{"nothing", "package main\nfunc main() {}\n"},
	{"encoding/json", `package main
import ("encoding/json"; "os")
func main() {
	var event map[string]any
	if json.Unmarshal([]byte(os.Args[1]), &event) != nil { os.Exit(1) }
}`},
	{"net/http, a client and encoding/json", `package main
import ("encoding/json"; "net/http"; "os")
func main() {
	resp, err := http.Get(os.Args[1])
	if err != nil { os.Exit(1) }
	defer resp.Body.Close()
	var event map[string]any
	if json.NewDecoder(resp.Body).Decode(&event) != nil { os.Exit(1) }
}`},
	{"rentcar/events", `package main
import ("os"; "github.com/fliggy-go/rentcar/events")
func main() {
	event, err := events.Parse([]byte(os.Args[1]))
	if err != nil || event.Validate() != nil { os.Exit(1) }
}`},
	{"rentcar/qimen, a handler", `package main
import ("context"; "net/http"; "os"; "github.com/fliggy-go/rentcar/events"; "github.com/fliggy-go/rentcar/qimen")
func main() {
	handler, err := qimen.NewHandler(qimen.Secrets{os.Args[1]: {os.Args[2]}},
		qimen.OnEvent(func(context.Context, *qimen.Delivery, events.Event) error { return nil }))
	if err != nil || http.ListenAndServe(":8080", handler) != nil { os.Exit(1) }
}`},
	{"rentcar, a client", `package main
import ("context"; "os"; "github.com/fliggy-go/rentcar")
func main() {
	client, err := rentcar.NewClient(os.Args[1], os.Args[2])
	if err != nil { os.Exit(1) }
	_, err = client.Orders.Query(context.Background(), &rentcar.OrderQueryRequest{OrderID: "1"})
	if err != nil { os.Exit(1) }
}`},
}

// reportImports prints what an import brings into a program.
func reportImports(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "rentcar-imports-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	fmt.Println(
		"| a program with | modules beside its own | packages | of them not of the standard library | binary | stripped |",
	)
	fmt.Println("|---|---|---:|---:|---:|---:|")
	for i, p := range programs {
		file := filepath.Join(dir, fmt.Sprintf("program%d.go", i))
		if err := os.WriteFile(file, []byte(p.source), 0o600); err != nil {
			return err
		}
		imported, err := listImports(ctx, file)
		if err != nil {
			return err
		}
		plain, err := buildSize(ctx, file)
		if err != nil {
			return err
		}
		stripped, err := buildSize(ctx, file, "-ldflags=-s -w", "-trimpath")
		if err != nil {
			return err
		}
		fmt.Printf("| %s | %s | %d | %d | %.2f MiB | %.2f MiB |\n", p.name, imported.modules(), imported.packages,
			imported.foreign,
			float64(plain)/mebi, float64(stripped)/mebi)
	}
	return nil
}

type imports struct {
	paths             []string // of modules, in the order of their import
	packages, foreign int
}

// modules counts and names.
func (i imports) modules() string {
	if len(i.paths) == 0 {
		return "0"
	}
	return fmt.Sprintf("%d: %s", len(i.paths), strings.Join(i.paths, ", "))
}

// listImports asks the go command what a program is made of.
func listImports(ctx context.Context, file string) (imports, error) {
	out, err := golang(ctx, "list", "-deps", "-f", "{{.ImportPath}} {{with .Module}}{{.Path}}{{end}} {{.Standard}}", file)
	if err != nil {
		return imports{}, err
	}
	var found imports
	seen := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if fields[0] == "command-line-arguments" {
			continue
		}
		found.packages++
		if fields[len(fields)-1] == "true" {
			continue
		}
		found.foreign++
		if module := fields[1]; !seen[module] {
			seen[module] = true
			found.paths = append(found.paths, module)
		}
	}
	return found, nil
}

// buildSize builds a program and returns the size of the binary.
func buildSize(ctx context.Context, file string, flags ...string) (int64, error) {
	binary := strings.TrimSuffix(file, ".go")
	if _, err := golang(ctx, append(append([]string{"build", "-o", binary}, flags...), file)...); err != nil {
		return 0, err
	}
	info, err := os.Stat(binary)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// golang runs the go command for a plain Linux binary or the like, without cgo.
func golang(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...) //nolint:gosec // arguments of this file
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w: %s", args[0], err, &complaint)
	}
	return out, nil
}
