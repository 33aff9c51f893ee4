package main

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/creack/pty"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// built says that build was called: TestMain removes what it left.
var built atomic.Bool

// build builds the command, once.
var build = sync.OnceValues(func() (path string, err error) {
	built.Store(true)
	dir, err := os.MkdirTemp("", "fliggy")
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, "fliggy")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		return "", errors.Join(err, errors.New(string(out)))
	}
	return path, nil
})

// program is the command with an environment of its own.
func program(t *testing.T, vars variables, args ...string) *exec.Cmd {
	t.Helper()
	path, err := build()
	noError(t, err)
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env = []string{"HOME=/nonexistent", "TERM=xterm", "PATH=" + os.Getenv("PATH")}
	for name, value := range vars {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

// onTerminal runs a command on a pseudo-terminal, which takes its stdout and stderr.
func onTerminal(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	terminal, err := pty.Start(cmd)
	noError(t, err)
	defer func() { _ = terminal.Close() }()
	var out bytes.Buffer
	_, _ = io.Copy(&out, terminal) // ends with an error once the command has
	return result{status: statusIn(t, cmd.Wait()), stdout: strings.ReplaceAll(out.String(), "\r\n", "\n")}
}

// withoutTerminal runs a command with pipes.
func withoutTerminal(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	return result{statusIn(t, err), out.String(), errs.String()}
}

func statusIn(t *testing.T, err error) int {
	t.Helper()
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		t.Fatal(err)
	}
	if exited != nil {
		return exited.ExitCode()
	}
	return 0
}

// TestTerminal runs each command on a terminal and without one: with the same exit status, and with colours on the
// terminal only.
func TestTerminal(t *testing.T) {
	t.Parallel()
	g, p := callGateway(t), newEndpoint(t)
	good, bad := newSupplier(t, fliggy.Yuan{}), newSupplier(t, fliggy.MustYuan("0.02"))
	vars := callVars(g)
	vars["FLIGGY_PUSH_TO"] = p.URL
	rental := []string{"--order", rentalOrder, "--start", rentalStart}
	for name, c := range map[string]struct {
		args    []string
		status  int
		want    string
		colours bool
	}{
		"trigger":            {[]string{"trigger", "142"}, 0, "accepted", true},
		"trigger, refused":   {[]string{"trigger", "142", "--unsigned"}, 1, "not accepted", true},
		"trigger, no answer": {[]string{"trigger", "142", "--to", "http://127.0.0.1:1/"}, 4, "no answer came", true},
		"trigger, unknown":   {[]string{"trigger", "7"}, 2, "there are 103", false},
		"trigger, JSON":      {[]string{"trigger", "142", "--json"}, 0, `"accepted":true`, false},
		"call":               {[]string{"call", queryMethod, "-d", sampleOrder}, 0, "succeeded", true},
		"call, refused":      {[]string{"call", queryMethod, "-d", `{"order_id":"1"}`}, 1, "refused", true},
		"call, dry run":      {[]string{"call", queryMethod, "--dry-run"}, 0, "signed text", false},
		"call, raw":          {[]string{"call", queryMethod, "-d", sampleOrder, "--raw"}, 0, `"successful":true`, true},
		"sign":               {[]string{"sign", "-p", "a=b"}, 0, "HMAC-SHA256", true},
		"verify":             {[]string{"verify", "testdata/requests/php-form.http", "--at", recordedAt}, 0, "valid", true},
		"verify, late":       {[]string{"verify", "testdata/requests/php-form.http"}, 1, "the timestamp is not", true},
		"check-merchant":     {append([]string{"check-merchant", good.URL}, rental...), 0, "OK: ", true},
		"check-merchant, no": {append([]string{"check-merchant", bad.URL}, rental...), 1, "NOT OK: ", true},
		"listen, busy":       {[]string{"listen", "--addr", strings.TrimPrefix(p.URL, "http://")}, 2, "is in use", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			on := onTerminal(t, program(t, vars, c.args...))
			if on.status != c.status || !strings.Contains(on.stdout, c.want) ||
				strings.Contains(on.stdout, "\x1b[") != c.colours {
				t.Errorf("on a terminal: %+v", on)
			}
			without := withoutTerminal(t, program(t, vars, c.args...))
			if text := without.stdout + without.stderr; without.status != c.status || !strings.Contains(text, c.want) ||
				strings.Contains(text, "\x1b") {
				t.Errorf("without a terminal: %+v", without)
			}
			plain := maps.Clone(vars)
			plain["NO_COLOR"] = "1"
			if plain := onTerminal(t, program(t, plain, c.args...)); strings.Contains(plain.stdout, "\x1b") {
				t.Errorf("with NO_COLOR: %+v", plain)
			}
		})
	}
}

// TestTerminalListen shows pushes on a terminal as they come, and ends with Ctrl-C.
func TestTerminalListen(t *testing.T) {
	t.Parallel()
	for name, isTerminal := range map[string]bool{"terminal": true, "pipe": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := program(t, variables{}, "listen", "--addr", "127.0.0.1:0")
			var out io.Reader
			if isTerminal {
				terminal, err := pty.Start(cmd)
				noError(t, err)
				defer func() { _ = terminal.Close() }()
				out = terminal
			} else {
				pipe, err := cmd.StdoutPipe()
				noError(t, err)
				noError(t, cmd.Start())
				out = pipe
			}
			text := new(strings.Builder)
			read := func(until string) {
				for buf := make([]byte, 4096); !strings.Contains(text.String(), until); {
					n, err := out.Read(buf)
					text.Write(buf[:n])
					if err != nil {
						t.Fatalf("%v; want %q in %s", err, until, text)
					}
				}
			}
			read("Ctrl-C")
			_, rest, _ := strings.Cut(text.String(), "http://")
			address, _, _ := strings.Cut(rest, " ")
			got := fliggyCmd(t.Context(), variables{}, "", "trigger", "104", "--to", "http://"+address)
			if got.status != 0 {
				t.Errorf("trigger: %+v", got)
			}
			read("71008")
			if strings.Contains(text.String(), "\x1b[32m") != isTerminal {
				t.Errorf("colours: %s", text)
			}
			if isTerminal {
				_, err := out.(*os.File).Write([]byte{3}) // Ctrl-C
				noError(t, err)
			} else {
				noError(t, cmd.Process.Signal(os.Interrupt))
			}
			_, _ = io.Copy(io.Discard, out)
			if status := statusIn(t, cmd.Wait()); status != 0 {
				t.Errorf("exit status %d", status)
			}
		})
	}
}

// TestInterruptedQuestion ends a bill that waits for an answer.
func TestInterruptedQuestion(t *testing.T) {
	t.Parallel()
	g := fliggytest.NewGateway()
	defer g.Close()
	cmd := program(t, gatewayVars(g), "bill", csvFile(t, billLines(1)), "--bill-no", "B1")
	terminal, err := pty.Start(cmd)
	noError(t, err)
	defer func() { _ = terminal.Close() }()
	text := new(strings.Builder)
	for buf := make([]byte, 4096); !strings.Contains(text.String(), "[y/N]"); {
		n, err := terminal.Read(buf)
		text.Write(buf[:n])
		if err != nil {
			t.Fatalf("%v; no question in %s", err, text)
		}
	}
	_, err = terminal.Write([]byte{3}) // Ctrl-C
	noError(t, err)
	_, _ = io.Copy(text, terminal)
	if status := statusIn(t, cmd.Wait()); status != statusInterrupted || !strings.Contains(text.String(), "interrupted") ||
		len(g.Bills()) > 0 {
		t.Errorf("exit status %d, %s", status, text)
	}
}

// TestTerminalHelp is in the language that is asked for.
func TestTerminalHelp(t *testing.T) {
	t.Parallel()
	commands := []string{"sandbox", "bill", "trigger", "listen", "call", "sign", "verify", "check-merchant", "completion"}
	for _, command := range commands {
		en := onTerminal(t, program(t, variables{"LANG": "zh_CN.UTF-8"}, command, "--lang", "en", "--help"))
		zh := onTerminal(t, program(t, variables{}, command, "--lang", "zh", "--help"))
		locale := withoutTerminal(t, program(t, variables{"LANG": "zh_CN.UTF-8"}, command, "--help"))
		if en.status != 0 || !strings.Contains(en.stdout, "Example") || zh.status != 0 ||
			!strings.Contains(zh.stdout, "示例") || !strings.Contains(locale.stdout, "示例") {
			t.Errorf("%s:\n%s\n%s\n%s", command, en.stdout, zh.stdout, locale.stdout)
		}
	}
}

// TestCompletion: the code that a shell reads is code, and completes commands, flags and events.
func TestCompletion(t *testing.T) {
	t.Parallel()
	got := withoutTerminal(t, program(t, variables{}, "completion", "--code", "bash"))
	bash := exec.CommandContext(t.Context(), "bash", "-n")
	bash.Stdin = strings.NewReader(got.stdout)
	if out, err := bash.CombinedOutput(); err != nil || got.status != 0 || !strings.HasPrefix(got.stdout, "complete ") {
		t.Errorf("%+v: %v, %s", got, err, out)
	}
	for line, want := range map[string]string{
		"fliggy tri": "trigger", "fliggy trigger --bad": "--bad-signature", "fliggy check": "check-merchant",
		"fliggy listen --answer ": "refuse",
	} {
		got := withoutTerminal(t, program(t, variables{"COMP_LINE": line}))
		if !strings.Contains(got.stdout, want) {
			t.Errorf("%q: %+v, want %s", line, got, want)
		}
	}
}

// TestNoSecretInOutput searches what every command prints, whatever becomes of it, for secret and session.
func TestNoSecretInOutput(t *testing.T) {
	t.Parallel()
	const secret, session = "s3cretMARKER", "sess10nMARKER"
	g := fliggytest.NewGateway(fliggytest.WithApp("7", secret), fliggytest.WithSession(session))
	defer g.Close()
	p, page := newEndpoint(t), answering(t, 404, "no")
	file := filepath.Join(t.TempDir(), "secret")
	noError(t, os.WriteFile(file, []byte(secret+"\n"), 0o600))
	config := filepath.Join(t.TempDir(), "config.json")
	noError(t, os.WriteFile(config, []byte(`{"profiles":{"mine":{"app_key":"7","url":"`+g.URL()+`"}}}`), 0o600))
	vars := func() variables {
		return variables{
			"FLIGGY_CONFIG": config, "FLIGGY_PROFILE": "mine", "FLIGGY_APP_SECRET_FILE": file, "FLIGGY_SESSION": session,
			"FLIGGY_QIMEN_URL": g.QimenURL(), "FLIGGY_PUSH_TO": p.URL,
		}
	}
	bill := csvFile(t, billLines(1))
	rental := []string{"check-merchant", page, "--order", "1", "--start", rentalStart}
	seen := map[string]bool{}
	for _, args := range [][]string{
		{"trigger", "103"},
		{"trigger", "103", "--to", page},
		{"trigger", "103", "--to", "http://127.0.0.1:1/"},
		{"trigger", "103", "--bad-signature"},
		{"call", queryMethod, "-d", sampleOrder},
		{"call", queryMethod, "-d", sampleOrder, "--dry-run"},
		{"call", queryMethod, "-d", sampleOrder, "--dry-run", "--sign-method", "md5"},
		{"call", "no.such.method"},
		{"call", pricesCall, "--qimen", "-d", "{}", "--dry-run"},
		{"call", pricesCall, "--qimen", "-d", "{}"},
		{"sign", "-p", "a=b", "--sign-method", "md5"},
		{"sign", "-p", "a=b", "--sign-method", "hmac"},
		{"sign", "--push", "--url", pushURL, "--body", "{}"},
		{"verify", "testdata/requests/php-form.http", "--show-text"},
		{"verify", "--push", "--url", pushURL, "--body", "{}", "--show-text"},
		rental,
		append(rental, "--submit"),
		{"bill", bill, "--bill-no", "B1", "--yes", "--state", filepath.Join(t.TempDir(), "state")},
		{"bill", bill, "--bill-no", "B1", "--dry-run"},
		{"sandbox", "--addr", "nowhere"},
		{"listen", "--addr", "nowhere"},
		{"--version"},
		{"--help"},
		{"completion", "--code", "bash"},
	} {
		for _, more := range [][]string{nil, {"--json"}} {
			got := fliggyCmd(t.Context(), vars(), "", append(args, more...)...)
			text := got.stdout + got.stderr
			if strings.Contains(text, secret) || strings.Contains(text, session) {
				t.Errorf("%v %v: %+v", args, more, got)
			}
			seen[args[0]] = true
		}
	}
	for _, args := range [][]string{{"listen"}, {"listen", "--json"}, {"sandbox"}, {"sandbox", "--json"}} {
		if text := serverOutput(t, vars(), args); strings.Contains(text, secret) || strings.Contains(text, session) {
			t.Errorf("%v: %s", args, text)
		}
		seen[args[0]] = true
	}
	for _, command := range modelOf(t, "en").Children {
		if !seen[command.Name] {
			t.Errorf("%s was not run", command.Name)
		}
	}
}

// serverOutput is what a server prints that gets a push.
func serverOutput(t *testing.T, vars variables, args []string) string {
	t.Helper()
	var text strings.Builder
	if args[0] == "listen" {
		l := startListen(t, vars, append(args[1:], "--show-text", "--count", "2")...)
		text.WriteString(l.lines.Text() + "\n")
		for _, shape := range []string{"--bad-signature", "--form"} {
			_ = fliggyCmd(t.Context(), maps.Clone(vars), "", "trigger", "103", "--to", l.url, shape)
		}
		for l.lines.Scan() {
			text.WriteString(l.lines.Text() + "\n")
		}
		return text.String()
	}
	s := startSandbox(t, vars, args[1:]...)
	for s.lines.Scan() {
		text.WriteString(s.lines.Text() + "\n")
		if strings.Contains(s.lines.Text(), "events to") || strings.Contains(s.lines.Text(), "ready") {
			break
		}
	}
	return text.String()
}
