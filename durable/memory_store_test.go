package durable_test

import (
	"testing"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/durable/storetest"
)

func TestMemoryStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Subject{
		New: func(*testing.T) durable.Store { return durable.NewMemoryStore() }, Transactions: true,
	})
}
