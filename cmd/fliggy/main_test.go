package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if built.Load() {
			path, _ := build()
			_ = os.RemoveAll(filepath.Dir(path))
		}
		os.Exit(code)
	}))
}

// result is what a command did.
type result struct {
	status         int
	stdout, stderr string
}

// variables is an environment.
type variables map[string]string

// fliggyCmd runs a command line in this process.
func fliggyCmd(ctx context.Context, vars variables, stdin string, args ...string) result {
	var out, errs bytes.Buffer
	if vars["FLIGGY_CONFIG"] == "" && len(vars) > 0 {
		vars["XDG_CONFIG_HOME"] = "/nonexistent"
	}
	status := run(ctx, args, system{
		stdin: strings.NewReader(stdin), stdout: &out, stderr: &errs, now: time.Now,
		getenv: func(name string) string { return vars[name] },
	})
	return result{status, out.String(), errs.String()}
}

// TestInterrupted ends a command that waits for its stdin.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"call", "a.b", "-d", "@-"}, {"trigger", "raw", "--file", "-", "--to", "http://127.0.0.1:1/"}, {"verify", "-"},
		{"sign", "--url", "http://h/", "--body", "@-"},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		stdin, in := io.Pipe()
		var errs bytes.Buffer
		status := make(chan int)
		go func() {
			status <- run(ctx, args, system{
				stdin: stdin, stdout: io.Discard, stderr: &errs, now: time.Now, getenv: variables{"HOME": "/nonexistent"}.get,
			})
		}()
		_, err := in.Write([]byte("{"))
		noError(t, err)
		cancel()
		if got := <-status; got != statusInterrupted || !strings.Contains(errs.String(), "interrupted") {
			t.Errorf("%v: exit status %d, %s", args, got, errs.String())
		}
		noError(t, in.Close())
	}
}

// TestErrorsOfTheCommandLine are JSON where that is asked for, and name the variable that is wrong.
func TestErrorsOfTheCommandLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		vars   variables
		args   []string
		isJSON bool
		want   string
	}{
		{variables{}, []string{"nothing"}, false, "unexpected argument nothing. See fliggy --help"},
		{variables{}, []string{"--json", "nothing"}, true, "unexpected argument nothing"},
		{variables{"FLIGGY_JSON": "1"}, []string{"nothing"}, true, "unexpected argument nothing"},
		{variables{"FLIGGY_JSON": "maybe"}, []string{"sign", "-p", "a=b"}, false, "from FLIGGY_JSON"},
		{variables{"FLIGGY_LANG": "fr"}, []string{"sign", "-p", "a=b"}, false, `"fr", from FLIGGY_LANG`},
		{variables{"FLIGGY_LANG": "zh"}, []string{"--lang", "fr", "sign", "-p", "a=b"}, false, `"fr". See`},
	} {
		got := fliggyCmd(t.Context(), c.vars, "", c.args...)
		var failure struct {
			Error struct {
				Message string
				Status  int
			}
		}
		isJSON := json.Unmarshal([]byte(got.stderr), &failure) == nil && failure.Error.Status == statusUsage
		if got.status != statusUsage || isJSON != c.isJSON || !strings.Contains(got.stderr, c.want) {
			t.Errorf("%v %v: %+v, want %s", c.vars, c.args, got, c.want)
		}
	}
}

func noError(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (v variables) get(name string) string { return v[name] }
