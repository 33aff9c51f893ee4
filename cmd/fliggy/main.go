// Command fliggy is Fliggy (飞猪) on your desk: a sandbox of the rental-car B2B APIs with a console in the browser, and
// tools that push events, call methods, explain signatures, test the endpoint of a merchant and send settlement bills.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
)

// The exit statuses. They are documented in docs/fliggy.md.
const (
	statusDone        = 0
	statusNo          = 1   // it was done, and the answer is no
	statusUsage       = 2   // wrong use or configuration: nothing was sent
	statusUnknown     = 3   // a write may have been carried out, or not
	statusNoAnswer    = 4   // no answer came
	statusInterrupted = 130 // by the user
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	status := run(ctx, os.Args[1:], system{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, now: time.Now,
		isTerminal: isTerminal(os.Stdout), isErrTerminal: isTerminal(os.Stderr),
	})
	stop()
	os.Exit(status)
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// A system is what the command sees of the machine.
type system struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	now            func() time.Time
	isTerminal     bool // stdout is one: colours
	isErrTerminal  bool // stderr is one: progress bars
}

// run is main for one command line. It returns the exit status.
func run(ctx context.Context, args []string, sys system) int {
	e := &env{system: sys, ctx: ctx}
	var c cli
	e.json = wantsJSON(args, sys.getenv) // of an error in the command line, too
	parser, exited, err := newParser(&c, e, language(args, sys.getenv))
	if err != nil {
		return e.fail(err)
	}
	parsed, err := parser.Parse(args)
	if *exited { // help or completion was printed
		return statusDone
	}
	if err != nil {
		return e.fail(usage(fmt.Errorf("%w%s. See fliggy --help", err, variableOf(err, parser, args, sys.getenv))))
	}
	e.json = c.JSON
	if err = e.configure(&c.globals); err == nil {
		err = parsed.Run(e)
	}
	return e.fail(err)
}

// wantsJSON reports whether a command line, which may be wrong, asks for JSON.
func wantsJSON(args []string, getenv func(string) string) bool {
	value := getenv("FLIGGY_JSON")
	return slices.Contains(args, "--json") || slices.Contains([]string{"1", "true", "yes"}, strings.ToLower(value))
}

// variableOf names the variable that an error of the parser is about, if the flag was not given.
func variableOf(err error, parser *kong.Kong, args []string, getenv func(string) string) string {
	for _, f := range parser.Model.Flags {
		name, flag := f.Tag.Get("variable"), "--"+f.Name
		isGiven := slices.ContainsFunc(args, func(arg string) bool { return arg == flag || strings.HasPrefix(arg, flag+"=") })
		if name != "" && getenv(name) != "" && !isGiven && strings.HasPrefix(err.Error(), flag) {
			return ", from " + name
		}
	}
	return ""
}

// fail reports an error, if there is one, and returns the exit status.
func (e *env) fail(err error) int {
	status := statusOf(e.ctx, err)
	if text := textOf(err); text != "" && e.json {
		data, _ := json.Marshal(map[string]any{"error": map[string]any{"message": text, "status": status}})
		fmt.Fprintf(e.stderr, "%s\n", data)
	} else if text != "" {
		fmt.Fprintln(e.stderr, "fliggy: "+text)
	}
	return status
}

// An exit is an error with its exit status.
type exit struct {
	status int
	err    error // nil if everything was said
}

func (e *exit) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

// usage says that the command was used wrongly, or is not configured.
func usage(err error) error {
	if errors.Is(err, errInterrupted) {
		return err
	}
	return &exit{statusUsage, err}
}

// errInterrupted says that the user has ended the command.
var errInterrupted error = &exit{statusInterrupted, errors.New("interrupted")}

// no says that the answer is no, which was printed.
func no() error { return &exit{statusNo, nil} }

func textOf(err error) string {
	if err == nil {
		return ""
	}
	var parse *kong.ParseError
	if errors.As(err, &parse) {
		return err.Error()
	}
	return strings.TrimPrefix(err.Error(), "fliggy: ")
}

// statusOf is the exit status of an error.
func statusOf(ctx context.Context, err error) int {
	var own *exit
	switch {
	case err == nil:
		return statusDone
	case errors.As(err, &own):
		return own.status
	case errors.Is(err, rentcar.ErrOutcomeUnknown):
		return statusUnknown
	case ctx.Err() != nil:
		return statusInterrupted
	case errors.As(err, new(*rentcar.TransportError)), errors.As(err, new(*rentcar.DecodeError)):
		return statusNoAnswer
	case errors.As(err, new(*fliggy.ValidationError)):
		return statusUsage
	}
	return statusNo
}
