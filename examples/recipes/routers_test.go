package recipes_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/app/server"
	"github.com/cloudwego/hertz/pkg/common/config"
	"github.com/cloudwego/hertz/pkg/common/hlog"
	"github.com/gin-gonic/gin"
	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v5"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/examples/recipes"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/qimen"
)

// readAll is middleware that reads the body, to log it for example, and does not put it back.
func readAll(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		next.ServeHTTP(w, r)
	})
}

// routers start a server each with the recipe, and with middleware that reads bodies: where the recipe puts it, or in
// front.
var routers = map[string]func(t *testing.T, fliggy http.Handler, inFront bool) (address string){
	"gin": func(t *testing.T, fliggy http.Handler, inFront bool) string {
		read := func(c *gin.Context) { _, _ = c.GetRawData() }
		router := recipes.Gin(fliggy, read)
		if inFront {
			router = gin.New()
			router.Use(read)
			router.Any("/fliggy", gin.WrapH(fliggy))
		}
		return serve(t, router)
	},
	"echo": func(t *testing.T, fliggy http.Handler, inFront bool) string {
		read := echo.WrapMiddleware(readAll)
		router := recipes.Echo(fliggy, read)
		if inFront {
			router.Use(read)
		}
		return serve(t, router)
	},
	"chi": func(t *testing.T, fliggy http.Handler, inFront bool) string {
		var router http.Handler = recipes.Chi(fliggy, readAll)
		if inFront {
			router = readAll(router)
		}
		return serve(t, router)
	},
	"hertz": func(t *testing.T, fliggy http.Handler, inFront bool) string {
		read := func(_ context.Context, c *app.RequestContext) { _, _ = io.Copy(io.Discard, c.RequestBodyStream()) }
		if inFront {
			return serveHertz(t, fliggy, read, server.WithStreamBody(true))
		}
		return serveHertz(t, fliggy, nil)
	},
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func serveHertz(t *testing.T, fliggy http.Handler, inFront app.HandlerFunc, opts ...config.Option) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	router := server.New(append(opts, server.WithListener(l), server.WithExitWaitTime(0))...)
	if inFront != nil {
		router.Use(inFront)
	}
	recipes.Hertz(router, fliggy)
	done := make(chan error, 1)
	go func() { done <- router.Run() }()
	t.Cleanup(func() {
		_ = router.Close() // it does not wait for connections that the client keeps
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

func init() {
	gin.SetMode(gin.ReleaseMode)
	hlog.SetOutput(io.Discard)
}

// awkward is a path whose query has to arrive as it is.
const awkward = "/fliggy?b=%2f+x%20y&a=&empty&%E9%A3%9E=%e7%8c%aa"

// A signed push is accepted as it was signed, whatever its query and body look like, and a forged one is refused.
func TestRouters(t *testing.T) {
	t.Parallel()
	for name, start := range routers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gw := newGateway(t)
			var handled atomic.Int32
			address := start(t, handler(t, gw, func(_ context.Context, d *qimen.Delivery, e events.Event) error {
				handled.Add(1)
				if e.Head().OrderID != fliggytest.SampleOrderID || len(d.Push.Body) == 0 {
					t.Error("got", e, d)
				}
				return nil
			}, qimen.WithoutGate()), false)
			gw.PushTo(address + awkward)
			for i, how := range []fliggytest.Push{
				{}, {Params: map[string]string{"a b": "c&d=e+f%", "飞": "猪"}}, {Headers: map[string]string{"X-Zone": "a, 飞猪"}},
			} {
				if result := push(gw, how); !result.Accepted || int(handled.Load()) != i+1 {
					t.Errorf("%+v was not accepted: %v %s", how, result, result.Answer)
				}
			}
			for _, how := range []fliggytest.Push{{BadSignature: true}, {Unsigned: true}, {SignedAt: time.Unix(1, 0)}} {
				if result := push(gw, how); result.Accepted || result.Err != nil || handled.Load() != 3 {
					t.Errorf("%+v was accepted: %v %s", how, result, result.Answer)
				}
			}
		})
	}
}

// What the handler gets is what was sent, byte for byte.
func TestRoutersPassBytes(t *testing.T) {
	t.Parallel()
	type request struct{ Method, Query, Body, Type, Client string }
	for name, start := range routers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			arrived := make(chan request, 1)
			address := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				client, _, err2 := net.SplitHostPort(r.RemoteAddr)
				if err != nil || err2 != nil {
					t.Error(err, err2)
				}
				arrived <- request{r.Method, r.URL.RawQuery, string(body), r.Header.Get("Content-Type"), client}
				w.WriteHeader(http.StatusTeapot)
			}), false)
			want := request{
				"POST", "a=%2f+x%20y&&b&c=%E9&a=;%zz&=", "{\"a\": \"\xff\x00\r\n\"}", "application/json;charset=GBK", "127.0.0.1",
			}
			response, err := http.Post(address+"/fliggy?"+want.Query, want.Type, strings.NewReader(want.Body))
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			http.DefaultClient.CloseIdleConnections()
			if diff := cmp.Diff(want, <-arrived); diff != "" || response.StatusCode != http.StatusTeapot {
				t.Error(response.Status, diff)
			}
		})
	}
}

// Middleware in front that reads the body makes every push a refused one, and the observer learns why.
func TestRoutersBehindAReader(t *testing.T) {
	t.Parallel()
	for name, start := range routers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gw := newGateway(t)
			reasons := make(chan qimen.Reason, 1)
			address := start(t, handler(t, gw, func(context.Context, *qimen.Delivery, events.Event) error { return nil },
				qimen.WithObserver(func(_ context.Context, o qimen.Observation) { reasons <- o.Reason })), true)
			gw.PushTo(address + "/fliggy")
			if result := push(gw); result.Accepted || result.Err != nil {
				t.Fatalf("accepted: %v %s", result, result.Answer)
			}
			if reason := <-reasons; reason != qimen.ReasonBodyRead {
				t.Errorf("refused because of %q", reason)
			}
		})
	}
}

// Hertz keeps a body that it does not stream: who reads it, or the query, in front does no harm.
func TestHertzKeepsTheBody(t *testing.T) {
	t.Parallel()
	gw := newGateway(t)
	read := func(_ context.Context, c *app.RequestContext) {
		if len(c.Request.Body()) == 0 || c.Query("b") == "" {
			t.Error("nothing to read")
		}
	}
	h := handler(t, gw, func(context.Context, *qimen.Delivery, events.Event) error { return nil })
	gw.PushTo(serveHertz(t, h, read) + awkward)
	if result := push(gw); !result.Accepted {
		t.Errorf("not accepted: %v %s", result, result.Answer)
	}
}
