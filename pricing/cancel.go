package pricing

import (
	"cmp"
	"errors"
	"slices"

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
// *fliggy.ValidationError when a time is missing, or for the first tier that a policy
// cannot have: one with a negative number, of more than 100 percent, with the time of
// another, or cheaper than an earlier one (percentages only when CancelType is 1). Such a
// tier may be one without its numbers, so no answer is taken from the policy. The order
// of the tiers does not matter.
//
// Source: qimen.alitrip.rentcar.renewalorder.cancel, merchant renewal guide.
func TierAt(s fliggy.CancelPolicy, start, at fliggy.Time) (fliggy.CancelRule, error) {
	var ps fliggy.Problems
	checkTime(&ps, "carUseTime", start)
	checkTime(&ps, "cancelTime", at)
	switch err := ps.Err(qimen.RenewalCancelMethod); {
	case !s.SupportCancel:
		return fliggy.CancelRule{}, ErrNotCancellable
	case err != nil:
		return fliggy.CancelRule{}, err
	case at.After(start.Time):
		return fliggy.CancelRule{}, ErrStarted
	}
	tiers := slices.Clone(s.Rules)
	slices.SortStableFunc(tiers, func(a, b fliggy.CancelRule) int { return cmp.Compare(b.Time, a.Time) })
	for i := range tiers {
		checkTier(&ps, "CancelPolicy.Rules.", tiers, i, s.CancelType)
		if err := ps.Err(qimen.RenewalCancelMethod); err != nil {
			return fliggy.CancelRule{}, err
		}
	}
	hours := wholeSeconds(at, start) / 3600 // thresholds are whole hours, so the rest does not count
	for _, tier := range tiers {
		if int64(tier.Time) <= hours {
			return tier, nil
		}
	}
	return fliggy.CancelRule{}, ErrNoTier
}
