package sandbox

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// TestFaults sets every fault, sees what a client makes of it, and takes it away.
func TestFaults(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	c := d.client()
	query := func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_, err := c.Orders.Query(ctx, &rentcar.OrderQueryRequest{OrderID: fliggytest.SampleOrderID}, rentcar.CallAttempts(1))
		return err
	}
	phase := func(err error) string {
		var (
			transport *rentcar.TransportError
			gateway   *rentcar.GatewayError
			business  *rentcar.BusinessError
			decode    *rentcar.DecodeError
		)
		switch {
		case errors.As(err, &transport):
			return "transport"
		case errors.As(err, &gateway):
			return "gateway " + gateway.Code
		case errors.As(err, &business):
			return "business " + business.Code
		case errors.As(err, &decode):
			return "decode"
		}
		return ""
	}
	for body, want := range map[string]string{
		`{"kind":"cut"}`: "transport", `{"kind":"dropped"}`: "transport", `{"kind":"unavailable"}`: "gateway 10",
		`{"kind":"gbk"}`: "", `{"kind":"no_flag"}`: "decode", `{"kind":"truncated_gzip"}`: "transport",
		`{"kind":"html"}`: "transport", `{"kind":"delay","seconds":0.001}`: "",
		`{"kind":"http_status","status":503}`: "transport", `{"kind":"business","code":"012"}`: "business 012",
		`{"kind":"cut","methods":["alitrip.rentcar.none"]}`: "", `{"kind":"unavailable","after_commit":true}`: "gateway 10",
	} {
		if status := d.do("POST", "/faults", body, nil); status != 200 {
			t.Errorf("%s: status %d", body, status)
		}
		if got := phase(query()); got != want {
			t.Errorf("%s: got %q, want %q", body, got, want)
		}
		d.do("DELETE", "/faults", "", nil)
		if got := phase(query()); got != "" {
			t.Errorf("%s: still %q", body, got)
		}
	}
	// A ban of a whole app lasts, and is taken away by its id; what has hit is no longer listed.
	var set struct{ ID string }
	var list struct{ Faults []faultView }
	d.do("POST", "/faults", `{"kind":"unavailable","times":1}`, nil)
	d.do("POST", "/faults", `{"kind":"ban","seconds":60,"sub_code":"app"}`, &set)
	d.do("GET", "/faults", "", &list)
	if f := list.Faults; len(f) != 2 || f[0].Left != 1 || f[1].ID != set.ID || f[1].Left != -1 || f[1].Until == "" ||
		f[1].Name != "banned ("+set.ID+")" || f[1].Kind != "ban" {
		t.Errorf("faults %+v", f)
	}
	if got := phase(query()); got != "gateway 10" {
		t.Errorf("first: %q", got)
	}
	d.do("GET", "/faults", "", &list)
	if got := phase(query()); got != "gateway 7" || len(list.Faults) != 1 {
		t.Errorf("banned: %q, %+v", got, list.Faults)
	}
	calls := d.s.gateway.Requests()
	if got := calls[len(calls)-1].Answer.Fault; got != "banned ("+set.ID+")" {
		t.Errorf("the call says %q", got)
	}
	if status := d.do("DELETE", "/faults/"+set.ID, "", &list); status != 200 || phase(fresh(d)) != "" {
		t.Errorf("status %d", status)
	}
}

// fresh calls with a new client: the old one holds back on its own while the ban lasts.
func fresh(d *desk) error {
	_, err := d.client().Orders.Query(context.Background(), &rentcar.OrderQueryRequest{OrderID: fliggytest.SampleOrderID})
	return err
}
