package docs_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// A submit that is settled later, with backoff, until something decides.
func Example_settleLater() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	gw := fliggytest.NewGateway()
	defer gw.Close()
	client, err := gw.Client(
		rentcar.WithChannel(fliggy.ChannelAmap), rentcar.WithRetry(rentcar.RetryPolicy{MaxAttempts: 1}),
	)
	if err != nil {
		log.Fatal(err)
	}
	gw.Fail(fliggytest.CutOff().AfterCommit().On("alitrip.rentcar.btb.renewal.submit")) // booked, and the reply is lost
	gw.Fail(fliggytest.Unavailable().On("alitrip.rentcar.btb.renewal.checkcancel"))     // the first question, too
	request := &rentcar.RenewalSubmitRequest{OrderID: fliggytest.SampleOrderID, RenewalOutOrderID: "RC20221120000000001"}
	load := func(context.Context, string) (*rentcar.RenewalSubmitRequest, []events.Event, error) {
		return request, nil, nil
	}
	save := func(_ context.Context, id string, verdict rentcar.Verdict) error {
		fmt.Println(id, verdict)
		return nil
	}

	queue, err := durable.NewQueue("settle", durable.NewMemoryStore(), durable.Config{ // in production on your database
		MinDelay: time.Millisecond, MaxDelay: time.Hour, Poll: time.Millisecond,
		Observer: func(_ context.Context, o durable.Observation) {
			fmt.Println("attempt", o.Attempt, "done", o.Done)
			if o.Done {
				stop()
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Renewals.Submit(ctx, request) // request was stored before
	if errors.Is(err, rentcar.ErrOutcomeUnknown) {
		if _, err := queue.Add(ctx, request.RenewalOutOrderID, "", nil); err != nil {
			log.Fatal(err)
		}
	}
	_ = queue.Run(ctx, func(ctx context.Context, item *durable.Item) error {
		request, seen, err := load(ctx, item.ID) // the request, and the events that have arrived by now
		if err != nil {
			return err
		}
		settled, err := client.Renewals.Settle(ctx, &rentcar.SettleRequest{Submit: request, Events: seen})
		switch {
		case err != nil:
			return durable.Permanent(err) // it cannot be settled: there is no renewal id
		case settled.Verdict == rentcar.VerdictStillUnknown:
			return fmt.Errorf("still unknown: %w", settled.Err) // again later, after a longer wait
		}
		return save(ctx, item.ID, settled.Verdict)
	})
	// Output:
	// attempt 1 done false
	// RC20221120000000001 done
	// attempt 2 done true
}

// A probe of your own: somebody has asked the platform.
func Example_probe() {
	ctx := context.Background()
	gw := fliggytest.NewGateway()
	defer gw.Close()
	client, err := gw.Client(rentcar.WithChannel(fliggy.ChannelAmap))
	if err != nil {
		log.Fatal(err)
	}
	request := &rentcar.RenewalSubmitRequest{OrderID: fliggytest.SampleOrderID, RenewalOutOrderID: "RC20221120000000001"}
	supportSays := func(context.Context, string) (string, error) { return "rejected", nil }
	var seen []events.Event

	probe := func(ctx context.Context, submit *rentcar.RenewalSubmitRequest) (rentcar.Verdict, error) {
		answer, err := supportSays(ctx, submit.RenewalOutOrderID) // what the platform's support has told you
		switch {
		case err != nil:
			return rentcar.VerdictStillUnknown, err
		case answer == "booked":
			return rentcar.VerdictDone, nil
		case answer == "rejected": // said in so many words, not merely "not found"
			return rentcar.VerdictRejected, nil
		}
		return rentcar.VerdictStillUnknown, nil
	}
	settled, err := client.Renewals.Settle(ctx, &rentcar.SettleRequest{Submit: request, Events: seen, Probe: probe})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(settled.Verdict)
	// Output: rejected
}
