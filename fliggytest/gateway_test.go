package fliggytest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
)

var (
	allFormats = []rentcar.Format{rentcar.SimplifiedJSON, rentcar.WrappedJSON, rentcar.XML}
	allSigns   = []rentcar.SignMethod{rentcar.HMACSHA256, rentcar.HMACMD5, rentcar.MD5}
	ignoreMeta = cmp.Options{cmpopts.IgnoreFields(rentcar.Meta{}, "RequestID"), cmpopts.EquateEmpty()}
)

// TestLife runs a renewal through its life, in every format and with every sign
// method, and finds the same everywhere.
func TestLife(t *testing.T) {
	t.Parallel()
	for _, format := range allFormats {
		for _, method := range allSigns {
			t.Run(fmt.Sprintf("%v %s", format, method), func(t *testing.T) {
				t.Parallel()
				g := start(t)
				life(t, g, connect(t, g, rentcar.WithFormat(format), rentcar.WithSignMethod(method)))
				for _, r := range g.Requests() {
					if r.Signature != SignatureValid || !r.Answer.Done || !r.Answer.Executed || r.Answer.Code != "" {
						t.Errorf("request %v", r)
					}
				}
			})
		}
	}
}

func life(t *testing.T, g *Gateway, c *rentcar.Client) {
	t.Helper()
	ctx := context.Background()
	g.PushToHandler(swallow)

	order, err := c.Orders.Query(ctx, &rentcar.OrderQueryRequest{OrderID: SampleOrderID})
	noError(t, err)
	if !order.SupportsRenewal() {
		t.Error("the sample order cannot be renewed")
	}
	want := sampleOrder(testNow).Details
	if diff := cmp.Diff(&want, order, cmpopts.IgnoreFields(rentcar.Meta{}, "Attempts"), ignoreMeta); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if order.RequestID != lastRequest(t, g).ID {
		t.Errorf("request id %q, the gateway gave %q", order.RequestID, lastRequest(t, g).ID)
	}

	quote, err := c.Renewals.Quote(ctx, quoteRequest())
	noError(t, err)
	if got, err := quote.Total(); err != nil || got.String() != "16.02" || len(quote.Warnings) > 0 {
		t.Errorf("quoted %s, %v, %v, want 16.02", got, err, quote.Warnings)
	}
	req := submitRequest()
	req.ItemID = quote.ItemID
	sub, err := c.Renewals.Submit(ctx, req)
	noError(t, err)
	if len(sub.RenewalOrderID) != 19 || sub.OrderID != SampleOrderID || sub.OutOrderID != SampleOutOrderID {
		t.Errorf("submitted %+v", sub)
	}
	if res := g.Accept(sub.RenewalOrderID); !res.Accepted {
		t.Errorf("accept: %+v", res)
	}

	check, err := c.Renewals.CheckCancel(ctx, &rentcar.RenewalCheckCancelRequest{RenewalOrderID: sub.RenewalOrderID})
	noError(t, err)
	if check.CancelFee.String() != "1.60" { // 66 hours ahead: 10 % of 16.02, half to even
		t.Errorf("cancelling would cost %s, want 1.60", check.CancelFee)
	}
	done, err := c.Renewals.Cancel(
		ctx, &rentcar.RenewalCancelRequest{RenewalOrderID: sub.RenewalOrderID, CancelMessage: "行程变更"},
	)
	noError(t, err)
	if done.CancelFee.String() != "1.60" || !strings.Contains(done.CancelMessage, "10%") {
		t.Errorf("cancelled %+v", done)
	}
	main, err := c.Orders.CheckCancel(
		ctx, &rentcar.OrderCheckCancelRequest{OrderID: SampleOrderID, OutOrderID: SampleOutOrderID},
	)
	noError(t, err)
	if main.CancelFee.String() != "0.00" || main.CancelMessage == "" {
		t.Errorf("cancelling the main order: %+v", main)
	}

	got, ok := g.Renewal(sub.RenewalOrderID)
	wantRenewal := Renewal{
		RenewalOrderID: sub.RenewalOrderID, RenewalOutOrderID: ownRenewalID, OrderID: SampleOrderID,
		OutOrderID: SampleOutOrderID,
		ChannelID:  fliggy.ChannelAmap, State: RenewalCancelled, CreatedTime: testNow, RequestID: sub.RequestID,
		Submit: *req, Start: scenarioFrom.Time, Total: req.TotalFee,
		CancelFee: done.CancelFee, CancelMessage: "行程变更", CancelledTime: testNow,
	}
	wantRenewal.Submit.ChannelID = fliggy.ChannelAmap
	if diff := cmp.Diff(wantRenewal, got); !ok || diff != "" {
		t.Errorf("renewal held (-want +got):\n%s", diff)
	}
}

// TestSubmitIsHeld: what a client submits is what the gateway holds.
func TestSubmitIsHeld(t *testing.T) {
	t.Parallel()
	g := start(t)
	clients := map[rentcar.Format]*rentcar.Client{}
	for _, format := range allFormats {
		clients[format] = connect(t, g, rentcar.WithFormat(format))
	}
	text := rapid.StringMatching(`[\x21-\x7e一-龥🚗€ &<>"'+/=%\\]{1,40}`)
	rapid.Check(t, func(t *rapid.T) {
		from := testNow.AddDate(0, 0, rapid.IntRange(1, 300).Draw(t, "day"))
		req := &rentcar.RenewalSubmitRequest{
			OrderID: SampleOrderID, OutOrderID: text.Draw(t, "out"), RenewalOutOrderID: text.Draw(t, "renewal"),
			CarUseTime: fliggy.At(from), CarReturnTime: fliggy.At(from.AddDate(0, 0, rapid.IntRange(1, 9).Draw(t, "days"))),
			TotalFee:   fliggy.FenOf(rapid.Int64Range(0, 1e15).Draw(t, "fen")).Yuan(),
			PayTradeNo: text.Draw(t, "trade"), TraceID: text.Draw(t, "trace"),
			SelectedServices: rapid.SliceOfN(text, 1, 3).Draw(t, "services"),
			ChannelID:        fliggy.ChannelHello, Exts: fliggy.ExtsOf(map[string]string{"k": text.Draw(t, "ext")}),
		}
		before := len(g.Renewals())
		res, err := clients[rapid.SampledFrom(allFormats).Draw(t, "format")].Renewals.Submit(context.Background(), req)
		if err != nil {
			t.Fatal(err)
		}
		all := g.Renewals()
		if len(all) != before+1 {
			t.Fatalf("%d renewals, want %d", len(all), before+1)
		}
		held := all[before]
		if diff := cmp.Diff(*req, held.Submit); diff != "" {
			t.Errorf("held (-sent +held):\n%s", diff)
		}
		if held.RenewalOrderID != res.RenewalOrderID || held.RequestID != res.RequestID || !held.Total.Equal(req.TotalFee) {
			t.Errorf(
				"held %s of request %s, told %s of %s", held.RenewalOrderID, held.RequestID, res.RenewalOrderID, res.RequestID,
			)
		}
		var decoded rentcar.RenewalSubmitRequest
		requests := g.Requests()
		if err := requests[len(requests)-1].Decode(&decoded); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(*req, decoded); diff != "" {
			t.Errorf("recorded (-sent +recorded):\n%s", diff)
		}
	})
}

func TestConcurrency(t *testing.T) {
	t.Parallel()
	g := start(t)
	g.AutoAccept()
	g.PushToHandler(swallow)
	c := connect(t, g)
	ctx := context.Background()
	const workers, rounds = 8, 12
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range rounds {
				req := submitRequest()
				req.RenewalOutOrderID = fmt.Sprintf("R%d-%d", w, i)
				res, err := c.Renewals.Submit(ctx, req)
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = g.Renewal(res.RenewalOrderID)
				_, _, _, _ = g.Renewals(), g.Requests(), g.Pushes(), g.Bills()
				g.AddOrder(Order{OutOrderID: req.RenewalOutOrderID})
				g.Fail(Unavailable().On("alitrip.rentcar.none"))()
				_, err = c.Renewals.Cancel(ctx, &rentcar.RenewalCancelRequest{OutOrderID: req.RenewalOutOrderID})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	noError(t, g.WaitPushes(ctx))
	seen := map[fliggy.ID]bool{}
	for _, r := range g.Renewals() {
		if seen[r.RenewalOrderID] || r.State != RenewalCancelled {
			t.Errorf("renewal %s is %s, seen before: %v", r.RenewalOrderID, r.State, seen[r.RenewalOrderID])
		}
		seen[r.RenewalOrderID] = true
	}
	if len(seen) != workers*rounds {
		t.Errorf("%d renewals, want %d", len(seen), workers*rounds)
	}
}

func TestIDsAreUniqueAndOfTheRightForm(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for n := range uint64(5000) {
		id := requestID(n)
		if seen[id] || len(id) < 11 || len(id) > 13 || strings.Trim(id, "0123456789abcdefghijklmnopqrstuvwxyz") != "" {
			t.Fatalf("request id %d is %q, seen before: %v", n, id, seen[id])
		}
		seen[id] = true
		item := itemID(int(n))
		if seen[item] || !strings.Contains(item, "+") || !strings.Contains(item, "/") || !strings.HasSuffix(item, "=") {
			t.Fatalf("item id %d is %q", n, item)
		}
		seen[item] = true
	}
}

func TestNothingSecretIsPrinted(t *testing.T) {
	t.Parallel()
	const secret, session = "marker-of-the-secret-000000", "marker-of-the-session"
	g := start(t, WithApp("4711", secret), WithSession(session))
	g.PushToHandler(swallow)
	c := connect(t, g)
	submit(t, c, submitRequest())
	g.Accept(g.Renewals()[0].RenewalOrderID)
	signature := lastRequest(t, g).Protocol["sign"]
	pushSignature := g.Pushes()[0].RawQuery
	pushSignature = pushSignature[strings.Index(pushSignature, "sign=")+5:]
	request, push := lastRequest(t, g), g.Pushes()[0]
	for _, v := range []any{g, request, push, &request, &push, g.Requests(), g.Pushes()} {
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		asJSON, err := json.Marshal(v)
		if isGateway := v == any(g); (err == nil) != isGateway { // a summary in the place of data would be lost data
			t.Errorf("%T: JSON %s, %v", v, asJSON, err)
		}
		text := fmt.Sprintf("%v %+v %#v %s %q", v, v, v, v, v) + log.String() + string(asJSON)
		for _, marker := range []string{secret, session, signature, pushSignature, ownRenewalID} {
			if strings.Contains(text, marker) {
				t.Errorf("%T prints %q: %s", v, marker, text)
			}
		}
	}
	if got := fmt.Sprintf("%#v %#v %#v", g, request, push); got != fmt.Sprint(g, " ", request, " ", push) {
		t.Errorf("%%#v gives %s", got)
	}
	if got, want := g.String(), "fliggytest.Gateway{app key 4711, "+g.origin+"}"; got != want || g.AppSecret() != secret {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	g := NewGateway()
	c := connect(t, g)
	g.Fail(Hanging())
	failed := make(chan error)
	go func() {
		_, err := c.Renewals.Quote(context.Background(), quoteRequest())
		failed <- err
	}()
	until(func() bool { return len(g.Requests()) > 0 })
	g.Close()
	if err := <-failed; rentcar.OutcomeOf(err) == rentcar.OutcomeSucceeded ||
		rentcar.OutcomeOf(err) == rentcar.OutcomeRejected {
		t.Errorf("a call that hung when the gateway closed: %v", err)
	}
	g.Close()
	if _, err := c.Renewals.Quote(context.Background(), quoteRequest()); rentcar.OutcomeOf(err) != rentcar.OutcomeNotSent {
		t.Errorf("a call after Close: %v", err)
	}
	if res := g.PushRaw(context.Background(), nil); !errors.Is(res.Err, errClosed) {
		t.Errorf("a push after Close: %v", res.Err)
	}
	if len(g.Requests()) != 1 {
		t.Error("what came in cannot be read after Close")
	}
}

// Options of a client win over the session of the gateway, a source of sessions too.
func TestClientWithASessionSource(t *testing.T) {
	t.Parallel()
	g := NewGateway(WithSession("session-0123456789"))
	t.Cleanup(g.Close)
	asked := 0
	c, err := g.Client(rentcar.WithSessionSource(func(context.Context) (string, error) {
		asked++
		return "session-0123456789", nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Orders.Query(
		t.Context(), &rentcar.OrderQueryRequest{OrderID: SampleOrderID, ChannelID: fliggy.ChannelAmap},
	); err != nil || asked != 1 {
		t.Errorf("asked %d times: %v", asked, err)
	}
	if _, err := g.Client(
		rentcar.WithSession("a"), rentcar.WithSessionSource(func(context.Context) (string, error) { return "b", nil }),
	); err == nil {
		t.Error("two sessions are taken")
	}
}

// TestOrigin serves a gateway that has no port of its own.
func TestOrigin(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(nil)
	server.Start()
	defer server.Close()
	g := NewGateway(WithOrigin(server.URL+"/"), WithClock(fixedClock))
	server.Config.Handler = g.Handler()
	if g.URL() != server.URL+"/router/rest" || g.QimenURL() != server.URL+"/router/qm" {
		t.Errorf("at %s, %s", g.URL(), g.QimenURL())
	}
	submit(t, connect(t, g), submitRequest())
	// A request that hangs ends with the gateway, although the server goes on.
	g.Fail(Hanging())
	c := connect(t, g)
	hung := make(chan error)
	go func() {
		_, err := c.Orders.Query(context.Background(), &rentcar.OrderQueryRequest{OrderID: SampleOrderID})
		hung <- err
	}()
	until(func() bool { return len(g.Requests()) == 2 })
	g.Close()
	if err := <-hung; err == nil {
		t.Error("answered")
	}
}
