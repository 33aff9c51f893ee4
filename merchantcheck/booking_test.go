package merchantcheck

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/qimen"
)

// TestRunUndoesAtOnce: what a bad signature or a stale timestamp could book is
// cancelled before it is in the way of the next submit.
func TestRunUndoesAtOnce(t *testing.T) {
	t.Parallel()
	m := newTestMerchant()
	m.trusting, m.eternal = true, true
	m.instead = func(_ http.ResponseWriter, _ *http.Request, method string) bool {
		if method == qimen.RenewalSubmitMethod && m.submits < 3 && len(m.booked()) > 0 {
			t.Errorf("submit %d: booked %v", m.submits+1, m.booked())
		}
		return false
	}
	report := Run(context.Background(), connectMerchant(t, m), guideCheck)
	want := []string{"bad-signature", "stale-timestamp", "unknown-app"}
	if diff := cmp.Diff(want, broken(report)); diff != "" || m.submits != 6 || len(m.live) != 5 || len(m.booked()) > 0 {
		t.Errorf("%d submits, renewals %v (-want +got):\n%s", m.submits, m.live, diff)
	}
}

// TestRunThatIsEnded: what is booked is cancelled though the context is over.
func TestRunThatIsEnded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method string
		times  int
		left   int
	}{
		{qimen.RenewalPricesMethod, 2, 0}, {qimen.RenewalSubmitMethod, 2, 1}, {qimen.RenewalSubmitMethod, 3, 1},
		{qimen.RenewalSubmitMethod, 4, 0}, {qimen.RenewalCancelMethod, 1, 0}, {qimen.RenewalCancelMethod, 2, 0},
	} {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		m := newTestMerchant()
		count := 0
		m.instead = func(_ http.ResponseWriter, _ *http.Request, method string) bool {
			if method == c.method {
				if count++; count == c.times {
					cancel()
				}
			}
			return false
		}
		report := Run(ctx, connectMerchant(t, m), guideCheck)
		if report.OK() || !slices.Contains(
			broken(report), "run",
		) || len(report.MayBeBooked) != c.left || len(m.booked()) > c.left {
			t.Errorf("%s %d: booked %v, %v", c.method, c.times, m.booked(), report)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	report := Run(ctx, connectMerchant(t, newTestMerchant()), guideCheck)
	if diff := cmp.Diff([]string{"run"}, broken(report)); diff != "" {
		t.Errorf("over before it began (-want +got):\n%s", diff)
	}
}
