// Package storetest checks implementations of [durable.Store] and, by [TestGate], of qimen.Gate.
//
// A store's own test calls [Run]:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, storetest.Subject{New: newStore, Transactions: true, Reopen: reopen})
//	}
//
// It needs no queue, and no clock: times are given to the store.
package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/durable"
)

// A Subject is a store to check, and what it can do beyond what every store does.
type Subject struct {
	// New gives a store without items, each time another. It is closed with t.Cleanup.
	// Required.
	New func(t *testing.T) durable.Store
	// Transactions says that what is added within Do is stored when Do succeeds, and only
	// then.
	Transactions bool
	// Reopen closes a store of New, as a restart of the program would, and opens it again
	// with the same content. Leave it out for a store that is not durable.
	Reopen func(t *testing.T, s durable.Store) durable.Store
}

// Run checks that a store keeps what the documentation of [durable.Store] says, each
// sentence in a subtest of its own, and that of [durable.BatchStore] and [durable.ClockStore] if it is one. Items are
// some hundreds in a subtest, and 1 MiB at most.
func Run(t *testing.T, subject Subject) {
	t.Helper()
	s := subject.New(t)
	_, hasBatches := s.(durable.BatchStore)
	_, hasClock := s.(durable.ClockStore)
	for _, c := range checks {
		if c.isTransactional && !subject.Transactions || c.isReopening && subject.Reopen == nil ||
			c.isOfBatches && !hasBatches || c.isOfClock && !hasClock {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			k := &kit{tb: t, ctx: t.Context(), Store: subject.New(t), patience: patience}
			k.reopen = func(s durable.Store) durable.Store { return subject.Reopen(t, s) }
			c.run(k)
		})
	}
}

// A check is one subtest.
type check struct {
	name string
	run  func(k *kit)
	// What the store has to be able to do.
	isTransactional, isReopening, isOfBatches, isOfClock bool
}

// checks are all of them.
var checks = []check{
	{name: "AddNew", run: addNew},
	{name: "AddAgain", run: addAgain},
	{name: "AddClaimed", run: addClaimed},
	{name: "AddRetried", run: addRetried},
	{name: "AddDone", run: addDone},
	{name: "AddParked", run: addParked},
	{name: "AddAtOnce", run: addAtOnce},
	{name: "QueuesApart", run: queuesApart},
	{name: "Names", run: names},
	{name: "Data", run: dataKept},
	{name: "DataTakenIsCopied", run: dataTaken},
	{name: "DataGivenIsCopied", run: dataGiven},
	{name: "TimesKept", run: timesKept},
	{name: "ClaimNothing", run: claimNothing},
	{name: "ClaimWhenDue", run: claimWhenDue},
	{name: "ClaimOrder", run: claimOrder},
	{name: "ClaimOrderOfZones", run: claimOrderOfZones},
	{name: "ClaimOrderAfterRetry", run: claimOrderAfterRetry},
	{name: "ClaimHides", run: claimHides},
	{name: "ClaimAtOnce", run: claimAtOnce},
	{name: "DoDone", run: doDone},
	{name: "DoCallsOnce", run: doCallsOnce},
	{name: "DoContext", run: doContext},
	{name: "DoFailed", run: doFailed},
	{name: "DoAdds", run: doAdds},
	{name: "DoAtOnce", run: doAtOnce},
	{name: "Retry", run: retry},
	{name: "Park", run: park},
	{name: "LostWhenHandedOutAgain", run: lostWhenHandedOutAgain},
	{name: "LostWhenRetried", run: lostWhenRetried},
	{name: "LostWhenDone", run: lostWhenDone},
	{name: "LostWhenParked", run: lostWhenParked},
	{name: "LostWithinDo", run: lostWithinDo},
	{name: "UnknownIsLost", run: unknownIsLost},
	{name: "ContextOver", run: contextOver},
	{name: "BatchNothing", run: batchNothing, isOfBatches: true},
	{name: "BatchOrder", run: batchOrder, isOfBatches: true},
	{name: "BatchItems", run: batchItems, isOfBatches: true},
	{name: "BatchWhenDue", run: batchWhenDue, isOfBatches: true},
	{name: "BatchHides", run: batchHides, isOfBatches: true},
	{name: "BatchEnds", run: batchEnds, isOfBatches: true},
	{name: "BatchLost", run: batchLost, isOfBatches: true},
	{name: "BatchAtOnce", run: batchAtOnce, isOfBatches: true},
	{name: "BatchContextOver", run: batchContextOver, isOfBatches: true},
	{name: "ClockIsRight", run: clockIsRight, isOfClock: true},
	{name: "ClockAdvances", run: clockAdvances, isOfClock: true},
	{name: "ClockContextOver", run: clockContextOver, isOfClock: true},
	{name: "TransactionCommits", run: transactionCommits, isTransactional: true},
	{name: "TransactionFails", run: transactionFails, isTransactional: true},
	{name: "TransactionLost", run: transactionLost, isTransactional: true},
	{name: "TransactionIsHidden", run: transactionIsHidden, isTransactional: true},
	{name: "ReopenWaiting", run: reopenWaiting, isReopening: true},
	{name: "ReopenClaimed", run: reopenClaimed, isReopening: true},
	{name: "ReopenRetried", run: reopenRetried, isReopening: true},
	{name: "ReopenDone", run: reopenDone, isReopening: true},
	{name: "ReopenParked", run: reopenParked, isReopening: true},
}

// tb is what a check needs of testing.T.
type tb interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// A kit is a store and the words in which checks talk about it.
type kit struct {
	tb
	durable.Store
	ctx    context.Context
	reopen func(durable.Store) durable.Store
	// patience is how long to wait for what time has to bring.
	patience time.Duration
}

const patience = 10 * time.Second

// until calls f, with another number each time, until it reports true.
func until(k tb, patience time.Duration, f func(n int) bool, want string) {
	k.Helper()
	end := time.Now().Add(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for n := 0; !f(n); n++ {
		if time.Now().After(end) {
			k.Fatalf("after %v, still not: %s", patience, want)
		}
		<-tick.C
	}
}
