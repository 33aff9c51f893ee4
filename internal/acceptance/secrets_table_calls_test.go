package acceptance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar"
)

const (
	whyMessage = "the platform's own words about a failure are what its support asks for"
	whyCode    = "logs carry the platform's codes"
	whyName    = "an error names the member that is wrong, and the platform names its members"
)

// A leakClass is a way in which a call fails.
type leakClass struct {
	name, want string
	typedOnly  bool // a generic call does not see it as a failure
	opts       []rentcar.Option
	respond    leakResponder
	may        leakReasons
	mayLog     leakReasons
}

// echo is a reply that says what it was sent, and something of its own.
func echo(r *http.Request) string { return markReply.text + " " + echoes(r) + " " + markReply.text }

// errorReply is an error_response that puts a text into one of its members.
func errorReply(member string, text func(*http.Request) string) leakResponder {
	return answerJSON(func(r *http.Request) any {
		fault := object{"code": "25"}
		fault[member] = text(r)
		return object{"error_response": fault}
	})
}

func refusedReply(text func(*http.Request) string, members ...string) leakResponder {
	return answerJSON(func(r *http.Request) any {
		reply := object{"successful": false, "biz_success": false}
		for _, m := range members {
			reply[m] = text(r)
		}
		return reply
	})
}

var inXML = []rentcar.Option{rentcar.WithFormat(rentcar.XML)}

// pad fills a text so far that what follows it is cut by limits of 40 and 64 bytes.
func pad(n int, text string) string { return strings.Repeat("p", n) + text }

var leakClasses = []leakClass{
	{
		name: "gateway message", want: "gateway error 25", respond: errorReply("msg", echo),
		may: leakReasons{markReply: whyMessage},
	},
	{
		name: "gateway sub message", want: "gateway error 25", respond: errorReply("sub_msg", echo),
		may: leakReasons{markReply: whyMessage},
	},
	{
		name: "gateway code", want: "gateway error", respond: errorReply("code", echo),
		may: leakReasons{markReply: whyMessage}, mayLog: leakReasons{markReply: whyCode},
	},
	{
		name: "gateway sub code", want: "gateway error 25", respond: errorReply("sub_code", echo),
		may: leakReasons{markReply: whyMessage}, mayLog: leakReasons{markReply: whyCode},
	},
	{
		name: "gateway request id", want: "gateway error 25", respond: errorReply("request_id", echo),
		may: leakReasons{markReply: whyMessage}, mayLog: leakReasons{markReply: "logs carry the request id"},
	},
	{name: "gateway fault in XML", want: "gateway error 25", opts: inXML, respond: func(
		r *http.Request,
	) (*http.Response, error) {
		text := url.QueryEscape(r.URL.Query().Get("session")) + " " + r.URL.Query().Get("sign")
		return leakReply(
			r, 200, "text/xml", strings.NewReader("<error_response><code>25</code><msg>"+text+"</msg></error_response>"),
		)
	}},
	{
		name: "service fault that may have acted", want: "isp.unknown",
		respond: errorReply("sub_code", func(r *http.Request) string { return "isp.unknown " + echoes(r) }),
	},
	{
		name: "business message", want: "refused", typedOnly: true, respond: refusedReply(echo, "ret_msg", "biz_error_msg"),
		may: leakReasons{markReply: whyMessage},
	},
	{
		name: "business code", want: "refused with code", typedOnly: true,
		respond: refusedReply(echo, "ret_code", "biz_error_code"), may: leakReasons{markReply: whyMessage},
		mayLog: leakReasons{markReply: whyCode},
	},
	{name: "business request id", want: "refused", typedOnly: true, respond: refusedReply(echoes, "request_id")},
	{
		name: "no flag", want: "not understood",
		respond: answerJSON(func(r *http.Request) any { return object{"request_id": echoes(r), "note": echo(r)} }),
	},
	{name: "flag that is none", want: "not understood", respond: refusedReply(echo, "successful", "biz_success")},
	{name: "wrong values", want: "not understood", respond: answerJSON(func(r *http.Request) any {
		return object{
			"successful": echo(r), "biz_success": echo(r), "cancel_fee": echo(r), "order_info": echo(r),
			"request_id": []any{markSecret.text, r.URL.Query().Get("session"), r.URL.Query().Get("sign")},
		}
	})},
	{
		name: "cut JSON", want: "not understood",
		respond: answer(200, "application/json", `{"successful":true,"ret_msg":"`+markReply.text),
	},
	{name: "text", want: "not understood", respond: answer(200, "application/json", markReply.text)},
	{name: "list", want: "not understood", respond: answer(200, "application/json", `["`+markReply.text+`"]`)},
	{name: "HTML", want: "HTML page", respond: answer(200, "text/html", "<html>"+markReply.text)},
	{
		name: "cut XML", want: "not understood", opts: inXML,
		respond: answer(200, "text/xml", `<r a="`+markReply.text+`"><successful>`+markReply.text),
	},
	{name: "not UTF-8", want: "UTF-8", respond: answer(200, "application/json", `{"x":"`+markReply.text+"\xff"+`"}`)},
	{name: "not GBK", want: "not understood", respond: answer(200, "text/plain;charset=gbk", markReply.text+"\xff\xff")},
	{name: "unknown charset", want: "charset", respond: func(r *http.Request) (*http.Response, error) {
		return leakReply(r, 200, "text/plain;charset="+pad(25, r.URL.Query().Get("sign")), strings.NewReader(markReply.text))
	}},
	{name: "charset that is the session", want: "charset", respond: func(r *http.Request) (*http.Response, error) {
		return leakReply(
			r, 200, `text/plain;charset="`+pad(20, url.QueryEscape(r.URL.Query().Get("session"))),
			strings.NewReader(markReply.text),
		)
	}},
	{
		name: "signature as a name that is cut", want: "expected text", opts: inXML,
		respond: badElement(func(r *http.Request) string { return pad(30, r.URL.Query().Get("sign")) }),
	},
	{
		name: "session as a name", want: "not understood",
		respond: badMember(func(r *http.Request) string { return r.URL.Query().Get("session") }),
	},
	{
		name: "query as a name", want: "not understood",
		respond: badMember(func(r *http.Request) string { return r.URL.RawQuery }),
	},
	{
		name: "value as a name", want: "expected text", opts: inXML,
		respond: badElement(func(*http.Request) string { return "R3plyValueOfTheirs" }), may: leakReasons{markReply: whyName},
		mayLog: leakReasons{markReply: whyName},
	},
	{name: "HTTP status", want: "500", respond: answer(500, "text/plain", markReply.text)},
	{
		name: "redirect", want: "redirects are refused",
		respond: redirect(func(r *http.Request) string { return "/?" + r.URL.RawQuery }),
	},
	{name: "redirect to nowhere", want: "sending or waiting", respond: redirect(func(r *http.Request) string {
		return "http://[ " + markReply.text + " " + markSecret.text + " " + r.URL.Query().Get("session") + " " +
			r.URL.String()
	})},
	{
		name: "too large", want: "too large", opts: []rentcar.Option{rentcar.WithReplyLimit(8)},
		respond: answer(200, "text/plain", markReply.text),
	},
	{name: "reading breaks off", want: "reading the reply", respond: func(r *http.Request) (*http.Response, error) {
		return leakReply(
			r, 200, "text/plain",
			io.MultiReader(
				strings.NewReader(markReply.text), brokenBody{fmt.Errorf("lost %s: %w", echoes(r), io.ErrUnexpectedEOF)},
			),
		)
	}},
	{name: "bad gzip", want: "reading the reply", respond: func(r *http.Request) (*http.Response, error) {
		res, err := leakReply(r, 200, "text/plain", strings.NewReader(markReply.text))
		res.Header.Set("Content-Encoding", "gzip")
		return res, err
	}},
	{
		name: "error of the network", want: "sending or waiting",
		respond: failing(func(r *http.Request) error { return fmt.Errorf("could not send %s", echoes(r)) }),
	},
	{
		name: "error with a quoted session", want: "sending or waiting",
		respond: failing(func(r *http.Request) error { return fmt.Errorf("bad token %q", r.URL.Query().Get("session")) }),
	},
	{name: "error of a URL", want: "refused by the proxy", respond: failing(urlError)},
	{
		name: "wrapped error of a URL", want: "sending or waiting",
		respond: failing(func(r *http.Request) error { return errors.Join(io.EOF, fmt.Errorf("proxy: %w", urlError(r))) }),
	},
	{
		name: "error by value", want: "sending or waiting",
		respond: failing(func(r *http.Request) error { return valueError{Text: echoes(r)} }),
	},
	{
		name: "error that keeps the URL", want: "sending or waiting",
		respond: failing(func(r *http.Request) error { return valueError{Text: "no reason", URL: r.URL.String()} }),
	},
	{name: "pointer that keeps the URL", want: "sending or waiting", respond: failing(func(r *http.Request) error {
		return fmt.Errorf("wrapped: %w", &valueError{Text: "no reason", URL: r.URL.String()})
	})},
	{name: "no connection", want: "connecting", respond: failing(func(r *http.Request) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: fmt.Errorf("refused: %s", echoes(r))}
	})},
	{
		name: "time is up", want: "deadline exceeded",
		respond: failing(func(*http.Request) error { return context.DeadlineExceeded }),
	},
}

// badMember is JSON that breaks off behind a member of this name.
func badMember(name func(*http.Request) string) leakResponder {
	return func(r *http.Request) (*http.Response, error) {
		return leakReply(r, 200, "application/json", strings.NewReader(`{"successful":true,`+jsonText(name(r))+`:`))
	}
}

// badElement is XML with an element of this name where text is due.
func badElement(name func(*http.Request) string) leakResponder {
	return func(r *http.Request) (*http.Response, error) {
		inner := "<" + name(r) + "/>"
		return leakReply(
			r, 200, "text/xml",
			strings.NewReader("<r><successful>"+inner+"</successful><biz_success>"+inner+"</biz_success></r>"),
		)
	}
}

func redirect(to func(*http.Request) string) leakResponder {
	return func(r *http.Request) (*http.Response, error) {
		res, err := leakReply(r, http.StatusFound, "text/html", strings.NewReader(markReply.text))
		res.Header.Set("Location", to(r))
		return res, err
	}
}

func failing(err func(*http.Request) error) leakResponder {
	return func(r *http.Request) (*http.Response, error) { return nil, err(r) }
}

// callRows is every method with every way to fail.
func callRows() []leakRow {
	var rows []leakRow
	for _, call := range leakCalls {
		for _, class := range leakClasses {
			if class.typedOnly && !call.typed {
				continue
			}
			rows = append(rows, leakRow{
				name: call.name + ", " + class.name, covers: []string{"rentcar." + call.name}, want: class.want, may: class.may,
				mayLog: class.mayLog,
				run: func(t *testing.T, s *leakStage) []any {
					s.respond = class.respond
					var raw rentcar.RawReply
					meta, err := call.do(t.Context(), s.client(class.opts...), spoil{}, rentcar.CallRawReply(&raw))
					if len(s.signatures()) == 0 {
						t.Errorf("nothing was sent: %v", err)
					}
					values := all(err)
					if meta != nil { // of a reply that says no; the reply itself is what the platform said
						values = append(values, meta.Warnings, meta.Attempts)
					}
					return values
				},
			})
		}
		if call.paged { // what it yields is a part of the reply
			continue
		}
		rows = append(rows, leakRow{
			name: call.name + ", success", covers: []string{"rentcar." + call.name}, want: "request r1",
			run: func(t *testing.T, s *leakStage) []any {
				s.respond = answerJSON(func(*http.Request) any {
					return object{
						"successful": true, "biz_success": true, "request_id": "r1", "renewal_order_id": 1, "item_id": "1",
						"cancel_fee": "1", "ret_msg": markReply.text,
					}
				})
				meta, err := call.do(t.Context(), s.client(), spoil{})
				if err != nil {
					t.Fatal(err)
				}
				return []any{meta.Attempts, meta.Warnings, "request " + meta.RequestID}
			},
		})
	}
	return rows
}
