package rentcar

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
)

func init() {
	goldenCases = append(goldenCases, []goldenCase{
		{op: api.RenewalQuote, call: func(ctx context.Context, c *Client) (any, error) {
			return c.Renewals.Quote(ctx, &RenewalQuoteRequest{
				OrderID: mainOrder, CarUseTime: fliggy.MustTime("2022-11-22 10:22:00"),
				CarReturnTime: fliggy.MustTime("2022-11-23 10:52:00"),
				ChannelID:     fliggy.ChannelAmap, OutOrderID: outOrder, RenewalOrderID: renewalOrder, TraceID: "2108aa55167523107",
				Exts: someExts,
			})
		}},
	}...)
	const whyWhole = "a rule without one of its numbers says nothing, and 0 would be read as free"
	const whyFlag = "0 or 1 in the merchant's samples, and what is missing is not a no"
	maps.Copy(deviations, map[string]deviation{
		"renewaldetail.query request order_id": {
			goType: "fliggy.ID", number: true, required: true, reason: "a quote has no meaning without it",
		},
		"renewaldetail.query request car_use_time": {
			goType: "fliggy.Time", required: true, reason: "a quote has no meaning without it",
		},
		"renewaldetail.query request car_return_time": {
			goType: "fliggy.Time", required: true, reason: "a quote has no meaning without it",
		},
		"renewaldetail.query response added_service_list.is_one_way_fee": {
			goType: "fliggy.Flag", number: true, reason: whyFlag,
		},
		"renewaldetail.query response added_service_list.is_fixed": {
			goType: "fliggy.Flag", number: true, reason: whyFlag,
		},
		"renewaldetail.query response added_service_list.service_type": {
			goType: "fliggy.ServiceType", reason: "its values are seen in the merchant's samples",
		},
		"renewaldetail.query response added_service_list.quantity": {
			goType: "fliggy.Decimal", reason: "a fraction in the merchant's samples",
		},
		"renewaldetail.query response price_info.scattered_price_rule_info.data.value": {
			goType: "fliggy.Decimal", required: true, reason: whyWhole,
		},
		"renewaldetail.query response price_info.scattered_price_rule_info.data.start_time": {
			goType: "int", required: true, reason: whyWhole,
		},
		"renewaldetail.query response price_info.scattered_price_rule_info.data.end_time": {
			goType: "int", required: true, reason: whyWhole,
		},
		"renewaldetail.query response cancel_strategy_struct.cancel_rules.num": {
			goType: "int", required: true, reason: whyWhole,
		},
		"renewaldetail.query response cancel_strategy_struct.cancel_rules.time": {
			goType: "int", required: true, reason: whyWhole,
		},
	})
}

// The cases of a quote that lacks an amount or an id. Their total was too low, or
// unset without a word, and a submit booked it.
func TestIncompleteQuotes(t *testing.T) {
	t.Parallel()
	// None of the cases says whether a service can be left out.
	const noFlag0, noFlag1 = "added_service_list[0].is_fixed", "added_service_list[1].is_fixed"
	for name, tc := range map[string]struct {
		total    string   // empty: there is none
		failed   string   // part of the error of the call
		warnings []string // fields
		missing  []string // fields of the error of Total
	}{
		"c1-quote-whole.json": {total: "16.02", warnings: []string{noFlag0, noFlag1}},
		"c1-quote-without-line-amount.json": {
			warnings: []string{"added_service_list[0].amount", noFlag0, "added_service_list[1].amount", noFlag1},
			missing:  []string{"added_service_list[0].amount", "added_service_list[1].amount"},
		},
		"c1-quote-without-standard-price.json": {
			warnings: []string{"price_info.standard_price", noFlag0, noFlag1}, missing: []string{"price_info.standard_price"},
		},
		"c1-quote-without-services.json": {
			warnings: []string{"added_service_list"}, missing: []string{"added_service_list"},
		},
		"c1-quote-without-item-id.json":    {failed: "item_id: missing from a success"},
		"c1-quote-without-percentage.json": {failed: "cancel_strategy_struct.cancel_rules[0].num: missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			c, _ := clientFor(
				t, replyJSON(readFile(t, "testdata", "cases", name)), WithLogger(slog.New(slog.NewTextHandler(&log, nil))),
			)
			res, err := c.Renewals.Quote(context.Background(), someQuote(), CallAttempts(1))
			if tc.failed != "" {
				if decode := as[*DecodeError](t, err); !strings.Contains(decode.Error(), tc.failed) || res != nil {
					t.Errorf("%v, %v; want %s", res, err, tc.failed)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			fields := func(ps []fliggy.Problem) (out []string) {
				for _, p := range ps {
					out = append(out, p.Field)
				}
				return out
			}
			diff(t, "warnings", tc.warnings, fields(res.Warnings))
			if n := strings.Count(log.String(), `msg="rentcar reply looks wrong"`); n != len(tc.warnings) {
				t.Errorf("%d warnings logged:\n%s", n, &log)
			}
			total, err := res.Total()
			diff(t, "total", tc.total, total.String())
			if tc.missing == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			diff(t, "missing", tc.missing, fields(as[*fliggy.ValidationError](t, err).Problems))
			if c, err := total.Cmp(fliggy.MustYuan("99999")); err == nil {
				t.Errorf("a price cap lets a missing total pass: %d", c)
			}
		})
	}
}

// A policy without its kind is named in the warnings: its numbers may not be percentages.
func TestQuoteWarnsOfPolicyWithoutKind(t *testing.T) {
	t.Parallel()
	for policy, want := range map[string]bool{
		`{"cancel_rules":[{"num":10,"time":2}],"support_cancel":true}`:                 true,
		`{"cancel_rules":[{"num":10,"time":2}],"cancel_type":1,"support_cancel":true}`: false,
		`{}`: false, // the policy as a whole is missing
	} {
		c, _ := clientFor(t, replyJSON(`{"successful":true,"item_id":"a","cancel_strategy_struct":`+policy+`}`))
		res, err := c.Renewals.Quote(context.Background(), someQuote())
		if err != nil {
			t.Fatal(err)
		}
		got := slices.ContainsFunc(
			res.Warnings, func(p fliggy.Problem) bool { return p.Field == "cancel_strategy_struct.cancel_type" },
		)
		if got != want {
			t.Errorf("%s: warned %t: %v", policy, got, res.Warnings)
		}
	}
}

// A refusal is a refusal, whatever else it has not.
func TestRefusedQuoteNeedsNothing(t *testing.T) {
	t.Parallel()
	c, _ := clientFor(t, replyJSON(`{"successful":false,"ret_code":"DUP"}`))
	ctx := context.Background()
	_, quote := c.Renewals.Quote(ctx, someQuote())
	_, check := c.Renewals.CheckCancel(ctx, &RenewalCheckCancelRequest{OrderID: "1"})
	_, order := c.Orders.CheckCancel(
		ctx, &OrderCheckCancelRequest{OrderID: "1", OutOrderID: "2", ChannelID: fliggy.ChannelAmap},
	)
	for _, err := range []error{quote, check, order} {
		if refused := as[*BusinessError](t, err); refused.Code == "" {
			t.Errorf("no code in %v", err)
		}
	}
}

func TestQuoteTotal(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"price_info":{"standard_price":"11.00"},"added_service_list":[{"amount":"0.02"},{"amount":"5"}]}`: "16.02",
		`{"price_info":{"standard_price":"11.00"},"added_service_list":[]}`:                                 "11.00",
		// What is missing is not 0. (The first two were 16.02 and 11.00 here before: too low a total was booked.)
		`{"price_info":{"standard_price":"11.00"},"added_service_list":[{"amount":"0.02"},{"service_code":"x"}]}`: "",
		`{"price_info":{"standard_price":"11.00"}}`:                                                               "",
		`{"added_service_list":[{"amount":"0.02"}]}`:                                                              "",
		`{"price_info":{"standard_price":""},"added_service_list":[]}`:                                            "",
	} {
		c, _ := clientFor(t, replyJSON(`{"successful":true,"item_id":"a+/=",`+body[1:]))
		res, err := c.Renewals.Quote(context.Background(), someQuote())
		if err != nil {
			t.Fatal(err)
		}
		if total, err := res.Total(); total.String() != want || (err == nil) != (want != "") {
			t.Errorf("%s: %v, %v; want %q", body, total, err, want)
		}
	}
}
