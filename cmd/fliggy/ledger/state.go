package ledger

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// A Run is what a state file is about: a file, and how it is cut and where it is sent. It must be the same when the run
// goes on.
type Run struct {
	Digest    string `json:"file_sha256"` // that of the File
	BillNo    string `json:"bill_no"`
	BatchSize int    `json:"batch_size"` // lines of a batch, above zero
	AppKey    string `json:"app_key"`
	Channel   string `json:"channel"`
	Gateway   string `json:"gateway"` // its URL, or the name of its environment
	Remark    string `json:"remark,omitempty"`
}

// A State is what is known of a batch.
type State string

// The states of a batch. One that no state was written for was not sent.
const (
	Sending   State = "sending"   // its outcome is unknown unless another state follows
	Confirmed State = "confirmed" // Fliggy has taken it
	Refused   State = "refused"   // Fliggy has not taken it, certainly: it is sent again
	Unknown   State = "unknown"   // it may have been taken: it is not sent again by itself
)

// A record is a line of the state file.
type record struct {
	Run       *Run   `json:"run,omitempty"` // the first line
	BatchNo   string `json:"batch,omitempty"`
	State     State  `json:"state,omitempty"`
	RequestID string `json:"request_id,omitempty"`
	Note      string `json:"note,omitempty"`
}

// firstLine is how a state file begins.
var firstLine = []byte(`{"run":`)

// isKnown reports whether a record says what one can say.
func (r *record) isKnown() bool {
	switch r.State {
	case Sending, Confirmed, Refused, Unknown:
		return r.Run == nil && r.BatchNo != ""
	}
	return r.Run != nil && r.State == ""
}

// A Journal is the state file of a run: a line of JSON for each thing that happened, on the disk before the next
// happens. One process has it at a time.
type Journal struct {
	file   *os.File
	lock   *flock.Flock
	states map[string]State
}

// OpenJournal opens a state file, or begins it. Close it. The error says that the file cannot be read or written, is no
// state file, is that of another run, or is in use by another process.
func OpenJournal(path string, run Run) (*Journal, error) {
	lock := flock.New(path + ".lock")
	if ok, err := lock.TryLock(); err != nil {
		return nil, fmt.Errorf("state file: %w", err)
	} else if !ok {
		return nil, fmt.Errorf("state file %s: another run is using it", path)
	}
	j := &Journal{lock: lock, states: map[string]State{}}
	if err := j.open(path, run); err != nil {
		j.Close()
		return nil, fmt.Errorf("state file %s: %w", path, err)
	}
	return j, nil
}

func (j *Journal) open(path string, run Run) (err error) {
	if j.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return err
	}
	end, began, err := j.read(run)
	if err != nil {
		return err
	}
	// A line that was cut off by a crash is what had not happened yet.
	if err := j.file.Truncate(end); err != nil {
		return err
	}
	if _, err := j.file.Seek(end, io.SeekStart); err != nil {
		return err
	}
	if began {
		return nil
	}
	if err := j.write(record{Run: &run}); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	_ = dir.Sync() // not every system can
	return nil
}

// read reads what has happened, up to the last whole line.
func (j *Journal) read(run Run) (end int64, began bool, err error) {
	in := bufio.NewReader(j.file)
	for number := 1; ; number++ {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			if !began && !bytes.HasPrefix(firstLine, line) && !bytes.HasPrefix(line, firstLine) {
				return 0, false, errors.New("it is none: name another with --state") // someone else's file
			}
			return end, began, nil
		}
		if err != nil {
			return 0, false, err
		}
		var r record
		if err := json.Unmarshal(line, &r); err != nil || (number == 1) != (r.Run != nil) || !r.isKnown() {
			return 0, false, fmt.Errorf("line %d is none of a state file: name another with --state", number)
		}
		if r.Run != nil {
			if began = true; *r.Run != run {
				return 0, false, differs(*r.Run, run)
			}
		} else {
			j.states[r.BatchNo] = r.State
		}
		end += int64(len(line))
	}
}

// differs says in what a run differs from the one that was begun.
func differs(old, now Run) error {
	for _, m := range []struct{ what, old, now string }{
		{"the CSV file", old.Digest, now.Digest}, {"--bill-no", old.BillNo, now.BillNo},
		{"--batch-size", fmt.Sprint(old.BatchSize), fmt.Sprint(now.BatchSize)}, {"the app key", old.AppKey, now.AppKey},
		{"the channel", old.Channel, now.Channel}, {"the gateway", old.Gateway, now.Gateway}, {"--remark", old.Remark,
			now.Remark},
	} {
		if m.old != m.now {
			return fmt.Errorf(
				"it is of another run: %s was %.40s and is %.40s now. Go on as it was begun, or name another file with --state",
				m.what, m.old, m.now,
			)
		}
	}
	return nil
}

// Of returns what is known of a batch: empty if it was not sent. One that was being sent when the process died is
// unknown.
func (j *Journal) Of(batchNo string) State {
	if s := j.states[batchNo]; s != Sending {
		return s
	}
	return Unknown
}

// Note writes what happened to a batch: its state, the request id of the reply and a remark, both empty for none. It is
// on the disk when Note returns nil. After an error it may be there or not.
func (j *Journal) Note(batchNo string, s State, requestID, note string) error {
	if err := j.write(record{BatchNo: batchNo, State: s, RequestID: requestID, Note: note}); err != nil {
		return fmt.Errorf("state file: %w", err)
	}
	j.states[batchNo] = s
	return nil
}

func (j *Journal) write(r record) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return err
	}
	return j.file.Sync()
}

// Close lets go of the file.
func (j *Journal) Close() {
	if j.file != nil {
		_ = j.file.Close() // every line was synced
	}
	_ = j.lock.Unlock()
}
