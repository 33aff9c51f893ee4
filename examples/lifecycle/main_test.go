package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// The tests start their own program as the service: this is where it begins.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-serve" {
		os.Exit(run(context.Background(), os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}

func noEnv(string) string { return "" }

func TestStory(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, database string) {
		t.Parallel()
		isTold(t, "-db", database)
	})
	t.Run("temporary", func(t *testing.T) {
		t.Parallel()
		isTold(t)
	})
}

// isTold tells the story.
func isTold(t *testing.T, args ...string) {
	t.Helper()
	stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr")) // a file, since two processes write to it
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stderr.Close() }()
	var out bytes.Buffer
	code := run(t.Context(), args, noEnv, strings.NewReader(""), &out, stderr)
	errs, err := os.ReadFile(stderr.Name())
	if code != 0 || len(errs) > 0 || err != nil {
		t.Fatalf("exit %d, stderr %q, %v, stdout:\n%s", code, errs, err, out.String())
	}
	for _, want := range []string{
		"customer         We are still checking R1.",
		"submitting      → unknown         outcome unknown",
		"unknown         → placed          found by a probe",
		"provider         asked 2 times, paid 1 time",
		"at Fliggy        1.50 yuan succeeded",
		"callbacks        2, since the first reply was lost",
		"customer         We are checking whether it is cancelled.",
		"cancel unknown  → cancelled       a person decided",
		"→ 11.32 yuan go back: 16.02 paid, less 3.20 penalty, less 1.50 refunded",
		"placed          → rejected        event 104",
		"bill             B1, 4 lines, 3.20 yuan",
		"at Fliggy        B1, 4 lines, 3.20 yuan",
		"R1 returned      20   14.52  cash  -11.32  billed",
		"R3 paid          10   16.02  cash   16.02  void",
		"provider         5 of 5 movements agree, 0 findings",
		"left to us       3.20 yuan in the ledger, 3.20 at the provider, 3.20 on the bill",
		"our table        R1 cancelled, R3 rejected",
		"→ each of them says the same, to the fen",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
	if killed := strings.Count(out.String(), "→ killed: "); killed != 2 {
		t.Errorf("the service was killed %d times, want 2", killed)
	}
}

// A story is told on an empty database only.
func TestUsedDatabase(t *testing.T) {
	t.Parallel()
	database := filepath.Join(t.TempDir(), "used.db")
	d, err := openDatabase(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.ExecContext(t.Context(), "INSERT INTO rentals (id, state) VALUES ('R1', 'placed')"); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	code := run(t.Context(), []string{"-db", database}, noEnv, strings.NewReader(""), io.Discard, &errs)
	if code != 1 || !strings.Contains(errs.String(), "give the story an empty one") {
		t.Errorf("exit %d, stderr %q", code, errs.String())
	}
}

func TestExitStatus(t *testing.T) {
	t.Parallel()
	ended, end := context.WithCancel(t.Context())
	end()
	nowhere := t.TempDir() + "/none/lifecycle.db"
	for _, tt := range []struct {
		name   string
		ctx    context.Context
		args   []string
		stdout io.Writer
		code   int
		stderr string
	}{
		{"help", t.Context(), []string{"-help"}, io.Discard, 0, "FLIGGY_APP_KEY"},
		{"unknown flag", t.Context(), []string{"-x"}, io.Discard, 2, "lifecycle: flag provided but not defined: -x\n"},
		{"argument", t.Context(), []string{"now"}, io.Discard, 2, `unexpected argument "now"`},
		{"no app", t.Context(), []string{"-serve", "-db", t.TempDir() + "/lifecycle.db"}, io.Discard, 1, "app key"},
		{"no database", t.Context(), []string{"-serve", "-db", nowhere}, io.Discard, 1, "unable to open database file"},
		{"no server", t.Context(), []string{"-db", "mysql://me:secret@127.0.0.1:1/x"}, io.Discard, 1, "connection refused"},
		{"no URL", t.Context(), []string{"-db", "mysql://me:sec%ret@127.0.0.1/x"}, io.Discard, 1, "-db: not a URL\n"},
		{"interrupted", ended, nil, io.Discard, 1, "context canceled"},
		{"unread", t.Context(), nil, full{}, 1, errFull.Error()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var errs bytes.Buffer
			stdin, end := io.Pipe()
			defer func() { _ = end.Close() }()
			code := run(tt.ctx, tt.args, noEnv, stdin, tt.stdout, &errs)
			if code != tt.code || !strings.Contains(errs.String(), tt.stderr) {
				t.Errorf("exit %d, stderr %q; want %d and %q", code, errs.String(), tt.code, tt.stderr)
			}
		})
	}
}

var errFull = errors.New("no space left")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
