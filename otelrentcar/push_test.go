package otelrentcar_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"

	"github.com/fliggy-go/rentcar/otelrentcar"
	"github.com/fliggy-go/rentcar/qimen"
)

// What became of a push is in its span and in the metric. What was turned away is no failure of the server.
func TestReasons(t *testing.T) {
	t.Parallel()
	const failed, refused = codes.Error, codes.Unset
	secret := errors.New("of " + person)
	for name, c := range map[string]struct {
		o      qimen.Observation
		status codes.Code
		point  string
		hits   []string
	}{
		"accepted": {
			qimen.Observation{Reason: qimen.ReasonAccepted, EventType: 142}, refused, "fliggy.reason=accepted", nil,
		},
		"repeat": {
			qimen.Observation{Reason: qimen.ReasonAccepted, IsRepeat: true}, refused, "fliggy.reason=accepted",
			[]string{"fliggy.gate.hit=repeat"},
		},
		"conflict": {
			qimen.Observation{Reason: qimen.ReasonAccepted, IsConflict: true}, refused, "fliggy.reason=accepted",
			[]string{"fliggy.gate.hit=conflict"},
		},
		"in progress": {
			qimen.Observation{Reason: qimen.ReasonInProgress, IsRepeat: true, Err: secret}, refused,
			"error.type=in_progress fliggy.reason=in_progress", []string{"fliggy.gate.hit=repeat"},
		},
		"expired": {
			qimen.Observation{Reason: qimen.ReasonExpired, Err: secret}, refused,
			"error.type=expired fliggy.reason=expired", nil,
		},
		"HTTP method": {
			qimen.Observation{Reason: qimen.ReasonBadMethod, Err: secret}, refused,
			"error.type=bad_http_method fliggy.reason=bad_http_method", nil,
		},
		"refused": {
			qimen.Observation{Reason: qimen.ReasonRefused, Err: secret}, refused,
			"error.type=refused fliggy.reason=refused", nil,
		},
		"failed": {
			qimen.Observation{Reason: qimen.ReasonHandlerError, Err: secret}, failed,
			"error.type=handler_error fliggy.reason=handler_error", nil,
		},
		"not stored": {
			qimen.Observation{Reason: qimen.ReasonNotStored, Err: secret}, failed,
			"error.type=not_stored fliggy.reason=not_stored", nil,
		},
		"bad reply": {
			qimen.Observation{Reason: qimen.ReasonBadReply, Err: secret}, failed,
			"error.type=bad_reply fliggy.reason=bad_reply", nil,
		},
		"gate": {
			qimen.Observation{Reason: qimen.ReasonGateFailed, Err: secret}, failed,
			"error.type=gate_failed fliggy.reason=gate_failed", nil,
		},
		"panic": {
			qimen.Observation{Reason: qimen.ReasonPanic, Err: secret}, failed, "error.type=panic fliggy.reason=panic", nil,
		},
		"reply lost": {
			qimen.Observation{Reason: qimen.ReasonAccepted, Err: secret}, failed,
			"error.type=reply_not_sent fliggy.reason=accepted", nil,
		},
	} {
		r := newRig(t, otelrentcar.Config{})
		c.o.Method, c.o.Duration, c.o.Status, c.o.Attempt = qimen.DefaultEventMethod, time.Second, 500, 1
		c.o.OrderID, c.o.OutOrderID, c.o.Key, c.o.AppKey = "3104050285204362836", ours, "event/142/"+trade, "12345678"
		ctx := r.TracePushStart(t.Context(), http.Header{})
		r.TraceFunctionEnd(r.TraceFunctionStart(ctx, c.o), c.o)
		r.TracePushEnd(ctx, c.o)
		const point = " rpc.method=" + qimen.DefaultEventMethod + " rpc.system.name=taobao_top: 1"
		diff(t, name, []string{c.point + point}, r.points(t, "rpc.server.call.duration"))
		var hits []string
		for _, hit := range c.hits {
			hits = append(hits, hit+" rpc.method="+qimen.DefaultEventMethod+": 1")
		}
		diff(t, name+", gate", hits, r.points(t, "fliggy.gate.hits"))
		function := "handle "
		if c.o.Reason == qimen.ReasonNotStored {
			function = "store "
		}
		for _, span := range []string{qimen.DefaultEventMethod, function + qimen.DefaultEventMethod} {
			s := r.span(t, span)
			wantType := strings.TrimPrefix(strings.Fields(c.point)[0], "error.type=")
			if strings.HasPrefix(c.point, "fliggy") {
				wantType = ""
			}
			if s.Status.Code != c.status || s.Status.Description != "" || valueOf(s, "error.type") != wantType {
				t.Errorf("%s: %s: %+v, %s", name, span, s.Status, texts(s.Attributes))
			}
		}
		all := r.exported(t)
		for _, marker := range []string{person, ours, trade, "3104050285204362836", "12345678"} {
			if strings.Contains(all, marker) {
				t.Errorf("%s: %q is exported: %s", name, marker, all)
			}
		}
	}
}
