package qimen

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every sample of the guide reads into its type without findings, and is written
// again with the same members and the same values in the same JSON types.
func TestSamplesRoundTrip(t *testing.T) {
	t.Parallel()
	type message interface {
		json.Marshaler
		json.Unmarshaler
		Validate() error
	}
	for name, m := range map[string]message{
		"renewalprices.query.scenario1.request":  new(RenewalPricesRequest),
		"renewalprices.query.scenario1.response": new(RenewalPricesReply),
		"renewalprices.query.scenario2.request":  new(RenewalPricesRequest),
		"renewalprices.query.scenario2.response": new(RenewalPricesReply),
		"renewalprices.query.scenario3.request":  new(RenewalPricesRequest),
		"renewalprices.query.scenario3.response": new(RenewalPricesReply),
		"renewalorder.submit.request":            new(RenewalSubmitRequest),
		"renewalorder.submit.response":           new(RenewalSubmitReply),
		"renewalorder.cancel.request":            new(RenewalCancelRequest),
		"renewalorder.cancel.response":           new(RenewalCancelReply),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sample := readFile(t, "samples/qimen.alitrip.rentcar."+name+".json")
			if err := json.Unmarshal(sample, m); err != nil {
				t.Fatal(err)
			}
			if err := m.Validate(); err != nil {
				t.Error(err)
			}
			out, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			var want, got map[string]any
			if err := json.Unmarshal(sample, &want); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatal(err)
			}
			if want["exts"] == "null" { // says nothing, and is left out
				delete(want, "exts")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
