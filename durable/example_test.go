package durable_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fliggy-go/rentcar/durable"
)

func ExampleQueue() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	// in real life a store on your database
	queue, err := durable.NewQueue("mail", durable.NewMemoryStore(), durable.Config{
		MinDelay: time.Millisecond, MaxDelay: time.Minute, Poll: 10 * time.Millisecond,
		Observer: func(_ context.Context, r durable.Observation) {
			if r.Done {
				stop()
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 { // the second time it is known
		isNew, err := queue.Add(ctx, "order-1", "", []byte("your car is ready"))
		fmt.Println("new:", isNew, err)
	}
	err = queue.Run(ctx, func(_ context.Context, item *durable.Item) error {
		fmt.Printf("attempt %d: %s\n", item.Attempt, item.Data)
		if item.Attempt == 1 {
			return errors.New("the mail server is down") // so it comes again
		}
		return nil
	})
	fmt.Println(err)
	// Output:
	// new: true <nil>
	// new: false <nil>
	// attempt 1: your car is ready
	// attempt 2: your car is ready
	// context canceled
}

func ExampleNewMemoryStore() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	store := durable.NewMemoryStore()
	queue, err := durable.NewQueue(
		"orders", store, durable.Config{Observer: func(context.Context, durable.Observation) { stop() }},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := queue.Add(ctx, "order-1", "", []byte("{}")); err != nil {
		fmt.Println(err)
		return
	}
	_ = queue.Run(ctx, func(context.Context, *durable.Item) error {
		return durable.Permanent(errors.New("no such order"))
	})
	for _, parked := range store.Parked("orders") {
		fmt.Println(parked.Item.ID, "is parked:", parked.Reason)
	}
	fmt.Println(store.Release("orders", "order-1"), store)
	// Output:
	// order-1 is parked: no such order
	// <nil> MemoryStore(1 waiting, 0 parked, 0 done, content redacted)
}
