package bench

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/bench/internal/work"
)

// A server is the gateway on the loopback interface.
type server struct {
	*httptest.Server
	connections atomic.Int64 // opened so far
}

func newServer(tb testing.TB, reply []byte) *server {
	s := &server{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json;charset=UTF-8")
		_, _ = w.Write(reply)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.connections.Add(1)
		}
	}
	s.Start()
	tb.Cleanup(s.Close)
	return s
}

// dialers returns the contestants with real connections: ours as it comes, the
// others on a transport that keeps as many idle ones.
func dialers(tb testing.TB, s *server) []*contestant {
	transport := func() http.RoundTripper {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConns, t.MaxIdleConnsPerHost = 256, 128
		tb.Cleanup(t.CloseIdleConnections)
		return t
	}
	return []*contestant{
		newOursCaller(newClient(tb, rentcar.WithBaseURL(s.URL))),
		newPeerCaller("std", newStd(transport(), "json"), s.URL),
		newPeerCaller("resty", newResty(transport(), "json"), s.URL),
	}
}

// BenchmarkLoopback1 is renewal.checkcancel by one caller.
func BenchmarkLoopback1(b *testing.B) { loopback(b, 1) }

// BenchmarkLoopback64 is the same by 64 callers at once: the time per call of all.
func BenchmarkLoopback64(b *testing.B) { loopback(b, 64) }

// BenchmarkLoopback256 is the same by 256 callers at once.
func BenchmarkLoopback256(b *testing.B) { loopback(b, 256) }

func loopback(b *testing.B, callers int) {
	for i := range 3 {
		s := newServer(b, work.CheckCancelJSON)
		c := dialers(b, s)[i]
		request := work.CheckCancel()
		call := func() error {
			_, err := c.checkCancel(request)
			return err
		}
		b.Run("impl="+c.name, func(b *testing.B) {
			b.ReportAllocs()
			together(b, callers, 20*callers, call) // connections are made
			b.ResetTimer()
			together(b, callers, b.N, call)
			b.StopTimer()
			b.ReportMetric(float64(s.connections.Load()), "connections")
		})
		s.Close()
	}
}

// BenchmarkParallel256 is renewal.checkcancel by 256 callers at once, in memory:
// what they wait for each other shows in it. Compare it with BenchmarkSmall.
func BenchmarkParallel256(b *testing.B) {
	request := work.CheckCancel()
	for _, c := range contestants(b, work.NewGateway(work.CheckCancelJSON), rentcar.SimplifiedJSON) {
		b.Run("impl="+c.name, func(b *testing.B) {
			b.ReportAllocs()
			together(b, 256, b.N, func() error {
				_, err := c.checkCancel(request)
				return err
			})
		})
	}
}

// together makes n calls in all, by so many callers at once.
func together(b *testing.B, callers, n int, call func() error) {
	var left atomic.Int64
	left.Store(int64(n))
	var done sync.WaitGroup
	for range callers {
		done.Go(func() {
			for left.Add(-1) >= 0 {
				if err := call(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	done.Wait()
}
