package durable_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/fliggy"
)

// A script answers requests one after the other, the last line for ever, and notes when
// they came.
type script struct {
	mu    sync.Mutex
	lines []responder
	times []time.Time
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.times = append(s.times, time.Now())
	line := s.lines[0]
	if len(s.lines) > 1 {
		s.lines = s.lines[1:]
	}
	s.mu.Unlock()
	return line(r)
}

// since are the times of the requests, counted from start.
func (s *script) since(start time.Time) (waits []time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.times {
		waits = append(waits, t.Sub(start))
	}
	return waits
}

var (
	yes          = answer(`{"successful":true}`)
	down         = answer(`{"error_response":{"code":10,"msg":"Service Currently Unavailable"}}`)
	bannedAnHour = answer(
		`{"error_response":{"code":7,"msg":"App Call ` +
			`Limited","sub_code":"accesscontrol.limited-by-app-access-count","sub_msg":"This ban will last for 3600 more ` +
			`seconds"}}`,
	)
)

// runOutbox sends one bill through a new outbox, by the clock of the bubble, and gives what
// became of the attempts, until it is done.
func runOutbox(t *testing.T, s *script, opts ...rentcar.Option) (results []durable.Observation) {
	t.Helper()
	client := scriptClient(t, s, opts...)
	ctx, stop := context.WithCancel(t.Context())
	outbox, err := durable.NewOutbox(client, durable.NewMemoryStore(), durable.Config{Observer: func(
		_ context.Context, r durable.Observation,
	) {
		if results = append(results, r); r.Done {
			stop()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	mustAdd(t, outbox.AddBill(t.Context(), outboxBill("1")))
	if err := outbox.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return results
}

func scriptClient(t *testing.T, s *script, opts ...rentcar.Option) *rentcar.Client {
	t.Helper()
	own := []rentcar.Option{
		rentcar.WithHTTPClient(&http.Client{Transport: s}), rentcar.WithChannel(fliggy.ChannelAmap),
		rentcar.WithRetry(rentcar.RetryPolicy{MaxAttempts: 1}),
	}
	client, err := rentcar.NewClient("24700001", "0123456789abcdef", append(own, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// Waits grow while Fliggy is down, and then it arrives.
func TestOutboxWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start, s := time.Now(), &script{lines: []responder{down, down, down, down, yes}}
		results := runOutbox(t, s)
		want := []time.Duration{0, 1 * time.Second, 3 * time.Second, 7 * time.Second, 15 * time.Second}
		if diff := cmp.Diff(want, s.since(start)); diff != "" {
			t.Error(diff)
		}
		for i, r := range results {
			if r.Attempt != i+1 || r.Done != (i == 4) {
				t.Errorf("attempt %d: %+v", i+1, r)
			}
		}
	})
}

// While a ban lasts nothing is sent, however often the item comes up; when it has ended
// the item arrives.
func TestOutboxHeedsBans(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start, s := time.Now(), &script{lines: []responder{bannedAnHour, yes}}
		results := runOutbox(t, s)
		sent := s.since(start)
		if len(sent) != 2 || sent[1] < time.Hour || sent[1] > time.Hour+durable.DefaultMaxDelay {
			t.Errorf("sent at %v", sent)
		}
		for _, r := range results[1 : len(results)-1] {
			var limited *rentcar.RateLimitError
			if wait, banned := rentcar.RetryAfter(r.Err); !banned || wait > time.Hour || !errors.As(r.Err, &limited) {
				t.Errorf("while the ban lasts: %v", r.Err)
			}
		}
		if len(results) < 5 {
			t.Errorf("%d attempts: the test shows nothing", len(results))
		}
	})
}

var errStop = errors.New("that is all")

// The end of Run lets the attempt that is under way end, and its success counts.
func TestOutboxRunEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancelCause(t.Context())
		s := &script{lines: []responder{func(r *http.Request) (*http.Response, error) {
			stop(errStop)
			select {
			case <-time.After(20 * time.Second):
				return yes(r)
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		}}}
		store := durable.NewMemoryStore()
		var results []durable.Observation
		outbox, err := durable.NewOutbox(
			scriptClient(t, s), store,
			durable.Config{Observer: func(_ context.Context, r durable.Observation) { results = append(results, r) }},
		)
		if err != nil {
			t.Fatal(err)
		}
		mustAdd(t, outbox.AddBill(t.Context(), outboxBill("1")))
		mustAdd(t, outbox.AddBill(t.Context(), outboxBill("2")))
		if err := outbox.Run(ctx); !errors.Is(err, errStop) {
			t.Errorf("Run: %v", err)
		}
		if diff := cmp.Diff([]string{"done"}, fates(results)); diff != "" {
			t.Errorf("%v:\n%s", results, diff)
		}
		if text := store.String(); !strings.Contains(text, "1 waiting") {
			t.Error(text)
		}
	})
}

// An attempt has a minute, and more where the client's own timeout is longer.
func TestOutboxTimeout(t *testing.T) {
	t.Parallel()
	slow := func(r *http.Request) (*http.Response, error) {
		select {
		case <-time.After(3 * time.Minute):
			return yes(r)
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	noRoute := func(*http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	endless := rentcar.WithSleep(func(ctx context.Context, _ time.Duration) error {
		<-ctx.Done()
		return ctx.Err()
	})
	for name, tc := range map[string]struct {
		first responder
		opts  []rentcar.Option
		want  []string
		took  time.Duration
	}{
		"the client's own": {slow, nil, []string{"again", "done"}, rentcar.DefaultTimeout},
		"a longer one": {
			slow, []rentcar.Option{rentcar.WithTimeout(5 * time.Minute)}, []string{"done"}, 3 * time.Minute,
		},
		"none": {
			slow, []rentcar.Option{rentcar.WithTimeout(1<<63 - 1)}, []string{"done"}, 3 * time.Minute,
		},
		"waits within one attempt": {
			noRoute, []rentcar.Option{rentcar.WithRetry(rentcar.RetryPolicy{}), endless}, []string{"again", "done"}, time.Minute,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				results := runOutbox(t, &script{lines: []responder{tc.first, yes}}, tc.opts...)
				if diff := cmp.Diff(tc.want, fates(results)); diff != "" {
					t.Errorf("%v:\n%s", results, diff)
				}
				if took := results[0].Duration; took != tc.took {
					t.Errorf("the first attempt took %v, want %v", took, tc.took)
				}
			})
		})
	}
}
