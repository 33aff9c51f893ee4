package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
)

// A movement is money that has moved: from a customer, or back where it is negative.
type movement struct {
	TradeNo string
	Amount  fliggy.Yuan
	Time    time.Time
}

// A provider is the payment provider (支付渠道). It pays a refund once for each key, and says the same to each repeat.
type provider struct {
	url   string
	close func()

	mu      sync.Mutex
	book    []movement
	refunds map[string]movement // by key
	asked   int                 // how often it was asked for a refund
	holds   chan struct{}       // unless nil, the next refund is paid, and never answered
}

func newProvider(ctx context.Context) (*provider, error) {
	p := &provider{refunds: map[string]movement{}}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /refund", p.refund)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: grace}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // until close
	}()
	p.url, p.close = "http://"+l.Addr().String(), func() { _ = server.Close(); <-done }
	return p, nil
}

// move books a movement.
func (p *provider) move(amount fliggy.Yuan) movement {
	m := movement{fmt.Sprintf("W%04d", len(p.book)+1), amount, time.Now().Truncate(time.Second)}
	p.book = append(p.book, m)
	return m
}

// pay is the customer who pays.
func (p *provider) pay(amount fliggy.Yuan) movement {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.move(amount)
}

// hold lets the next refund be paid and never answered. The channel is closed when it is paid.
func (p *provider) hold() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holds = make(chan struct{})
	return p.holds
}

func (p *provider) refund(w http.ResponseWriter, r *http.Request) {
	amount, err := fliggy.ParseYuan(r.FormValue("amount"))
	p.mu.Lock()
	p.asked++
	paid, isRepeat := p.refunds[r.FormValue("key")]
	switch {
	case err != nil || isRepeat && !paid.Amount.Equal(amount.Neg()):
		p.mu.Unlock()
		http.Error(w, "the key came with another amount", http.StatusBadRequest)
		return
	case !isRepeat:
		paid = p.move(amount.Neg())
		p.refunds[r.FormValue("key")] = paid
	}
	held := p.holds
	p.holds = nil
	p.mu.Unlock()
	if held != nil {
		close(held)
		<-r.Context().Done()
		return
	}
	_ = json.NewEncoder(w).Encode(paid)
}

// paid tells how often refunds were asked for, and how many were paid.
func (p *provider) paid() (asked, paid int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked, len(p.refunds)
}

// export is the provider's file of all movements.
func (p *provider) export() (file []byte, cash fliggy.Yuan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write([]string{"trade_no", "amount", "time"})
	cash = fliggy.FenOf(0).Yuan()
	for _, m := range p.book {
		cash = cash.Add(m.Amount)
		_ = w.Write([]string{m.TradeNo, m.Amount.String(), m.Time.Format(time.RFC3339)})
	}
	w.Flush()
	return b.Bytes(), cash
}

// call posts to a URL, and reads the JSON of the answer.
func call[T any](ctx context.Context, url string, body []byte) (answer T, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return answer, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer, err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 500))
		return answer, fmt.Errorf("HTTP %d: %s", res.StatusCode, bytes.TrimSpace(text))
	}
	return answer, json.NewDecoder(res.Body).Decode(&answer)
}
