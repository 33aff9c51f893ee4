package merchantcheck

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fliggy-go/rentcar/fliggy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testNow is six minutes before the cancellation of the guide's sample.
var testNow = fliggy.MustTime("2023-02-01 15:40:52").Time

func fixedClock() time.Time { return testNow }

func noError(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
