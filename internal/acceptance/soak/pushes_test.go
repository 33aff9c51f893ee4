package soak_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
)

// A pushLoad sends numbered events, each until it is accepted, in the company of
// repeats, forgeries and connections that break.
type pushLoad struct {
	*world
	base    int64 // number of the first event
	total   int64
	sent    atomic.Int64
	next    atomic.Int64
	latency histogram

	handled   []atomic.Int32 // by event: how often the function said yes
	fallen    []atomic.Bool  // by event: the function has failed once
	accepted  []atomic.Bool  // by event: the sender was told yes
	forged    atomic.Int64
	busy      atomic.Int64
	repeats   atomic.Int64
	broken    atomic.Int64
	conflicts atomic.Int64
}

func newPushLoad(w *world, total int) *pushLoad {
	p := &pushLoad{
		world: w, base: w.events, total: int64(total),
		handled: make([]atomic.Int32, total), fallen: make([]atomic.Bool, total), accepted: make([]atomic.Bool, total),
	}
	w.events += p.total // what comes next is new to the gate
	return p
}

func (p *pushLoad) run(t *testing.T) {
	p.receiver.Store(p)
	var all sync.WaitGroup
	for range senders {
		all.Go(func() {
			for p.sent.Load() < p.total {
				if err := p.event(p.next.Add(1) - 1); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	p.receiver.Store(nil)
}

// receive is the function of the user.
func (p *pushLoad) receive(ctx context.Context, d *qimen.Delivery, e events.Event) error {
	refund, ok := e.(*events.RenewalFeeRefund)
	if !ok {
		return nil
	}
	number, err := strconv.ParseInt(strings.TrimPrefix(refund.PayTradeNo, "T"), 10, 64)
	if err != nil || number < p.base || number-p.base >= p.total {
		return fmt.Errorf("no such event: %s", refund.PayTradeNo)
	}
	i := number - p.base
	if d.IsConflict {
		p.conflicts.Add(1)
		return nil
	}
	if i%97 == 0 && !p.fallen[i].Swap(true) {
		if i%2 == 0 {
			panic("fell over")
		}
		return errors.New("not yet")
	}
	if i%10 == 0 { // long enough for its copies to arrive
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	p.handled[i].Add(1)
	return nil
}

// event sends one event until it is accepted, and what goes with it.
func (p *pushLoad) event(i int64) error {
	if i >= p.total {
		return nil
	}
	push, err := p.sign(i, "1.00")
	if err != nil {
		return err
	}
	if i%50 == 0 {
		if err := p.forge(push); err != nil {
			return err
		}
	}
	if i%200 == 0 {
		p.breakOff(push)
	}
	copies := 1
	if i%10 == 0 { // several at once
		copies = 4
	}
	fails := make(chan error, copies)
	for range copies {
		go func() { fails <- p.deliver(i, push) }()
	}
	for range copies {
		err = errors.Join(err, <-fails)
	}
	if err == nil && i%20 == 0 { // again, signed anew, when all is done
		if push, err = p.sign(i, "1.00"); err == nil {
			err = p.deliver(i, push)
		}
	}
	if err == nil && i%100 == 0 { // the same key, another amount
		if push, err = p.sign(i, "2.00"); err == nil {
			err = p.deliver(i, push)
		}
	}
	return err
}

// sign makes the push of an event.
func (p *pushLoad) sign(i int64, amount string) (*qimen.Push, error) {
	number := p.base + i
	query := url.Values{"app_key": {app}, "method": {qimen.DefaultEventMethod}, "timestamp": {fliggy.At(p.now()).String()}}
	return qimen.SignPush(&qimen.Push{
		RawQuery: query.Encode(),
		Header:   http.Header{"Content-Type": {"application/json;charset=utf-8"}},
		Body: fmt.Appendf(nil, `{"channelId":"80001","orderId":"3104050285204362836","outOrderId":"M-1","eventType":142,"e`+
			`ventData":{`+
			`"renewalOrderId":%d,"renewalOutOrderId":"R-%d","refundType":2,"amount":"%s","reason":"油费退款","payTradeNo":"T%d"}}`,
			3187983531024266527+number, number, amount, number),
	}, secret)
}

// deliver sends a push until it is accepted.
func (p *pushLoad) deliver(i int64, push *qimen.Push) error {
	for range 10_000 {
		status, body, err := p.send(push, push.Body)
		if err != nil {
			return err
		}
		switch {
		case status == http.StatusOK && body == `{"success":true,"retCode":"","retMessage":""}`:
			if p.accepted[i].Swap(true) {
				p.repeats.Add(1)
			}
			return nil
		case status == http.StatusServiceUnavailable: // a copy is being worked on
			p.busy.Add(1)
		case status == http.StatusInternalServerError: // the function failed: once more
		default:
			return fmt.Errorf("push %d: HTTP %d %s", i, status, body)
		}
	}
	return fmt.Errorf("push %d is never accepted", i)
}

func (p *pushLoad) forge(push *qimen.Push) error {
	forged := bytes.Replace(push.Body, []byte(`"1.00"`), []byte(`"9.00"`), 1)
	status, body, err := p.send(push, forged)
	if err == nil && (status != http.StatusOK || !strings.Contains(body, "sign-check-failure")) {
		err = fmt.Errorf("a forged push is answered with HTTP %d %s", status, body)
	}
	p.forged.Add(1)
	return err
}

// breakOff announces more than it sends.
func (p *pushLoad) breakOff(push *qimen.Push) {
	r, err := http.NewRequest(
		http.MethodPost, p.server.URL+"?"+push.RawQuery, io.MultiReader(bytes.NewReader(push.Body[:20]), failing{}),
	)
	if err != nil {
		return
	}
	r.ContentLength = int64(len(push.Body))
	r.Header = push.Header.Clone()
	p.sent.Add(1)
	p.broken.Add(1)
	if reply, err := p.pushClient.Do(r); err == nil {
		_ = reply.Body.Close()
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("the connection breaks") }

func (p *pushLoad) send(push *qimen.Push, body []byte) (int, string, error) {
	r, err := http.NewRequest(http.MethodPost, p.server.URL+"?"+push.RawQuery, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	r.Header = push.Header.Clone()
	p.sent.Add(1)
	start := time.Now()
	reply, err := p.pushClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = reply.Body.Close() }()
	text, err := io.ReadAll(reply.Body)
	p.latency.add(time.Since(start))
	return reply.StatusCode, string(text), err
}

// check holds what the senders were told against what was done.
func (p *pushLoad) check(t *testing.T) {
	t.Helper()
	done := int64(0)
	for i := range p.handled {
		n, accepted := p.handled[i].Load(), p.accepted[i].Load()
		switch {
		case n > 1:
			t.Errorf("event %d was handled %d times", i, n)
		case accepted != (n == 1):
			t.Errorf("event %d: handled %d times, accepted %t", i, n, accepted)
		case n == 1:
			done++
		}
	}
	t.Logf("%d pushes: %d events handled once each, %d repeats answered from the gate, %d while it was being handled, "+
		"%d conflicts, %d forged, %d broken off",
		p.sent.Load(), done, p.repeats.Load(), p.busy.Load(), p.conflicts.Load(), p.forged.Load(), p.broken.Load())
	if done == 0 || p.repeats.Load() == 0 || p.busy.Load() == 0 || p.conflicts.Load() == 0 || p.forged.Load() == 0 ||
		p.broken.Load() == 0 {
		t.Error("the load has left something out")
	}
}
