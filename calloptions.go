package rentcar

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/contain"
	"github.com/fliggy-go/rentcar/internal/top"
)

// A CallOption configures one call.
type CallOption func(*callConfig)

// callOption makes a CallOption that sets something if its argument is valid. Otherwise the call fails with rule.
func callOption(valid bool, field, rule string, set func(*callConfig)) CallOption {
	return func(c *callConfig) {
		if !valid {
			c.problems.Add(field, "%s", rule)
			return
		}
		set(c)
	}
}

type callConfig struct {
	session        func() string
	sessionSource  func(context.Context) (string, error) // nil for session
	timeout        time.Duration
	params         []top.Param
	members        []top.Member
	skipValidation bool
	attempts       int
	repeatUnknown  bool
	readOnly       bool
	raw            *RawReply
	problems       fliggy.Problems
}

// CallSession sends this session (授权令牌) instead of the client's, whether that is of
// WithSession or WithSessionSource.
func CallSession(session string) CallOption {
	return callOption(!top.IsBlank(session), "session", "is empty: leave the option out to send the client's",
		func(c *callConfig) { c.session, c.sessionSource = func() string { return session }, nil })
}

// CallTimeout bounds each attempt of this call instead of the client's timeout.
func CallTimeout(d time.Duration) CallOption {
	return callOption(d > 0, "timeout", "must be positive", func(c *callConfig) { c.timeout = d })
}

// CallAttempts sends this call at most n times, instead of the client's
// RetryPolicy.MaxAttempts.
func CallAttempts(n int) CallOption {
	return callOption(n >= 1, "attempts", "must be at least 1", func(c *callConfig) { c.attempts = n })
}

// CallRepeatUnknown lets a write be retried like a read, although an earlier attempt may have been carried out. Do not
// use it unless the platform documents an idempotency key for the API and the request has it; no document does so far.
// If any attempt ended unknown and none succeeded, the error matches ErrOutcomeUnknown.
func CallRepeatUnknown() CallOption {
	return func(c *callConfig) { c.repeatUnknown = true }
}

// CallReadOnly declares that a method called with Call or CallQimen is a read. Without it calls of methods that have no
// type here are treated as writes.
func CallReadOnly() CallOption {
	return func(c *callConfig) { c.readOnly = true }
}

// CallParam sends one more parameter at the top level of the call, beside the
// one that wraps the request. Blank values are not sent. Protocol parameters
// cannot be replaced.
func CallParam(name, value string) CallOption {
	return func(c *callConfig) {
		switch {
		case top.IsBlank(name) || !utf8.ValidString(name):
			c.problems.Add("parameter", ruleName)
		case !utf8.ValidString(value):
			c.problems.Add(name, "not valid UTF-8")
		case isProtocolParam(name):
			c.problems.Add(name, "is a parameter of the protocol and cannot be replaced")
		default:
			c.params = append(c.params, top.Param{Name: name, Value: value})
		}
	}
}

// CallMember sends one more member inside the parameter that wraps the request,
// or replaces the member of that name. value is anything Params takes.
func CallMember(name string, value any) CallOption {
	return func(c *callConfig) {
		if top.IsBlank(name) || !utf8.ValidString(name) {
			c.problems.Add("member", ruleName)
			return
		}
		raw, _, err := valueJSON(value)
		if err != nil {
			c.problems.Add(name, "%s", err.Error())
			return
		}
		c.members = slices.DeleteFunc(c.members, func(m top.Member) bool { return m.Name == name })
		c.members = append(c.members, top.Member{Name: name, Value: raw})
	}
}

// CallWithoutValidation sends the request without validating it, for the day when the documents are wrong. An id that
// is not a number is then written as text even where the platform is believed to take a number.
func CallWithoutValidation() CallOption {
	return func(c *callConfig) { c.skipValidation = true }
}

// A RawReply is a reply as it came, inflated.
type RawReply struct {
	HTTPStatus int         // status code
	Header     http.Header // header fields
	Body       []byte      // body in the charset it came in; empty when it was cut off or too large
}

// CallRawReply stores the last reply in to, whether the call succeeds or fails. The body may hold personal data.
func CallRawReply(to *RawReply) CallOption {
	return callOption(to != nil, "raw reply", "must not be nil", func(c *callConfig) { c.raw = to })
}

// callConfig returns the settings of one call: the client's, changed by opts.
func (c *Client) callConfig(opts []CallOption) callConfig {
	cc := callConfig{
		session: c.cfg.session, sessionSource: c.cfg.sessionSource, timeout: c.cfg.timeout, attempts: c.cfg.retry.MaxAttempts,
	}
	for i, opt := range opts {
		if opt == nil {
			cc.problems.Add(fmt.Sprintf("call option %d", i+1), "is nil: leave it out")
			continue
		}
		opt(&cc)
	}
	return cc
}

// askSession returns the session of an attempt.
func (c *callConfig) askSession(ctx context.Context) (session string, err error) {
	defer contain.Recover("the context", &err)
	if c.sessionSource == nil {
		return c.session(), nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	return c.sessionSource(ctx)
}
