package rentcar

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
)

// toyBans are bans that clients of a test share. Their clock stands still.
type toyBans struct {
	mu   sync.Mutex
	left map[[2]string]time.Duration
}

func (b *toyBans) Ban(app, api string, d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left == nil {
		b.left = map[[2]string]time.Duration{}
	}
	b.left[[2]string{app, api}] = d
}

func (b *toyBans) Left(app, api string) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.left[[2]string{app, api}]
}

func (b *toyBans) Lift(app string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key := range b.left {
		if key[0] == app {
			delete(b.left, key)
		}
	}
}

// What one client is told holds for the others of its app, at the scope that was told, until one of them lifts it.
func TestSharedBans(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	var out Raw
	query := func(c *Client) error { _, err := queryOrder(ctx, c); return err }
	cancel := func(c *Client) error { _, err := cancelRenewal(ctx, c); return err }
	provider := func(target string) func(c *Client) error {
		return func(c *Client) error { return c.CallQimen(ctx, "x.z", &QimenRequest{TargetAppKey: target}, &out) }
	}
	ofProvider := replyJSON(`{"response":{"flag":"failure","code":7,"sub_code":"` + appBan +
		`","sub_message":"This ban will last for 60 more seconds"}}`)
	const ban = "This ban will last for 60 more seconds"
	for name, tc := range map[string]struct {
		respond      httpmock.Responder
		meets        func(*Client) error
		api          string
		banned, free []func(*Client) error
	}{
		"api": {
			gatewayFailure("7", apiBan, ban), query, opOrderQuery.Method,
			[]func(*Client) error{query}, []func(*Client) error{cancel, provider("1")},
		},
		"app": {
			gatewayFailure("7", appBan, ban), query, "", []func(*Client) error{query, cancel, provider("1")}, nil,
		},
		"proxy": {
			asksToWait(http.StatusTooManyRequests, "60", ""), query, opOrderQuery.Method,
			[]func(*Client) error{query}, []func(*Client) error{cancel},
		},
		"provider": {
			ofProvider, provider("1"), "qimen 1 ",
			[]func(*Client) error{provider("1")}, []func(*Client) error{query, provider("2")},
		},
	} {
		var bans toyBans
		qimenURL := WithQimenURL("http://qimen.test/qm")
		a, _ := clientFor(t, tc.respond, WithBans(&bans), qimenURL)
		b, g := clientFor(t, replyOK, WithBans(&bans), qimenURL)
		other, err := NewClient(
			"another", testSecret, WithBans(&bans), qimenURL, WithHTTPClient(&http.Client{Transport: newGateway(replyOK)}),
		)
		if err != nil {
			t.Fatal(err)
		}
		if err := tc.meets(a); !errors.Is(err, ErrRateLimited) {
			t.Fatalf("%s: %v", name, err)
		}
		diff(t, name, map[[2]string]time.Duration{{testAppKey, tc.api}: time.Minute}, bans.left)
		for i, call := range tc.banned {
			if e := as[*RateLimitError](t, call(b)); e.RetryAfter != time.Minute || g.count() != 0 {
				t.Errorf("%s: call %d: %d requests, %v", name, i, g.count(), e)
			}
			if err := call(other); err != nil {
				t.Errorf("%s: another app's call %d: %v", name, i, err)
			}
		}
		for i, call := range tc.free {
			if err := call(b); err != nil {
				t.Errorf("%s: call %d: %v", name, i, err)
			}
		}
		bans.Ban("another", "", time.Hour)
		b.LiftBans()
		if err := tc.banned[0](b); err != nil {
			t.Errorf("%s, lifted: %v", name, err)
		}
		if bans.Left("another", "") != time.Hour {
			t.Errorf("%s: the other app's ban is lifted, too", name)
		}
	}
}

// methodLimiter hears of methods.
type methodLimiter struct {
	methods []string
	err     error
}

func (l *methodLimiter) Wait(context.Context) error { return errors.New("Wait was called") }
func (l *methodLimiter) WaitMethod(_ context.Context, method string) error {
	l.methods = append(l.methods, method)
	return l.err
}

// A limiter that can be told the method is told before every attempt.
func TestMethodLimiter(t *testing.T) {
	t.Parallel()
	limiter := &methodLimiter{}
	c, g := clientFor(
		t, inTurn(dialFailure(), replyJSON(okReply)), WithLimiter(limiter), withRetries(), withFakeTime(&fakeTime{}),
	)
	if _, err := queryOrder(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	var out Raw
	if err := c.Call(t.Context(), "x.y", nil, &out); err != nil || g.count() != 3 {
		t.Fatalf("%d requests: %v", g.count(), err)
	}
	if want := []string{opOrderQuery.Method, opOrderQuery.Method, "x.y"}; !slices.Equal(limiter.methods, want) {
		t.Errorf("told %q, want %q", limiter.methods, want)
	}
	limiter.err = errNoToken
	_, err := queryOrder(t.Context(), c)
	if e := as[*RateLimitError](t, err); !errors.Is(e, errNoToken) || g.count() != 3 {
		t.Errorf("%d requests: %v", g.count(), err)
	}
}
