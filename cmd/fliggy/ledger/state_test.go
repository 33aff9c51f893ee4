package ledger

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var testRun = Run{Digest: "d", BillNo: "B", BatchSize: 2, AppKey: "1", Channel: "80001", Gateway: "g"}

func TestJournal(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	j, err := OpenJournal(path, testRun)
	noError(t, err)
	if _, err := OpenJournal(path, testRun); err == nil || !strings.Contains(err.Error(), "another run is using it") {
		t.Errorf("opened twice: %v", err)
	}
	noError(t, j.Note("B-1", Sending, "", ""))
	noError(t, j.Note("B-1", Confirmed, "r1", ""))
	noError(t, j.Note("B-2", Sending, "", ""))
	noError(t, j.Note("B-2", Refused, "", "no"))
	noError(t, j.Note("B-3", Sending, "", ""))
	j.Close()
	whole, err := os.ReadFile(path)
	noError(t, err)
	// Whatever the crash left of the last line, what was sent is known.
	for cut := range len(whole) {
		part := whole[:cut]
		noError(t, os.WriteFile(path, part, 0o600))
		j, err := OpenJournal(path, testRun)
		noError(t, err)
		lines := strings.Count(string(part), "\n")
		want := map[string]State{}
		for batch, states := range map[string][]State{
			"B-1": {"", "", Unknown, Confirmed, Confirmed, Confirmed}, "B-2": {"", "", "", "", Unknown, Refused},
			"B-3": {"", "", "", "", "", ""},
		} {
			want[batch] = states[lines]
		}
		got := map[string]State{"B-1": j.Of("B-1"), "B-2": j.Of("B-2"), "B-3": j.Of("B-3")}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("cut at %d (-want +got):\n%s", cut, diff)
		}
		noError(t, j.Note("B-4", Sending, "", "")) // the file can be gone on with
		j.Close()
		j, err = OpenJournal(path, testRun)
		noError(t, err)
		if j.Of("B-4") != Unknown {
			t.Errorf("cut at %d: %q", cut, j.Of("B-4"))
		}
		j.Close()
	}
}

func TestJournalOfAnotherRun(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	j, err := OpenJournal(path, testRun)
	noError(t, err)
	j.Close()
	for want, change := range map[string]func(*Run){
		"the CSV file": func(r *Run) { r.Digest = "x" }, "--bill-no": func(r *Run) { r.BillNo = "x" },
		"--batch-size": func(r *Run) { r.BatchSize = 3 }, "the app key": func(r *Run) { r.AppKey = "x" },
		"the channel": func(r *Run) { r.Channel = "x" }, "the gateway": func(r *Run) { r.Gateway = "x" },
		"--remark": func(r *Run) { r.Remark = "x" },
	} {
		other := testRun
		change(&other)
		if _, err := OpenJournal(path, other); err == nil || !strings.Contains(err.Error(), want+" was") {
			t.Errorf("%s: got %v", want, err)
		}
	}
	noError(t, os.WriteFile(path, []byte("order_id\n"), 0o600))
	if _, err := OpenJournal(path, testRun); err == nil || !strings.Contains(err.Error(),
		"line 1 is none of a state file") {
		t.Errorf("got %v", err)
	}
	if _, err := OpenJournal(t.TempDir()+"/no/state", testRun); err == nil {
		t.Error("opened where there is no folder")
	}
}

// TestFileOfAnother leaves a file alone that is no state file.
func TestFileOfAnother(t *testing.T) {
	t.Parallel()
	run, err := json.Marshal(record{Run: &testRun})
	noError(t, err)
	for _, text := range []string{
		"notes", "notes\n", "{", `{"run"`, string(run) + "\n" + `{"batch":"B-1","state":"done"}` + "\n",
		string(run) + "\n" + `{"state":"confirmed"}` + "\n", string(run) + "\n" + string(run) + "\n",
	} {
		path := filepath.Join(t.TempDir(), "state")
		noError(t, os.WriteFile(path, []byte(text), 0o600))
		j, err := OpenJournal(path, testRun)
		if isBegun := strings.HasPrefix(`{"run":`, text); isBegun != (err == nil) {
			t.Errorf("%q: got %v", text, err)
		}
		if err == nil {
			j.Close()
			continue
		}
		left, err := os.ReadFile(path)
		noError(t, err)
		if string(left) != text {
			t.Errorf("%q is %q now", text, left)
		}
	}
}
