package rentcar

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"sync/atomic"

	"github.com/go-resty/resty/v2"
)

// A sending is one attempt on its way, and the context of its request. It notes
// whether a connection was asked for and came about, whether anything went out,
// whether an answer began, and how many of them were interim ones (1xx). A round
// tripper that knows no traces leaves all unset.
type sending struct {
	context.Context

	url    url.URL
	host   string
	body   payload
	answer answer
	hooks  httptrace.ClientTrace

	asked, got, wrote, answered atomic.Bool

	interim atomic.Int32 // how many
}

func newSending(ctx context.Context, req request) *sending {
	s := &sending{Context: ctx, url: *req.to.url, host: req.to.host, body: payload{content: req.content}}
	s.url.RawQuery = addQuery(s.url.RawQuery, req.query)
	s.hooks = httptrace.ClientTrace{
		GetConn: func(string) { s.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { s.got.Store(true) },

		WroteHeaders: func() { s.wrote.Store(true) },

		GotFirstResponseByte: func() { s.answered.Store(true) },
	}
	return s
}

// maxInterim is how many interim answers are read, as many as net/http does where
// nobody listens to them.
const maxInterim = 5

var errInterim = fmt.Errorf("more than %d interim (1xx) answers, and no final one", maxInterim)

// traced is the context of the request. A hook of the caller's for interim answers
// runs too, but the bound is not left to it, as composing the hooks would.
func (s *sending) traced() context.Context {
	ctx := httptrace.WithClientTrace(s, &s.hooks)
	theirs := s.hooks.Got1xxResponse
	s.hooks.Got1xxResponse = func(code int, header textproto.MIMEHeader) error {
		if s.interim.Add(1) > maxInterim {
			return errInterim
		}
		if theirs != nil {
			return theirs(code, header)
		}
		return nil
	}
	return ctx
}

type sendingKey struct{}

// Value gives the sending itself to whoever has only its context.
func (s *sending) Value(key any) any {
	if key == (sendingKey{}) {
		return s
	}
	return s.Context.Value(key)
}

func (s *sending) unconnected() bool { return s.asked.Load() && !s.got.Load() }

var errSentBefore = errors.New("the connection failed after the request had gone out; it is not sent again")

// shortAddress is what resty gets: it reads and prints an address several times.
const shortAddress = "http://gateway"

// fillIn makes a request the one that is to be sent: a POST with its address, query
// and body, which resty would parse, and copy, if it had them.
func fillIn(_ *resty.Client, r *http.Request) error {
	s, ok := r.Context().Value(sendingKey{}).(*sending)
	if !ok {
		return errors.New("not a request of this client")
	}
	r.Method = http.MethodPost
	r.URL, r.Host = &s.url, s.host
	r.ContentLength, r.GetBody = s.body.size, s.bodyAgain
	r.Body = s.body.open() // never empty: without a body HTTP/2 does not ask bodyAgain
	return nil
}

// bodyAgain is asked for when a request is to be sent again. It keeps the round
// tripper from doing so of its own accord once its headers have gone out, as HTTP/2
// does after some resets that prove nothing. Before that, such as on a connection
// that had died idle, it may.
func (s *sending) bodyAgain() (io.ReadCloser, error) {
	// After a whole answer it is a redirect that is being prepared, and then refused.
	if s.wrote.Load() && (!s.answered.Load() || s.interim.Load() > 0) {
		return nil, errSentBefore
	}
	return s.body.open(), nil
}
