// Command merchant is a car-rental supplier on Fliggy: it prices renewals, books
// them and cancels them, and proves with a self-test that it does so by the rules
// of the merchant renewal guide.
//
// Without flags it starts the merchant on loopback, runs the self-test against it
// and prints the report. -addr serves it, to be tested with fliggy check-merchant,
// which tests endpoints in any language. See -help.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/fliggy-go/rentcar/merchantcheck"
	"github.com/fliggy-go/rentcar/qimen"
)

const usage = `Usage: merchant [flags]

Serves renewals as a merchant. Without flags: a merchant on loopback, and the
self-test against it. To test an endpoint of yours: fliggy check-merchant.

Environment:
  FLIGGY_APP_KEY, FLIGGY_APP_SECRET   of the app that receives the requests;
                                      without them a made-up app

The exit status is 0 when every rule holds, 1 when one is broken, 2 when flags or
environment are wrong.

Flags:
`

// A job is what the flags and the environment ask for.
type job struct {
	addr   string
	json   bool
	appKey string
	secret func() string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run returns the exit status.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	j, err := parse(args, getenv, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "merchant:", err)
		return 2
	}
	var report *merchantcheck.Report
	if j.addr != "" {
		err = serveAt(ctx, j, stdout, stderr)
	} else {
		report, err = testOwn(ctx, j)
	}
	if report != nil {
		err = errors.Join(err, j.print(stdout, report))
	}
	switch {
	case err != nil:
		fmt.Fprintln(stderr, "merchant:", err)
		return 1
	case report != nil:
		return report.ExitCode()
	}
	return 0
}

func parse(args []string, getenv func(string) string, stderr io.Writer) (*job, error) {
	j := &job{}
	fs := flag.NewFlagSet("merchant", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // run reports what is wrong
	fs.StringVar(&j.addr, "addr", "", "serve at this address, such as :8080, until interrupted")
	fs.BoolVar(&j.json, "json", false, "print the report as JSON")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fs.SetOutput(stderr)
			fmt.Fprint(stderr, usage)
			fs.PrintDefaults()
		}
		return nil, err
	}
	switch {
	case fs.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	case j.addr != "" && j.json:
		return nil, errors.New("-json is for a report, and -addr makes none")
	}
	return j, j.readApp(getenv)
}

// The app of a run without an environment.
const (
	madeUpAppKey    = "24700001"
	madeUpAppSecret = "0123456789abcdef0123456789abcdef"
)

func (j *job) readApp(getenv func(string) string) error {
	key, secret := getenv("FLIGGY_APP_KEY"), getenv("FLIGGY_APP_SECRET")
	if (key == "") != (secret == "") {
		return errors.New("FLIGGY_APP_KEY and FLIGGY_APP_SECRET go together: set both, or neither")
	}
	if key == "" {
		key, secret = madeUpAppKey, madeUpAppSecret
	}
	j.appKey, j.secret = key, func() string { return secret }
	if _, err := qimen.NewHandler(qimen.Secrets{key: {secret}}, qimen.OnRenewalPrices(new(merchant).prices)); err != nil {
		return fmt.Errorf("FLIGGY_APP_KEY, FLIGGY_APP_SECRET: %w", err)
	}
	return nil
}
