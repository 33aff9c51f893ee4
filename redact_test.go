package rentcar

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/jarcoal/httpmock"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/acceptance"
)

// hostileTexts are long texts of what a request holds, as a peer can make them:
// whole, beginnings alone, and beginnings that run into each other.
func hostileTexts(r *http.Request, size int) map[string]string {
	q := r.URL.Query()
	session, sign, query := q.Get("session"), q.Get("sign"), r.URL.RawQuery
	texts := map[string]string{
		"beginnings of the query":            query[:minPart],
		"longer beginnings of the query":     query[:2*minPart],
		"the query":                          query,
		"the address":                        r.URL.String(),
		"beginnings of the session":          session[:minPart],
		"the session":                        session,
		"the session in a URL":               url.QueryEscape(session),
		"the session as Go quotes it":        strconv.Quote(session),
		"beginnings of the signature":        sign[:minPart],
		"beginnings of the secret":           markerSecret[:minPart],
		"query, session, signature, secret":  query[:minPart] + session + sign[:minPart] + markerSecret,
		"the query, going on in the session": query[:minPart+1] + session[1:],
		"part of a character":                "租车" + session + "\u00e9" + sign,
	}
	for name, text := range texts {
		texts[name] = strings.Repeat(text, size/len(text)+1)
	}
	return texts
}

// replies that put a text into each member that an error, an observation or a result
// takes over, by format.
var hostileReplies = map[Format]map[string]string{
	SimplifiedJSON: {
		"code": `{"error_response":{"code":%q}}`, "msg": `{"error_response":{"code":15,"msg":%q}}`,
		"sub code": `{"error_response":{"code":15,"sub_code":%q}}`, "sub msg": `{"error_response":{"code":15,"sub_msg":%q}}`,
		"ban":                    `{"error_response":{"code":7,"sub_msg":%q}}`,
		"request id of an error": `{"error_response":{"code":15,"request_id":%q}}`,
		"ret code":               `{"successful":false,"ret_code":%q}`, "ret msg": `{"successful":false,"ret_msg":%q}`,
		"request id of a refusal": `{"successful":false,"request_id":%q}`,
		"request id of a success": `{"successful":true,"request_id":%q}`,
		"request id of no result": `{"request_id":%q}`, "a name": `{"successful":true,%q:`, "a value": `{"successful":%q}`,
		"text": `%q`,
	},
	WrappedJSON: {
		"root": `{%q:{"successful":"x"}}`, "msg": `{"error_response":{"code":15,"msg":%q}}`,
		"ret msg":          `{"r":{"successful":false,"ret_msg":%q}}`,
		"request id":       `{"r":{"successful":true,"request_id":%q}}`,
		"outer request id": `{"r":{"successful":true},"request_id":%q}`,
	},
	XML: {
		"msg":        `<error_response><code>15</code><msg>%s</msg></error_response>`,
		"sub msg":    `<error_response><code>7</code><sub_msg>%s</sub_msg></error_response>`,
		"ret msg":    `<r><successful>false</successful><ret_msg>%s</ret_msg></r>`,
		"request id": `<r><successful>true</successful><request_id>%s</request_id></r>`,
		"value":      `<r><successful>%s</successful></r>`,
	},
}

// Texts made of what the request held, in every member, show nothing of it, however
// long they are, and what is taken over of them is bounded.
func TestHostileReplies(t *testing.T) {
	t.Parallel()
	kinds := hostileTexts(&http.Request{URL: &url.URL{RawQuery: "session=aaaaaaaaaaaaa&sign=bbbbbbbbbbbbb"}}, 1)
	for format, replies := range hostileReplies {
		for member, body := range replies {
			t.Run(fmt.Sprint(format, ", ", member), func(t *testing.T) {
				t.Parallel()
				for kind := range kinds {
					respond := func(r *http.Request) (*http.Response, error) {
						text := hostileTexts(r, 8<<10)[kind]
						if format == XML {
							return reply(200, xmlType, fmt.Sprintf(body, strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(text)))(r)
						}
						quoted := jsonString(text)
						return replyJSON(strings.ReplaceAll(body, "%q", quoted))(r)
					}
					checkHostile(t, member+", "+kind, respond, WithFormat(format))
				}
			})
		}
	}
}

// checkHostile makes calls of each sort, and looks at all that is shown of them.
func checkHostile(t *testing.T, what string, respond httpmock.Responder, opts ...Option) {
	t.Helper()
	var log bytes.Buffer
	var seen []Observation
	opts = append([]Option{
		WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
		WithObserver(func(_ context.Context, o Observation) { seen = append(seen, o) }), WithQimenURL("http://qimen.test/"),
	}, opts...)
	c, g := markedClient(t, respond, opts...)
	_, typed := queryOrder(t.Context(), c)
	var out struct {
		Successful bool `top:"successful,required"`
	}
	errs := []error{
		typed, c.Call(t.Context(), "x.y", nil, &out),
		c.CallQimen(t.Context(), "x.y", &QimenRequest{TargetAppKey: "1", JSON: Params{"a": "b"}}, &out),
	}
	var markers []string
	for _, sent := range g.sent {
		q := sent.query(t)
		markers = append(markers, sent.url.RawQuery[:minPart], q["sign"][:minPart])
	}
	markers = append(markers, markerSecret[:minPart], markerSession[:minPart], "session"+url.QueryEscape(" marker"))
	for _, err := range errs {
		if err != nil {
			checkHidden(t, what, err, markers...)
			checkErrorBounds(t, what, err)
			checkUnreachable(t, what, err, markers...)
		}
	}
	checkHidden(t, what+", log", log.String(), markers...)
	checkHidden(t, what+", observations", seen, markers...)
	for _, o := range seen {
		if len(o.Code)+len(o.SubCode)+len(o.RequestID) > 3*maxCode {
			t.Errorf("%s: observed %d bytes", what, len(o.Code)+len(o.SubCode)+len(o.RequestID))
		}
	}
	if log.Len() > 64<<10 {
		t.Errorf("%s: the log has %d bytes", what, log.Len())
	}
}

// checkErrorBounds fails where a text of an error is longer than its bound, or ends in part
// of a character.
func checkErrorBounds(t *testing.T, what string, err error) {
	t.Helper()
	v := reflect.Indirect(reflect.ValueOf(err))
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.String && (f.Len() > maxText || !utf8.ValidString(f.String())) {
			t.Errorf("%s: %s.%s has %d bytes", what, v.Type(), v.Type().Field(i).Name, f.Len())
		}
	}
	if len(err.Error()) > maxText+1000 {
		t.Errorf("%s: the text has %d bytes", what, len(err.Error()))
	}
}

// A reply as large as is read, which repeats the beginning of the query, ends at once:
// 1 MB of it took a minute.
func TestHostileReplyOfTheLargestSize(t *testing.T) {
	t.Parallel()
	const guard = 20 * time.Second // for what takes some 30 ms
	for name, bodyOf := range hostileBodies {
		body := bodyOf(DefaultReplyLimit - 100)
		if name == "members" || name == "elements" {
			body = bodyOf(1 << 20)
		}
		respond := replyJSON(body)
		if body[0] == '<' {
			respond = reply(200, xmlType, body)
		}
		c, _ := markedClient(t, respond)
		start := time.Now()
		_, err := queryOrder(t.Context(), c)
		if took := time.Since(start); took > guard {
			t.Errorf("%s: %v", name, took)
		}
		if isA[*fliggy.ValidationError](err) || err != nil && len(err.Error()) > maxText {
			t.Errorf("%s: %d bytes", name, len(err.Error()))
		}
	}
}

// Errors of a round tripper, a limiter and a cause hide what they were made of too.
func TestHostileErrors(t *testing.T) {
	t.Parallel()
	kinds := hostileTexts(&http.Request{URL: &url.URL{RawQuery: "session=aaaaaaaaaaaaa&sign=bbbbbbbbbbbbb"}}, 1)
	for kind := range kinds {
		text := func(r *http.Request) string { return hostileTexts(r, 8<<10)[kind] }
		checkHostile(t, kind, func(r *http.Request) (*http.Response, error) { return nil, errors.New(text(r)) })
		checkHostile(t, kind+", chain", func(r *http.Request) (*http.Response, error) {
			err := errors.New(text(r)[:1<<10])
			for range 100 {
				err = fmt.Errorf("%w: %w", leaky{r.URL.String()}, err)
			}
			return nil, err
		})
		checkHostile(t, kind+", request inside", func(r *http.Request) (*http.Response, error) { return nil, &holding{r} })
		checkHostile(
			t, kind+", in itself",
			func(r *http.Request) (*http.Response, error) { return nil, errors.Join(leaky{text(r)}, errLeak) },
		)
		checkHostile(t, kind+", body", func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(failingReader{leaky{text(r)}})}, nil
		})
		checkHostile(t, kind+", charset", func(r *http.Request) (*http.Response, error) {
			return reply(200, "text/plain;charset="+text(r), okReply)(r)
		})
		ctx, cancel := context.WithCancelCause(t.Context())
		c, g := markedClient(t, func(r *http.Request) (*http.Response, error) {
			cancel(&holding{r})
			return nil, errors.New(text(r))
		})
		_, err := queryOrder(ctx, c)
		checkUnreachable(t, kind+", cause", err, markerSecret, markerSession, g.last(t).query(t)["sign"])
		checkHidden(t, kind+", cause", err, markerSecret, markerSession, g.last(t).query(t)["sign"])
		if !isA[*holding](err) || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: the cause is lost: %v", kind, err)
		}
	}
}

type failingReader struct{ err error }

func (f failingReader) Read([]byte) (int, error) { return 0, f.err }

// holding is an error that prints nothing of the request that it holds.
type holding struct{ r *http.Request }

func (*holding) Error() string { return "failed" }

// A secret that is cut at the bound, or that others run into, is found; short ones are
// too; what is harmless stays.
func TestRedact(t *testing.T) {
	t.Parallel()
	s := secrets{
		"http://h.test/rest?tenant=abcdefghijkl", "app_key=12345678&sign=0123456789ABCDEF", "0123456789ABCDEF",
		"thesecretofthisapp", "5678-session-of-this-user",
	}
	filler := strings.Repeat("x", maxCode)
	for text, want := range map[string]string{
		"":                                    "",
		"order 42 is closed":                  "order 42 is closed",
		"thesecretofthisapp":                  redacted,
		"x thesecretofthi y":                  "x " + redacted + " y",
		"thesecretof":                         "thesecretof", // too short to give it away
		"0123456789ABCDEF0123456789ABCDEF":    redacted + redacted,
		"app_key=12345678-session-of-this-u!": redacted + "!", // the one ends within the other
		"http://h.test/rest is down":          "http://h.test/rest is down",
		"tenant=abcdefghijkl":                 redacted,
		filler[2:] + "thesecretofthisapp":     filler[2:],
		filler[12:] + "thesecretofthisapp":    filler[12:] + redacted,
		filler[1:] + "é":                      filler[1:],
		"\xff\xfe":                            "\xff\xfe",
	} {
		got := s.redact(text, maxCode)
		if strings.HasPrefix(want, filler[2:]) {
			got = strings.TrimSuffix(got, redacted[:2])
		}
		diff(t, text, want, got)
	}
	short := secrets{"ab", ""}
	diff(t, "short secret", "x"+redacted+"y"+redacted, short.redact("xabyab", maxCode))
}

// No secret can be reached by walking over the fields of what the client hands out, as
// the differ of a test library does, unexported ones included.
func TestSecretsAreUnreachable(t *testing.T) {
	t.Parallel()
	sign := ""
	rt := roundTripper(func(r *http.Request) (*http.Response, error) {
		sign = r.URL.Query().Get("sign")
		return nil, &holding{r}
	})
	c, _ := markedClient(t, nil, WithHTTPClient(&http.Client{Transport: rt}), WithLimiter(refusing(1)))
	_, failed := queryOrder(t.Context(), c)
	_, limited := queryOrder(t.Context(), c)
	_, dropped := queryOrder(t.Context(), c, CallRawReply(nil))
	markers := []string{markerSecret, markerSession, sign}
	if !isA[*TransportError](failed) || !isA[*RateLimitError](limited) || !isA[*fliggy.ValidationError](dropped) {
		t.Fatal(failed, limited, dropped)
	}
	for name, v := range map[string]any{
		"client": c, "client value": *c, "service": c.Orders, "error": failed, "refusal of the limiter": limited,
		"validation": dropped,
		"secret":     fliggy.NewSecret(markerSecret), "options": []Option{WithSession(markerSession)},
		"call options": []CallOption{CallSession(markerSession)},
	} {
		checkUnreachable(t, name, v, markers...)
	}
	if len(
		acceptance.Reachable(struct{ a map[string]any }{map[string]any{"k": &[]any{[]byte(markerSecret)}}}, markerSecret),
	) == 0 {
		t.Error("the walk finds nothing")
	}
}

func checkUnreachable(t *testing.T, what string, v any, markers ...string) {
	t.Helper()
	for _, found := range acceptance.Reachable(v, markers...) {
		t.Errorf("%s: %s", what, found)
	}
}

func jsonString(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		if r == '"' || r == '\\' {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String() + `"`
}

// hostileBodies are replies of about the size that make a reader or a redaction work.
var hostileBodies = map[string]func(size int) string{
	"request id": func(size int) string { return `{"successful":true,"request_id":"` + repeated(size) + `"}` },
	"message":    func(size int) string { return `{"error_response":{"code":15,"msg":"` + repeated(size) + `"}}` },
	"refusal":    func(size int) string { return `{"successful":false,"ret_msg":"` + repeated(size) + `"}` },
	"text":       repeated,
	"members": func(size int) string {
		var b strings.Builder
		b.WriteString(`{"successful":true`)
		for i := 0; b.Len() < size; i++ {
			fmt.Fprintf(&b, `,"%07d":1`, i)
		}
		return b.String() + "}"
	},
	"escapes": func(size int) string {
		return `{"successful":true,"ret_msg":"` + strings.Repeat(`\u0061`, size/6) + `"}`
	},
	"elements": func(size int) string {
		return "<r><successful>true</successful><x>" + strings.Repeat("<a>1</a>", size/8) + "</x></r>"
	},
}

func repeated(size int) string {
	part := "app_key=" + testAppKey
	return strings.Repeat(part, size/len(part))
}

// BenchmarkHostileReply shows that the work for a reply grows with its size and no
// faster, whatever it repeats.
func BenchmarkHostileReply(b *testing.B) {
	for name, bodyOf := range hostileBodies {
		for _, size := range []int{1 << 10, 32 << 10, 1 << 20, 8<<20 - 100} {
			body := bodyOf(size)
			format, header := SimplifiedJSON, http.Header{"Content-Type": {jsonType}}
			if body[0] == '<' {
				format, header = XML, http.Header{"Content-Type": {xmlType}}
			}
			for _, zipped := range []bool{false, true} {
				sent, header := []byte(body), header.Clone()
				if zipped {
					sent = gzipped(b, body)
					header.Set("Content-Encoding", "gzip")
				}
				rt := roundTripper(func(*http.Request) (*http.Response, error) {
					return &http.Response{
						StatusCode: http.StatusOK, Header: header, Body: io.NopCloser(bytes.NewReader(sent)),
						ContentLength: int64(len(sent)),
					}, nil
				})
				c := testClient(b, rt, WithFormat(format), WithRetry(RetryPolicy{MaxAttempts: 1}))
				b.Run(fmt.Sprintf("%s/gzip=%v/%d", name, zipped, size), func(b *testing.B) {
					b.SetBytes(int64(len(body)))
					b.ReportAllocs()
					for b.Loop() {
						if _, err := queryOrder(context.Background(), c); isA[*fliggy.ValidationError](err) {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}

// The URL of another request has secrets of its own: what a source of sessions, a
// limiter or a context's cause failed with is shown without it, and still matches.
func TestErrorsOfOthersShowNoURL(t *testing.T) {
	t.Parallel()
	const secret = "REFRESHSECRET"
	broken := errors.New("connection refused")
	get := &url.Error{Op: "Get", URL: "http://127.0.0.1:1/token?a=b c\"d&refresh_token=" + secret, Err: broken}
	for kind, failure := range map[string]error{
		"alone":   get,
		"wrapped": fmt.Errorf("refresh: %w", get),
		"joined":  errors.Join(broken, &url.Error{Op: "Get", URL: "x:y", Err: broken}, get),
		"as text": fmt.Errorf("refresh %s: %w: %v", strings.ReplaceAll(get.URL, " ", "+"), broken, get.Error()),
		"cut off": fmt.Errorf(
			"%w: %s%w", broken, strings.Repeat("x", maxText-200),
			&url.Error{URL: get.URL + strings.Repeat("y", 200), Err: broken},
		),
	} {
		cancelled, cancel := context.WithCancelCause(t.Context())
		cancel(failure)
		for from, tc := range map[string]struct {
			ctx context.Context
			opt Option
		}{
			"source":  {t.Context(), WithSessionSource(func(context.Context) (string, error) { return "", failure })},
			"limiter": {t.Context(), WithLimiter(limiterFunc(func(context.Context) error { return failure }))},
			"cause":   {cancelled, WithUserAgent("x")},
		} {
			var b bytes.Buffer
			c, g := clientFor(t, replyJSON(okReply), tc.opt, WithLogger(slog.New(slog.NewTextHandler(&b, nil))))
			_, err := queryOrder(tc.ctx, c)
			checkHiddenInside(t, err, []string{secret, "127.0.0.1"})
			checkHidden(t, kind+", "+from, b.String(), secret, "127.0.0.1")
			if found := (*url.Error)(nil); !errors.Is(
				err, broken,
			) || kind != "as text" && !errors.As(err, &found) || g.count() != 0 {
				t.Errorf("%s, %s: %v", kind, from, err)
			}
			if kind != "cut off" && !strings.Contains(err.Error(), broken.Error()) {
				t.Errorf("%s, %s: the reason is lost: %v", kind, from, err)
			}
		}
	}
}

// An error whose values cannot be compared says itself what it matches.
func TestUncomparableErrorStillMatches(t *testing.T) {
	t.Parallel()
	c, _ := clientFor(t, failWith(severalErrors{io.ErrUnexpectedEOF}))
	_, err := queryOrder(t.Context(), c)
	if !errors.Is(err, severalErrors{}) || !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		t.Errorf("%v", err)
	}
}
