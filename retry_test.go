package rentcar

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"

	"github.com/fliggy-go/rentcar/fliggy"
)

// A wait is added to others: however long a policy wants it, no sum overflows.
func TestRetryPolicyDelaysAreBounded(t *testing.T) {
	t.Parallel()
	p := RetryPolicy{BaseDelay: math.MaxInt64, MaxDelay: math.MaxInt64}.withDefaults()
	for n := 1; n < 100; n++ {
		if wait := p.backoff(n) + leastForWrite + banJitter; wait <= 0 || p.MaxDelay+maxBan+leastForWrite <= 0 {
			t.Fatalf("attempt %d waits %v", n, wait)
		}
	}
	short := (RetryPolicy{BaseDelay: time.Second, MaxDelay: time.Hour}).withDefaults()
	if short.BaseDelay != time.Second || short.MaxDelay != time.Hour {
		t.Errorf("%+v", short)
	}
}

// Codes of the caller's own are repeated: reads, and writes that were surely not carried
// out. They repeat no write whose outcome is unknown.
func TestRetryCodes(t *testing.T) {
	t.Parallel()
	own := RetryPolicy{
		Codes: []string{"41", "isv.order-service-error:BUSY", "isp.top-parse-error", "2401", "provider-busy"},
	}
	for name, tc := range map[string]struct {
		respond       httpmock.Responder
		reads, writes int
	}{
		"main code":              {gatewayFailure("41", "", ""), 3, 3},
		"sub code":               {gatewayFailure("15", "isv.order-service-error:BUSY", ""), 3, 3},
		"a part of it":           {gatewayFailure("15", "isv.order-service-error", ""), 1, 1},
		"another":                {gatewayFailure("40", "", ""), 1, 1},
		"unknown outcome":        {gatewayFailure("15", "isp.top-parse-error", ""), 3, 1},
		"unknown code":           {gatewayFailure("15", "2401", ""), 3, 1},
		"contradicted":           {replyJSON(`{"successful":true,"error_response":{"code":"41"}}`), 3, 1},
		"of a business error":    {replyJSON(`{"successful":false,"ret_code":"41"}`), 1, 1},
		"in front of flow codes": {gatewayFailure("41", apiBan, "This ban will last for 60 more seconds"), 1, 1},
	} {
		for write, want := range map[bool]int{false: tc.reads, true: tc.writes} {
			c, g := clientFor(t, tc.respond, withFakeTime(&fakeTime{}), WithRetry(own))
			if _, err := send(context.Background(), c, write); err == nil || g.count() != want {
				t.Errorf("%s, write %v: %d requests, want %d: %v", name, write, g.count(), want, err)
			}
		}
	}
	c, g := clientFor(t, gatewayFailure("15", "isp.top-parse-error", ""), withFakeTime(&fakeTime{}), WithRetry(own))
	if _, err := send(
		context.Background(), c, true, CallRepeatUnknown(),
	); !errors.Is(err, ErrOutcomeUnknown) || g.count() != 1 {
		t.Errorf("a repeat of unknown writes: %d requests: %v", g.count(), err)
	}
	provider := replyJSON(`{"flag":"failure","code":"provider-busy"}`)
	for readOnly, want := range map[bool]int{false: 1, true: 3} {
		c, g := clientFor(t, provider, withFakeTime(&fakeTime{}), WithRetry(own), WithQimenURL("http://qimen.test/qm"))
		var opts []CallOption
		if readOnly {
			opts = append(opts, CallReadOnly())
		}
		var out Raw
		err := c.CallQimen(context.Background(), "x.z", &QimenRequest{TargetAppKey: "1"}, &out, opts...)
		if g.count() != want || OutcomeOf(err) != OutcomeUnknown || errors.Is(err, ErrOutcomeUnknown) == readOnly {
			t.Errorf("a provider's code, read only %v: %d requests, want %d: %v", readOnly, g.count(), want, err)
		}
	}
}

// The client keeps what it was given.
func TestRetryCodesAreCopied(t *testing.T) {
	t.Parallel()
	codes := []string{"41"}
	option := WithRetry(RetryPolicy{Codes: codes})
	c, g := clientFor(t, gatewayFailure("41", "", ""), withFakeTime(&fakeTime{}), option)
	codes[0] = "40"
	if _, _ = queryOrder(context.Background(), c); g.count() != 3 {
		t.Errorf("%d requests", g.count())
	}
	if _, err := NewClient(testAppKey, testSecret, WithRetry(RetryPolicy{Codes: []string{"41", ""}})); err == nil {
		t.Error("an empty code would fit every error without a sub code")
	}
}

// An attempt of a write that may have been carried out is not forgotten when a later one
// fails with one of the Codes: the write is not sent again for their sake.
func TestRetryCodesAfterAnUnknownAttempt(t *testing.T) {
	t.Parallel()
	own := WithRetry(RetryPolicy{MaxAttempts: 5, Codes: []string{"isv.BUSY", "41"}})
	for name, busy := range map[string]httpmock.Responder{
		"unknown outcome": gatewayFailure("15", "isv.BUSY", ""),
		"rejected":        gatewayFailure("41", "", ""),
	} {
		for write, want := range map[bool]int{false: 5, true: 2} {
			c, g := clientFor(t, inTurn(failure(t, "HTTP 502"), busy), withFakeTime(&fakeTime{}), own)
			_, err := send(t.Context(), c, write, CallRepeatUnknown())
			if g.count() != want || errors.Is(err, ErrOutcomeUnknown) != write {
				t.Errorf("%s, write %v: %d requests, want %d: %v", name, write, g.count(), want, err)
			}
		}
	}
}

// withRetries undoes what testClient does: calls are repeated as they are without
// any option.
func withRetries() Option { return WithRetry(RetryPolicy{}) }

// inTurn answers each request with the next responder, and the last one from then on.
func inTurn(responders ...httpmock.Responder) httpmock.Responder {
	var n atomic.Int64
	return func(r *http.Request) (*http.Response, error) {
		return responders[min(int(n.Add(1)), len(responders))-1](r)
	}
}

// failWith is a round tripper's error.
func failWith(err error) httpmock.Responder { return httpmock.NewErrorResponder(err) }

func dialFailure() httpmock.Responder {
	return failWith(&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED})
}

func gatewayFailure(code, subCode, subMsg string) httpmock.Responder {
	return replyJSON(
		fmt.Sprintf(
			`{"error_response":{"code":%q,"msg":"Failed","sub_code":%q,"sub_msg":%q,"request_id":"r7"}}`, code, subCode, subMsg,
		),
	)
}

// each gives one error_response per code, under its own name.
func each(codes ...string) map[string]httpmock.Responder {
	out := map[string]httpmock.Responder{}
	for _, c := range codes {
		code, sub, ok := strings.Cut(c, " ")
		if !ok && strings.Contains(code, ".") {
			code, sub = "15", code
		}
		out["code "+code+" "+sub] = gatewayFailure(code, sub, "")
	}
	return out
}

func cutReply(r *http.Request) (*http.Response, error) {
	body := io.MultiReader(strings.NewReader(`{"succ`), broken{})
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(body), Request: r}, nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// The rows of the classification: how often a read and a write that fail so are
// sent, of three attempts.
var failureRows = []struct {
	want          want
	reads, writes int
	responders    map[string]httpmock.Responder
}{
	{wantNotSent, 3, 3, map[string]httpmock.Responder{
		"dial":        dialFailure(),
		"DNS":         failWith(&net.DNSError{Err: "no such host"}),
		"certificate": failWith(x509.UnknownAuthorityError{}),
	}},
	{wantLost, 3, 1, map[string]httpmock.Responder{
		"reset":                failWith(&net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}),
		"EOF":                  failWith(io.EOF),
		"timeout":              hanging,
		"timeout in the reply": stalling,
		"cut reply":            cutReply,
		"HTTP 500":             reply(http.StatusInternalServerError, "text/html", "<html>"),
		"HTTP 502":             reply(http.StatusBadGateway, "", ""),
		"HTTP 504":             reply(http.StatusGatewayTimeout, "text/plain", "upstream"),
		"500 with envelope":    reply(http.StatusInternalServerError, jsonType, `{"error_response":{"code":10}}`),
	}},
	{
		wantLost, 3, 1,
		each(
			"3", "10", "88", "1", "15", "12345", "isp.remote-service-timeout", "isp.unknown-error", "7 isp.http-closed",
			"15 2401",
		),
	},
	{wantLimited, 3, 1, map[string]httpmock.Responder{
		"HTTP 429": reply(http.StatusTooManyRequests, "text/plain", "slow down"),
	}},
	{wantStatus, 1, 1, map[string]httpmock.Responder{
		"HTTP 404": reply(http.StatusNotFound, "text/html", "<html>"),
		"HTTP 302": reply(http.StatusFound, "text/html", ""),
		"HTTP 400": reply(http.StatusBadRequest, "text/plain", "what?"),
	}},
	{wantGarbled, 3, 1, map[string]httpmock.Responder{
		"HTML":    replyJSON("<html>busy</html>"),
		"empty":   replyJSON(""),
		"no flag": replyJSON(`{"ret_code":"1"}`),
		"charset": reply(http.StatusOK, jsonType, "{\"successful\":true,\"ret_msg\":\"\xff\"}"),
	}},
	{wantTooLarge, 1, 1, map[string]httpmock.Responder{"too large": replyJSON(strings.Repeat(" ", 5000))}},
	{wantThrottled, 3, 3, each(
		"4", "5", "6", "7", "8", "7 accesscontrol.limited-by-app-access-count", "7 accesscontrol.limited-by-api-access-count",
		"15 accesscontrol.limited-by-dynamic-access-count", "isv.BUSINESS_LIMIT_CONTROL",
	)},
	{wantThrottled, 3, 3, map[string]httpmock.Responder{
		"a short ban of the API": gatewayFailure(
			"7", "accesscontrol.limited-by-api-access-count", "This ban will last for 1 more seconds",
		),
		"a short ban of the app": gatewayFailure("7", appBan, "This ban will last for 5 more seconds"),
	}},
	{wantThrottled, 1, 1, map[string]httpmock.Responder{
		"a long ban": gatewayFailure(
			"7", "accesscontrol.limited-by-api-access-count", "This ban will last for 6 more seconds",
		),
	}},
	{
		wantInvalid, 1, 1,
		each(
			"9", "21", "22", "23", "30", "31", "32", "33", "34", "40", "41", "43", "47", "isv.invalid-parameter",
			"88 isv.anything",
		),
	},
	{wantForbidden, 1, 1, each("11", "12", "13", "42", "53")},
	{wantAuth, 1, 1, each("24", "25", "26", "27", "28", "29", "44")},
	{
		wantBadArg, 1, 1,
		each("isp.null-pointer-exception", "isp.top-parse-error", "isp.top-mapping-parse-error", "isp.invalid-parameters"),
	},
}

// Every kind of failure, of reads and of writes: how often a call that always fails
// is sent, what its error tells, and whether a call that fails once succeeds.
func TestWhatIsRepeated(t *testing.T) {
	t.Parallel()
	for _, row := range failureRows {
		for name, respond := range row.responders {
			for write, sent := range map[bool]int{false: row.reads, true: row.writes} {
				t.Run(fmt.Sprintf("%s, write %v", name, write), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						failsAlways(t, row.want, respond, write, sent)
						failsOnce(t, row.want, respond, write, sent > 1)
					})
				})
			}
		}
	}
}

// send makes a read or a write, and returns what the result knows of the call; nil
// where there is none.
func send(ctx context.Context, c *Client, write bool, opts ...CallOption) (*Meta, error) {
	if write {
		res, err := cancelRenewal(ctx, c, opts...)
		if res == nil {
			return nil, err
		}
		return &res.Meta, err
	}
	res, err := queryOrder(ctx, c, opts...)
	if res == nil {
		return nil, err
	}
	return &res.Meta, err
}

// watched is a client of a gateway in a bubble, with what its observer hears.
func watched(t *testing.T, respond httpmock.Responder, opts ...Option) (*Client, *gatewayMock, *[]Observation) {
	t.Helper()
	var seen []Observation
	opts = append([]Option{
		withRetries(), WithClock(time.Now), WithTimeout(time.Second), WithReplyLimit(4096),
		WithObserver(func(_ context.Context, o Observation) { seen = append(seen, o) }),
	}, opts...)
	c, g := clientFor(t, respond, opts...)
	return c, g, &seen
}

func failsAlways(t *testing.T, w want, respond httpmock.Responder, write bool, sent int) {
	t.Helper()
	c, g, seen := watched(t, respond)
	meta, err := send(t.Context(), c, write)
	w.check(t, err, write)
	if g.count() != sent || attemptsOf(err) != sent || meta != nil {
		t.Errorf(
			"sent %d times, %d attempts in the error, result %v; want %d: %v", g.count(), attemptsOf(err), meta, sent, err,
		)
	}
	if told := fmt.Sprintf("[after %d attempts]", sent); strings.Contains(err.Error(), told) != (sent > 1) {
		t.Errorf("the text does not tell of %d attempts: %v", sent, err)
	}
	if isA[*stopped](err) {
		t.Errorf("something stood against another attempt: %v", err)
	}
	checkSeen(t, *seen, sent, w.outcome, w.outcome)
}

func failsOnce(t *testing.T, w want, respond httpmock.Responder, write, repeated bool) {
	t.Helper()
	c, g, seen := watched(t, inTurn(respond, replyJSON(okReply)))
	meta, err := send(t.Context(), c, write)
	if !repeated {
		w.check(t, err, write)
		checkSeen(t, *seen, 1, w.outcome, w.outcome)
		return
	}
	if err != nil || meta.Attempts != 2 || meta.RequestID != "r1" || g.count() != 2 {
		t.Errorf("%+v, %v after %d requests", meta, err, g.count())
	}
	checkSeen(t, *seen, 2, w.outcome, OutcomeSucceeded)
}

// checkSeen wants one observation of each attempt, and one of the call.
func checkSeen(t *testing.T, seen []Observation, attempts int, before, last Outcome) {
	t.Helper()
	if len(seen) != attempts+1 {
		t.Fatalf("%d observations of %d attempts: %+v", len(seen), attempts, seen)
	}
	for i, o := range seen {
		outcome := before
		if i >= attempts-1 {
			outcome = last
		}
		if o.Done != (i == attempts) || o.Attempt != min(i+1, attempts) || o.Outcome != outcome {
			t.Errorf("observation %d of %d attempts: %+v, want outcome %v", i, attempts, o, outcome)
		}
	}
	whole, sum := seen[attempts].Duration, time.Duration(0)
	for _, o := range seen[:attempts] {
		sum += o.Duration
	}
	if whole < sum {
		t.Errorf("the call took %v, its attempts %v", whole, sum)
	}
}

// attemptsOf is how often a call that failed says it was sent.
func attemptsOf(err error) int {
	if e, ok := asType[*TransportError](err); ok {
		return e.Attempts
	}
	if e, ok := asType[*GatewayError](err); ok {
		return e.Attempts
	}
	if e, ok := asType[*DecodeError](err); ok {
		return e.Attempts
	}
	if e, ok := asType[*BusinessError](err); ok {
		return e.Attempts
	}
	return 0
}

// The platform has understood and said no, or the request never left: nothing to
// repeat, whatever the call.
func TestRefusalsAreNotRepeated(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, write := range []bool{false, true} {
		c, g, seen := watched(t, replyJSON(`{"successful":false,"ret_code":"71008","request_id":"r1"}`))
		meta, err := send(ctx, c, write, CallRepeatUnknown())
		want := &BusinessError{Method: opOrderQuery.Method, Code: "71008", RequestID: "r1", Attempts: 1}
		if write {
			want.Method = opRenewalCancel.Method
		}
		diff(t, "business error", want, as[*BusinessError](t, err))
		if meta == nil || meta.Attempts != 1 || g.count() != 1 {
			t.Errorf("result %+v after %d requests", meta, g.count())
		}
		checkSeen(t, *seen, 1, OutcomeRejected, OutcomeRejected)
	}
	c, g, seen := watched(t, replyJSON(okReply))
	_, err := c.Orders.Query(ctx, &OrderQueryRequest{})
	_ = as[*fliggy.ValidationError](t, err)
	if OutcomeOf(err) != OutcomeNotSent || g.count() != 0 {
		t.Errorf("%v after %d requests", err, g.count())
	}
	diff(t, "observations", []Observation{{Method: opOrderQuery.Method, Done: true, Outcome: OutcomeNotSent}}, *seen)
}

// A fakeTime is a clock that only waits move: each by what it was to take.
type fakeTime struct {
	mu    sync.Mutex
	now   time.Time
	waits []time.Duration
}

// withFakeTime replaces clock and waits of a client that repeats its calls.
func withFakeTime(f *fakeTime) Option {
	f.now = testClock()
	return func(c *config) error {
		c.retry, c.sleep = RetryPolicy{}.withDefaults(), f.sleep
		return WithClock(f.time)(c)
	}
}

func (f *fakeTime) time() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *fakeTime) sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f.advance(d)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waits = append(f.waits, d)
	return nil
}

func (f *fakeTime) advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}

// Every attempt is signed anew, with the time of then; all else is the same, byte
// for byte.
func TestEveryAttemptIsSignedAnew(t *testing.T) {
	t.Parallel()
	out := Raw{}
	for name, call := range map[string]func(ctx context.Context, c *Client) error{
		"read":  func(ctx context.Context, c *Client) error { _, err := queryOrder(ctx, c); return err },
		"write": func(ctx context.Context, c *Client) error { _, err := c.Bills.Notify(ctx, someBill(t)); return err },
		"Call": func(ctx context.Context, c *Client) error {
			return c.Call(ctx, "x.y", Params{"b": "2 &", "a": []string{"z", "y"}}, &out, CallParam("c", "车"))
		},
		"CallQimen": func(ctx context.Context, c *Client) error {
			return c.CallQimen(ctx, "x.y", &QimenRequest{TargetAppKey: "1", JSON: []string{"车"}, Params: Params{"a": "1"}}, &out)
		},
	} {
		var past atomic.Int64 // seconds: one more whenever the clock is read
		clock := func() time.Time { return testClock().Add(time.Duration(past.Add(1)) * time.Second) }
		ft := &fakeTime{}
		throttled := gatewayFailure("7", "accesscontrol.limited-by-dynamic-access-count", "")
		c, g := clientFor(
			t, inTurn(throttled, throttled, replyJSON(okReply)), WithSession("s 1"), WithChannel(fliggy.ChannelAmap),
			withFakeTime(ft), WithClock(clock),
		)
		if err := call(context.Background(), c); err != nil || g.count() != 3 {
			t.Fatalf("%s: %v after %d requests", name, err, g.count())
		}
		stamps, signs := map[string]bool{}, map[string]bool{}
		var same []string
		for _, s := range g.sent {
			query := s.query(t)
			stamps[query["timestamp"]], signs[query["sign"]] = true, true
			checkSigned(t, s)
			same = append(same, perAttempt.ReplaceAllString(s.url.RawQuery, "")+"\n"+s.body)
		}
		if len(stamps) != 3 || len(signs) != 3 {
			t.Errorf("%s: timestamps %v, signatures %v", name, stamps, signs)
		}
		if same[0] != same[1] || same[1] != same[2] {
			t.Errorf("%s: the attempts differ:\n%s", name, strings.Join(same, "\n\n"))
		}
	}
}

// perAttempt is what of a query may change from attempt to attempt.
var perAttempt = regexp.MustCompile(`(^|&)(sign|timestamp)=[^&]*`)

// checkSigned signs what arrived again, with the exported function.
func checkSigned(t *testing.T, s sent) {
	t.Helper()
	signed, body := s.query(t), []byte(s.body)
	got := signed["sign"]
	delete(signed, "sign")
	if s.header.Get("Content-Type") == formType {
		for name, value := range s.form(t) {
			signed[name] = value
		}
		body = nil
	}
	if want, err := Sign(HMACSHA256, testSecret, signed, body); err != nil || got != want {
		t.Errorf("signed %s, want %s (%v)", got, want, err)
	}
}

// A sickContext panics in one of its methods, once it is sick.
type sickContext struct {
	context.Context
	method string
	sick   bool
}

func (c *sickContext) panics(method string) {
	if c.sick && c.method == method {
		panic("sick: " + markerSecret)
	}
}

func (c *sickContext) Err() error { c.panics("Err"); return c.Context.Err() }

func (c *sickContext) Deadline() (time.Time, bool) { c.panics("Deadline"); return c.Context.Deadline() }

// A context of the caller's that panics does not hide what became of the request that
// was sent, and nothing is sent when it panics before.
func TestContextThatPanics(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"Err", "Deadline"} {
		for name, tc := range map[string]struct {
			failure httpmock.Responder
			write   bool
			outcome Outcome
		}{
			"refused": {gatewayFailure("7", "", ""), true, OutcomeRejected},
			"ban":     {banFor("1"), true, OutcomeRejected},
			"lost":    {failure(t, "HTTP 502"), true, OutcomeUnknown},
			"a read":  {failure(t, "HTTP 502"), false, OutcomeUnknown},
		} {
			ctx := &sickContext{context.Background(), method, false}
			c, g := markedClient(t, func(r *http.Request) (*http.Response, error) {
				ctx.sick = true
				return tc.failure(r)
			}, WithRetry(RetryPolicy{}))
			_, err := send(ctx, c, tc.write, CallRepeatUnknown())
			if g.count() != 1 || OutcomeOf(err) != tc.outcome || errors.Is(err, ErrOutcomeUnknown) != (tc.write &&
				tc.outcome == OutcomeUnknown) || !isPanic(err) {
				t.Errorf("%s, %s: %d requests: %v", method, name, g.count(), err)
			}
			checkHidden(t, method+", "+name, err, markerSecret)
		}
		ctx := &sickContext{context.Background(), method, true}
		source := WithSessionSource(func(context.Context) (string, error) { return "s", nil })
		c, g := clientFor(t, replyJSON(okReply), source)
		if _, err := send(ctx, c, true); g.count() != 0 || !isPanic(err) {
			t.Errorf("%s, before: %d requests: %v", method, g.count(), err)
		}
	}
}
