package main

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggytest"
)

const (
	queryMethod = "alitrip.rentcar.btb.order.query"
	cancelling  = "alitrip.rentcar.btb.renewal.order.cancel"
	anyMethod   = "alitrip.rentcar.any.method"
	pricesCall  = "qimen.alitrip.rentcar.renewalprices.query"
	sampleOrder = `{"order_id":"` + string(fliggytest.SampleOrderID) + `"}`
)

// TestWrappers holds the table to the catalogue.
func TestWrappers(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../testdata/catalogue/apis.json")
	noError(t, err)
	var catalogue struct {
		APIs []struct {
			Name, Role string
			Request    struct{ Param string }
		}
	}
	noError(t, json.Unmarshal(data, &catalogue))
	want := map[string]string{}
	for _, api := range catalogue.APIs {
		if strings.HasPrefix(api.Name, "alitrip.") && api.Request.Param != "" {
			want[api.Name] = api.Request.Param
		}
	}
	if diff := cmp.Diff(want, wrappers); diff != "" {
		t.Errorf("-catalogue +table:\n%s", diff)
	}
}

// callGateway is a gateway that serves two methods more, which answer what they have got.
func callGateway(t *testing.T) *fliggytest.Gateway {
	t.Helper()
	g := fliggytest.NewGateway(fliggytest.WithSession("sess10n"))
	t.Cleanup(g.Close)
	g.Handle(anyMethod, func(_ context.Context, r *fliggytest.Request) (any, error) {
		data, err := json.Marshal(map[string]any{"got": r.Params})
		return rentcar.Raw(data), err
	})
	g.Handle(pricesCall, func(_ context.Context, r *fliggytest.Request) (any, error) {
		target := r.Protocol["target_app_key"]
		return rentcar.Raw(`{"success":true,"target":"` + target + `","body":` + string(r.Body) + `}`), nil
	})
	return g
}

func callVars(g *fliggytest.Gateway) variables {
	vars := gatewayVars(g)
	vars["FLIGGY_SESSION"] = "sess10n"
	return vars
}

func TestCall(t *testing.T) {
	t.Parallel()
	g := callGateway(t)
	file := filepath.Join(t.TempDir(), "query.json")
	order := sampleOrder
	noError(t, os.WriteFile(file, []byte("\ufeff"+order), 0o600))
	for name, c := range map[string]struct {
		args  []string
		stdin string
		want  string
	}{
		"data": {[]string{queryMethod, "-d", order}, "", `"successful":true`},
		"parameter": {
			[]string{queryMethod, "-p", wrappers[queryMethod] + `={"channel_id":"80001",` + order[1:]}, "", `"successful":true`,
		},
		"no data":    {[]string{"alitrip.rentcar.btb.city.query"}, "", `"successful":true`},
		"file":       {[]string{queryMethod, "-d", "@" + file}, "", `"successful":true`},
		"stdin":      {[]string{queryMethod, "-d", "@-"}, order, `"successful":true`},
		"hmac":       {[]string{queryMethod, "-d", order, "--sign-method", "hmac"}, "", `"successful":true`},
		"md5":        {[]string{queryMethod, "-d", order, "--sign-method", "md5"}, "", `"successful":true`},
		"raw":        {[]string{queryMethod, "-d", order, "--raw"}, "", `"successful":true`},
		"parameters": {[]string{anyMethod, "-p", "a=1,2", "-p", "b=x=y"}, "", `{"a":"1,2","b":"x=y"}`},
		"members": {[]string{anyMethod, "-p", "a=1", "-d", `{"b":{"c":[1]},"d":12345678901234567890}`}, "",
			`"d":"12345678901234567890"`},
		"qimen":       {[]string{pricesCall, "--qimen", "-d", `{"orderId":"中"}`}, "", `"body":{"orderId":"中"}`},
		"qimen key":   {[]string{pricesCall, "--qimen", "-d", `{}`, "--target-app-key", "77"}, "", `"target":"77"`},
		"qimen param": {[]string{pricesCall, "--qimen", "-p", "a=b", "-d", `{}`}, "", `"success":true`},
	} {
		got := fliggyCmd(t.Context(), callVars(g), c.stdin, append([]string{"call"}, c.args...)...)
		if got.status != 0 || !strings.Contains(got.stdout, c.want) || !strings.Contains(got.stderr, "succeeded in") ||
			!strings.Contains(got.stderr, "request id") && !strings.Contains(name, "qimen") && !strings.Contains(name, "me") {
			t.Errorf("%s: %+v; want %s", name, got, c.want)
		}
	}
	requests := g.Requests()
	if got := requests[len(requests)-1].Protocol["session"]; got != "sess10n" {
		t.Errorf("session %q", got)
	}
}

// TestCallOnTerminal looks for the indented reply and the colours.
func TestCallOnTerminal(t *testing.T) {
	t.Parallel()
	g := callGateway(t)
	vars := callVars(g)
	vars["XDG_CONFIG_HOME"] = "/nonexistent"
	var out, errs strings.Builder
	status := run(t.Context(), []string{"call", queryMethod, "-d", sampleOrder}, system{
		stdout: &out, stderr: &errs, getenv: vars.get, now: time.Now, isTerminal: true, isErrTerminal: true,
	})
	if status != 0 || !strings.Contains(out.String(), "\n  \"successful\": true") ||
		!strings.Contains(errs.String(), "\x1b[32m") {
		t.Errorf("status %d\n%s%s", status, out.String(), errs.String())
	}
}

// TestCallFails says what is known of each failure.
func TestCallFails(t *testing.T) {
	t.Parallel()
	order := `{"order_id":"1"}`
	for name, c := range map[string]struct {
		method string
		fault  *fliggytest.Fault
		vars   variables
		status int
		want   []string // of stderr
	}{
		"refused":     {queryMethod, nil, nil, 1, []string{"refused in", "the reply says no", "request id"}},
		"unavailable": {queryMethod, new(fliggytest.Unavailable()), nil, 1, []string{"unknown in", "it can be sent again"}},
		"lost read":   {queryMethod, new(fliggytest.CutOff()), nil, 4, []string{"changes nothing"}},
		"lost write":  {cancelling, new(fliggytest.CutOff()), nil, 3, []string{"It may have been carried out, or not"}},
		"no method":   {"a.b.c", nil, nil, 1, []string{"22", "Is the name of the method right"}},
		"secret": {
			queryMethod, nil, variables{"FLIGGY_APP_SECRET": "another"}, 1,
			[]string{"rejected in", "25", "Is the secret that of this app?"},
		},
		"session": {queryMethod, nil, variables{"FLIGGY_SESSION": "old"}, 1, []string{"27", "Check app key"}},
		"banned": {
			queryMethod, new(fliggytest.Banned(time.Minute, fliggytest.BanApp)), nil, 1, []string{"Flow control: wait"},
		},
	} {
		g := callGateway(t)
		vars := callVars(g)
		for name, value := range c.vars {
			vars[name] = value
		}
		if c.fault != nil {
			g.Fail(*c.fault)
		}
		got := fliggyCmd(t.Context(), vars, "", "call", c.method, "-d", order)
		for _, want := range c.want {
			if got.status != c.status || !strings.Contains(got.stderr, want) {
				t.Errorf("%s: %+v; want status %d, %q", name, got, c.status, want)
			}
		}
		if len(g.Requests()) != 1 {
			t.Errorf("%s: it was sent %d times", name, len(g.Requests()))
		}
	}
	for status, args := range map[int][]string{3: nil, 4: {"--read-only"}} {
		g := callGateway(t)
		g.Fail(fliggytest.CutOff())
		got := fliggyCmd(t.Context(), callVars(g), "", append([]string{"call", anyMethod}, args...)...)
		if got.status != status {
			t.Errorf("an unknown method, %v: %+v", args, got)
		}
	}
	s := httptest.NewServer(nil)
	s.Close()
	got := fliggyCmd(t.Context(), variables{"FLIGGY_URL": s.URL}, "", "call", cancelling, "-d", order)
	if got.status != statusNoAnswer || !strings.Contains(got.stderr, "Is the gateway running") {
		t.Errorf("nothing listens: %+v", got)
	}
}

func TestCallAsJSON(t *testing.T) {
	t.Parallel()
	g := callGateway(t)
	for name, c := range map[string]struct {
		data string
		want called
	}{
		"done": {sampleOrder, called{Outcome: "succeeded"}},
		"refused": {`{"order_id":"1"}`, called{Outcome: "refused", Error: &callError{
			Code: fliggytest.RetOrderNotFound, Advice: "It was not carried out: the business refuses it.",
		}}},
	} {
		got := fliggyCmd(t.Context(), callVars(g), "", "call", queryMethod, "-d", c.data, "--json")
		var out called
		noError(t, json.Unmarshal([]byte(got.stdout), &out))
		if out.RequestID == "" || out.HTTPStatus != 200 || got.stderr != "" ||
			!strings.Contains(string(out.Reply), `"successful"`) {
			t.Errorf("%s: %+v", name, got)
		}
		if out.Error != nil {
			out.Error.Message = ""
		}
		c.want.Method = queryMethod
		out.RequestID, out.HTTPStatus, out.DurationMS, out.Reply = "", 0, 0, nil
		if diff := cmp.Diff(c.want, out); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

// TestRefusalIn reads success flags.
func TestRefusalIn(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"successful":false,"ret_code":"012","ret_msg":"no"}`:       "012",
		`{"successful":"false","ret_code":12}`:                       "12",
		`{"x_response":{"successful":false,"ret_code":"7"}}`:         "7",
		`{"response":{"success":false,"retCode":"r"}}`:               "r",
		`{"success":false,"biz_error_code":"b","biz_error_msg":"m"}`: "b",
		`{"successful":true,"ret_code":"0"}`:                         "",
		`{}`:                                                         "",
		`[1]`:                                                        "",
		`x`:                                                          "",
		`{"a":1}`:                                                    "",
	} {
		got := ""
		if refusal := refusalIn([]byte(body)); refusal != nil {
			got = refusal.Code
		}
		if got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

// TestCallDryRun sends nothing, and shows the text that is signed.
func TestCallDryRun(t *testing.T) {
	t.Parallel()
	g := callGateway(t)
	args := []string{"call", anyMethod, "-p", "name=值", "--dry-run", "--json", "--sign-method", "md5"}
	got := fliggyCmd(t.Context(), callVars(g), "", args...)
	var out wouldSend
	noError(t, json.Unmarshal([]byte(got.stdout), &out))
	q := out.Query
	want := wouldSend{
		DryRun: true, URL: g.URL(), SignMethod: "md5", Form: map[string]string{"name": "值"}, ContentType: out.ContentType,
		Query: map[string]string{
			"app_key": fliggytest.DefaultAppKey, "format": "json", "method": anyMethod, "partner_id": q["partner_id"],
			"session": hiddenText, "sign_method": "md5", "simplify": "true", "timestamp": q["timestamp"], "v": "2.0",
		},
		SignedText: "app_key24700001formatjsonmethod" + anyMethod + "name值partner_id" + q["partner_id"] +
			"session" + hiddenText + "sign_methodmd5simplifytruetimestamp" + q["timestamp"] + "v2.0",
	}
	if diff := cmp.Diff(want, out); diff != "" || got.status != 0 {
		t.Errorf("status %d, -want +got:\n%s", got.status, diff)
	}
	// A session that is a part of other words hides none of them.
	vars := callVars(g)
	vars["FLIGGY_SESSION"] = "sess"
	got = fliggyCmd(t.Context(), vars, "", "call", anyMethod, "-p", "a=sess", "--dry-run", "--json")
	out = wouldSend{}
	noError(t, json.Unmarshal([]byte(got.stdout), &out))
	if !strings.Contains(out.SignedText, "session"+hiddenText+"sign_method") || out.Query["session"] != hiddenText ||
		!strings.HasPrefix(out.SignedText, "asessapp_key") {
		t.Errorf("short session: %+v", out)
	}
	got = fliggyCmd(t.Context(), callVars(g), "", "call", pricesCall, "--qimen", "-d", `{"a":1}`, "--dry-run")
	if !strings.Contains(got.stdout, "body\n  {\"a\":1}") || !strings.Contains(got.stdout, `v2.0{"a":1}`) {
		t.Errorf("qimen: %+v", got)
	}
	if strings.Contains(got.stdout+got.stderr, "sess10n") || len(g.Requests()) != 0 {
		t.Errorf("%+v, %d requests", got, len(g.Requests()))
	}
}

func TestCallThatIsWrong(t *testing.T) {
	t.Parallel()
	g := callGateway(t)
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no method":      {nil, `"<method>"`},
		"parameter":      {[]string{"a.b", "-p", "x"}, "want NAME=VALUE"},
		"twice":          {[]string{"a.b", "-p", "x=1", "-p", "x=2"}, "given twice"},
		"twice in data":  {[]string{"a.b", "-p", "x=1", "-d", `{"x":1}`}, "by -p and by --data"},
		"protocol":       {[]string{"a.b", "-p", "app_key=1"}, "parameter of the protocol"},
		"no JSON":        {[]string{"a.b", "-d", "{"}, "--data is not JSON"},
		"no object":      {[]string{"a.b", "-d", "[1]"}, "want a JSON object"},
		"no file":        {[]string{"a.b", "-d", "@/no/such"}, "no such file"},
		"target":         {[]string{"a.b", "--target-app-key", "1"}, "is for --qimen"},
		"dry, protocol":  {[]string{"a.b", "-p", "sign=1", "--dry-run"}, "parameter of the protocol"},
		"qimen body":     {[]string{"a.b", "--qimen", "-d", "null"}, "body"},
		"sign method":    {[]string{"a.b", "--sign-method", "sha1"}, "hmac-sha256"},
		"no seconds":     {[]string{"a.b", "--timeout", "0"}, "timeout"},
		"empty method":   {[]string{" "}, "API name"},
		"unknown option": {[]string{"a.b", "--paran", "x=1"}, "--param"},
	} {
		got := fliggyCmd(t.Context(), callVars(g), "", append([]string{"call"}, c.args...)...)
		if got.status != statusUsage || !strings.Contains(got.stderr, c.want) {
			t.Errorf("%s: %+v; want %q", name, got, c.want)
		}
	}
}

func TestWithChannel(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ method, data, channel, want string }{
		"none":     {queryMethod, "", "1", `{"channel_id":"1"}`},
		"added":    {queryMethod, `{ "a":12345678901234567890}`, "1", `{"channel_id":"1", "a":12345678901234567890}`},
		"own":      {queryMethod, `{"channel_id":"2"}`, "1", `{"channel_id":"2"}`},
		"no other": {queryMethod, `{"a":1}`, "", `{"a":1}`},
		"list":     {queryMethod, `[1]`, "1", `[1]`},
		"agency":   {"alitrip.rentcar.zzc.callback.order.update", `{"a":1}`, "1", `{"a":1}`},
	} {
		var data json.RawMessage
		if c.data != "" {
			data = json.RawMessage(c.data)
		}
		if got := (&callCmd{Method: c.method}).withChannel(data, c.channel); string(got) != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
