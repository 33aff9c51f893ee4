// Command merchant is a car-rental supplier on Fliggy: it prices renewals, books
// them and cancels them, and proves with a self-test that it does so by the rules
// of the merchant renewal guide.
//
// Without flags it starts the merchant on loopback, runs the self-test against it
// and prints the report. -addr serves it; -target tests somebody else's endpoint,
// in any language. See -help.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
)

const usage = `Usage: merchant [flags]

Serves renewals as a merchant, and tests endpoints that do. Without flags: a
merchant on loopback, and the self-test against it.

Environment, for -addr and -target:
  FLIGGY_APP_KEY, FLIGGY_APP_SECRET   of the app that receives the requests;
                                      without them those of the tests

The exit status is 0 when every rule holds, 1 when one is broken, 2 when flags or
environment are wrong.

Flags:
`

// A plan is what the flags and the environment ask for.
type plan struct {
	addr, target string
	json, submit bool
	order        fliggytest.MerchantOrder
	appKey       string
	secret       func() string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run returns the exit status.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	p, err := parse(args, getenv, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "merchant:", err)
		return 2
	}
	code := 0
	switch {
	case p.addr != "":
		err = serveAt(ctx, p, stdout, stderr)
	case p.target != "":
		code, err = testTarget(ctx, p, stdout)
	default:
		code, err = testOwn(ctx, p, stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, "merchant:", err)
		return 1
	}
	return code
}

func parse(args []string, getenv func(string) string, stderr io.Writer) (*plan, error) {
	p := &plan{}
	fs := flag.NewFlagSet("merchant", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // run reports what is wrong
	fs.StringVar(&p.addr, "addr", "", "serve at this address, such as :8080, until interrupted")
	fs.StringVar(&p.target, "target", "", "test the endpoint at this URL; all requests are marked as load test (isPressureTest)")
	fs.BoolVar(&p.submit, "submit", false, "with -target: book a renewal and cancel it, too")
	fs.BoolVar(&p.json, "json", false, "print the report as JSON")
	order := fs.String("order", "", "with -target: Fliggy's id of a rental that is picked up")
	outOrder := fs.String("out-order", "", "with -target: the merchant's id of it")
	start := fs.String("start", "", "with -target: its present return time, yyyy-MM-dd HH:mm in GMT+8")
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
	case p.addr != "" && p.target != "":
		return nil, errors.New("-addr serves and -target tests: give one of them")
	case p.target == "" && (p.submit || *order != "" || *outOrder != "" || *start != ""):
		return nil, errors.New("-submit, -order, -out-order and -start are for -target")
	}
	if p.target != "" {
		if err := p.readTarget(*order, *outOrder, *start); err != nil {
			return nil, err
		}
	}
	return p, p.readApp(getenv)
}

func (p *plan) readTarget(order, outOrder, start string) error {
	if u, err := url.Parse(p.target); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("-target: want an absolute URL, http:// or https://")
	}
	if order == "" && outOrder == "" || start == "" {
		return errors.New("-target needs a rental to ask about: -order, -out-order or both, and -start")
	}
	at, err := fliggy.ParseTime(start)
	if err != nil {
		return fmt.Errorf("-start: %w", err)
	}
	p.order = fliggytest.MerchantOrder{OrderID: fliggy.ID(order), OutOrderID: outOrder, Start: at}
	return nil
}

func (p *plan) readApp(getenv func(string) string) error {
	key, secret := getenv("FLIGGY_APP_KEY"), getenv("FLIGGY_APP_SECRET")
	if (key == "") != (secret == "") {
		return errors.New("FLIGGY_APP_KEY and FLIGGY_APP_SECRET go together: set both, or neither")
	}
	if key == "" {
		key, secret = fliggytest.DefaultAppKey, fliggytest.DefaultAppSecret
	}
	p.appKey, p.secret = key, func() string { return secret }
	return nil
}
