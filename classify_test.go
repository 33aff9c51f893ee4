package rentcar

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
)

// caseReply answers with a file of testdata/cases.
func caseReply(t *testing.T, name string) httpmock.Responder {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", "cases", name))
	if err != nil {
		t.Fatal(err)
	}
	return replyJSON(string(body))
}

// No row of the table is hidden by one before it, and a write is repeated only where it
// was surely not carried out.
func TestCodeTable(t *testing.T) {
	t.Parallel()
	for i, row := range codeTable {
		last := i == len(codeTable)-1
		if got := lookUp(row.main, strings.Replace(row.sub, "*", "x", 1)); got != row {
			t.Errorf("row %d, %+v, is hidden by %+v", i, row, got)
		}
		if row.kind == nil || row.source == "" || (row.main == "" && row.sub == "") != last {
			t.Errorf("row %d: %+v", i, row)
		}
		if row.repeat == repeatAll && row.outcome != OutcomeRejected || row.outcome != OutcomeRejected &&
			row.outcome != OutcomeUnknown {
			t.Errorf("row %d: a write is repeated, or its outcome is not an error's: %+v", i, row)
		}
	}
}

// Case 06: the gateway did not get past the look-up of the app.
func TestUnknownAppOfTheGateway(t *testing.T) {
	t.Parallel()
	c, g := clientFor(t, caseReply(t, "06-get-app-error.json"), withRetries())
	wantAuth.both(t, c, func(t *testing.T, err error) {
		if e := as[*GatewayError](t, err); e.Code != "1" || e.SubCode != "isp.get-app-error" {
			t.Errorf("%+v", e)
		}
	})
	if g.count() != 2 { // a read and a write, once each
		t.Errorf("%d requests", g.count())
	}
}

// Cases 08: flow control with a word as the code, and a ban in other words. Nothing is
// sent within the ban.
func TestCallLimitsInWords(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	ft := &fakeTime{}
	c, g := clientFor(t, inTurn(caseReply(t, "08-app-api-call-limit.json"), replyJSON(okReply)), withFakeTime(ft))
	for passed, left := range []time.Duration{14229 * time.Second, 14228 * time.Second} { // a call a second
		ft.advance(time.Duration(passed) * time.Second)
		_, err := cancelRenewal(ctx, c)
		if after, ok := RetryAfter(err); !ok || after != left || !errors.Is(err, ErrRateLimited) || errors.Is(
			err, ErrOutcomeUnknown,
		) {
			t.Errorf("RetryAfter is %v, %v, want %v: %v", after, ok, left, err)
		}
	}
	if g.count() != 1 || len(ft.waits) != 0 {
		t.Errorf("%d requests within the ban, waits %v", g.count(), ft.waits)
	}
	ft.advance(14228 * time.Second)
	if _, err := cancelRenewal(ctx, c); err != nil || g.count() != 2 {
		t.Errorf("after the ban: %d requests: %v", g.count(), err)
	}

	ft = &fakeTime{}
	c, g = clientFor(t, inTurn(caseReply(t, "08-api-call-limit.json"), replyJSON(okReply)), withFakeTime(ft))
	_, err := cancelRenewal(ctx, c)
	if took := ft.time().Sub(
		testClock(),
	); err != nil || g.count() != 2 || took < time.Second || took >= time.Second+banJitter {
		t.Errorf("%d requests after %v: %v", g.count(), took, err)
	}
}

// Words do not make a final failure of what may pass, nor the reverse.
func TestWordsOfAFinalFailure(t *testing.T) {
	t.Parallel()
	for code, final := range map[string]bool{
		"40": true, "MissingParameter": true, "31": false, "IllegalTimestamp": false, "InvalidApiPath": false,
		"InvalidParameter": false, "AppApiCallLimit": false,
	} {
		if got := IsFinal(&GatewayError{Method: opCallback.Method, Code: code}); got != final {
			t.Errorf("%s: final %v, want %v", code, got, final)
		}
	}
}

// What a Qimen provider writes is not taken for words of the gateway.
func TestWordsOfAQimenProvider(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"response":{"flag":"failure","code":"ApiCallLimit","message":"this ban will last 60 seconds"}}`,
		`{"flag":"failure","code":"InvalidAppKey"}`,
	} {
		c, g := clientFor(t, replyJSON(body), WithQimenURL("http://qimen.test/qm"), withRetries())
		var out Raw
		err := c.CallQimen(context.Background(), "x.z", &QimenRequest{TargetAppKey: "1"}, &out)
		e := as[*GatewayError](t, err)
		if e.RetryAfter != 0 || g.count() != 1 || !errors.Is(
			err, ErrOutcomeUnknown,
		) || errors.Is(err, ErrRateLimited) || errors.Is(err, ErrUnauthorized) {
			t.Errorf("%s: %d requests: %+v", body, g.count(), e)
		}
	}
}

// A Qimen provider's own code is not one of the gateway's: 5 would mean that the
// call was not carried out and may be repeated.
func TestProviderCodeIsItsOwn(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"flag":"failure","code":"5","message":"m"}`, `{"flag":"failure","code":25}`} {
		mt := httpmock.NewMockTransport()
		mt.RegisterNoResponder(httpmock.NewStringResponder(http.StatusOK, body))
		c := testClient(t, mt)
		var raw Raw
		err := c.CallQimen(t.Context(), "qimen.x", &QimenRequest{TargetAppKey: "1"}, &raw)
		var fault *GatewayError
		if !errors.As(err, &fault) || OutcomeOf(err) != OutcomeUnknown || errors.Is(err, ErrRateLimited) || errors.Is(
			err, ErrUnauthorized,
		) {
			t.Errorf("%s: %v, outcome %v", body, err, OutcomeOf(err))
		}
	}
}
