package lifecycle_test

import (
	"flag"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/lifecycle"
)

var (
	worlds   = flag.Int("worlds", 3, "how many worlds TestWorlds runs")
	until    = flag.String("until", "", "end with the first world that breaks one of these invariants, such as I3,I9")
	firstOne = flag.Uint64("seed", 1, "the seed of the first world")
)

// renewalsOfAWorld is how many customers a world has.
const renewalsOfAWorld = 40

// No world breaks an invariant of package lifecycle.
func TestWorlds(t *testing.T) {
	defer lifecycle.SetPoll(10 * time.Minute)()
	for i := range *worlds {
		found := map[string]bool{}
		for _, b := range runWorld(t, *firstOne+uint64(i), renewalsOfAWorld) {
			name, _, _ := strings.Cut(b, ":")
			if !found[name] { // one of each is enough to begin with
				t.Error(b)
			}
			found[name] = true
		}
		if slices.ContainsFunc(strings.Split(*until, ","), func(name string) bool { return found[name] }) {
			return
		}
	}
}
