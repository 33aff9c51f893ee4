package main

import (
	"context"
	"flag"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
	"time"
)

var kills = flag.Int("kills", 5, "how often TestKilledOfThree kills, such as 200")

// A balancer gives each push to one of the processes, at random.
type balancer struct {
	transport *http.Transport

	mu      sync.Mutex
	targets []*url.URL
}

func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	target := b.targets[rand.IntN(len(b.targets))]
	b.mu.Unlock()
	proxy := httputil.ReverseProxy{
		Transport:    b.transport,
		Rewrite:      func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = target.Scheme, target.Host },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	proxy.ServeHTTP(w, r)
}

func (b *balancer) aim(i int, address string) error {
	u, err := url.Parse(address)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.targets[i] = u
	return err
}

// Three processes work on one database while events come in at all of them, many more than once. One of them is killed
// at a random moment and started again, as often as -kills says.
func TestKilledOfThree(t *testing.T) {
	t.Parallel()
	eachServer(t, killedOfThree)
}

func killedOfThree(t *testing.T, database string) {
	t.Parallel()
	const processes, pushers, longest = 3, 6, 150
	p := newPusher(t, database, 10**kills)
	p.claim = 10 * time.Second // longer than work takes, and soon over when its process is killed
	lb := &balancer{transport: &http.Transport{DisableKeepAlives: true}, targets: make([]*url.URL, processes)}
	services := make([]*process, processes)
	begin := func(i int) {
		services[i] = p.begin(none)
		p.check(lb.aim(i, p.address(services[i])))
	}
	for i := range services {
		begin(i)
	}
	front := httptest.NewServer(lb)
	defer front.Close()
	p.gw.PushTo(front.URL + pushPath)

	ctx, stop := context.WithCancel(p.ctx)
	defer stop()
	var all sync.WaitGroup
	p.open(len(p.events) / *kills)
	for range pushers {
		all.Go(func() {
			for ctx.Err() == nil {
				p.push(ctx)
			}
		})
	}
	for n := range *kills {
		p.open(len(p.events) * (n + 1) / *kills)
		i := p.random(processes)
		length := len(services[i].entries()) + 1 + p.random(longest)
		p.check(services[i].await(p.ctx, func(log []entry) bool { return len(log) >= length }))
		p.kill(services[i])
		begin(i)
	}
	stop()
	all.Wait()
	for _, service := range services[1:] {
		p.check(service.stop())
		p.lives = append(p.lives, service.entries())
	}
	// What is in the hands of nobody is done by the first.
	service := services[0]
	for _, body := range p.missing() {
		p.gw.PushTo(p.address(service))
		p.check(taken(p.gw.PushRaw(p.ctx, body)))
	}
	p.check(service.await(p.ctx, isIdle(len(service.entries()), none)))
	p.check(service.stop())
	p.lives = append(p.lives, service.entries())
	p.explained(*kills)
}
