package docs_test

import (
	"testing"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/durable/storetest"
)

// The test of a store of your own.
func Example_storetest() {
	newStore := func(*testing.T) durable.Store { return durable.NewMemoryStore() }
	reopen := func(_ *testing.T, s durable.Store) durable.Store { return s }

	testStore := func(t *testing.T) { // TestStore in the package of your store
		storetest.Run(t, storetest.Subject{
			New:          newStore, // an empty store, each time another
			Transactions: true,     // Do is a transaction
			Reopen:       reopen,   // closes the store and opens it again, as a restart does
		})
	}
	_ = testStore
	// Output:
}
