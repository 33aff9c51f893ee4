package acceptance

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
)

var resultTypes = map[string]reflect.Type{
	methodQuote:       reflect.TypeFor[rentcar.RenewalQuoteResult](),
	methodSubmit:      reflect.TypeFor[rentcar.RenewalSubmitResult](),
	methodCheckCancel: reflect.TypeFor[rentcar.RenewalCheckCancelResult](),
}

// A loss is what a caller has to see when a member is not in a reply.
type loss int

const (
	lossNothing loss = iota // it is for display, and the call goes on as before
	lossDoubt               // an error or a warning
	lossUnknown             // an error that matches ErrOutcomeUnknown
)

// losses are the members whose types do not say what their loss is.
var losses = map[string]loss{
	methodQuote + " successful":            lossDoubt, // the verdict
	methodQuote + " item_id":               lossDoubt, // ids that are text
	methodQuote + " price_info.price_mark": lossDoubt,
	// Times that are numbers, and the percentage that is charged: 0 says something.
	methodQuote + " price_info.calendar_price.scattered_minutes":          lossDoubt,
	methodQuote + " price_info.scattered_price_rule_info.data.value":      lossDoubt,
	methodQuote + " price_info.scattered_price_rule_info.data.start_time": lossDoubt,
	methodQuote + " price_info.scattered_price_rule_info.data.end_time":   lossDoubt,
	methodQuote + " cancel_strategy_struct.cancel_rules.num":              lossDoubt,
	methodQuote + " cancel_strategy_struct.cancel_rules.time":             lossDoubt,
	methodQuote + " cancel_strategy_struct.support_cancel":                lossDoubt,
	// Whether a line can be left out.
	methodQuote + " added_service_list.is_fixed":        lossDoubt,
	methodQuote + " cancel_strategy_struct.cancel_type": lossDoubt,
	methodSubmit + " successful":                        lossUnknown,
	methodSubmit + " renewal_order_id":                  lossUnknown,
	// That they come is inferred, and nothing hangs on them: an unknown outcome that no name corrects would help nobody.
	methodSubmit + " order_id":        lossDoubt,
	methodSubmit + " out_order_id":    lossDoubt,
	methodCheckCancel + " successful": lossDoubt,
}

// lossOf says what the loss of a member means: by the list above, else by its type.
// Amounts, ids and times are never for display alone, nor is what holds one.
func lossOf(method, path string, t reflect.Type) loss {
	if l, ok := losses[method+" "+path]; ok {
		return l
	}
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t {
	case reflect.TypeFor[fliggy.Yuan](), reflect.TypeFor[fliggy.Fen](), reflect.TypeFor[fliggy.ID](),
		reflect.TypeFor[fliggy.Time](), reflect.TypeFor[fliggy.LocalTime](), reflect.TypeFor[fliggy.Date]():
		return lossDoubt
	}
	most := lossNothing
	for name, inner := range membersOf(t) {
		most = max(most, lossOf(method, path+"."+name, inner))
	}
	return most
}

// membersOf are the members of a message by their names, those of inner messages not.
func membersOf(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	if t.Kind() != reflect.Struct {
		return out
	}
	for i := range t.NumField() {
		f := t.Field(i)
		tag, tagged := f.Tag.Lookup("top")
		name, _, _ := strings.Cut(tag, ",")
		switch {
		case f.Anonymous && !tagged:
			maps.Copy(out, membersOf(f.Type))
		case name != "" && name != "-":
			out[name] = f.Type
		}
	}
	return out
}

// allMembers are the dotted names of all members of a reply, and what the loss of
// each means.
func allMembers(method string, t reflect.Type, at string) map[string]loss {
	out := map[string]loss{}
	for t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	for name, inner := range membersOf(t) {
		out[at+name] = lossOf(method, at+name, inner)
		maps.Copy(out, allMembers(method, inner, at+name+"."))
	}
	return out
}

// A trip is a renewal as a careful caller makes it: nothing is submitted unless the
// quote is beyond doubt, and nothing is cancelled unless the fee is known.
type trip struct {
	Quote    *rentcar.RenewalQuoteResult
	Total    fliggy.Yuan
	Submit   *rentcar.RenewalSubmitResult
	Check    *rentcar.RenewalCheckCancelResult
	Err      error            // the first
	Warnings []fliggy.Problem // about replies
}

func (tr *trip) ok(err error, warnings []fliggy.Problem) bool {
	tr.Err, tr.Warnings = err, warnings
	return err == nil && len(warnings) == 0
}

func makeTrip(ctx context.Context, c *rentcar.Client) *trip {
	var tr trip
	var err error
	from, to := fliggy.MustTime("2023-02-04 10:00:00"), fliggy.MustTime("2023-02-05 10:30:00")
	tr.Quote, err = c.Renewals.Quote(
		ctx, &rentcar.RenewalQuoteRequest{OrderID: fliggytest.SampleOrderID, CarUseTime: from, CarReturnTime: to},
	)
	if err != nil {
		tr.Err = err
		return &tr
	}
	total, noTotal := tr.Quote.Total()
	if tr.Total = total; !tr.ok(noTotal, tr.Quote.Warnings) {
		return &tr
	}
	tr.Submit, err = c.Renewals.Submit(ctx, &rentcar.RenewalSubmitRequest{
		OrderID: fliggytest.SampleOrderID, OutOrderID: fliggytest.SampleOutOrderID, RenewalOutOrderID: "R1",
		ItemID:     tr.Quote.ItemID,
		CarUseTime: from, CarReturnTime: to, TotalFee: total, Payment: total, PayTradeNo: "1",
	})
	if err != nil {
		tr.Err = err
		return &tr
	}
	doubts := tr.Submit.Warnings
	tr.Check, err = c.Renewals.CheckCancel(
		ctx, &rentcar.RenewalCheckCancelRequest{RenewalOrderID: tr.Submit.RenewalOrderID},
	)
	tr.ok(err, doubts)
	return &tr
}

// Whatever member of a reply is lost or has another name than is believed: no money
// moves at a price that is not the quoted one, and no outcome is taken for another.
// With the names corrected on both sides everything is as it was.
func TestMissingMembers(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for method, result := range resultTypes {
		members := allMembers(method, result, "")
		for name := range members {
			used[method+" "+name] = true
		}
		for _, format := range []rentcar.Format{rentcar.SimplifiedJSON, rentcar.WrappedJSON, rentcar.XML} {
			t.Run(method+" "+format.String(), func(t *testing.T) {
				t.Parallel()
				for _, member := range slices.Sorted(maps.Keys(members)) {
					renamed := rentcar.Names{Reply: map[string]string{member: "another_name"}}
					tripWithout(
						t, format, method, member, "dropped", members[member],
						fliggytest.WithNames(method, rentcar.Names{Reply: map[string]string{member: "-"}}),
					)
					tripWithout(t, format, method, member, "renamed", members[member], fliggytest.WithNames(method, renamed))
					tripWithout(
						t, format, method, member, "corrected", lossNothing, fliggytest.WithNames(method, renamed),
						rentcar.WithNames(method, renamed),
					)
				}
			})
		}
	}
	for key := range losses {
		if !used[key] {
			t.Errorf("%s is a member of no reply", key)
		}
	}
}

func tripWithout(
	t *testing.T, format rentcar.Format, method, member, how string, want loss, server fliggytest.Option,
	opts ...rentcar.Option,
) {
	t.Helper()
	gw := fliggytest.NewGateway(
		server, fliggytest.WithClock(func() time.Time { return time.Date(2023, 2, 2, 10, 0, 0, 0, fliggy.Zone()) }),
	)
	defer gw.Close()
	c, err := gw.Client(
		append(opts, rentcar.WithFormat(format), rentcar.WithRetry(rentcar.RetryPolicy{MaxAttempts: 1}))...,
	)
	if err != nil {
		t.Fatalf("%s %s: %v", member, how, err)
	}
	tr := makeTrip(t.Context(), c)
	got := lossNothing
	switch {
	case errors.Is(tr.Err, rentcar.ErrOutcomeUnknown):
		got = lossUnknown
	case tr.Err != nil || len(tr.Warnings) > 0:
		got = lossDoubt
	}
	if got != want {
		t.Errorf("%s %s: %v, %v; want loss %d", member, how, tr.Err, tr.Warnings, want)
	}
	// The error or warning names what is missing, or something in it.
	last := member[strings.LastIndex(member, ".")+1:]
	text := fmt.Sprint(tr.Err, tr.Warnings)
	inside := slices.ContainsFunc(slices.Collect(
		maps.Keys(allMembers(method, resultTypes[method], "")),
	), func(name string) bool {
		return strings.HasPrefix(name, member+".") && strings.Contains(text, name[strings.LastIndex(name, ".")+1:])
	})
	if got != lossNothing && !strings.Contains(text, last) && !inside {
		t.Errorf("%s %s: %s does not name it", member, how, text)
	}
	renewals := gw.Renewals()
	switch {
	case method == methodQuote && got != lossNothing && len(renewals) > 0:
		t.Errorf("%s %s: submitted although the quote was doubtful", member, how)
	case len(renewals) > 1 || len(renewals) == 1 && renewals[0].Submit.TotalFee.String() != "16.02":
		t.Errorf("%s %s: booked %+v", member, how, renewals)
	case got == lossNothing && (tr.Total.String() != "16.02" || tr.Check.CancelFee.String() != "1.60"):
		t.Errorf("%s %s: total %s, fee %s", member, how, tr.Total, tr.Check.CancelFee)
	}
}
