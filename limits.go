package rentcar

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar/internal/contain"
)

// A Limiter spaces calls out: rate.Limiter of golang.org/x/time/rate is one.
type Limiter interface {
	// Wait returns when an attempt may be sent, or an error when it must not. It is
	// called before every attempt.
	Wait(ctx context.Context) error
}

// A MethodLimiter is a Limiter that is told what is sent, for limits of single APIs.
type MethodLimiter interface {
	Limiter
	// WaitMethod is called instead of Wait, with the API name.
	WaitMethod(ctx context.Context, method string) error
}

// Bans remember for how long calls are banned by flow control (限流) or by a Retry-After header. A client has its own
// in memory by default; see [WithBans] for those that several processes share.
//
// app is the app key of the client: apps share no ban. api is what is banned: an API name, or "" for all calls of the
// app, and with "qimen ", an app key and a space in front for calls through that Qimen provider. The methods are called
// concurrently, and Left several times before every attempt, so none may wait for a network.
type Bans interface {
	// Ban remembers that calls are banned from now on for a time, 24 hours at most, unless they are for longer already.
	// Left has to tell so at once.
	Ban(app, api string, d time.Duration)
	// Left returns for how long calls are still banned; 0 or less when they are not.
	Left(app, api string) time.Duration
	// Lift forgets all bans of the app.
	Lift(app string)
}

// admit waits until an attempt may be sent: for the end of a short ban, and for the limiter. It waits for no ban after
// which less than needed is left before the deadline. If it may not be sent, either limited says so, or err is what
// ended the context, or a panic of the user's; err may be an error of another call, even a *RateLimitError.
func (c *Client) admit(ctx context.Context, cl *call, needed time.Duration) (limited *RateLimitError, err error) {
	defer contain.Recover("the context", &err)
	patience, ask := c.cfg.retry.MaxDelay, c.cfg.limit != nil
	for {
		left, err := c.banned(cl)
		switch {
		case err != nil:
			return nil, err
		case left > 0:
			wait := left + rand.N(banJitter)
			if left > patience || tooLate(ctx, wait+needed) {
				return &RateLimitError{Method: cl.method, RetryAfter: left}, nil
			}
			if err := c.cfg.sleep(ctx, wait); err != nil {
				return nil, err
			}
			patience -= wait // somebody may have met another ban meanwhile, or the clock stands still
		case ask:
			err := c.cfg.limit(ctx, cl.method)
			if err != nil && ctx.Err() == nil && !isPanic(err) {
				return &RateLimitError{Method: cl.method, Err: cl.private.hide(err)}, nil
			}
			if err != nil {
				return nil, err
			}
			ask = false // somebody may have met a ban while this call waited
		default:
			return nil, nil
		}
	}
}

// A RateLimitError says that a call was not sent: a ban of flow control (限流) or a Retry-After header that an earlier
// call met still holds, or the limiter refused. It matches ErrRateLimited, and its outcome is OutcomeNotSent. If it is
// only the reason why a call was not retried, ask OutcomeOf with the error that the call returned. The client
// remembers a ban until it ends or until Client.LiftBans; a new client knows of none, unless WithBans shares them.
type RateLimitError struct {
	Method     string        // API name
	RetryAfter time.Duration // how long the ban still lasts; 0 when the limiter refused
	Err        error         `json:"-"` // matches the error of the limiter, and has its text, at most 4 KiB; nil for a ban
}

// Error says how long the ban lasts, or what the limiter said.
func (e *RateLimitError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("rentcar: %s: not sent: %v: %v", e.Method, ErrRateLimited, e.Err)
	}
	return fmt.Sprintf(
		"rentcar: %s: not sent: %v: the ban lasts for %v more", e.Method, ErrRateLimited,
		e.RetryAfter.Round(time.Millisecond),
	)
}

// Unwrap returns the error of the limiter.
func (e *RateLimitError) Unwrap() error { return e.Err }

// Is matches ErrRateLimited.
func (e *RateLimitError) Is(target error) bool { return target == ErrRateLimited }

// Outcome is OutcomeNotSent.
func (e *RateLimitError) Outcome() Outcome { return OutcomeNotSent }

// RetryAfter returns how long to wait before the call is repeated, by the ban of flow control or the Retry-After header
// in err. It reports false if err has neither, as for the refusal of a limiter, and for a write that may have been
// carried out.
func RetryAfter(err error) (time.Duration, bool) {
	if errors.Is(err, ErrOutcomeUnknown) { // to be settled, not to be sent again
		return 0, false
	}
	var limited *RateLimitError
	var gateway *GatewayError
	var failed *TransportError
	switch {
	case errors.As(err, &limited) && limited.RetryAfter > 0:
		return limited.RetryAfter, true
	case errors.As(err, &gateway) && gateway.RetryAfter > 0:
		return gateway.RetryAfter, true
	case errors.As(err, &failed) && failed.RetryAfter > 0:
		return failed.RetryAfter, true
	}
	return 0, false
}

const (
	// banJitter spreads the calls that wait for the end of one ban.
	banJitter = 200 * time.Millisecond
	// maxBan bounds how long a ban is believed to last: none outlasts the quota of a day.
	maxBan = 24 * time.Hour
)

// banText finds how long a ban lasts in the words of the platform: "This ban will last for 12 more
// seconds", or "this ban will last 12 seconds". Minutes, hours and "14,229" are read too.
var banText = regexp.MustCompile(
	`(?i)(ban\s+will\s+)?last\s+(?:for\s+)?(\d{1,3}(?:,\d{3})+|\d+)\s+(?:more\s+)?(second|minute|hour)`,
)

// banOf returns how long a ban lasts by text, or 0. A time after "ban will last" decides; without one the longest time
// counts.
func banOf(text string) (longest time.Duration) {
	units := map[string]time.Duration{"second": 1, "minute": 60, "hour": 3600}
	for _, m := range banText.FindAllStringSubmatch(text, -1) {
		ban := min(secondsOf(strings.ReplaceAll(m[2], ",", ""))*units[strings.ToLower(m[3])], maxBan)
		if m[1] != "" {
			return ban
		}
		longest = max(longest, ban)
	}
	return longest
}

// secondsOf returns a number of seconds as a duration of at most maxBan, or 0 if digits is not a number.
func secondsOf(digits string) time.Duration {
	n, _ := strconv.ParseUint(digits, 10, 64) // the largest number if it is out of range
	return time.Duration(min(n, uint64(maxBan/time.Second))) * time.Second
}

// retryAfter returns the wait that a reply with HTTP status 429 or 503 asks for, or 0.
func (r *RawReply) retryAfter(now time.Time) time.Duration {
	if r.HTTPStatus != http.StatusTooManyRequests && r.HTTPStatus != http.StatusServiceUnavailable {
		return 0
	}
	value := strings.TrimSpace(r.Header.Get("Retry-After"))
	if date, err := http.ParseTime(value); err == nil {
		return max(0, min(date.Sub(now), maxBan))
	}
	return secondsOf(value)
}

// appBan is the sub code of a ban of the app on all its calls. Every other one is
// about one API: limited-by-api-access-count, -app-api-access-count, and
// -dynamic-access-count, of which no more is known.
const appBan = "accesscontrol.limited-by-app-access-count"

// bans remembers until when calls are banned, by scope and method; a scope alone
// stands for all methods.
type bans struct {
	mu    sync.Mutex
	until map[string]time.Time
}

// maxBans bounds how many bans of methods are remembered: methods of any name can be
// called.
const maxBans = 1000

// LiftBans forgets all bans of flow control and all waits that a Retry-After header asked for, so that the next call of
// each method is sent. Calls that are waiting go on waiting, for RetryPolicy.MaxDelay at most. It is for operators,
// after the platform has lifted a ban or a proxy has asked for too long a wait.
//
// With [WithBans] it lifts the bans of the app for all clients that share them.
func (c *Client) LiftBans() {
	if shared := c.cfg.bans; shared != nil {
		c.tell(context.Background(), theBans, func() { shared.Lift(c.appKey) })
		return
	}
	c.bans.mu.Lock()
	defer c.bans.mu.Unlock()
	c.bans.until = nil
}

// theBans names the user's Bans where they panic.
const theBans = "the bans"

// banned returns how long a call is still banned. The error is a panic of the user's.
func (c *Client) banned(cl *call) (left time.Duration, err error) {
	if c.cfg.bans == nil {
		return c.bans.left(cl.banScope, cl.method, c.now), nil
	}
	err = contain.Call(theBans, func() error {
		for _, api := range banScopes(cl.banScope, cl.method) {
			left = max(left, c.cfg.bans.Left(c.appKey, api))
		}
		return nil
	})
	return left, err
}

// banScopes are the bans that hold for a method. What the TOP gateway says of the app holds everywhere.
func banScopes(scope, method string) [3]string { return [...]string{scope + method, scope, ""} }

// noteBan remembers the ban that the error of an attempt carries.
func (c *Client) noteBan(ctx context.Context, cl *call, failure error) {
	var method string
	var ban time.Duration
	switch e := failure.(type) { //nolint:errorlint // the failure of this attempt, and no error inside another
	case *GatewayError:
		method, ban = e.Method, e.RetryAfter
		if e.SubCode == appBan {
			method = ""
		}
	case *TransportError:
		method, ban = e.Method, e.RetryAfter
	}
	switch shared := c.cfg.bans; {
	case ban <= 0:
	case shared != nil:
		c.tell(ctx, theBans, func() { shared.Ban(c.appKey, cl.banScope+method, ban) })
	default:
		c.bans.note(cl.banScope, method, ban, c.now())
	}
}

// note remembers a ban of a method, or of all where it is empty.
func (b *bans) note(scope, method string, ban time.Duration, now time.Time) {
	if ban <= 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.DeleteFunc(b.until, func(_ string, end time.Time) bool { return !end.After(now) })
	if b.until == nil {
		b.until = map[string]time.Time{}
	}
	key := scope + method
	_, known := b.until[key]
	if end := now.Add(ban); end.After(b.until[key]) && (known || method == "" || len(b.until) < maxBans) {
		b.until[key] = end
	}
}

// left returns how long calls of a method are still banned.
func (b *bans) left(scope, method string, now func() time.Time) time.Duration {
	var end time.Time
	b.mu.Lock()
	for _, key := range banScopes(scope, method) {
		if b.until[key].After(end) {
			end = b.until[key]
		}
	}
	b.mu.Unlock()
	if end.IsZero() {
		return 0
	}
	return max(0, end.Sub(now()))
}
