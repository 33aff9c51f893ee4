package fliggytest

import (
	"context"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
)

// The penalty of a renewal whose total nobody knows is unset; it was 0.00 before,
// and the customer cancelled free of charge. That 0 percent are 0.00 needs no total.
func TestPenaltyOfAnUnknownTotal(t *testing.T) {
	t.Parallel()
	start := fliggy.MustTime("2023-02-04 10:00:00").Time
	for before, want := range map[time.Duration]string{80 * time.Hour: "0.00", 50 * time.Hour: "", 0: ""} {
		fee, _, ok := penalty(fliggy.Yuan{}, start, start.Add(-before))
		if !ok || fee.String() != want {
			t.Errorf("%v before: %q, %v; want %q", before, fee, ok, want)
		}
	}
}

// A submit that says no total costs what its quote, else its period costs; where
// neither is known, cancelling is refused rather than free.
func TestRenewalWithoutATotal(t *testing.T) {
	t.Parallel()
	from, to := fliggy.MustTime("2023-02-04 10:00:00"), fliggy.MustTime("2023-02-05 10:30:00")
	g := start(t, WithClock(func() time.Time { return from.Add(-50 * time.Hour) }))
	c := connect(t, g)
	for name, tc := range map[string]struct {
		submit    rentcar.RenewalSubmitRequest
		total     string
		fee, code string
	}{
		"a period":      {rentcar.RenewalSubmitRequest{CarUseTime: from, CarReturnTime: to}, "16.02", "1.60", ""},
		"a start alone": {rentcar.RenewalSubmitRequest{CarUseTime: from}, "", "", RetNotCancellable},
		"nothing":       {rentcar.RenewalSubmitRequest{}, "", "0.00", ""}, // of no start: the cheapest tier, 0 percent
	} {
		tc.submit.OrderID = SampleOrderID
		sub, err := c.Renewals.Submit(context.Background(), &tc.submit)
		noError(t, err)
		if held, ok := g.Renewal(sub.RenewalOrderID); !ok || held.Total.String() != tc.total {
			t.Errorf("%s: total %q, want %q", name, held.Total, tc.total)
		}
		check, err := c.Renewals.CheckCancel(
			context.Background(), &rentcar.RenewalCheckCancelRequest{RenewalOrderID: sub.RenewalOrderID},
		)
		if tc.code != "" {
			if code(err) != tc.code {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || check.CancelFee.String() != tc.fee {
			t.Errorf("%s: %+v, %v; want %s", name, check, err, tc.fee)
		}
	}
}
