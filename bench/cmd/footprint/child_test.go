package main

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/bench/internal/work"
)

// The reports read these figures by name. Children run one after the other: they count
// what happens in the whole process.
func TestChildren(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(work.CheckCancelJSON)
	}))
	t.Cleanup(server.Close)
	for name, want := range map[string][]string{
		"bill":       {"allocated", "before", "heap", "peak"},
		"first":      {"client", "first", "second"},
		"goroutines": {"clients", "memory", "wire"},
	} {
		f, err := children[name](task{lines: 3, address: server.URL})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(f))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if name == "bill" && (f["allocated"] <= 0 || f["heap"] <= 0) {
			t.Errorf("bill: %v", f)
		}
		if name == "bill" && runtime.GOOS == "linux" && (f["before"] <= 0 || f["peak"] < f["before"]) {
			t.Errorf("bill: %v", f)
		}
	}
	if err := runChild("nobody", task{}); err == nil {
		t.Error("a child that does not exist ran")
	}
	if _, err := children["goroutines"](task{address: "ftp://example.com"}); err == nil {
		t.Error("a bad address is taken")
	}
}

func TestListImports(t *testing.T) {
	t.Parallel()
	found, err := listImports(t.Context(), "github.com/fliggy-go/rentcar/events")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(
		found.paths, "github.com/fliggy-go/rentcar",
	) || found.foreign < 2 || found.packages <= found.foreign {
		t.Errorf("%+v", found)
	}
}
