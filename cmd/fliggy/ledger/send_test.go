package ledger

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// A world is a gateway that fails, and a process that dies.
type world struct {
	t      *testing.T
	random *rand.Rand
	g      *fliggytest.Gateway
	client *rentcar.Client
	file   *File
	state  string
	resend map[string]bool
}

var errDied = errors.New("the process died")

// run goes on until the end, an error, or its death.
func (w *world) run(fails bool) (unknown []string, err error) {
	run := Run{Digest: w.file.Digest, BillNo: "B", BatchSize: 4}
	j, err := OpenJournal(w.state, run)
	noError(w.t, err)
	defer j.Close()
	s := &Sender{
		File: w.file, Run: run, Journal: j, Resend: w.resend,
		Notify: func(ctx context.Context, bill *rentcar.Bill) (*rentcar.BillNotifyResult, error) {
			died := func() bool { return fails && w.random.IntN(10) == 0 }
			if died() {
				panic(errDied)
			}
			if fails {
				faults := []fliggytest.Fault{
					fliggytest.Unavailable(), fliggytest.CutOff().AfterCommit(), fliggytest.Dropped(), fliggytest.NoFlag(),
					fliggytest.Failed(&rentcar.BusinessError{Code: "1"}), fliggytest.Banned(1, ""),
				}
				if i := w.random.IntN(3 * len(faults)); i < len(faults) {
					stop := w.g.Fail(faults[i])
					defer stop()
				}
			}
			result, err := w.client.Bills.Notify(ctx, bill, rentcar.CallAttempts(1))
			if died() {
				panic(errDied)
			}
			return result, err
		},
		Done: func(o Outcome) {
			if o.State == Unknown {
				unknown = append(unknown, o.BatchNo)
			}
		},
	}
	defer func() {
		if v := recover(); v != nil {
			if v != any(errDied) {
				panic(v)
			}
			err = errDied
		}
	}()
	return unknown, s.Send(w.t.Context())
}

// TestSendThroughCrashes sends a file by runs that fail and die anywhere: no batch goes out again that is confirmed or
// unknown, and in the end every line is there once, or its batch is named.
func TestSendThroughCrashes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			file, err := write(t, []byte(movements(41)))
			noError(t, err)
			g := fliggytest.NewGateway()
			defer g.Close()
			client, err := g.Client(rentcar.WithChannel(fliggy.ChannelAmap))
			noError(t, err)
			w := &world{
				t: t, random: rand.New(rand.NewPCG(seed, 1)), g: g, client: client, file: file,
				state: filepath.Join(t.TempDir(), "state"),
			}
			for range 30 {
				_, _ = w.run(true) // whatever becomes of it
			}
			unknown, err := w.run(false)
			noError(t, err)
			// A person asks Fliggy which of the unknown batches it has.
			booked := func() map[string]int {
				out := map[string]int{}
				for _, b := range g.Bills() {
					out[b.Message.BatchNo]++
				}
				return out
			}
			w.resend = map[string]bool{}
			before := booked()
			for _, batch := range unknown {
				if before[batch] == 0 {
					w.resend[batch] = true
				}
			}
			_, err = w.run(false)
			noError(t, err)
			want := map[string]int{}
			for i := range 11 {
				want[fmt.Sprintf("B-%05d", i+1)] = 1
			}
			if diff := cmp.Diff(want, booked()); diff != "" {
				t.Errorf("batches at the gateway (-want +got):\n%s", diff)
			}
			lines := 0
			for _, b := range g.Bills() {
				lines += len(b.Message.Lines)
				if sum, err := b.Message.LineTotal(); err != nil || !sum.Equal(b.Message.TotalAmount) {
					t.Errorf("batch %s: %v, total %v, sum %v", b.Message.BatchNo, err, b.Message.TotalAmount, sum)
				}
			}
			if lines != 41 {
				t.Errorf("%d lines", lines)
			}
		})
	}
}

// An interrupted run sends nothing more, and what changed under it is noticed.
func TestSendEnds(t *testing.T) {
	t.Parallel()
	file, err := write(t, []byte(movements(8)))
	noError(t, err)
	j, err := OpenJournal(filepath.Join(t.TempDir(), "state"), testRun)
	noError(t, err)
	defer j.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var sent []string
	s := &Sender{
		File: file, Run: testRun, Journal: j, Done: func(Outcome) {},
		Notify: func(_ context.Context, bill *rentcar.Bill) (*rentcar.BillNotifyResult, error) {
			sent = append(sent, bill.BatchNo)
			cancel()
			return &rentcar.BillNotifyResult{}, nil
		},
	}
	if err := s.Send(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	noError(t, j.file.Close()) // as if the disk were full
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	if err := s.Send(ctx); err == nil {
		t.Error("sent what could not be noted before")
	}
	if diff := cmp.Diff([]string{"B-00001"}, sent); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSendChanged sends nothing of a file that is another than the one that was checked.
func TestSendChanged(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"another line": movements(9), "another amount": strings.Replace(movements(8), "1.05", "9.05", 1), "empty": "",
	} {
		file, err := write(t, []byte(movements(8)))
		noError(t, err)
		j, err := OpenJournal(filepath.Join(t.TempDir(), "state"), testRun)
		noError(t, err)
		noError(t, os.WriteFile(file.Path, []byte(text), 0o600))
		s := &Sender{
			File: file, Run: testRun, Journal: j, Done: func(Outcome) {},
			Notify: func(context.Context, *rentcar.Bill) (*rentcar.BillNotifyResult, error) {
				t.Errorf("%s: sent", name)
				return &rentcar.BillNotifyResult{}, nil
			},
		}
		if err := s.Send(t.Context()); !errors.Is(err, ErrChanged) {
			t.Errorf("%s: got %v", name, err)
		}
		j.Close()
	}
}

// TestSendChangedMeanwhile ends at a line that has become wrong while batches before it were sent.
func TestSendChangedMeanwhile(t *testing.T) {
	t.Parallel()
	text := movements(4000)
	file, err := write(t, []byte(text))
	noError(t, err)
	run := testRun
	run.BatchSize = 1000
	j, err := OpenJournal(filepath.Join(t.TempDir(), "state"), run)
	noError(t, err)
	defer j.Close()
	s := &Sender{
		File: file, Run: run, Journal: j, Done: func(Outcome) {},
		Notify: func(context.Context, *rentcar.Bill) (*rentcar.BillNotifyResult, error) {
			out, err := os.OpenFile(file.Path, os.O_WRONLY, 0)
			noError(t, err)
			_, err = out.WriteAt([]byte("soon"), int64(len(text)-10))
			noError(t, errors.Join(err, out.Close()))
			return &rentcar.BillNotifyResult{}, nil
		},
	}
	if err := s.Send(t.Context()); !errors.Is(err, ErrChanged) {
		t.Errorf("got %v", err)
	}
}
