package golden

import (
	"os"
	"path/filepath"
	"testing"
)

// failures counts what Compare reports.
type failures struct {
	testing.TB
	n int
}

func (f *failures) Helper()               {}
func (f *failures) Errorf(string, ...any) { f.n++ }

func TestCompare(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.txt")
	if err := os.WriteFile(file, []byte("as it was"), 0o600); err != nil {
		t.Fatal(err)
	}
	defer func(was bool) { *update = was }(*update)
	for _, step := range []struct {
		update bool
		got    string
		want   int
	}{
		{false, "as it was", 0}, {false, "changed", 1}, {true, "changed", 0}, {false, "changed", 0}, {false, "as it was", 1},
	} {
		*update = step.update
		f := &failures{TB: t}
		if Compare(f, file, []byte(step.got)); f.n != step.want {
			t.Errorf("%+v: %d failures", step, f.n)
		}
	}
	if !Update() {
		*update = true
	}
	if !Update() {
		t.Error("Update does not follow the flag")
	}
}
