package fliggytest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	_ "github.com/fliggy-go/rentcar/internal/golden" // -update
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testNow is six minutes before the cancellation of the guide's sample.
var testNow = fliggy.MustTime("2023-02-01 15:40:52").Time

func fixedClock() time.Time { return testNow }

var (
	scenarioFrom = fliggy.MustTime("2023-02-04 10:00:00")
	scenarioTo   = fliggy.MustTime("2023-02-05 10:30:00")
)

// start starts a gateway whose clock stands still, and closes it after the test.
func start(t testing.TB, opts ...Option) *Gateway {
	t.Helper()
	g := NewGateway(append([]Option{WithClock(fixedClock)}, opts...)...)
	t.Cleanup(g.Close)
	return g
}

// connect makes a client that sends every call once: one fault, one failure.
func connect(t testing.TB, g *Gateway, opts ...rentcar.Option) *rentcar.Client {
	t.Helper()
	once := rentcar.WithRetry(rentcar.RetryPolicy{MaxAttempts: 1})
	c, err := g.Client(append([]rentcar.Option{rentcar.WithChannel(fliggy.ChannelAmap), once}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func quoteRequest() *rentcar.RenewalQuoteRequest {
	return &rentcar.RenewalQuoteRequest{OrderID: SampleOrderID, CarUseTime: scenarioFrom, CarReturnTime: scenarioTo}
}

const ownRenewalID = "RC202212191604667539969978361"

func submitRequest() *rentcar.RenewalSubmitRequest {
	return &rentcar.RenewalSubmitRequest{
		OrderID: SampleOrderID, OutOrderID: SampleOutOrderID, RenewalOutOrderID: ownRenewalID,
		CarUseTime: scenarioFrom, CarReturnTime: scenarioTo, TotalFee: fliggy.MustYuan("16.02"),
	}
}

// submit places a renewal and returns Fliggy's id of it.
func submit(t testing.TB, c *rentcar.Client, req *rentcar.RenewalSubmitRequest) fliggy.ID {
	t.Helper()
	res, err := c.Renewals.Submit(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	return res.RenewalOrderID
}

// lastRequest is the request that arrived last.
func lastRequest(t testing.TB, g *Gateway) Request {
	t.Helper()
	all := g.Requests()
	if len(all) == 0 {
		t.Fatal("no request arrived")
	}
	return all[len(all)-1]
}

func readJSON(t testing.TB, file string, to any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, to)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func noError(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// swallow accepts every push.
var swallow = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	_, _ = w.Write([]byte(`{"success":"true"}`))
})

// until lets others run until something has happened.
func until(happened func() bool) {
	for !happened() {
		runtime.Gosched()
	}
}

func code(err error) string {
	var refused *rentcar.BusinessError
	if errors.As(err, &refused) {
		return refused.Code
	}
	var failed *rentcar.GatewayError
	if errors.As(err, &failed) {
		return failed.Code + " " + failed.SubCode
	}
	return fmt.Sprint(err)
}
