// Command lifecycle tells the life of a renewal in a world where replies get lost and processes die. It plays Fliggy,
// the merchant, customer service, a payment provider and the customer, and starts itself once more as the service of
// a distributor, which keeps its renewals in a book of package lifecycle. The service is killed twice (SIGKILL): while
// a submit is on its way, and after a refund was paid that it has not noted yet. In the end journal, Fliggy, payment
// provider and bill agree, to the fen.
//
// See service.go for the service.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
)

const usage = `Usage: lifecycle [flags]

Without flags it tells the story, offline, against an in-process Fliggy.
With -serve it is the service; its standard input ends it.

Environment of the service: FLIGGY_APP_KEY, FLIGGY_APP_SECRET, FLIGGY_URL (the gateway),
PROVIDER_URL (the payment provider)

Flags:
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run returns the exit status: 0 when all went well, 1 when it did not, 2 when the flags are wrong.
func run(
	ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer,
) int {
	c := config{
		appKey: getenv("FLIGGY_APP_KEY"), appSecret: getenv("FLIGGY_APP_SECRET"), gateway: getenv("FLIGGY_URL"),
		provider: getenv("PROVIDER_URL"), log: slog.New(slog.NewJSONHandler(stdout, nil)),
	}
	fs := flag.NewFlagSet("lifecycle", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // what is wrong is told below
	isService := fs.Bool("serve", false, "be the service")
	fs.StringVar(&c.database, "db", "",
		"the database: a file, postgres://user@host/db or mysql://user:password@host:3306/db (default a temporary file)")
	fs.StringVar(&c.listen, "listen", "127.0.0.1:0", "where the service listens")
	err := fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fs.SetOutput(stderr)
		fmt.Fprint(stderr, usage)
		fs.PrintDefaults()
		return 0
	case err == nil && fs.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if err != nil {
		fmt.Fprintln(stderr, "lifecycle:", err)
		return 2
	}
	if *isService {
		err = serve(untilEnd(ctx, stdin), c)
	} else {
		s := &screen{out: stdout}
		err = errors.Join(tell(ctx, s, c.database, stderr), s.err)
	}
	if err != nil {
		fmt.Fprintln(stderr, "lifecycle:", err)
		return 1
	}
	return 0
}

// untilEnd is over when stdin is: also when the process at its other end is no more.
func untilEnd(ctx context.Context, stdin io.Reader) context.Context {
	ctx, stop := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		stop()
	}()
	return ctx
}
