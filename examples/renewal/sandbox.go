package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

// A sandbox is the account of the platform's sandbox that the environment names.
type sandbox struct {
	appKey    string
	appSecret func() string
	order     fliggy.ID
	ourOrder  string
	channel   fliggy.Channel
	session   func() string
	url       string
}

func (s *sandbox) read(getenv func(string) string) error {
	secret, session := getenv("FLIGGY_APP_SECRET"), getenv("FLIGGY_SESSION")
	*s = sandbox{
		appKey:    getenv("FLIGGY_APP_KEY"),
		appSecret: func() string { return secret },
		order:     fliggy.ID(getenv("FLIGGY_ORDER_ID")),
		ourOrder:  getenv("FLIGGY_OUT_ORDER_ID"),
		channel:   fliggy.Channel(getenv("FLIGGY_CHANNEL")),
		session:   func() string { return session },
		url:       getenv("FLIGGY_URL"),
	}
	if s.channel == "" {
		s.channel = fliggy.ChannelAmap
	}
	switch {
	case (s.appKey == "") != (secret == ""):
		return errors.New("FLIGGY_APP_KEY and FLIGGY_APP_SECRET: set both for the sandbox, neither for the offline story")
	case s.appKey == "" && (s.order != "" || s.ourOrder != "" || s.url != "" || session != ""):
		return errors.New("FLIGGY_APP_KEY and FLIGGY_APP_SECRET: set both, the other variables are for the sandbox")
	case s.appKey != "" && s.order == "":
		return errors.New("FLIGGY_ORDER_ID: name the main order to renew")
	}
	return nil
}

// online renews an order of the sandbox, as far as the flags allow.
func online(ctx context.Context, p *plan, s *screen) error {
	gateway := rentcar.WithEnvironment(rentcar.Sandbox)
	if p.sandbox.url != "" {
		gateway = rentcar.WithBaseURL(p.sandbox.url)
	}
	opts := append(p.options(), gateway, rentcar.WithChannel(p.sandbox.channel))
	if session := p.sandbox.session(); session != "" {
		opts = append(opts, rentcar.WithSession(session))
	}
	client, err := rentcar.NewClient(p.sandbox.appKey, p.sandbox.appSecret(), opts...)
	if err != nil {
		return err
	}
	now := time.Now().Unix()
	d := &distributor{
		screen: s, client: client, inbox: make(chan events.Event, 16),
		mainOrder: p.sandbox.order, ours: p.sandbox.ourOrder, renewal: fmt.Sprintf("RENEWAL%d", now),
	}
	s.title("A renewal in the sandbox, app key %s", p.sandbox.appKey)
	if p.listen != "" {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", p.listen)
		if err != nil {
			return err
		}
		stop, err := d.serve(l, p.sandbox.appKey, p.sandbox.appSecret(), time.Now)
		if err != nil {
			return errors.Join(err, l.Close())
		}
		defer stop()
		s.say("pushes are received at http://%s%s", l.Addr(), pushPath)
	}
	b, err := d.quote(ctx, 24*time.Hour)
	if err != nil {
		return err
	}
	if !p.submit {
		s.say("stopping here: -submit places a real order")
		return nil
	}
	b.payTrade = fmt.Sprintf("TEST%d", now)
	if err := d.submit(ctx, b); err != nil {
		return err
	}
	if p.listen == "" {
		s.say("stopping here: -listen ADDR waits for the merchant's answer")
		return nil
	}
	s.say("waiting for event 103 or 104; Ctrl-C ends it")
	_, err = d.answer(ctx, b)
	return err
}
