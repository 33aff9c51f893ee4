// Command renewal tells the story of a rental that is kept longer: the order is
// queried, a renewal quoted and submitted, the merchant's answer arrives as a
// pushed event, cancelling is checked and done, customer service orders a fee
// refund, the distributor answers, and the settlement bill is pushed.
//
// Without environment variables it runs against an in-process Fliggy over real
// HTTP, every signature checked. With FLIGGY_APP_KEY and FLIGGY_APP_SECRET it
// talks to the platform's sandbox instead; see -help.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/fliggy-go/rentcar"
)

const usage = `Usage: renewal [flags]

Tells a rental renewal step by step, offline against an in-process Fliggy.

Environment, for the real sandbox instead (pre-gw.api.taobao.com):
  FLIGGY_APP_KEY, FLIGGY_APP_SECRET   of the sandbox; both, or neither
  FLIGGY_ORDER_ID                     Fliggy's id of the main order to renew
  FLIGGY_OUT_ORDER_ID                 your id of that order (optional)
  FLIGGY_CHANNEL                      distribution channel, 80001 by default
  FLIGGY_SESSION                      session, where your app needs one
  FLIGGY_URL                          another gateway than the sandbox (optional)
The sandbox run stops after the quote unless -submit is given.

Flags:
`

// A plan is what the flags and the environment ask for.
type plan struct {
	format   rentcar.Format
	sign     rentcar.SignMethod
	scenario string
	submit   bool
	listen   string
	sandbox  sandbox
}

const (
	accepted     = "accepted"
	rejected     = "rejected"
	refundFailed = "refund-failed"
)

var (
	formats = map[string]rentcar.Format{
		"simplified": rentcar.SimplifiedJSON, "wrapped": rentcar.WrappedJSON, "xml": rentcar.XML,
	}
	signs = map[string]rentcar.SignMethod{"hmac-sha256": rentcar.HMACSHA256, "hmac": rentcar.HMACMD5, "md5": rentcar.MD5}
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run returns the exit status: 0 when the story went as its scenario says, 1 when
// it did not, 2 when the flags or the environment are wrong.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	p, err := parse(args, getenv, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "renewal:", err)
		return 2
	}
	tell := offline
	if p.sandbox.appKey != "" {
		tell = online
	}
	s := &screen{out: stdout}
	if err := errors.Join(tell(ctx, p, s), s.err); err != nil {
		fmt.Fprintln(stderr, "\nrenewal:", err)
		return 1
	}
	return 0
}

func parse(args []string, getenv func(string) string, stderr io.Writer) (*plan, error) {
	p := &plan{}
	fs := flag.NewFlagSet("renewal", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // run reports what is wrong
	format := fs.String("format", "simplified", "how replies travel: simplified, wrapped, xml")
	sign := fs.String("sign", "hmac-sha256", "how calls are signed: hmac-sha256, hmac, md5")
	fs.StringVar(&p.scenario, "scenario", accepted, "how the story goes, offline: accepted, rejected, refund-failed")
	fs.BoolVar(&p.submit, "submit", false, "sandbox: submit the renewal after the quote (it is a real order there)")
	fs.StringVar(
		&p.listen, "listen", "", "sandbox: serve pushes at this address, such as :8080, and wait for the merchant's answer",
	)
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fs.SetOutput(stderr)
			fmt.Fprint(stderr, usage)
			fs.PrintDefaults()
		}
		return nil, err
	}
	var ok [3]bool
	p.format, ok[0] = formats[*format]
	p.sign, ok[1] = signs[*sign]
	ok[2] = p.scenario == accepted || p.scenario == rejected || p.scenario == refundFailed
	switch {
	case fs.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	case !ok[0]:
		return nil, fmt.Errorf("-format %q: want simplified, wrapped or xml", *format)
	case !ok[1]:
		return nil, fmt.Errorf("-sign %q: want hmac-sha256, hmac or md5", *sign)
	case !ok[2]:
		return nil, fmt.Errorf(
			"-scenario %q: want %s", p.scenario, strings.Join([]string{accepted, rejected, refundFailed}, ", "),
		)
	}
	if err := p.sandbox.read(getenv); err != nil {
		return nil, err
	}
	switch {
	case p.sandbox.appKey == "" && (p.submit || p.listen != ""):
		return nil, errors.New("-submit and -listen are for the sandbox: set FLIGGY_APP_KEY and FLIGGY_APP_SECRET")
	case p.listen != "" && !p.submit:
		return nil, errors.New("-listen waits for the answer to a submit: give -submit too")
	}
	return p, nil
}

// options are the options of the client that the flags ask for.
func (p *plan) options() []rentcar.Option {
	return []rentcar.Option{rentcar.WithFormat(p.format), rentcar.WithSignMethod(p.sign)}
}
