package durable_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/durable/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemoryStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) durable.Store { return durable.NewMemoryStore() }, storetest.WithTransactions())
}
