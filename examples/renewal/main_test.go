package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	_ "github.com/fliggy-go/rentcar/internal/golden" // -update
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func noEnv(string) string { return "" }

func TestOfflineStory(t *testing.T) {
	t.Parallel()
	endings := map[string][]string{
		accepted: {
			"event 103, pushed", "event 142, pushed", "callback 270", "refund           3.20 yuan succeeded", "total 0.00",
		},
		rejected:     {"event 104, pushed", "71008 商家接单失败", "3187983531024266527 rejected"},
		refundFailed: {"event 142, pushed", "callback 271", "refund           3.20 yuan failed", "total 3.20"},
	}
	for scenario, want := range endings {
		for format := range formats {
			for sign := range signs {
				t.Run(scenario+"/"+format+"/"+sign, func(t *testing.T) {
					t.Parallel()
					var out, errs bytes.Buffer
					args := []string{"-scenario", scenario, "-format", format, "-sign", sign}
					if code := run(t.Context(), args, noEnv, &out, &errs); code != 0 || errs.Len() > 0 {
						t.Fatalf("exit %d, stderr %q, stdout:\n%s", code, errs.String(), out.String())
					}
					for _, w := range append(want, "16.02 yuan in all", "every signature valid") {
						if !strings.Contains(out.String(), w) {
							t.Errorf("no %q in:\n%s", w, out.String())
						}
					}
					if strings.Contains(out.String(), "callback 27") != (scenario != rejected) {
						t.Errorf("a callback in the wrong story:\n%s", out.String())
					}
				})
			}
		}
	}
}

// The way to the sandbox, walked to an in-process one.
func TestSandbox(t *testing.T) {
	t.Parallel()
	const session = "session-of-a-test"
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"stops after the quote", nil, "stopping here: -submit places a real order"},
		{"submits", []string{"-submit"}, "stopping here: -listen ADDR waits"},
		{"waits", []string{"-submit", "-listen", "127.0.0.1:0"}, "event 103, pushed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			gw := fliggytest.NewGateway(fliggytest.WithSession(session))
			gw.AutoAccept()
			defer gw.Close()
			env := map[string]string{
				"FLIGGY_APP_KEY": gw.AppKey(), "FLIGGY_APP_SECRET": gw.AppSecret(), "FLIGGY_URL": gw.URL(),
				"FLIGGY_SESSION":  session,
				"FLIGGY_ORDER_ID": string(fliggytest.SampleOrderID), "FLIGGY_OUT_ORDER_ID": fliggytest.SampleOutOrderID,
			}
			var errs bytes.Buffer
			out := &watched{gw: gw}
			code := run(t.Context(), tt.args, func(name string) string { return env[name] }, out, &errs)
			if code != 0 || errs.Len() > 0 {
				t.Fatalf("exit %d, stderr %q, stdout:\n%s", code, errs.String(), out.String())
			}
			if !strings.Contains(out.String(), tt.want) {
				t.Errorf("no %q in:\n%s", tt.want, out.String())
			}
			if got, want := len(gw.Renewals()), len(tt.args); (got > 0) != (want > 0) {
				t.Errorf("%d renewals", got)
			}
		})
	}
}

// watched is a screen that tells the gateway where pushes are received, as soon as
// the example says it.
type watched struct {
	bytes.Buffer
	gw *fliggytest.Gateway
}

func (w *watched) Write(b []byte) (int, error) {
	if _, url, ok := strings.Cut(string(b), "received at "); ok {
		w.gw.PushTo(strings.TrimSpace(url))
	}
	return w.Buffer.Write(b)
}

func TestExitStatus(t *testing.T) {
	t.Parallel()
	ended, end := context.WithCancel(t.Context())
	end()
	env := func(pairs ...string) func(string) string {
		return func(name string) string {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == name {
					return pairs[i+1]
				}
			}
			return ""
		}
	}
	for _, tt := range []struct {
		name   string
		ctx    context.Context
		args   []string
		getenv func(string) string
		code   int
		stderr string
	}{
		{"help", t.Context(), []string{"-help"}, noEnv, 0, "FLIGGY_APP_KEY"},
		{"unknown flag", t.Context(), []string{"-x"}, noEnv, 2, "renewal: flag provided but not defined: -x\n"},
		{"submit offline", t.Context(), []string{"-submit"}, noEnv, 2, "are for the sandbox"},
		{
			"listen alone", t.Context(), []string{"-listen", ":0"},
			env("FLIGGY_APP_KEY", "1", "FLIGGY_APP_SECRET", "s", "FLIGGY_ORDER_ID", "1"), 2, "give -submit too",
		},
		{"order without account", t.Context(), nil, env("FLIGGY_ORDER_ID", "1"), 2, "set both"},
		{"format", t.Context(), []string{"-format", "yaml"}, noEnv, 2, "simplified, wrapped or xml"},
		{"sign", t.Context(), []string{"-sign", "sha1"}, noEnv, 2, "hmac-sha256, hmac or md5"},
		{"scenario", t.Context(), []string{"-scenario", "happy"}, noEnv, 2, "accepted, rejected, refund-failed"},
		{"argument", t.Context(), []string{"now"}, noEnv, 2, `unexpected argument "now"`},
		{"half an account", t.Context(), nil, env("FLIGGY_APP_KEY", "1"), 2, "set both"},
		{"no order", t.Context(), nil, env("FLIGGY_APP_KEY", "1", "FLIGGY_APP_SECRET", "s"), 2, "FLIGGY_ORDER_ID"},
		{"interrupted", ended, nil, noEnv, 1, "context canceled"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out, errs bytes.Buffer
			code := run(tt.ctx, tt.args, tt.getenv, &out, &errs)
			if code != tt.code || !strings.Contains(errs.String(), tt.stderr) {
				t.Errorf("exit %d, stderr %q; want %d and %q", code, errs.String(), tt.code, tt.stderr)
			}
		})
	}
}

// A story that cannot be printed has not been told.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	var errs bytes.Buffer
	if code := run(
		t.Context(), nil, noEnv, full{}, &errs,
	); code != 1 || !strings.Contains(errs.String(), errFull.Error()) {
		t.Errorf("exit %d, stderr %q", code, errs.String())
	}
}

var errFull = errors.New("no space left")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

// The epilogue believes Fliggy's records, not the story.
func TestEpilogueTellsTheTruth(t *testing.T) {
	t.Parallel()
	gw := fliggytest.NewGateway()
	defer gw.Close()
	var out bytes.Buffer
	if err := epilogue(&screen{out: &out}, gw, accepted); err == nil || !strings.Contains(
		err.Error(), "the story ended with",
	) {
		t.Errorf("nothing has happened: %v", err)
	}
	client, err := gw.Client(rentcar.WithChannel(fliggy.ChannelAmap))
	if err != nil {
		t.Fatal(err)
	}
	done, err := client.Renewals.Submit(t.Context(), &rentcar.RenewalSubmitRequest{OrderID: fliggytest.SampleOrderID})
	if err != nil {
		t.Fatal(err)
	}
	gw.PushToHandler(
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }),
	)
	if err := pushed(gw.Reject(done.RenewalOrderID, "1", "no")); err == nil {
		t.Error("a push that was answered with 500 counts as taken")
	}
	if err := epilogue(&screen{out: &out}, gw, rejected); err == nil || !strings.Contains(err.Error(), "was not taken") {
		t.Errorf("a push was refused: %v", err)
	}
	_, _ = client.Renewals.Submit(t.Context(), &rentcar.RenewalSubmitRequest{OrderID: "1"}) // there is no such order
	if err := epilogue(&screen{out: &out}, gw, rejected); err == nil || !strings.Contains(
		err.Error(), "answered with code",
	) {
		t.Errorf("a call was refused: %v", err)
	}
}
