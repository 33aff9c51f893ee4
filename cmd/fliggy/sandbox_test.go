package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// A served is a sandbox that was started by the command.
type served struct {
	lines  *bufio.Scanner
	status chan int
	stop   context.CancelFunc
}

// startSandbox starts "fliggy sandbox" on a free port.
func startSandbox(t *testing.T, vars variables, args ...string) *served {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	s := &served{bufio.NewScanner(out), make(chan int, 1), cancel}
	vars["XDG_CONFIG_HOME"] = t.TempDir()
	go func() {
		s.status <- run(ctx, append([]string{"sandbox", "--addr", "127.0.0.1:0"}, args...), system{
			stdout: in, stderr: io.Discard, getenv: func(name string) string { return vars[name] }, now: time.Now,
		})
		_ = in.Close()
	}()
	t.Cleanup(func() {
		cancel()
		for s.lines.Scan() {
		}
		if status := <-s.status; status != 0 {
			t.Errorf("exit status %d", status)
		}
	})
	return s
}

// ready is the line of --ready.
type ready struct {
	Ready                        bool
	Console, Control, TOP, Qimen string
	AppKey                       string `json:"app_key"`
}

func TestSandboxReady(t *testing.T) {
	t.Parallel()
	seed := filepath.Join(t.TempDir(), "orders.json")
	noError(t, os.WriteFile(seed, []byte(`{"orders":[{"order_id":"7","out_order_id":"RC7"}]}`), 0o600))
	vars := variables{"FLIGGY_APP_SECRET": "of the environment", "FLIGGY_SESSION": "sess"}
	s := startSandbox(t, vars, "--ready", "--seed", seed, "--app-key", "1", "--clock", "2030-01-02 03:04", "--scenario",
		"accepted")
	s.lines.Scan()
	var got ready
	if err := json.Unmarshal(s.lines.Bytes(), &got); err != nil || !got.Ready || got.AppKey != "1" {
		t.Fatalf("%v, %s", err, s.lines.Text())
	}
	c, err := rentcar.NewClient("1", "of the environment", rentcar.WithBaseURL(got.TOP), rentcar.WithSession("sess"),
		rentcar.WithChannel(fliggy.ChannelAmap))
	noError(t, err)
	if _, err := c.Orders.Query(context.Background(), &rentcar.OrderQueryRequest{OrderID: "7"}); err != nil {
		t.Errorf("the seed: %v", err)
	}
	_, err = c.Orders.Query(context.Background(), &rentcar.OrderQueryRequest{OrderID: fliggytest.SampleOrderID})
	if err == nil {
		t.Error("the sample order is there beside the seed")
	}
	res, err := http.Get(got.Control + "/state")
	noError(t, err)
	defer func() { _ = res.Body.Close() }()
	var state struct {
		Scenario string
		Clock    struct{ Now string }
	}
	noError(t, json.NewDecoder(res.Body).Decode(&state))
	if state.Scenario != "accepted" || !strings.HasPrefix(state.Clock.Now, "2030-01-02T03:04:") {
		t.Errorf("state %+v", state)
	}
	http.DefaultClient.CloseIdleConnections()
}

// TestOfficialClients replays what official clients of other languages put on the wire.
func TestOfficialClients(t *testing.T) {
	t.Parallel()
	s := startSandbox(t, variables{}, "--ready", "--wire-clock", "2023-02-01 15:40:52")
	s.lines.Scan()
	var at ready
	noError(t, json.Unmarshal(s.lines.Bytes(), &at))
	for file, want := range map[string]string{
		"java-form": `"standard_price":"11.00"`, "java-form-json2": `"successful":true`,
		"node-multipart": `"standard_price":"11.00"`,
		"php-form":       "鲁A231212", "python-form": "鲁A231212", "python-get": "鲁A231212",
	} {
		recorded, err := os.ReadFile("testdata/requests/" + file + ".http")
		noError(t, err)
		conn, err := net.Dial("tcp", strings.TrimPrefix(strings.TrimSuffix(at.Console, "/"), "http://"))
		noError(t, err)
		_, err = conn.Write(recorded)
		noError(t, err)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		noError(t, err)
		body := io.Reader(res.Body)
		if res.Header.Get("Content-Encoding") == "gzip" {
			body, err = gzip.NewReader(res.Body)
			noError(t, err)
		}
		answer, err := io.ReadAll(body)
		if err != nil || !strings.Contains(string(answer), want) {
			t.Errorf("%s: %v, %s", file, err, answer)
		}
		noError(t, conn.Close())
	}
}

func TestSandboxGreeting(t *testing.T) {
	t.Parallel()
	for secret, args := range map[string][]string{
		fliggytest.DefaultAppSecret: nil, "yours": {"--app-secret", "hidden"}, "made up now": {"--new-secret"},
	} {
		s := startSandbox(t, variables{}, args...)
		var text strings.Builder
		for s.lines.Scan() {
			text.WriteString(s.lines.Text() + "\n")
			if strings.Contains(s.lines.Text(), "events to") {
				break
			}
		}
		if !strings.Contains(text.String(), secret) || strings.Contains(text.String(), "hidden") ||
			!strings.Contains(text.String(), "console     http://127.0.0.1:") {
			t.Errorf("%v:\n%s", args, text.String())
		}
		s.stop()
	}
}

// TestSandboxReadyLine has an app secret that was made up, and none of the user's.
func TestSandboxReadyLine(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "config.json")
	noError(t, os.WriteFile(config, []byte(`{"default":"mine","profiles":{"mine":{"app_key":"7"}}}`), 0o600))
	for name, c := range map[string]struct {
		vars         variables
		args         []string
		key          string
		showsDefault bool
		showsSecret  bool
	}{
		"default":    {variables{}, nil, fliggytest.DefaultAppKey, true, true},
		"made up":    {variables{}, []string{"--new-secret"}, fliggytest.DefaultAppKey, false, true},
		"the user's": {variables{"FLIGGY_APP_SECRET": "hidden"}, nil, fliggytest.DefaultAppKey, false, false},
		"profile":    {variables{"FLIGGY_CONFIG": config}, nil, "7", true, true},
		"flag":       {variables{"FLIGGY_CONFIG": config}, []string{"--app-key", "8"}, "8", true, true},
	} {
		s := startSandbox(t, c.vars, append(c.args, "--ready")...)
		s.lines.Scan()
		var got struct {
			AppKey    string `json:"app_key"`
			AppSecret string `json:"app_secret"`
			TOP       string
		}
		noError(t, json.Unmarshal(s.lines.Bytes(), &got))
		if got.AppKey != c.key || (got.AppSecret == fliggytest.DefaultAppSecret) != c.showsDefault ||
			(got.AppSecret != "") != c.showsSecret {
			t.Errorf("%s: %s", name, s.lines.Text())
		}
		if c.showsSecret {
			client, err := rentcar.NewClient(got.AppKey, got.AppSecret, rentcar.WithBaseURL(got.TOP),
				rentcar.WithChannel(fliggy.ChannelAmap))
			noError(t, err)
			_, err = client.Orders.Query(t.Context(), &rentcar.OrderQueryRequest{OrderID: fliggytest.SampleOrderID})
			noError(t, err)
		}
		s.stop()
	}
}

// TestOriginOf names an address that this machine reaches.
func TestOriginOf(t *testing.T) {
	t.Parallel()
	for _, ip := range []net.IP{net.IPv4zero, net.IPv6zero, net.IPv4(127, 0, 0, 1)} {
		if got := originOf(&net.TCPAddr{IP: ip, Port: 1}); got != "http://127.0.0.1:1" {
			t.Errorf("%v: %s", ip, got)
		}
	}
	if got := originOf(&net.TCPAddr{IP: net.IPv6loopback, Port: 1}); got != "http://[::1]:1" {
		t.Errorf("got %s", got)
	}
}

func TestSandboxThatCannotStart(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	busy, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	noError(t, err)
	defer func() { _ = busy.Close() }()
	port := busy.Addr().(*net.TCPAddr).Port
	seed := filepath.Join(t.TempDir(), "orders.json")
	noError(t, os.WriteFile(seed, []byte("{\"orders\":[\n{\"out_orderid\":\"1\"}]}"), 0o600))
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"busy port":    {[]string{"--addr", busy.Addr().String()}, fmt.Sprintf("port %d is in use", port)},
		"public":       {[]string{"--addr", ":0"}, "say --public"},
		"other host":   {[]string{"--addr", "0.0.0.0:0"}, "say --public"},
		"no port":      {[]string{"--addr", "here"}, "host:port"},
		"seed":         {[]string{"--seed", seed}, "line 2: orders[0].out_orderid: there is no such member"},
		"no seed":      {[]string{"--seed", seed + "x"}, "no such file"},
		"clock":        {[]string{"--clock", "soon"}, "--clock: want yyyy-MM-dd"},
		"scenario":     {[]string{"--scenario", "chaos"}, "accepted"},
		"push-to":      {[]string{"--addr", "127.0.0.1:0", "--push-to", "x"}, "--push-to: want an absolute URL"},
		"push query":   {[]string{"--addr", "127.0.0.1:0", "--push-to", "http://h/?%zz"}, "--push-to: its query"},
		"merchant":     {[]string{"--addr", "127.0.0.1:0", "--merchant", "x"}, "--merchant: want an absolute"},
		"two secrets":  {[]string{"--new-secret", "--app-secret", "x"}, "one of them"},
		"keep":         {[]string{"--keep", "0"}, "--keep"},
		"unknown flag": {[]string{"--port", "1"}, "unknown flag"},
	} {
		got := fliggyCmd(t.Context(), variables{}, "", append([]string{"sandbox"}, c.args...)...)
		if got.status != statusUsage || !strings.Contains(got.stderr, c.want) {
			t.Errorf("%s: %+v, want %q", name, got, c.want)
		}
	}
}
