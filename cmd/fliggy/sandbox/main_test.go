package sandbox

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/qimen"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A desk is a sandbox that is served.
type desk struct {
	t    testing.TB
	s    *Sandbox
	url  string
	http *http.Client
}

func newDesk(t testing.TB, change func(*Config)) *desk {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	server.Start()
	cfg := Config{
		Origin: server.URL, AppKey: fliggytest.DefaultAppKey, AppSecret: fliggytest.DefaultAppSecret, Version: "test",
	}
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg)
	noError(t, err)
	server.Config.Handler = s.Handler()
	t.Cleanup(server.Close)
	t.Cleanup(s.Close)
	return &desk{t, s, server.URL, server.Client()}
}

// do calls the control API and decodes the answer into out.
func (d *desk) do(method, path, body string, out any) int {
	d.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, d.url+Prefix+path, strings.NewReader(body))
	noError(d.t, err)
	if body != "" || method != http.MethodGet {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := d.http.Do(req)
	noError(d.t, err)
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	noError(d.t, err)
	if out != nil {
		if err := json.Unmarshal(data, out); err != nil {
			d.t.Fatalf("%s %s: %v in %s", method, path, err, data)
		}
	}
	return res.StatusCode
}

// client is a client of the sandbox, as a user makes one.
func (d *desk) client() *rentcar.Client {
	d.t.Helper()
	c, err := rentcar.NewClient(fliggytest.DefaultAppKey, fliggytest.DefaultAppSecret,
		rentcar.WithBaseURL(d.url+"/router/rest"), rentcar.WithQimenURL(d.url+"/router/qm"),
		rentcar.WithChannel(fliggy.ChannelAmap), rentcar.WithRetry(rentcar.RetryPolicy{MaxAttempts: 1}))
	noError(d.t, err)
	return c
}

// submit places a renewal of the sample order and returns its id.
func (d *desk) submit(own string) string {
	d.t.Helper()
	o, _ := d.s.gateway.Order(fliggytest.SampleOrderID)
	from := o.Details.Booking.CarReturnTime
	res, err := d.client().Renewals.Submit(context.Background(), &rentcar.RenewalSubmitRequest{
		OrderID: o.OrderID, OutOrderID: o.OutOrderID, RenewalOutOrderID: own, CarUseTime: from,
		CarReturnTime: fliggy.At(from.AddDate(0, 0, 1)), TotalFee: fliggy.MustYuan("12.00"),
	})
	noError(d.t, err)
	return string(res.RenewalOrderID)
}

// An endpoint takes events, as a distributor does.
type endpoint struct {
	url    string
	events chan events.Event
}

func newEndpoint(t testing.TB) *endpoint {
	t.Helper()
	e := &endpoint{events: make(chan events.Event, 100)}
	h, err := qimen.NewHandler(qimen.Secrets{fliggytest.DefaultAppKey: {fliggytest.DefaultAppSecret}},
		qimen.WithoutGate(), qimen.OnEvent(func(_ context.Context, _ *qimen.Delivery, event events.Event) error {
			e.events <- event
			return nil
		}))
	noError(t, err)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	e.url = server.URL + "/fliggy"
	return e
}

func noError(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// failure is an error of the control API.
type failure struct {
	Error struct{ Code, Message, Field string }
}
