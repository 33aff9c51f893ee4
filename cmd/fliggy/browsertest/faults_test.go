package browsertest

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// A shownFault is what the control API says of a fault.
type shownFault struct {
	ID          string   `json:"-"`
	Kind        string   `json:"kind"`
	Methods     []string `json:"methods"`
	Left        int      `json:"left"`
	Seconds     float64  `json:"seconds"`
	AfterCommit bool     `json:"after_commit"`
	SubCode     string   `json:"sub_code"`
	Status      int      `json:"status"`
	Code        string   `json:"code"`
	Message     string   `json:"message"`
}

func (d *desk) faults() []shownFault {
	d.t.Helper()
	return get[struct {
		Faults []shownFault `json:"faults"`
	}](d, "faults").Faults
}

func TestFaultSwitches(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.tabTo("faults")
	d.shows("#faults-active", "Nothing goes wrong")
	isOn := func(kind string, on bool) {
		t.Helper()
		want := map[bool]string{true: "true", false: "false"}[on]
		d.until(`document.querySelector('[data-action=fault-` + kind + `]').getAttribute('aria-checked') === '` + want + `'`)
	}
	kinds := get[struct {
		Kinds []string `json:"kinds"`
	}](d, "faults").Kinds
	want := map[string]shownFault{
		"delay": {Kind: "delay", Left: 1, Seconds: 3}, "ban": {Kind: "ban", Left: -1, Seconds: 10, SubCode: "api"},
		"http_status": {Kind: "http_status", Left: 1, Status: 503},
		"business":    {Kind: "business", Left: 1, Code: "012", Message: "车辆不可用"},
	}
	for _, kind := range kinds {
		isOn(kind, false)
		d.press("fault-" + kind)
		isOn(kind, true)
		expected, ok := want[kind]
		if !ok {
			expected = shownFault{Kind: kind, Left: 1}
		}
		if diff := cmp.Diff([]shownFault{expected}, d.faults()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
		d.press("fault-" + kind)
		isOn(kind, false)
		if got := d.faults(); len(got) != 0 {
			t.Errorf("%s is off: %+v", kind, got)
		}
	}
}

func TestFaultOptions(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.tabTo("faults")
	const query = "alitrip.rentcar.btb.order.query"
	d.set("fault-method", query)
	d.set("fault-times", "always")
	d.press("fault-after")
	d.fill("fault-status", "500")
	d.press("fault-http_status")
	d.shows("#faults-active", query)
	d.set("fault-method", "")
	d.set("fault-times", "once")
	d.press("fault-after")
	d.fill("fault-seconds", "60") // the first is that of the ban
	d.set("fault-sub_code", "app")
	d.press("fault-ban")
	d.shows("#faults-active", "Ban 60 s")
	d.fill("fault-code", "013")
	d.fill("fault-message", "已售完")
	d.press("fault-business")
	d.shows("#faults-active", "Refusal")
	if diff := cmp.Diff([]shownFault{
		{Kind: "http_status", Left: -1, Status: 500, Methods: []string{query}, AfterCommit: true},
		{Kind: "ban", Left: -1, Seconds: 60, SubCode: "app"},
		{Kind: "business", Left: 1, Code: "013", Message: "已售完"},
	}, d.faults()); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	d.shows("#tab-faults .count", "3")
	d.pressIn("#faults-active li:nth-child(2)", "fault-remove")
	d.shows("#tab-faults .count", "2")
	d.press("faults-clear")
	d.shows("#faults-active", "Nothing goes wrong")
	if got := d.faults(); len(got) != 0 {
		t.Errorf("all are off: %+v", got)
	}

	// A fault that is over goes by itself, and one that somebody else sets comes.
	call(d, http.MethodPost, "faults", map[string]any{"kind": "business", "code": "012"}, nil)
	d.shows("#faults-active", "1 left")
	_, _ = d.client().Orders.Query(t.Context(), &rentcar.OrderQueryRequest{OrderID: fliggytest.SampleOrderID})
	d.shows("#faults-active", "Nothing goes wrong")
	d.tabTo("calls")
	d.shows("#calls-rows .fault", "012")
}
