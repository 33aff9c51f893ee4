package rentcar

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"

	"github.com/fliggy-go/rentcar/fliggy"
)

// hanging never answers, until the request is given up.
func hanging(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// stalling sends a status line and half of a reply.
func stalling(r *http.Request) (*http.Response, error) {
	body := io.MultiReader(httpmock.NewRespBodyFromString(`{"succ`), stalled{r.Context()})
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {jsonType}}, Body: io.NopCloser(body),
	}, nil
}

type stalled struct{ ctx context.Context }

func (s stalled) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

// Every bound on the time of an attempt, in a bubble where time costs nothing.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	boss := errors.New("the boss says no")
	for name, tc := range map[string]struct {
		respond httpmock.Responder
		opts    []Option
		call    []CallOption
		ctx     func() (context.Context, context.CancelFunc)
		after   time.Duration
		phase   Phase
		is      error
		timeout bool
	}{
		"default": {
			respond: hanging, after: DefaultTimeout, phase: PhaseSend, is: context.DeadlineExceeded, timeout: true,
		},
		"WithTimeout": {
			respond: hanging, opts: []Option{WithTimeout(time.Second)}, after: time.Second, phase: PhaseSend,
			is: context.DeadlineExceeded, timeout: true,
		},
		"CallTimeout, shorter": {
			respond: hanging, call: []CallOption{CallTimeout(2 * time.Second)}, after: 2 * time.Second, phase: PhaseSend,
			is: context.DeadlineExceeded, timeout: true,
		},
		"CallTimeout, longer": {
			respond: hanging, opts: []Option{WithTimeout(time.Second)}, call: []CallOption{CallTimeout(time.Hour)},
			after: time.Hour,
			phase: PhaseSend, is: context.DeadlineExceeded, timeout: true,
		},
		"while reading": {
			respond: stalling, after: DefaultTimeout, phase: PhaseRead, is: context.DeadlineExceeded, timeout: true,
		},
		"deadline of the caller": {
			respond: hanging, after: 3 * time.Second, phase: PhaseSend, is: context.DeadlineExceeded, timeout: true,
			ctx: func() (context.Context, context.CancelFunc) {
				return context.WithTimeout(context.Background(), 3*time.Second)
			},
		},
		"deadline of the caller with a cause": {
			respond: hanging, after: 3 * time.Second, phase: PhaseSend, is: boss, timeout: true,
			ctx: func() (context.Context, context.CancelFunc) {
				return context.WithTimeoutCause(context.Background(), 3*time.Second, boss)
			},
		},
		"cancelled by the caller": {
			respond: hanging, after: 4 * time.Second, phase: PhaseSend, is: context.Canceled,
			ctx: func() (context.Context, context.CancelFunc) { return cancelAfter(4*time.Second, nil) },
		},
		"cancelled by the caller with a cause": {
			respond: stalling, after: 4 * time.Second, phase: PhaseRead, is: boss,
			ctx: func() (context.Context, context.CancelFunc) { return cancelAfter(4*time.Second, boss) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, g := clientFor(t, tc.respond, tc.opts...)
				ctx, cancel := context.Background(), func() {}
				if tc.ctx != nil {
					ctx, cancel = tc.ctx()
				}
				defer cancel()
				start := time.Now()
				_, err := cancelRenewal(ctx, c, tc.call...)
				if took := time.Since(start); took != tc.after {
					t.Errorf("took %v, want %v", took, tc.after)
				}
				wantLost.check(t, err, true)
				e := as[*TransportError](t, err)
				if e.Phase != tc.phase || e.Timeout() != tc.timeout || !errors.Is(err, tc.is) {
					t.Errorf("phase %q, timeout %v: %v; want %q, %v, %v", e.Phase, e.Timeout(), err, tc.phase, tc.timeout, tc.is)
				}
				if !tc.timeout && !errors.Is(err, context.Canceled) {
					t.Errorf("%v does not match context.Canceled", err)
				}
				if g.count() != 1 {
					t.Errorf("sent %d times", g.count())
				}
			})
		})
	}
}

func cancelAfter(d time.Duration, cause error) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(context.Background())
	timer := time.AfterFunc(d, func() { cancel(cause) })
	return ctx, func() { timer.Stop(); cancel(nil) }
}

// A context that is over sends nothing.
func TestContextOverBeforeSending(t *testing.T) {
	t.Parallel()
	boss := errors.New("the boss says no")
	cancelled, cancel := context.WithCancelCause(context.Background())
	cancel(boss)
	late, stop := context.WithDeadline(context.Background(), time.Unix(0, 0))
	defer stop()
	for name, tc := range map[string]struct {
		ctx     context.Context
		is      []error
		timeout bool
	}{
		"cancelled": {cancelled, []error{context.Canceled, boss}, false},
		"late":      {late, []error{context.DeadlineExceeded}, true},
	} {
		c, g := clientFor(t, replyJSON(okReply))
		_, err := cancelRenewal(tc.ctx, c)
		wantNever.check(t, err, true)
		e := as[*TransportError](t, err)
		if e.Phase != PhaseBefore || e.Timeout() != tc.timeout || g.count() != 0 {
			t.Errorf("%s: %v after %d requests", name, err, g.count())
		}
		for _, is := range tc.is {
			if !errors.Is(err, is) {
				t.Errorf("%s: %v does not match %v", name, err, is)
			}
		}
	}
	c, g := clientFor(t, replyJSON(okReply))
	_, err := queryOrder(nil, c) //nolint:staticcheck // a nil context is what is tested
	diff(
		t, "nil context",
		&fliggy.ValidationError{
			Method: opOrderQuery.Method, Problems: []fliggy.Problem{{Field: "context", Rule: "must not be nil"}},
		},
		as[*fliggy.ValidationError](t, err),
	)
	if g.count() != 0 {
		t.Error("sent with a nil context")
	}
}

// The gateway counts as not reached while a connection is being made, whoever
// gives up.
func TestGivenUpWhileConnecting(t *testing.T) {
	t.Parallel()
	boss := errors.New("the boss says no")
	for name, tc := range map[string]struct {
		cancel  bool
		is      []error
		timeout bool
	}{
		"cancelled": {true, []error{context.Canceled, boss}, false},
		"timeout":   {false, []error{context.DeadlineExceeded}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				over := make(chan struct{}) // the transport dials on when the request is given up
				rt := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
					if tc.cancel {
						cancel(boss)
					}
					<-over
					return nil, errors.New("over")
				}}
				_, err := cancelRenewal(ctx, testClient(t, rt))
				wantNotSent.check(t, err, true)
				if e := as[*TransportError](t, err); e.Phase != PhaseConnect || e.Timeout() != tc.timeout {
					t.Errorf("phase %q, timeout %v: %v", e.Phase, e.Timeout(), err)
				}
				for _, is := range tc.is {
					if !errors.Is(err, is) {
						t.Errorf("%v does not match %v", err, is)
					}
				}
				close(over)
				cancel(nil)
				synctest.Wait()
			})
		})
	}
}

// endedContext is a context that has ended by itself, above one that goes on: it has no cause of its own.
type endedContext struct{ context.Context }

func (endedContext) Done() <-chan struct{} { ended := make(chan struct{}); close(ended); return ended }
func (endedContext) Err() error            { return context.Canceled }

func TestContextWithoutACause(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c, _ := clientFor(t, replyJSON(okReply))
	_, err := queryOrder(endedContext{ctx}, c)
	if !errors.Is(err, context.Canceled) || !strings.HasSuffix(err.Error(), "before sending: context canceled") {
		t.Errorf("%v", err)
	}
}
