// Command footprint measures what a client costs where no benchmark looks: memory
// during a bill, the first call of a program, goroutines left behind, and what
// importing a package brings with it. Each figure comes from processes of their own.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	child := flag.String("child", "", "be one of the measured processes: "+childNames())
	var t task
	flag.IntVar(&t.lines, "lines", 10_000, "of a child: lines of its bill")
	flag.StringVar(&t.address, "address", "", "of a child: the gateway that it calls")
	runs := flag.Int("runs", 21, "how many processes make a first call")
	flag.Parse()
	var err error
	switch {
	case *child != "":
		err = runChild(*child, t)
	default:
		err = report(ctx, *runs)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "footprint:", err)
		os.Exit(1)
	}
}

func report(ctx context.Context, runs int) error {
	for _, section := range []func(context.Context) error{
		reportBills,
		func(ctx context.Context) error { return reportFirstCall(ctx, runs) },
		reportGoroutines,
		reportImports,
	} {
		if err := section(ctx); err != nil {
			return err
		}
		fmt.Println()
	}
	return nil
}
