package browsertest

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/cmd/fliggy/sandbox"
	"github.com/fliggy-go/rentcar/fliggytest"
)

func TestScenario(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.tabTo("settings")
	for scenario, name := range map[string]string{
		"accepted": "Accepted", "rejected": "Rejected", "slow": "Slow", "never": "By hand",
	} {
		d.press("scenario-" + scenario)
		d.shows("#facts", name)
		if got := get[struct{ Scenario string }](d, "scenario").Scenario; got != scenario {
			t.Errorf("the scenario is %s, want %s", got, scenario)
		}
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.tabTo("settings")
	type clock struct {
		Now           string
		Real, Stopped bool
	}
	is := func(now string, isReal, isStopped bool) {
		t.Helper()
		got := get[clock](d, "clock")
		if !strings.HasPrefix(got.Now, now) || got.Real != isReal || got.Stopped != isStopped {
			t.Errorf("the clock is %+v", got)
		}
	}
	d.shows("#clock-mode", "real time")
	d.press("clock-stop")
	d.shows("#clock-mode", "stopped")
	d.set("clock-time", "2030-01-02T03:04:05")
	d.press("clock-set")
	d.shows("#clock-now", "2030-01-02 03:04:05")
	is("2030-01-02T03:04:05.000+08:00", false, true)
	d.fill("clock-hours", "36")
	d.press("clock-advance")
	d.shows("#clock-now", "2030-01-03 15:04:05")
	is("2030-01-03T15:04:05.000+08:00", false, true)
	d.press("clock-stop")
	d.shows("#clock-mode", "moved")
	is("2030-01-03T15:04:", false, false)
	d.shows("#fact-clock", "2030-01-03 15:04")
	d.press("clock-real")
	d.shows("#clock-mode", "real time")
	is("", true, false)
}

func TestPushTo(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.tabTo("settings")
	for _, url := range []string{"http://127.0.0.1:9/events", ""} {
		d.fill("push-to", url)
		d.press("push-to-save")
		d.shows("#toast-good", "Events go to "+map[bool]string{true: "nowhere", false: url}[url == ""])
		if got := get[struct {
			PushTo string `json:"push_to"`
		}](d, "push-to").PushTo; got != url {
			t.Errorf("events go to %q, want %q", got, url)
		}
	}
}

// An address that is being typed stays as it is when somebody else sets another one.
func TestPushToBeingTyped(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.tabTo("settings")
	d.fill("push-to", "http://127.0.0.1:9/mine")
	call(d, http.MethodPut, "push-to", map[string]string{"push_to": "http://127.0.0.1:9/theirs"}, nil)
	d.shows("#facts", "http://127.0.0.1:9/theirs")
	if got := evaluate[string](d, `document.getElementById('push-to').value`); got != "http://127.0.0.1:9/mine" {
		t.Errorf("the input has %s", got)
	}
}

func TestReset(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.submit("R1")
	d.shows("#calls-rows", "renewal.submit")
	d.tabTo("settings")
	d.press("reset")
	d.press("dialog-cancel")
	if n := len(d.calls()); n != 2 {
		t.Errorf("%d calls are left, and nothing was reset", n)
	}
	d.press("reset")
	d.press("dialog-confirm")
	d.shows("#toast-good", "as it was at the start")
	if n := len(d.calls()); n != 0 {
		t.Errorf("%d calls are left", n)
	}
	d.tabTo("calls")
	d.until(`document.querySelectorAll('#calls-rows .row').length === 0`)
	d.submit("R2")
	d.until(`document.querySelectorAll('#calls-rows .row').length === 2`)
}

// The console finds a sandbox again that was started anew, and forgets the calls of the old one.
func TestReconnect(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.expectRefusals()
	d.submit("R1")
	d.until(`document.querySelectorAll('#calls-rows .row').length === 2`)
	d.sandbox.Close()
	d.server.Close()
	d.shows("#live", "No connection")
	cfg := sandbox.Config{AppKey: fliggytest.DefaultAppKey, AppSecret: fliggytest.DefaultAppSecret}
	d.serve(&cfg, strings.TrimSuffix(strings.TrimPrefix(d.url, "http://"), "/"))
	d.shows("#live", "Live")
	d.until(`document.querySelectorAll('#calls-rows .row').length === 0`)
	d.submit("R2")
	d.until(`document.querySelectorAll('#calls-rows .row').length === 2`)
}

func listenAgain(t *testing.T, addr string) net.Listener {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(context.Background(), "tcp", addr)
	noError(t, err)
	return l
}
