package fliggytest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"

	"github.com/google/go-cmp/cmp"
)

// kindOf names the type of an error of package rentcar.
func kindOf(err error) string {
	for kind, is := range map[string]bool{
		"gateway":   errors.As(err, new(*rentcar.GatewayError)),
		"business":  errors.As(err, new(*rentcar.BusinessError)),
		"transport": errors.As(err, new(*rentcar.TransportError)),
		"decode":    errors.As(err, new(*rentcar.DecodeError)),
	} {
		if is {
			return kind
		}
	}
	return fmt.Sprint(err)
}

// TestFaults says of every fault what a client is told about a submit, before and
// after it was carried out.
func TestFaults(t *testing.T) {
	t.Parallel()
	const unknown, rejected, done = rentcar.OutcomeUnknown, rentcar.OutcomeRejected, rentcar.OutcomeSucceeded
	for name, c := range map[string]struct {
		fault    Fault
		kind     string
		outcome  rentcar.Outcome
		class    error
		executed bool   // also without AfterCommit
		code     string // recorded
	}{
		"none":  {Delayed(0), "<nil>", done, nil, true, ""},
		"delay": {Delayed(time.Millisecond), "<nil>", done, nil, true, ""},
		"GBK":   {InGBK(), "<nil>", done, nil, true, ""},
		"gateway error": {
			Failed(gatewayError("11", "Insufficient isv permissions", "isv.permission-api-package-limit", "x")), "gateway",
			rejected, rentcar.ErrForbidden, false, "11",
		},
		"unavailable": {Unavailable(), "gateway", unknown, rentcar.ErrOutcomeUnknown, false, "10"},
		"throttled":   {Banned(3*time.Second, "").Times(1), "gateway", rejected, rentcar.ErrRateLimited, false, "7"},
		"banned":      {Banned(time.Minute, BanApp), "gateway", rejected, rentcar.ErrRateLimited, false, "7"},
		"isp.": {
			Failed(serviceError("isp.remote-service-timeout", "")), "gateway", unknown, rentcar.ErrUnavailable, false, "15",
		},
		"isv.": {
			Failed(serviceError("isv.invalid-parameter", "非法参数")), "gateway", rejected, fliggy.ErrInvalidRequest, false, "15",
		},
		"refused":        {Failed(refuse("012", "orderId为空")), "business", rejected, nil, false, "012"},
		"no flag":        {NoFlag(), "decode", unknown, rentcar.ErrOutcomeUnknown, true, ""},
		"dropped":        {Dropped(), "transport", unknown, rentcar.ErrOutcomeUnknown, false, ""},
		"cut off":        {CutOff(), "transport", unknown, rentcar.ErrUnavailable, false, "10"},
		"truncated gzip": {TruncatedGzip(), "transport", unknown, rentcar.ErrOutcomeUnknown, false, "10"},
		"HTTP 502":       {HTTPStatus(502), "transport", unknown, rentcar.ErrUnavailable, false, ""},
		"HTTP 99":        {HTTPStatus(99), "transport", unknown, rentcar.ErrUnavailable, false, ""},
		"HTML": {
			RawBody(200, "text/html;charset=UTF-8", []byte("<!DOCTYPE html><html></html>")), "decode", unknown,
			rentcar.ErrOutcomeUnknown, false, "",
		},
		"empty": {RawBody(200, "", nil), "decode", unknown, rentcar.ErrOutcomeUnknown, false, ""},
		"other charset": {
			RawBody(200, "text/javascript", []byte("{\"a\":\"\xff\"}")), "decode", unknown, rentcar.ErrOutcomeUnknown, false, "",
		},
		"error without sub": {
			Failed(gatewayError("88", "", "", "")), "gateway", unknown, rentcar.ErrOutcomeUnknown, false, "88",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, format := range allFormats {
				for _, fault := range []Fault{c.fault, c.fault.AfterCommit()} {
					g := start(t)
					client := connect(t, g, rentcar.WithFormat(format))
					g.Fail(fault.On(methodSubmit))
					res, err := client.Renewals.Submit(context.Background(), submitRequest())
					if kindOf(err) != c.kind || rentcar.OutcomeOf(err) != c.outcome || c.class != nil && !errors.Is(err, c.class) {
						t.Errorf("%v, %v: got %s error, outcome %v: %v", fault, format, kindOf(err), rentcar.OutcomeOf(err), err)
					}
					if (res != nil) != (c.kind == "<nil>" || c.kind == "business") {
						t.Errorf("%v, %v: result %v", fault, format, res)
					}
					want := 0
					if c.executed || fault.commit {
						want = 1
					}
					a := lastRequest(t, g).Answer
					if len(g.Renewals()) != want || a.Executed != (want == 1) || a.Fault != fault.String() {
						t.Errorf("%v, %v: %d renewals, recorded %+v", fault, format, len(g.Renewals()), a)
					}
					code := c.code
					if fault.commit && fault.answer == nil {
						code = "" // the reply of a success goes wrong on its way
					}
					if a.Code != code {
						t.Errorf("%v, %v: recorded code %q, want %q", fault, format, a.Code, code)
					}
					if fault.timed {
						continue
					}
					// It is over: the next one passes, of a client that knows of no ban.
					submit(t, connect(t, g), submitRequest())
				}
			}
		})
	}
}

func TestHanging(t *testing.T) {
	t.Parallel()
	for _, fault := range []Fault{
		Hanging(), Hanging().AfterCommit(), Delayed(time.Hour), Delayed(time.Hour).AfterCommit(),
	} {
		g := start(t)
		g.AutoAccept()
		g.PushToHandler(swallow)
		c := connect(t, g)
		g.Fail(fault)
		ctx, timeout := context.WithCancelCause(context.Background())
		failed := make(chan error)
		go func() {
			_, err := c.Renewals.Submit(ctx, submitRequest())
			failed <- err
		}()
		until(func() bool { return len(g.Requests()) == 1 && (len(g.Pushes()) == 1 || !fault.commit) })
		timeout(context.DeadlineExceeded)
		if err := <-failed; kindOf(err) != "transport" || !errors.Is(
			err, rentcar.ErrOutcomeUnknown,
		) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v: %v", fault, err)
		}
		until(func() bool { return lastRequest(t, g).Answer.Done }) // the gateway notices that the client is gone
		noError(t, g.WaitPushes(context.Background()))
		want := 0
		if fault.commit {
			want = 1
		}
		if a := lastRequest(t, g).Answer; a.Executed != fault.commit || len(
			g.Renewals(),
		) != want || len(g.Pushes()) != want || a.HTTPStatus != 0 {
			t.Errorf("%v: %d renewals, %d pushes, recorded %+v", fault, len(g.Renewals()), len(g.Pushes()), a)
		}
	}
}

func TestWhichRequestsAFaultHits(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, c := range map[string]struct {
		faults []Fault
		want   string // of quote, submit, quote, submit, quote: F for a failure
	}{
		"none":        {nil, "....."},
		"next":        {[]Fault{Unavailable()}, "F...."},
		"twice":       {[]Fault{Unavailable().Times(2)}, "FF..."},
		"always":      {[]Fault{Unavailable().Always()}, "FFFFF"},
		"none is all": {[]Fault{Unavailable().Times(0)}, "FFFFF"},
		"method":      {[]Fault{Unavailable().On(methodSubmit)}, ".F..."},
		"methods": {
			[]Fault{Unavailable().Times(2).On(methodSubmit, "alitrip.rentcar.btb.renewaldetail.query")}, "FF...",
		},
		"method, always": {[]Fault{Unavailable().On(methodSubmit).Always()}, ".F.F."},
		"when": {
			[]Fault{
				Unavailable().Always().When(func(r Request) bool { return r.Params["rent_car_b2b_renewal_detail_req"] != "" }),
			},
			"F.F.F",
		},
		"one by one":      {[]Fault{Unavailable(), Failed(refuse("1", "")), Dropped()}, "FFF.."},
		"for no time":     {[]Fault{Banned(0, "")}, "....."},
		"for time past":   {[]Fault{Unavailable().For(-time.Second)}, "....."},
		"for some time":   {[]Fault{Unavailable().For(time.Second)}, "FFFFF"},
		"times, not time": {[]Fault{Unavailable().For(time.Second).Times(1)}, "F...."},
	} {
		g := start(t)
		client := connect(t, g)
		for _, f := range c.faults {
			g.Fail(f)
		}
		got := ""
		for i := range 5 {
			var err error
			if i%2 == 0 {
				_, err = client.Renewals.Quote(ctx, quoteRequest())
			} else {
				_, err = client.Renewals.Submit(ctx, submitRequest())
			}
			if err != nil {
				got += "F"
			} else {
				got += "."
			}
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
	g := start(t)
	stop := g.Fail(Unavailable().Always())
	stop()
	stop()
	submit(t, connect(t, g), submitRequest())
}

func TestRequestsThatTheGatewayRefusesAreNotHit(t *testing.T) {
	t.Parallel()
	g := start(t)
	g.Fail(Dropped())
	post(t, g, http.MethodPost, map[string]string{"sign": "x"}, nil)
	if a := lastRequest(t, g).Answer; a.Code != "21" || a.Fault != "" {
		t.Errorf("recorded %+v", a)
	}
}

func TestBanEndsByTheClock(t *testing.T) {
	t.Parallel()
	var past atomic.Int64
	g := start(t, WithClock(func() time.Time { return testNow.Add(time.Duration(past.Load())) }))
	g.Fail(Banned(90*time.Second, BanApp))
	for after, want := range map[time.Duration]string{
		0: "This ban will last for 90 more seconds", 59500 * time.Millisecond: "This ban will last for 31 more seconds",
		89999 * time.Millisecond: "This ban will last for 1 more seconds",
	} {
		past.Store(int64(after))
		_, err := connect(t, g).Renewals.Submit(context.Background(), submitRequest())
		var failed *rentcar.GatewayError
		if !errors.As(err, &failed) || failed.SubMsg != want || failed.SubCode != BanApp || failed.Msg != "App Call Limited" {
			t.Errorf("after %v: %v", after, err)
		}
	}
	past.Store(int64(90 * time.Second))
	submit(t, connect(t, g), submitRequest())
	if n := len(g.Renewals()); n != 1 {
		t.Errorf("%d renewals", n)
	}
}

type nopWriter struct{ http.ResponseWriter }

// The seconds that are left are a number however long a ban is.
func TestBannedForLong(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		math.MaxInt64: "last for 9223372037 more seconds", 1: "last for 1 more seconds",
		time.Second: "last for 1 more seconds", time.Second + 1: "last for 2 more seconds",
	} {
		if err := Banned(d, BanApp).answer(d); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", d, err)
		}
	}
}

// TestActiveFaults lists what may still hit, under the names that were given.
func TestActiveFaults(t *testing.T) {
	t.Parallel()
	now := testNow
	var mu sync.Mutex
	g := NewGateway(WithClock(func() time.Time { mu.Lock(); defer mu.Unlock(); return now }))
	defer g.Close()
	g.Fail(Unavailable().Times(2).AfterCommit())
	g.Fail(Banned(time.Minute, BanApp).On("none").Named("ban 1"))
	stop := g.Fail(Dropped().Always().On("none"))
	want := []ActiveFault{
		{Name: "gateway error 10, after commit", Left: 2},
		{Name: "ban 1", Left: -1, Until: testNow.Add(time.Minute)},
		{Name: "connection dropped", Left: -1},
	}
	if diff := cmp.Diff(want, g.ActiveFaults()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	c := connect(t, g)
	_, err := c.Renewals.Submit(context.Background(), submitRequest())
	if err == nil || lastRequest(t, g).Answer.Fault != want[0].Name {
		t.Errorf("got %v, %+v", err, lastRequest(t, g))
	}
	stop()
	mu.Lock()
	now = now.Add(time.Minute)
	mu.Unlock()
	if diff := cmp.Diff([]ActiveFault{{Name: want[0].Name, Left: 1}}, g.ActiveFaults()); diff != "" {
		t.Errorf("later (-want +got):\n%s", diff)
	}
}
