package otelrentcar_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel/attribute"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/otelrentcar"
	"github.com/fliggy-go/rentcar/qimen"
)

// What must not leave the process.
const (
	person  = "李雷"
	phone   = "13800138000"
	trade   = "202212191604667539969978368"
	session = "a-session-that-nobody-knows"
	ours    = "RENEWAL-OF-OURS-7"
)

// A story is a renewal, a refund that is pushed for it, and the callback that answers the refund, through inbox and
// outbox on one store.
type story struct {
	store *durable.MemoryStore
	order fliggy.ID
	gw    *fliggytest.Gateway
}

func tell(t *testing.T, r *rig) *story {
	t.Helper()
	s := &story{store: durable.NewMemoryStore(), gw: fliggytest.NewGateway()}
	t.Cleanup(s.gw.Close)
	ctx, stop := context.WithCancel(t.Context())
	client, err := s.gw.Client(
		rentcar.WithTracer(r.Tracer), rentcar.WithSession(session), rentcar.WithChannel(fliggy.ChannelAmap),
	)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{}, 10)
	cfg := durable.Config{
		Tracer: waiting{r.Tracer, ended}, MinDelay: 1, MaxDelay: 1, Poll: 1_000_000,
	}
	outbox, err := durable.NewOutbox(client, s.store, cfg)
	if err != nil {
		t.Fatal(err)
	}
	inbox, err := durable.NewInbox(s.store, cfg)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := qimen.NewHandler(
		qimen.Secrets{s.gw.AppKey(): {s.gw.AppSecret()}}, qimen.WithTracer(r.Tracer), qimen.WithStore(inbox.Add),
		qimen.OnEvent(func(ctx context.Context, d *qimen.Delivery, e events.Event) error {
			refund, ok := e.(*events.RenewalFeeRefund)
			if !ok {
				return nil
			}
			if d.Attempt == 1 {
				return errors.New("the books of " + person + ", " + phone + ", are closed")
			}
			return outbox.AddCallback(ctx, refund.SuccessCallback())
		}))
	if err != nil {
		t.Fatal(err)
	}
	s.gw.PushToHandler(withTrace{handler})
	s.gw.DecideByHand()
	s.order = s.gw.AddOrder(fliggytest.SampleOrder())
	renewal, err := client.Renewals.Submit(ctx, &rentcar.RenewalSubmitRequest{OrderID: s.order, RenewalOutOrderID: ours})
	if err != nil {
		t.Fatal(err)
	}
	pushed := s.gw.RequestRefund(renewal.RenewalOrderID, fliggytest.Refund{
		Type: fliggy.RefundFuelFee, Amount: fliggy.MustYuan("200.98"), Reason: person + " " + phone, PayTradeNo: trade,
	})
	if pushed.Err != nil || pushed.Status != http.StatusOK {
		t.Fatal(pushed.Status, pushed.Err)
	}
	var running sync.WaitGroup
	running.Go(func() { _ = inbox.Run(ctx, handler) })
	<-ended // the attempt that failed
	<-ended
	running.Go(func() { _ = outbox.Run(ctx) })
	<-ended
	stop()
	running.Wait()
	return s
}

// waiting tells when an attempt of an item has ended.
type waiting struct {
	*otelrentcar.Tracer
	ended chan<- struct{}
}

func (w waiting) TraceItemEnd(ctx context.Context, o durable.Observation) {
	w.Tracer.TraceItemEnd(ctx, o)
	w.ended <- struct{}{}
}

// withTrace is a stranger's trace in the headers of pushes.
type withTrace struct{ http.Handler }

func (h withTrace) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	h.Handler.ServeHTTP(w, r)
}

const (
	submit   = "alitrip.rentcar.btb.renewal.submit"
	callback = "alitrip.rentcar.btb.distribution.callback"
)

// From the push over both queues to the callback, each span is the child of what caused it in the same process, and
// linked to what caused it in another.
func TestStory(t *testing.T) {
	t.Parallel()
	r := newRig(t, otelrentcar.Config{})
	tell(t, r)
	diff(t, "spans", strings.Join([]string{
		submit + " (client)",
		"  POST (client)",
		qimen.DefaultEventMethod + " (server) -> ", // a stranger's
		"  store " + qimen.DefaultEventMethod + " (internal)",
		"process fliggy.inbox (consumer) -> store " + qimen.DefaultEventMethod,
		"  handle " + qimen.DefaultEventMethod + " (internal)",
		"process fliggy.inbox (consumer) -> store " + qimen.DefaultEventMethod,
		"  handle " + qimen.DefaultEventMethod + " (internal)",
		"process fliggy.outbox (consumer) -> handle " + qimen.DefaultEventMethod,
		"  " + callback + " (client)",
		"    POST (client)",
		"",
	}, "\n"), r.tree())
	const event = "rpc.method=" + qimen.DefaultEventMethod
	const item = "messaging.operation.name=process messaging.operation.type=process messaging.system=fliggy_rentcar"
	for name, want := range map[string][]string{
		"rpc.client.call.duration": {
			"fliggy.outcome=succeeded rpc.method=" + callback + " rpc.system.name=taobao_top: 1",
			"fliggy.outcome=succeeded rpc.method=" + submit + " rpc.system.name=taobao_top: 1",
		},
		"http.client.request.duration": {
			"http.request.method=POST http.response.status_code=200 rpc.method=" + callback + ": 1",
			"http.request.method=POST http.response.status_code=200 rpc.method=" + submit + ": 1",
		},
		"rpc.server.call.duration": {"fliggy.reason=accepted " + event + " rpc.system.name=taobao_top: 1"},
		"messaging.process.duration": {
			"error.type=retried fliggy.item.result=retried messaging.destination.name=fliggy.inbox " + item + ": 1",
			"fliggy.item.result=done messaging.destination.name=fliggy.inbox " + item + ": 1",
			"fliggy.item.result=done messaging.destination.name=fliggy.outbox " + item + ": 1",
		},
		"fliggy.client.bans": nil, "fliggy.gate.hits": nil,
	} {
		diff(t, name, want, r.points(t, name))
	}
}

// Nothing that is exported has a secret, a person or an id of an order or a payment.
func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	r := newRig(t, otelrentcar.Config{})
	s := tell(t, r)
	handler := s.gw // for its secrets
	all := r.exported(t)
	for _, marker := range []string{
		person, phone, trade, session, ours, string(s.order), handler.AppSecret(), handler.AppKey(), "sign", "200.98",
		"RC", "callback/",
	} {
		if strings.Contains(all, marker) {
			t.Errorf("%q is in\n%s", marker, all)
		}
	}
	if len(all) < 5000 || !strings.Contains(all, submit) {
		t.Errorf("little is looked at: %s", all)
	}
}

// A push continues the trace of its headers only where they are trusted.
func TestTrustHeaders(t *testing.T) {
	t.Parallel()
	r := newRig(t, otelrentcar.Config{TrustHeaders: true})
	tell(t, r)
	push := r.span(t, qimen.DefaultEventMethod)
	if push.Parent.SpanID().String() != "00f067aa0ba902b7" || len(push.Links) != 0 {
		t.Errorf("parent %v, links %v", push.Parent, push.Links)
	}
}

// A push that comes through other instrumentation is the child of its span.
func TestPushBelow(t *testing.T) {
	t.Parallel()
	r := newRig(t, otelrentcar.Config{TrustHeaders: true})
	ctx, above := r.provider.Tracer("another").Start(t.Context(), "above")
	header := http.Header{"Traceparent": {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}}
	ctx = r.TracePushStart(ctx, header)
	r.TracePushEnd(ctx, qimen.Observation{Reason: qimen.ReasonBadSignature, Status: http.StatusForbidden})
	above.End()
	diff(t, "spans", "above (internal)\n  taobao_top (server)\n", r.tree())
	diff(t, "attributes", "error.type=bad_signature fliggy.reason=bad_signature fliggy.stored=false "+
		"http.response.status_code=403 rpc.system.name=taobao_top", texts(r.span(t, "taobao_top").Attributes))
}

// What does not come from a tracer of this package makes no link, and harms nothing.
func TestForeignTrace(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "x", "%zz", "traceparent=1", "traceparent=00-0-0-0", strings.Repeat("a", 1000)} {
		r := newRig(t, otelrentcar.Config{})
		ctx := r.TraceItemStart(t.Context(), &durable.Item{Queue: "q", ID: "1", Attempt: 1, Trace: text})
		r.TraceItemEnd(ctx, durable.Observation{Queue: "q", ID: "1", Done: true})
		if links := r.span(t, "process q").Links; len(links) != 0 {
			t.Errorf("%q: links %v", text, links)
		}
	}
}

// Ends without a start end no span of others.
func TestEndsAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t, otelrentcar.Config{})
	ctx, above := r.provider.Tracer("another").Start(t.Context(), "above")
	r.TraceCallEnd(ctx, rentcar.Observation{})
	r.TraceAttemptEnd(ctx, rentcar.Observation{})
	r.TracePushEnd(ctx, qimen.Observation{})
	r.TraceFunctionEnd(ctx, qimen.Observation{})
	r.TraceItemEnd(ctx, durable.Observation{})
	if !above.IsRecording() {
		t.Error("the span of another was ended")
	}
	above.SetAttributes(attribute.Bool("ours", true))
	above.End()
	diff(t, "attributes", "ours=true", texts(r.span(t, "above").Attributes))
}
