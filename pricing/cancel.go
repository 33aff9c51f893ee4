package pricing

import (
	"cmp"
	"errors"
	"slices"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
)

var (
	// ErrNotCancellable means that the policy does not allow cancelling (supportCancel is false).
	ErrNotCancellable = errors.New("pricing: the renewal cannot be cancelled")
	// ErrStarted means that the renewal has started. No tier covers that time.
	ErrStarted = errors.New("pricing: the renewal has started, which no cancellation tier covers")
	// ErrNoTier means that the time is later than the last tier of the policy.
	ErrNoTier = errors.New("pricing: no cancellation tier covers that time")
)

// TierAt returns the tier of a cancellation policy (取消政策) that applies at a time, for a renewal that begins at start
// (carUseTime).
//
// Inferred: no document explains the tiers. The Time of a tier is read as hours before the start. The tier with the
// greatest Time that does not exceed the hours left applies; at the start itself 0 hours are left. With the tiers of
// the guide's sample, cancelling 72 hours ahead or more costs 0 percent, 48 up to 72 hours costs 10, and less than 2
// costs 50.
//
// TierAt computes no amount: the penaltyAmount in the guide's own sample matches none of its tiers. Accept the amount
// that Fliggy sends.
//
// The error is [ErrNotCancellable], [ErrStarted], [ErrNoTier], or a *fliggy.ValidationError. The last one reports a
// missing time, or the first invalid tier: one with a negative number, with the same Time as another, or, when
// CancelType is 1, one that costs more than 100 percent or less than an earlier tier. A tier that lost its numbers
// looks like that, so TierAt then returns no tier at all. The order of the tiers does not matter.
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
	hours := wholeSeconds(at, start) / 3600 // thresholds are whole hours
	for _, tier := range tiers {
		if int64(tier.Time) <= hours {
			return tier, nil
		}
	}
	return fliggy.CancelRule{}, ErrNoTier
}
