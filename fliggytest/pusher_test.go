package fliggytest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestCloseEndsAPush(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived <- struct{}{}
		<-r.Context().Done()
	}))
	defer server.Close()
	for name, how := range map[string][]Push{"in flight": nil, "late": {{Late: time.Hour}}} {
		g := NewGateway()
		g.PushTo(server.URL)
		result := make(chan PushResult)
		go func() { result <- g.PushRaw(context.Background(), nil, how...) }()
		if how == nil {
			<-arrived
		} else {
			until(func() bool {
				g.pushes.mu.Lock()
				defer g.pushes.mu.Unlock()
				return g.pushes.running > 0
			})
		}
		go g.Close()
		if res := <-result; !errors.Is(res.Err, errClosed) {
			t.Errorf("%s: %+v", name, res)
		}
		g.Close()
	}
}

func TestCloseEndsPushesAndAutomaticDecisions(t *testing.T) {
	t.Parallel()
	g := NewGateway(WithClock(fixedClock))
	g.AutoAccept()
	arrived := make(chan struct{})
	g.PushToHandler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	}))
	submit(t, connect(t, g), submitRequest())
	<-arrived
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := g.WaitPushes(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("WaitPushes: %v", err)
	}
	g.Close()
	if got := g.Pushes(); len(got) != 1 {
		t.Errorf("%d pushes, want 1", len(got))
	}
}
