package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar/cmd/fliggy/sandbox"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// sandboxCmd is "fliggy sandbox".
type sandboxCmd struct {
	Addr      string   `help:"Address to listen at." default:"127.0.0.1:8787" variable:"FLIGGY_ADDR"`
	Public    bool     `help:"Listen at an address that other machines reach. Anyone who reaches it can press its buttons."`
	AllowHost []string `help:"Further host name that the console answers to." placeholder:"NAME"`
	AppKey    string   `help:"App key that it knows. Default: that of the profile, or 24700001." variable:"FLIGGY_APP_KEY" placeholder:"KEY"`
	AppSecret string   `help:"App secret; FLIGGY_APP_SECRET or its _FILE keep it out of the process list." placeholder:"SECRET"`
	NewSecret bool     `help:"Make up an app secret and print it."`
	PushTo    string   `help:"URL of your endpoint for events." placeholder:"URL"`
	Merchant  string   `help:"URL of a merchant's endpoint: its methods are forwarded there, signed." placeholder:"URL"`
	Seed      string   `help:"JSON file of orders, in place of the sample order." placeholder:"FILE" type:"path"`
	Clock     string   `help:"Time that the sandbox begins at, yyyy-MM-dd HH:mm in GMT+8." placeholder:"TIME"`
	WireClock string   `help:"Time that timestamps of calls are compared with, to replay recorded ones." placeholder:"TIME"`
	Scenario  string   `help:"How renewals go: accepted, rejected, slow or never." enum:"accepted,rejected,slow,never" default:"never"`
	Ready     bool     `help:"Print one line of JSON once it is ready, and nothing else. A made up app secret is in it."`
	Keep      int      `help:"How many calls, pushes, renewals and bills it keeps." default:"2000"`
}

// Run serves until it is interrupted.
func (c *sandboxCmd) Run(e *env) error {
	cfg, err := c.config(e)
	if err != nil {
		return usage(err)
	}
	listener, err := openPort(e.ctx, c.Addr, c.Public)
	if err != nil {
		return usage(err)
	}
	cfg.Origin = originOf(listener.Addr())
	s, err := sandbox.New(*cfg)
	if err != nil {
		_ = listener.Close()
		return usage(errors.New("--" + strings.Replace(err.Error(), "push_to", "push-to", 1)))
	}
	server := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	c.greet(e, cfg)
	select {
	case err = <-failed:
	case <-e.ctx.Done():
		err = nil
	}
	s.Close() // ends streams and calls that hang, which Shutdown waits for
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), 5*time.Second)
	defer cancel()
	_ = server.Shutdown(ctx) // what is not over by now is cut off
	_ = server.Close()
	if err != nil {
		return &exit{statusNo, err}
	}
	e.note("stopped")
	return nil
}

// config reads flags and files.
func (c *sandboxCmd) config(e *env) (*sandbox.Config, error) {
	cfg := &sandbox.Config{
		AllowedHosts: c.AllowHost, AppKey: cmp.Or(c.AppKey, e.profile.AppKey, fliggytest.DefaultAppKey),
		PushTo: c.PushTo, Merchant: c.Merchant,
		Scenario: sandbox.Scenario(c.Scenario), Capacity: c.Keep, Version: version(), Session: e.session(),
	}
	if cfg.PushTo == "" {
		cfg.PushTo = e.profile.PushTo
	}
	switch {
	case c.Keep < 1:
		return nil, errors.New("--keep: want a number above zero")
	case c.NewSecret && c.AppSecret != "":
		return nil, errors.New("--new-secret makes a secret up, and --app-secret names one: give one of them")
	case c.NewSecret:
		cfg.AppSecret = strings.ToLower(rand.Text())
	case c.AppSecret != "":
		cfg.AppSecret = c.AppSecret
	case e.secret() != "":
		cfg.AppSecret = e.secret()
	default:
		cfg.AppSecret = fliggytest.DefaultAppSecret
	}
	for _, clock := range []struct {
		flag, text string
		to         *time.Time
	}{{"--clock", c.Clock, &cfg.Time}, {"--wire-clock", c.WireClock, &cfg.WireTime}} {
		if clock.text == "" {
			continue
		}
		at, err := fliggy.ParseTime(clock.text)
		if err != nil {
			return nil, fmt.Errorf("%s: want yyyy-MM-dd HH:mm:ss or yyyy-MM-dd HH:mm, in GMT+8", clock.flag)
		}
		*clock.to = at.Time
	}
	if c.Seed != "" {
		file, err := os.Open(c.Seed)
		if err != nil {
			return nil, fmt.Errorf("--seed: %w", err)
		}
		defer func() { _ = file.Close() }()
		if cfg.Orders, err = fliggytest.ReadOrders(file); err != nil {
			return nil, fmt.Errorf("--seed: %s: %s", c.Seed, strings.TrimPrefix(err.Error(), "fliggytest: "))
		}
	}
	return cfg, nil
}

// originOf is the address as this machine reaches it.
func originOf(addr net.Addr) string {
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("http://127.0.0.1:%d", tcp.Port)
	}
	return "http://" + addr.String()
}

// greet says where it is.
func (c *sandboxCmd) greet(e *env, cfg *sandbox.Config) {
	if c.Ready || e.json {
		line := map[string]any{
			"ready": true, "console": cfg.Origin + "/", "control": cfg.Origin + sandbox.Prefix,
			"top": cfg.Origin + "/router/rest", "qimen": cfg.Origin + "/router/qm", "app_key": cfg.AppKey,
		}
		if c.NewSecret || cfg.AppSecret == fliggytest.DefaultAppSecret { // nobody's
			line["app_secret"] = cfg.AppSecret
		}
		data, _ := json.Marshal(line)
		e.printf("%s", data)
		return
	}
	e.printf("Fliggy is running.  Ctrl-C stops it.")
	e.printf("  console     %s/", cfg.Origin)
	e.printf("  TOP         %s/router/rest", cfg.Origin)
	e.printf("  Qimen       %s/router/qm", cfg.Origin)
	e.printf("  control     %s%s", cfg.Origin, sandbox.Prefix)
	e.printf("  app key     %s", cfg.AppKey)
	switch {
	case cfg.AppSecret == fliggytest.DefaultAppSecret:
		e.printf("  app secret  %s (made up, the same everywhere)", cfg.AppSecret)
	case c.NewSecret:
		e.printf("  app secret  %s (made up now)", cfg.AppSecret)
	default:
		e.printf("  app secret  yours")
	}
	if cfg.PushTo != "" {
		e.printf("  events to   %s", cfg.PushTo)
	} else {
		e.printf("  events to   nowhere yet: --push-to URL, or in the console")
	}
	if c.Public {
		e.note("Other machines reach it at the addresses of this one: whoever reaches it can press its buttons.")
	}
}
