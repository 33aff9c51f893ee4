package rentcar

import (
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
)

// A CallOption configures one call.
type CallOption func(*callConfig)

type callConfig struct {
	session        func() string
	timeout        time.Duration
	params         []top.Param
	members        []top.Member
	skipValidation bool
	raw            *RawReply
	problems       fliggy.Problems
}

// CallSession sends this session (授权令牌) instead of the client's.
func CallSession(session string) CallOption {
	return func(c *callConfig) {
		if top.IsBlank(session) {
			c.problems.Add("session", "is empty: leave the option out to send the client's")
			return
		}
		c.session = func() string { return session }
	}
}

// CallTimeout bounds each attempt of this call instead of the client's timeout.
func CallTimeout(d time.Duration) CallOption {
	return func(c *callConfig) {
		if d <= 0 {
			c.problems.Add("timeout", "must be positive")
			return
		}
		c.timeout = d
	}
}

// WithParam sends one more parameter at the top level of the call, beside the
// one that wraps the request. Blank values are not sent. Protocol parameters
// cannot be replaced.
func WithParam(name, value string) CallOption {
	return func(c *callConfig) {
		switch {
		case top.IsBlank(name) || !utf8.ValidString(name):
			c.problems.Add("parameter", ruleName)
			return
		case !utf8.ValidString(value):
			c.problems.Add(name, "not valid UTF-8")
			return
		case isProtocolParam(name):
			c.problems.Add(name, "is a parameter of the protocol and cannot be replaced")
			return
		}
		c.params = append(c.params, top.Param{Name: name, Value: value})
	}
}

// WithMember sends one more member inside the parameter that wraps the request,
// or replaces the member of that name. value is anything Params takes.
func WithMember(name string, value any) CallOption {
	return func(c *callConfig) {
		if top.IsBlank(name) || !utf8.ValidString(name) {
			c.problems.Add("member", ruleName)
			return
		}
		raw, err := memberJSON(value)
		if err != nil {
			c.problems.Add(name, "%s", err.Error())
			return
		}
		c.members = slices.DeleteFunc(c.members, func(m top.Member) bool { return m.Name == name })
		c.members = append(c.members, top.Member{Name: name, Value: raw})
	}
}

// WithoutValidation sends the request as it is, whatever its Validate says, for
// the day the documents are wrong. Where the platform is believed to take a
// number and the id is none, it is written as text.
func WithoutValidation() CallOption {
	return func(c *callConfig) { c.skipValidation = true }
}

// A RawReply is a reply as it came, inflated.
type RawReply struct {
	HTTPStatus int         // status code
	Header     http.Header // header fields
	Body       []byte      // body in the charset it came in; empty when it was cut off or too large
}

// WithRawReply captures the reply of the last attempt, whatever becomes of the
// call, as long as one came. The body may hold personal data.
func WithRawReply(to *RawReply) CallOption {
	return func(c *callConfig) {
		if to == nil {
			c.problems.Add("raw reply", "must not be nil")
			return
		}
		c.raw = to
	}
}

func (c *Client) callConfig(opts []CallOption) callConfig {
	cc := callConfig{session: c.cfg.session, timeout: c.cfg.timeout}
	for _, opt := range opts {
		if opt != nil {
			opt(&cc)
		}
	}
	return cc
}
