package storetest

import (
	"fmt"
	"maps"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/fliggy-go/rentcar/durable"
	_ "github.com/fliggy-go/rentcar/internal/golden" // -update
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSoundStorePasses(t *testing.T) {
	t.Parallel()
	Run(t, Subject{
		New:          func(*testing.T) durable.Store { return newToy("") },
		Transactions: true,
		Reopen:       func(_ *testing.T, s durable.Store) durable.Store { return s.(*toy).open() },
	})
}

func TestStoreWithoutTransactionsPasses(t *testing.T) {
	t.Parallel()
	Run(t, Subject{New: func(*testing.T) durable.Store { return newToy("no transactions") }})
}

// A store that hands out one item at a time, and has no clock.
func TestPlainStorePasses(t *testing.T) {
	t.Parallel()
	Run(t, Subject{New: func(*testing.T) durable.Store { return struct{ durable.Store }{newToy("no transactions")} }})
}

// flaws has, for each check, the flaws that it has to find.
var flaws = map[string][]string{
	"AddNew":     {"no digest", "no trace", "Attempt is raised too late"},
	"AddAgain":   {"a second Add replaces the first", "a second Add makes due", "Add gives what it was given"},
	"AddClaimed": {"a second Add makes due", "Add gives no data"},
	"AddRetried": {"a second Add makes due", "Retry drops the data"},
	"AddDone":    {"a second Add forgets what is done", "done is deleted"},
	"AddParked":  {"a second Add releases", "Park drops the data", "Add gives no data"},
	"AddAtOnce":  {"Add looks before it stores"},

	"QueuesApart":       {"names run together", "Claim takes all queues", "Claim takes queues that begin so"},
	"Names":             {"IDs are cut", "IDs have no case"},
	"Data":              {"data is text", "data is short"},
	"DataTakenIsCopied": {"Add keeps the caller's data"},
	"DataGivenIsCopied": {"Add gives its own data", "Claim gives its own data", "Retry stores the caller's item"},
	"TimesKept":         {"times to the second", "zones are dropped"},

	"ClaimNothing":         {"nothing is an error"},
	"ClaimWhenDue":         {"due times are ignored", "due a little later"},
	"ClaimOrder":           {"order of IDs", "order of addition", "order of times as text"},
	"ClaimOrderOfZones":    {"order of times as local text", "zones are dropped"},
	"ClaimOrderAfterRetry": {"order of the first due times"},
	"ClaimHides": {"a claim does not last", "a claim lasts for ever", "Attempt is not raised",
		"Attempt is raised too late"},
	"ClaimAtOnce": {"Claim looks before it marks"},

	"DoDone":      {"done is not marked", "Do marks the whole queue"},
	"DoCallsOnce": {"work is called twice", "work is not called", "errors of work are hidden", "failed work is done"},
	"DoContext":   {"work has a context of its own", "work is not cancelled"},
	"DoFailed":    {"failed work ends the claim", "failed work loses the claim", "failed work is done"},
	"DoAdds":      {"what Do adds is dropped", "a transaction does not see its writes"},
	"DoAtOnce":    {"Do writes back all it has read"},
	"Retry":       {"Retry is at once", "Retry waits for the end of the claim", "Retry begins to count again"},
	"Park":        {"Park does nothing", "Park marks as waiting for long"},

	"LostWhenHandedOutAgain": {
		"Do takes old claims", "Retry takes old claims", "Park takes old claims", "lost is another error",
	},
	"LostWhenRetried": {"Do takes what is put back", "Retry takes what is put back", "Park takes what is put back"},
	"LostWhenDone":    {"Do takes what is done", "Retry takes what is done", "Park takes what is done"},
	"LostWhenParked":  {"Do takes what is parked", "Retry takes what is parked", "Park takes what is parked"},
	"LostWithinDo":    {"claims are checked before work only"},
	"UnknownIsLost":   {"no item is no error"},
	"ContextOver": {"Add that is over says nothing", "Claim that is over says nothing", "Do that is over says nothing",
		"Retry that is over says nothing", "Park that is over says nothing"},

	"BatchNothing":     {"nothing is an error"},
	"BatchOrder":       {"batches are of one", "batches are of any size", "batches are full or empty", "batches have no order"},
	"BatchItems":       {"Claim gives its own data", "no digest", "claims have no end", "Attempt is raised too late"},
	"BatchWhenDue":     {"due times are ignored", "due a little later", "Claim takes all queues"},
	"BatchHides":       {"a claim does not last", "a claim lasts for ever", "Attempt is not raised"},
	"BatchEnds":        {"done is not marked", "Do marks the whole queue", "Retry is at once", "Park does nothing"},
	"BatchLost":        {"Do takes old claims", "Retry takes old claims", "Park takes old claims"},
	"BatchAtOnce":      {"a batch looks before it marks"},
	"BatchContextOver": {"ClaimBatch that is over says nothing"},
	"ClockIsRight":     {"the clock fails", "the clock counts from its own year"},
	"ClockAdvances":    {"the clock stands still", "the clock runs backwards"},
	"ClockContextOver": {"Now that is over says nothing"},

	"TransactionCommits":  {"what Do adds is dropped"},
	"TransactionFails":    {"no transactions", "what failed is written"},
	"TransactionLost":     {"no transactions", "what is lost is written"},
	"TransactionIsHidden": {"no transactions", "transactions are seen before they end"},

	"ReopenWaiting": {"Add is in memory"},
	"ReopenClaimed": {"Claim is in memory"},
	"ReopenRetried": {"Retry is in memory", "Do takes what is put back"},
	"ReopenDone":    {"done is in memory", "done is deleted"},
	"ReopenParked":  {"Park is in memory", "Park drops the data"},
}

func TestEveryCheckFindsItsFlaws(t *testing.T) {
	t.Parallel()
	unused := maps.Clone(flaws)
	for _, c := range checks {
		if len(flaws[c.name]) == 0 {
			t.Errorf("no flaw proves that the check %s can fail", c.name)
		}
		for _, flaw := range flaws[c.name] {
			t.Run(c.name+"/"+flaw, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					if found := failures(t, c, newToy(flaw)); len(found) == 0 {
						t.Error("the check has not found the flaw")
					}
				})
			})
		}
		delete(unused, c.name)
	}
	for name := range unused {
		t.Errorf("flaws for %s, which is no check", name)
	}
}

func failures(t *testing.T, c check, s *toy) []string {
	r := &recorder{}
	over := make(chan struct{})
	go func() { // which Fatalf ends
		defer close(over)
		c.run(&kit{
			tb: r, ctx: t.Context(), Store: s, patience: 50 * time.Millisecond,
			reopen: func(s durable.Store) durable.Store { return s.(*toy).open() },
		})
	}()
	<-over
	return r.found
}

// A recorder takes what a check has found.
type recorder struct {
	mu    sync.Mutex
	found []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.found = append(r.found, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func TestFindingsAreFormatted(t *testing.T) {
	t.Parallel()
	for _, c := range checks {
		for _, flaw := range []string{"Park does nothing", "a claim does not last", "Claim takes all queues", "no digest"} {
			for _, found := range failures(t, c, newToy(flaw)) {
				if strings.Contains(found, "%!") {
					t.Errorf("%s: %s: %s", c.name, flaw, found)
				}
			}
		}
	}
}
