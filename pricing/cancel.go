package pricing

import (
	"errors"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
)

var (
	// ErrNotCancellable says that the policy does not support cancelling
	// (supportCancel false).
	ErrNotCancellable = errors.New("pricing: the renewal cannot be cancelled")
	// ErrStarted says that the renewal has started, which no tier covers.
	ErrStarted = errors.New("pricing: the renewal has started, which no cancellation tier covers")
	// ErrNoTier says that it is later than the last tier of the policy.
	ErrNoTier = errors.New("pricing: no cancellation tier covers that time")
)

// TierAt gives the tier of a cancellation policy (取消政策) that holds at a time, for a
// renewal that begins at start (carUseTime).
//
// Inferred: no document explains the tiers. Time is read as hours before the start,
// and the tier is that of the greatest Time which is not more than the hours left; at
// the start itself 0 hours are left. With the tiers of the guide's sample, 72 hours
// ahead or more cost 0 percent, 48 up to 72 cost 10, and less than 2 cost 50.
//
// It is a tier and never an amount: the penaltyAmount of the guide's own cancellation
// is the penalty of none of its tiers. Take what Fliggy sends, and do not refuse it.
//
// Errors: [ErrNotCancellable], [ErrStarted], [ErrNoTier], and a
// *fliggy.ValidationError when a time is missing.
//
// Source: qimen.alitrip.rentcar.renewalorder.cancel, merchant renewal guide.
func TierAt(s qimen.CancelStrategy, start, at fliggy.Time) (qimen.CancelRule, error) {
	var ps fliggy.Problems
	checkTime(&ps, "carUseTime", start)
	checkTime(&ps, "cancelTime", at)
	switch err := ps.Err(qimen.RenewalCancelMethod); {
	case !s.SupportCancel:
		return qimen.CancelRule{}, ErrNotCancellable
	case err != nil:
		return qimen.CancelRule{}, err
	case at.After(start.Time):
		return qimen.CancelRule{}, ErrStarted
	}
	hours := wholeSeconds(at, start) / 3600 // thresholds are whole hours, so the rest does not count
	found := -1
	for i, tier := range s.CancelRules {
		if int64(tier.Time) <= hours && (found < 0 || tier.Time > s.CancelRules[found].Time) {
			found = i
		}
	}
	if found < 0 {
		return qimen.CancelRule{}, ErrNoTier
	}
	return s.CancelRules[found], nil
}
