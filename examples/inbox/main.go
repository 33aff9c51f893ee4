// Command inbox shows that no event is lost and no refund made twice, whatever
// happens to the process. It plays Fliggy, starts itself once more as the service of a
// distributor, pushes events to it, and kills it (SIGKILL) between the refund and the note
// that the event is done. The database is a SQLite file, or PostgreSQL or MySQL, where another
// process at work on it takes over; package sqlstore keeps the events there.
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
	"time"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/sqlstore"
)

const usage = `Usage: inbox [flags]

Without flags it tells the story, offline, against an in-process Fliggy.
With -serve it is the service; its standard input ends it.

Environment of the service: FLIGGY_APP_KEY, FLIGGY_APP_SECRET, FLIGGY_URL (the gateway)

Flags:
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run returns the exit status: 0 when all went well, 1 when it did not, 2 when the flags
// are wrong.
func run(
	ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer,
) int {
	c := newConfig(getenv, stdout)
	fs := flag.NewFlagSet("inbox", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // what is wrong is told below
	isService := fs.Bool("serve", false, "be the service")
	fs.StringVar(&c.database, "db", "",
		"the database: a file, postgres://user@host/db or mysql://user:password@host:3306/db (default a temporary file)")
	fs.StringVar(&c.listen, "listen", "127.0.0.1:0", "where the service is pushed to")
	fs.BoolVar(&c.sendsBill, "bill", false, "the service sends the settlement bill")
	hangs := fs.Bool("hang", false, "the service hangs between the function for events and the mark, to be killed there")
	claim := fs.Duration("claim", 0, "how long others leave its events to the service that hangs")
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
		fmt.Fprintln(stderr, "inbox:", err)
		return 2
	}
	if *isService {
		if *hangs {
			c.wrap = func(d *database) durable.Store { return &hanging{d.store, c.log, *claim} }
		}
		err = serve(untilEnd(ctx, stdin), c)
	} else {
		s := &screen{out: stdout}
		err = errors.Join(tell(ctx, s, c.database, stderr), s.err)
	}
	if err != nil {
		fmt.Fprintln(stderr, "inbox:", err)
		return 1
	}
	return 0
}

// newConfig is what the environment says. The log goes to stdout: it is how others learn
// what the service does.
func newConfig(getenv func(string) string, stdout io.Writer) config {
	return config{
		appKey: getenv("FLIGGY_APP_KEY"), appSecret: getenv("FLIGGY_APP_SECRET"), gateway: getenv("FLIGGY_URL"),
		log: slog.New(slog.NewJSONHandler(stdout, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
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

// hanging is a store that stops between the function for events and the mark. Its claims are shorter than those of a
// queue, which last for the timeout and a minute: so the story need not wait for them after the process was killed.
type hanging struct {
	*sqlstore.Store
	log   *slog.Logger
	claim time.Duration
}

func (h *hanging) ClaimBatch(
	ctx context.Context, queue string, n int, now, _ time.Time,
) ([]*durable.Item, error) {
	return h.Store.ClaimBatch(ctx, queue, n, now, now.Add(h.claim))
}

func (h *hanging) Do(ctx context.Context, item *durable.Item, work func(ctx context.Context) error) error {
	return h.Store.Do(ctx, item, func(ctx context.Context) error {
		if err := work(ctx); err != nil || item.Queue != durable.InboxQueue {
			return err
		}
		h.log.Info(saysStopped)
		<-ctx.Done()
		return ctx.Err()
	})
}
