package pricing_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/pricing"
	"github.com/fliggy-go/rentcar/qimen"
)

func TestTierAt(t *testing.T) {
	t.Parallel()
	policy := fliggy.CancelPolicy{Rules: tiers, CancelType: 1, SupportCancel: true}
	shuffled := policy
	shuffled.Rules = slices.Clone(tiers)
	slices.Reverse(shuffled.Rules)
	ahead := func(d time.Duration) fliggy.Time { return fliggy.At(pickUp.Add(-d)) }
	const hour = time.Hour
	for _, c := range []struct {
		name string
		at   fliggy.Time
		num  int
		err  error
	}{
		{"years ahead", at("0001-01-01 12:00"), 0, nil},
		{"72 h", ahead(72 * hour), 0, nil},
		{"just under 72 h", ahead(72*hour - 1), 10, nil},
		{"the cancel sample, 66.22 h", at("2023-02-01 15:46:51"), 10, nil},
		{"48 h", ahead(48 * hour), 10, nil},
		{"just under 48 h", ahead(48*hour - time.Second), 20, nil},
		{"24 h", ahead(24 * hour), 20, nil},
		{"2 h", ahead(2 * hour), 30, nil},
		{"just under 2 h", ahead(2*hour - time.Second), 50, nil},
		{"at the start", pickUp, 50, nil},
		{"just after the start", ahead(-1), 0, pricing.ErrStarted},
		{"another zone", fliggy.Time{Time: pickUp.Add(-48 * hour).UTC()}, 10, nil},
	} {
		for order, s := range map[string]fliggy.CancelPolicy{"falling": policy, "rising": shuffled} {
			got, err := pricing.TierAt(s, pickUp, c.at)
			if !errors.Is(err, c.err) || got.Num != c.num {
				t.Errorf("%s, %s: %+v, %v", c.name, order, got, err)
			}
			if err == nil && !slices.Contains(tiers, got) {
				t.Errorf("%s, %s: no such tier: %+v", c.name, order, got)
			}
		}
	}

	never := policy
	never.SupportCancel = false
	early := policy
	early.Rules = tiers[:3]
	huge := policy
	huge.Rules = []fliggy.CancelRule{{Num: 1, Time: math.MaxInt}}
	for name, c := range map[string]struct {
		policy fliggy.CancelPolicy
		want   error
	}{
		"not supported":       {never, pricing.ErrNotCancellable},
		"after the last tier": {early, pricing.ErrNoTier},
		"no tiers":            {fliggy.CancelPolicy{SupportCancel: true}, pricing.ErrNoTier},
		"longer than hours":   {huge, pricing.ErrNoTier},
	} {
		if got, err := pricing.TierAt(
			c.policy, pickUp, ahead(23*hour),
		); !errors.Is(err, c.want) || got != (fliggy.CancelRule{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	_, err := pricing.TierAt(policy, fliggy.Time{}, fliggy.Time{})
	wantProblems(t, err, qimen.RenewalCancelMethod, "carUseTime: is missing", "cancelTime: is missing")
}

// The cancellation of the guide, with the policy of its quote.
func TestGuideCancel(t *testing.T) {
	t.Parallel()
	var submit qimen.RenewalSubmitRequest
	var cancel qimen.RenewalCancelRequest
	readSample(t, "renewalorder.submit.request", &submit)
	readSample(t, "renewalorder.cancel.request", &cancel)
	quote := mustQuote(t, guidePlan(), submit.CarUseTime, submit.CarReturnTime)
	tier, err := pricing.TierAt(quote.CancelPolicy, submit.CarUseTime, cancel.CancelTime)
	if err != nil || tier != (fliggy.CancelRule{Num: 10, Time: 48}) {
		t.Errorf("%+v, %v", tier, err)
	}
}

// A policy with an invalid tier, such as one whose numbers were left out, never makes a cancellation free. The order of
// the tiers does not matter.
func TestTierAtRefusesImpossibleTiers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rules []fliggy.CancelRule
		want  string
	}{
		"no numbers behind dearer tiers": {
			[]fliggy.CancelRule{{Num: 10, Time: 48}, {}}, "CancelPolicy.Rules.Num: must not be less",
		},
		"no numbers before dearer tiers": {
			[]fliggy.CancelRule{{}, {Num: 10, Time: 48}}, "CancelPolicy.Rules.Num: must not be less",
		},
		"no numbers beside the tier of then": {
			[]fliggy.CancelRule{{Num: 50}, {}}, "CancelPolicy.Rules.Num: must not be less",
		},
		"the same time": {
			[]fliggy.CancelRule{{Num: 0, Time: 48}, {Num: 10, Time: 48}}, "CancelPolicy.Rules.Time: must be less",
		},
		"no percentage": {
			[]fliggy.CancelRule{{Num: 101, Time: 48}}, "CancelPolicy.Rules.Num: must be 0 to 100",
		},
		"negative penalty": {
			[]fliggy.CancelRule{{Num: -1, Time: 48}}, "CancelPolicy.Rules.Num: must not be negative",
		},
		"negative time": {
			[]fliggy.CancelRule{{Num: 1, Time: -1}}, "CancelPolicy.Rules.Time: must not be negative",
		},
	} {
		policy := fliggy.CancelPolicy{Rules: c.rules, CancelType: 1, SupportCancel: true}
		given := slices.Clone(c.rules)
		tier, err := pricing.TierAt(policy, pickUp, fliggy.At(pickUp.Add(-time.Hour)))
		var invalid *fliggy.ValidationError
		if !errors.As(err, &invalid) || len(invalid.Problems) == 0 || !strings.HasPrefix(
			invalid.Problems[0].String(), c.want,
		) || tier != (fliggy.CancelRule{}) {
			t.Errorf("%s: %+v, %v", name, tier, err)
		}
		if !slices.Equal(c.rules, given) {
			t.Errorf("%s: the policy was changed: %v", name, c.rules)
		}
	}
}
