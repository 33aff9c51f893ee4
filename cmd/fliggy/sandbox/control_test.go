package sandbox

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/fliggytest"
)

// TestControlErrors names member and rule of what is wrong, and changes nothing.
func TestControlErrors(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	id := d.submit("R1")
	for _, c := range []struct {
		method, path, body string
		status             int
		field, message     string
	}{
		{"GET", "/nothing", "", 404, "", "see docs/sandbox.md"},
		{"DELETE", "/state", "", 404, "", "DELETE"},
		{"GET", "/calls/none", "", 404, "", `no call "none"`},
		{"GET", "/calls?limit=0", "", 400, "limit", "above zero"},
		{"GET", "/pushes/none", "", 404, "", "no push"},
		{"POST", "/pushes/none/resend", "{}", 404, "", "no push"},
		{"POST", "/renewals/none/accept", "{}", 404, "", "no renewal"},
		{"POST", "/renewals/none/reject", "{}", 404, "", "no renewal"},
		{"POST", "/renewals/none/refund", `{"amount":"1.00"}`, 404, "", "no renewal"},
		{"POST", "/orders/" + id + "/refund", `{"amount":"1.00"}`, 404, "", "no order"},
		{"POST", "/renewals/" + id + "/refund", `{}`, 400, "amount", "above zero"},
		{"POST", "/renewals/" + id + "/refund", `{"amount":"much"}`, 400, "amount", "much"},
		{"POST", "/renewals/" + id + "/refund", `{"amount":"1.234"}`, 400, "amount", "two decimals"},
		{"POST", "/renewals/" + id + "/accept", `{"times":-1}`, 400, "times", "1 to 1000"},
		{"POST", "/renewals/" + id + "/accept", `{"delay_seconds":99999}`, 400, "delay_seconds", "3600"},
		{"POST", "/renewals/" + id + "/accept", `{"late":1}`, 400, "late", "no such member"},
		{"POST", "/renewals/" + id + "/accept", `{"late_seconds":-1e300}`, 400, "late_seconds", "ten years"},
		{"POST", "/renewals/" + id + "/accept", `{"times":1.5}`, 400, "times", "want a whole number, got JSON's number 1.5"},
		{"POST", "/renewals/" + id + "/accept", `{"late_seconds":"1"}`, 400, "late_seconds", "want a number, got"},
		{"POST", "/renewals/" + id + "/accept", `[]`, 400, "", "the body: want one JSON object"},
		{"POST", "/renewals/" + id + "/accept", `{`, 400, "", "the body: want one JSON object"},
		{"POST", "/renewals/" + id + "/accept", `{"form":"yes"}`, 400, "form", "want true or false, got JSON's string"},
		{"POST", "/renewals/" + id + "/accept", `{} {}`, 400, "", "one JSON object"},
		{"POST", "/events", `{}`, 400, "event", "missing"},
		{"POST", "/events", `{"event":{},"form":true}`, 400, "event", "no event"},
		{"POST", "/faults", `{"kind":"flood"}`, 400, "kind", "[ban business cut"},
		{"POST", "/faults", `{"kind":"delay"}`, 400, "seconds", "above 0"},
		{"POST", "/faults", `{"kind":"ban","seconds":1,"sub_code":"x"}`, 400, "sub_code", "dynamic"},
		{"POST", "/faults", `{"kind":"http_status","status":99}`, 400, "status", "200 to 599"},
		{"POST", "/faults", `{"kind":"business"}`, 400, "code", "missing"},
		{"POST", "/faults", `{"kind":"cut","times":-1}`, 400, "times", "0 for always"},
		{"POST", "/faults", `{"kind":"cut","methods":"x"}`, 400, "methods", "want a list of texts"},
		{"POST", "/faults", `{"kind":"cut","methods":[""]}`, 400, "methods", "want API names"},
		{"POST", "/faults", `{"kind":5}`, 400, "kind", "want a text"},
		{"POST", "/orders", `{"orders":["` + strings.Repeat("a", maxBody) + `"]}`, 413, "", "1 MiB"},
		{"POST", "/events", `{"event":"` + strings.Repeat("a", maxBody) + `"}`, 413, "", "1 MiB"},
		{"DELETE", "/faults/none", "", 404, "", "no fault"},
		{"PUT", "/clock", `{"now":"soon"}`, 400, "now", "soon"},
		{"PUT", "/clock", `{"now":"0001-01-02 00:00:00"}`, 400, "now", "2000 to 2199"},
		{"PUT", "/clock", `{"now":"2200-01-01 00:00:00"}`, 400, "now", "2000 to 2199"},
		{"PUT", "/scenario", `{}`, 400, "scenario", "missing"},
		{"PUT", "/push-to", `{}`, 400, "push_to", "missing"},
		{"PUT", "/push-to", `{"push_to":"http://h/?%zz"}`, 400, "push_to", "not percent-encoded"},
		{"PUT", "/clock", `{"now":"2026-12-01 10:00:00","advance_seconds":1}`, 400, "advance_seconds", "without now"},
		{"PUT", "/clock", `{"advance_seconds":1e12}`, 400, "advance_seconds", "ten years"},
		{"PUT", "/scenario", `{"scenario":"chaos"}`, 400, "scenario", "accepted, rejected, slow or never"},
		{"PUT", "/push-to", `{"push_to":"localhost:80"}`, 400, "push_to", "absolute URL"},
		{"POST", "/merchant/check", `{"url":"x"}`, 400, "url", "absolute URL"},
		{"POST", "/merchant/check", `{"url":"http://h/"}`, 400, "order_id", "missing"},
		{"POST", "/merchant/check", `{"url":"http://h/","order_id":"1"}`, 400, "start", "missing"},
		{"POST", "/orders", `{"orders":[{"order_id":"1"}]}`, 400, "orders", "line 1: orders[0].out_order_id"},
		{"GET", "/activity?after=x", "", 400, "after", "number"},
		{"GET", "/activity?wait_seconds=99", "", 400, "wait_seconds", "0 to 60"},
		{"GET", "/stream?after=x", "", 400, "after", "number"},
	} {
		var got failure
		status := d.do(c.method, c.path, c.body, &got)
		if status != c.status || got.Error.Field != c.field || !strings.Contains(got.Error.Message, c.message) ||
			got.Error.Code == "" {
			t.Errorf("%s %s %s: status %d, %+v", c.method, c.path, c.body, status, got)
		}
	}
	if r, _ := d.s.gateway.Renewal("3187983531024266527"); r.State != fliggytest.RenewalSubmitted || len(r.Refunds) > 0 {
		t.Errorf("changed: %+v", r)
	}
}

// TestClock moves the clock of the business: what cancelling costs follows, and calls are taken all the same.
func TestClock(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	start := time.Now()
	var got clockView
	for _, c := range []struct {
		body string
		want func(now time.Time) bool
		clockView
	}{
		{`{"now":"2030-01-02 03:04","stopped":true}`, func(now time.Time) bool {
			return now.Equal(time.Date(2030, 1, 1, 19, 4, 0, 0, time.UTC))
		}, clockView{Stopped: true}},
		{`{"advance_seconds":3600,"stopped":true}`, func(now time.Time) bool {
			return now.Equal(time.Date(2030, 1, 1, 20, 4, 0, 0, time.UTC))
		}, clockView{Stopped: true}},
		{`{"now":"2030-01-02 03:04"}`, func(now time.Time) bool {
			return now.Sub(time.Date(2030, 1, 1, 19, 4, 0, 0, time.UTC)) < time.Hour
		}, clockView{}},
		{`{}`, func(now time.Time) bool { return now.Sub(start) < time.Hour }, clockView{Real: true}},
		{`{"stopped":true}`, func(now time.Time) bool { return now.Sub(start) < time.Hour }, clockView{Stopped: true}},
	} {
		status := d.do("PUT", "/clock", c.body, &got)
		now, err := time.Parse(time.RFC3339, got.Now)
		if got.Now = ""; status != 200 || err != nil || !c.want(now) || got != c.clockView {
			t.Errorf("%s: status %d, %v, %+v at %v", c.body, status, err, got, now)
		}
		d.submit("R") // signed with the real time
	}
}

// TestReset puts everything back, but for clock and target.
func TestReset(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(c *Config) { c.Scenario = Accepted })
	e := newEndpoint(t)
	d.do("PUT", "/push-to", `{"push_to":"`+e.url+`"}`, nil)
	d.submit("R1")
	<-e.events
	d.do("POST", "/faults", `{"kind":"cut","times":0}`, nil)
	d.do("POST", "/orders", `{"orders":[{"out_order_id":"A"}]}`, nil)
	var state struct {
		Renewals []renewalView
		Orders   []orderView
		Faults   []faultView
		PushTo   string `json:"push_to"`
		Scenario string
	}
	if status := d.do("POST", "/reset", "{}", &state); status != 200 || len(state.Renewals) != 0 ||
		len(state.Orders) != 1 ||
		len(state.Faults) != 0 || state.PushTo != e.url || state.Scenario != "accepted" {
		t.Errorf("status %d, %+v", status, state)
	}
	d.submit("R2") // accepted again
	<-e.events
}

func TestScenarios(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	e := newEndpoint(t)
	noError(t, d.s.aim(e.url))
	for scenario, want := range map[Scenario]int{Accepted: 103, Rejected: 104} {
		d.do("PUT", "/scenario", `{"scenario":"`+string(scenario)+`"}`, nil)
		d.submit("R")
		if got := int((<-e.events).Type()); got != want {
			t.Errorf("%s: event %d", scenario, got)
		}
	}
	for _, scenario := range []Scenario{Slow, Never} {
		var got struct{ Scenario Scenario }
		d.do("PUT", "/scenario", `{"scenario":"`+string(scenario)+`"}`, &got)
		d.submit("R")
		if len(e.events) > 0 || got.Scenario != scenario {
			t.Errorf("%s: %+v, %d events", scenario, got, len(e.events))
		}
	}
}

func TestConfigThatIsWrong(t *testing.T) {
	t.Parallel()
	for field, change := range map[string]func(*Config){
		"push_to": func(c *Config) { c.PushTo = "x" }, "scenario": func(c *Config) { c.Scenario = "x" },
		"merchant": func(c *Config) { c.Merchant = "x" },
	} {
		cfg := Config{Origin: "http://h", AppKey: "1", AppSecret: "s"}
		change(&cfg)
		if s, err := New(cfg); err == nil || !strings.HasPrefix(err.Error(), field+": ") || s != nil {
			t.Errorf("%s: got %v", field, err)
		}
	}
}

func TestReady(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	res, err := d.http.Get(d.url + "/ready")
	noError(t, err)
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("got %v", res)
	}
	var state map[string]any
	d.do("GET", "/state", "", &state)
	if diff := cmp.Diff(d.url+"/router/rest", state["top"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
