package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
)

// listenCmd is "fliggy listen".
type listenCmd struct {
	Addr     string        `help:"Address to listen at; any path will do." default:"127.0.0.1:8080"`
	Public   bool          `help:"Listen at an address that other machines reach."`
	Answer   string        `help:"What it answers to a good event: success, refuse, 500, or slow." enum:"success,refuse,500,slow" default:"success"`
	Delay    time.Duration `help:"With --answer slow: how late it answers." default:"15s"`
	Forward  string        `help:"Send each good push on to this URL as it came, and show the answer." placeholder:"URL"`
	Count    int           `help:"Stop after so many pushes." placeholder:"N"`
	ShowText bool          `help:"Show the text that a refused push should have signed. It has personal data."`
}

// An arrival is a push as it is printed. With --json it is one line.
type arrival struct {
	Time           time.Time       `json:"time"`
	Accepted       bool            `json:"accepted"`
	Reason         qimen.Reason    `json:"reason"` // "accepted", or why not
	Status         int             `json:"status"` // HTTP status of the answer
	DurationMS     int64           `json:"duration_ms"`
	Method         string          `json:"method"`
	AppKey         string          `json:"app_key"`
	ContentType    string          `json:"content_type"`
	EventType      events.Type     `json:"event_type"` // 0 for none
	OrderID        fliggy.ID       `json:"order_id"`
	OutOrderID     string          `json:"out_order_id"`
	RenewalOrderID fliggy.ID       `json:"renewal_order_id"`
	PayTradeNo     string          `json:"pay_trade_no"`
	Repeat         bool            `json:"repeat"`   // it was here before
	Conflict       bool            `json:"conflict"` // it was here before, with other content
	Findings       []finding       `json:"findings"` // rules of the guide that it breaks
	Event          json.RawMessage `json:"event"`    // null for none
	Why            *explained      `json:"why,omitempty"`
	Forwarded      *pushed         `json:"forwarded,omitempty"` // with --forward
}

// A finding is a rule that an event breaks.
type finding struct {
	Field string `json:"field"`
	Rule  string `json:"rule"`
}

// An explained signature is what is probably wrong with it.
type explained struct {
	Cause      qimen.Cause `json:"cause"`
	Parameter  string      `json:"parameter,omitempty"`
	Reason     string      `json:"reason"`
	SignedText string      `json:"signed_text,omitempty"` // with --show-text
}

// explainedBy is what a command shows of an explanation.
func explainedBy(x qimen.Explanation, showText bool) *explained {
	out := &explained{Cause: x.Cause, Parameter: x.Parameter, Reason: x.Reason}
	if showText {
		out.SignedText = x.SignedText
	}
	return out
}

// A listening endpoint shows what arrives.
type listening struct {
	*listenCmd
	env     *env
	secrets qimen.Secrets
	secret  string
	handler *qimen.Handler
	forward *forwarder // nil for none
	ctx     context.Context
	stop    context.CancelFunc

	mu    sync.Mutex
	count int
	bad   int // those that were refused for a reason of their own, or not accepted where they were sent on to
}

// Run serves until it is interrupted, or until there were enough pushes.
func (c *listenCmd) Run(e *env) error {
	switch {
	case c.Count < 0:
		return usage(errors.New("--count: want more than zero"))
	case c.Delay <= 0:
		return usage(errors.New("--delay: want more than zero"))
	}
	key, secret, err := e.app()
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(e.ctx)
	defer stop()
	l := &listening{listenCmd: c, env: e, secrets: qimen.Secrets{key: {secret}}, secret: secret, ctx: ctx, stop: stop}
	if l.handler, err = qimen.NewHandler(
		l.secrets, qimen.WithClock(e.now), qimen.OnEvent(l.answer), qimen.WithHandlerTimeout(c.Delay+time.Minute),
		qimen.WithObserver(func(ctx context.Context, o qimen.Observation) {
			if seen, ok := ctx.Value(observed{}).(*qimen.Observation); ok {
				*seen = o
			}
		}),
	); err != nil {
		return usage(err)
	}
	port, err := openPort(e.ctx, c.Addr, c.Public)
	if err != nil {
		return usage(err)
	}
	if c.Forward != "" {
		if l.forward, err = newForwarder(c.Forward, port.Addr()); err != nil {
			_ = port.Close()
			return usage(err)
		}
		defer l.forward.client.CloseIdleConnections()
	}
	server := &http.Server{Handler: l, ReadHeaderTimeout: time.Minute, ReadTimeout: time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(port) }()
	address := "http://" + port.Addr().String() + "/"
	if err := e.print(map[string]any{"ready": true, "url": address, "app_key": key}, func() {
		e.printf("Listening at %s for app %s. Ctrl-C stops it.", address, key)
		if c.Forward != "" {
			e.printf("Forwarding to %s", withoutPassword(c.Forward))
		}
	}); err != nil {
		return err
	}
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), 5*time.Second)
	defer cancel()
	_ = server.Shutdown(ending) // what is not over by now is cut off
	_ = server.Close()
	if err != nil {
		return &exit{statusNo, err}
	}
	if l.bad > 0 {
		return no()
	}
	return nil
}

// answer is what the endpoint makes of a good event.
func (l *listening) answer(ctx context.Context, _ *qimen.Delivery, _ events.Event) error {
	switch l.Answer {
	case "refuse":
		return qimen.Refuse("refused", "refused by fliggy listen")
	case "500":
		return errors.New("fliggy listen was told to fail")
	case "slow":
		timer := time.NewTimer(l.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done(): // whoever asked is gone
			return ctx.Err()
		case <-l.env.ctx.Done():
			return l.env.ctx.Err()
		}
	}
	return nil
}

type observed struct{}

// ServeHTTP takes a push and shows it.
func (l *listening) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, qimen.DefaultBodyLimit+1))
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), errorReader{err}))
	var o qimen.Observation
	if l.forward != nil {
		w.Header().Set("Connection", "close") // or the sender's next push would wait until this one is sent on
	}
	l.handler.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), observed{}, &o)))
	a := l.arrived(&qimen.Push{RawQuery: r.URL.RawQuery, Header: r.Header, Body: body}, &o)
	isGood := a.Accepted || a.Reason == qimen.ReasonRefused || a.Reason == qimen.ReasonHandlerError
	if l.forward != nil && isGood {
		a.Forwarded = l.forward.send(l.ctx, r, body, l.env.now)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.Count > 0 && l.count >= l.Count {
		return // it came too late
	}
	_ = l.env.print(a, func() { l.show(r, a) }) // there is nobody else to tell
	if l.count++; l.count == l.Count {
		l.stop()
	}
	if !isGood || a.Forwarded != nil && !a.Forwarded.Accepted {
		l.bad++
	}
}

// An errorReader ends a body as reading it ended.
type errorReader struct{ err error }

// Read returns the error, or io.EOF where there is none.
func (r errorReader) Read([]byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	return 0, io.EOF
}

// arrived puts together what is known of a push.
func (l *listening) arrived(p *qimen.Push, o *qimen.Observation) *arrival {
	a := &arrival{
		Time: l.env.now().In(fliggy.Zone()), Accepted: o.Reason == qimen.ReasonAccepted, Reason: o.Reason, Status: o.Status,
		DurationMS: o.Duration.Milliseconds(), Method: o.Method, AppKey: o.AppKey, EventType: o.EventType,
		OrderID: o.OrderID, OutOrderID: o.OutOrderID, Repeat: o.IsRepeat, Conflict: o.IsConflict,
		ContentType: p.Header.Get("Content-Type"), Findings: []finding{}, Event: json.RawMessage("null"),
	}
	for _, f := range o.Findings {
		a.Findings = append(a.Findings, finding{f.Field, f.Rule})
	}
	switch o.Reason {
	case qimen.ReasonBadSignature, qimen.ReasonUnverifiable, qimen.ReasonContentType, qimen.ReasonExpired:
		a.Why = explainedBy(qimen.ExplainPush(p, l.secret, l.env.now()), l.ShowText)
	case qimen.ReasonUnknownMethod:
		a.Why = &explained{Reason: "it is no event: events come as " + qimen.DefaultEventMethod}
	case qimen.ReasonUndecodable:
		a.Why = &explained{Reason: "the message is no event: want a JSON object with eventType and orderId"}
	case qimen.ReasonBadMethod:
		a.Why = &explained{Reason: "a push is a POST"}
	}
	if e := l.event(p); e != nil {
		a.Event, a.RenewalOrderID, a.PayTradeNo = jsonOrNull(e.Raw()), renewalOf(e), tradeOf(e)
	}
	return a
}

// event is that of a push, nil for none.
func (l *listening) event(p *qimen.Push) events.Event {
	d, err := qimen.VerifyPush(p, l.secrets)
	if err != nil {
		return nil
	}
	payload, err := d.Payload()
	if err != nil {
		return nil
	}
	e, err := events.Parse(payload)
	if err != nil {
		return nil
	}
	return e
}

func renewalOf(e events.Event) fliggy.ID {
	switch e := e.(type) {
	case *events.RenewalAccepted:
		return e.RenewalOrderID
	case *events.RenewalRejected:
		return e.RenewalOrderID
	case *events.RenewalFeeRefund:
		return e.RenewalOrderID
	}
	return ""
}

func tradeOf(e events.Event) string {
	switch e := e.(type) {
	case *events.RenewalAccepted:
		return e.PayTradeNo
	case *events.FeeRefund:
		return e.PayTradeNo
	case *events.RenewalFeeRefund:
		return e.PayTradeNo
	}
	return ""
}

// show prints a push for people.
func (l *listening) show(r *http.Request, a *arrival) {
	e := l.env
	hue, what := green, "no event"
	if a.EventType != 0 {
		what = a.EventType.String()
	}
	if !a.Accepted {
		hue = red
	}
	mark := ""
	if a.Conflict {
		mark = ", its ids were here before with other content"
	} else if a.Repeat {
		mark = ", a repeat"
	}
	e.printf("%s  %s  %s%s, HTTP %d", a.Time.Format("15:04:05"), what, e.paint(hue, string(a.Reason)), mark, a.Status)
	for _, id := range [][2]string{
		{"order", string(a.OrderID)}, {"out order", a.OutOrderID}, {"renewal", string(a.RenewalOrderID)},
		{"trade", a.PayTradeNo},
	} {
		if id[1] != "" {
			e.printf("  %-10s %s", id[0], oneLine(id[1], 100))
		}
	}
	if a.Event != nil && string(a.Event) != "null" {
		e.printf("  %-10s %s", "event", e.paint(faint, oneLine(string(a.Event), 2000)))
	} else {
		e.printf("  %-10s %s %s, %s", "request", r.Method, oneLine(r.URL.Path, 200),
			cmp.Or(oneLine(a.ContentType, 100), "no content type"))
	}
	for _, f := range a.Findings {
		e.printf("  %-10s %s", "finding", oneLine(strings.TrimPrefix(f.Field+": "+f.Rule, ": "), 300))
	}
	if a.Why != nil {
		e.showWhy(a.Why)
	}
	if a.Forwarded != nil {
		e.printf("  %-10s %s", "forwarded", withoutPassword(l.Forward))
		e.showPushed(a.Forwarded)
	}
}

// showWhy prints what is wrong with a signature.
func (e *env) showWhy(why *explained) {
	e.printf("  %-10s %s", "why", oneLine(why.Reason, 500))
	if why.Cause != "" {
		e.printf("  %-10s %s", "cause", why.Cause)
	}
	if why.Parameter != "" {
		e.printf("  %-10s %s", "parameter", oneLine(why.Parameter, 200))
	}
	if why.SignedText != "" {
		e.printf("  %-10s %s", "signed", oneLine(why.SignedText, 20_000))
	}
}
