package browsertest

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"go.uber.org/goleak"
)

// screenshots makes the tests write the images of the documents.
var screenshots = flag.Bool("screenshots", false, "write the screenshots to docs/images")

// chromium is the context of the one browser that all tests use, each with a tab of its own.
var chromium context.Context

// controls are those that the tests have seen on the page, by what stands in their data-action, and whether a test has
// used them.
var controls = struct {
	sync.Mutex
	used map[string]bool
}{used: map[string]bool{}}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	path, err := findBrowser()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	profile, err := os.MkdirTemp("", "fliggy-console-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(profile) }()
	allocator, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("lang", "en-US"),
	)...)
	defer stop()
	var end context.CancelFunc
	chromium, end = chromedp.NewContext(allocator)
	if err := chromedp.Do(chromium); err != nil {
		fmt.Fprintln(os.Stderr, "the browser does not start:", err)
		end()
		return 1
	}
	code := m.Run()
	_ = chromedp.Cancel(chromium)
	end()
	stop()
	if code != 0 {
		return code
	}
	if flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.skip").Value.String() == "" {
		for _, name := range slices.Sorted(maps.Keys(controls.used)) {
			if !controls.used[name] {
				fmt.Fprintln(os.Stderr, "no test uses the control", name)
				code = 1
			}
		}
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// findBrowser finds Chromium or Chrome.
func findBrowser() (string, error) {
	names := []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("there is no browser: install chromium (looked for %v)", names)
}
