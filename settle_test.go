package rentcar

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jarcoal/httpmock"
	"pgregory.net/rapid"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

// The renewals of the tests: Fliggy's ids of this one and of others.
const (
	thisRenewal  = fliggy.ID("3187983531024266527")
	otherRenewal = fliggy.ID("3187983531024266528")
)

func unknownSubmit() *RenewalSubmitRequest {
	return &RenewalSubmitRequest{
		OrderID: mainOrder, OutOrderID: outOrder, RenewalOutOrderID: outRenewal, ChannelID: fliggy.ChannelAmap,
	}
}

func accepted(order fliggy.ID, outOrder string, renewal fliggy.ID) *events.RenewalAccepted {
	return &events.RenewalAccepted{
		Envelope: events.Envelope{OrderID: order, OutOrderID: outOrder}, RenewalOrderID: renewal,
	}
}

func rejected(order fliggy.ID, outOrder string, renewal fliggy.ID) *events.RenewalRejected {
	return &events.RenewalRejected{
		Envelope: events.Envelope{OrderID: order, OutOrderID: outOrder}, RenewalOrderID: renewal, ErrorCode: "71008",
	}
}

func refunded(renewalOutOrder string, order fliggy.ID, outOrder string, renewal fliggy.ID) *events.RenewalFeeRefund {
	return &events.RenewalFeeRefund{
		Envelope: events.Envelope{OrderID: order, OutOrderID: outOrder}, RenewalOrderID: renewal,
		RenewalOutOrderID: renewalOutOrder,
	}
}

// mustNotProbe fails where an event should have decided.
func mustNotProbe(t testing.TB) func(context.Context, *RenewalSubmitRequest) (Verdict, error) {
	return func(context.Context, *RenewalSubmitRequest) (Verdict, error) {
		t.Error("the platform was asked")
		return VerdictStillUnknown, nil
	}
}

// What events say of a renewal.
func TestSettleByEvents(t *testing.T) {
	t.Parallel()
	const done, no, unknown = VerdictDone, VerdictRejected, VerdictStillUnknown
	none, others := []fliggy.ID{}, []fliggy.ID{"1", otherRenewal}
	list := func(e ...events.Event) []events.Event { return e }
	for name, tc := range map[string]struct {
		events  []events.Event
		others  []fliggy.ID
		verdict Verdict
		id      fliggy.ID
		by      int    // which event decided, -1 for none
		clash   string // the numbers that contradict each other
	}{
		"accepted, own id":            {list(accepted("", outRenewal, thisRenewal)), nil, done, thisRenewal, 0, ""},
		"rejected, own id":            {list(rejected("", outRenewal, thisRenewal)), nil, no, thisRenewal, 0, ""},
		"refund, own id":              {list(refunded(outRenewal, "", "", thisRenewal)), nil, done, thisRenewal, 0, ""},
		"refund, own id outside":      {list(refunded("", "", outRenewal, thisRenewal)), nil, done, thisRenewal, 0, ""},
		"accepted, no id of Fliggy's": {list(accepted("", outRenewal, "")), nil, done, "", 0, ""},
		"own id, another main order":  {list(accepted("9", outRenewal, thisRenewal)), nil, done, thisRenewal, 0, ""},
		"own id, also among others": {
			list(accepted("", outRenewal, thisRenewal)), []fliggy.ID{thisRenewal}, done, thisRenewal, 0, "",
		},
		"accepted, main order":         {list(accepted(mainOrder, outOrder, thisRenewal)), others, done, thisRenewal, 0, ""},
		"rejected, main order":         {list(rejected(mainOrder, "", thisRenewal)), none, no, thisRenewal, 0, ""},
		"refund, main order":           {list(refunded("", mainOrder, "", thisRenewal)), none, done, thisRenewal, 0, ""},
		"own main order only":          {list(rejected("", outOrder, thisRenewal)), none, no, thisRenewal, 0, ""},
		"main order, others unknown":   {list(accepted(mainOrder, outOrder, thisRenewal)), nil, unknown, "", -1, ""},
		"main order, another renewal":  {list(accepted(mainOrder, outOrder, otherRenewal)), others, unknown, "", -1, ""},
		"main order, no renewal named": {list(accepted(mainOrder, outOrder, "")), none, unknown, "", -1, ""},
		"another main order":           {list(accepted("9", "other", thisRenewal)), none, unknown, "", -1, ""},
		"another's main order id":      {list(rejected("9", outOrder, thisRenewal)), none, unknown, "", -1, ""},
		"no main order":                {list(rejected("", "", thisRenewal)), none, unknown, "", -1, ""},
		"refund of another":            {list(refunded("RC9", mainOrder, outOrder, thisRenewal)), none, unknown, "", -1, ""},
		"refund of another, own id": {
			list(refunded("RC9", mainOrder, outRenewal, thisRenewal)), none, unknown, "", -1, "",
		},
		"among events of others": {
			list(
				rejected("9", "x", "8"), accepted(mainOrder, outOrder, otherRenewal), accepted("", outRenewal, thisRenewal),
				rejected("7", "", "6"),
			),
			others, done, thisRenewal, 2, "",
		},
		"told twice": {
			list(rejected("", outRenewal, thisRenewal), rejected("", outRenewal, thisRenewal)), nil, no, thisRenewal, 0, "",
		},
		"accepted and refunded": {
			list(refunded(outRenewal, "", "", thisRenewal), accepted("", outRenewal, thisRenewal)), nil, done, thisRenewal, 0,
			"",
		},
		"the id comes later": {
			list(accepted("", outRenewal, ""), accepted("", outRenewal, thisRenewal)), nil, done, thisRenewal, 1, "",
		},
		"the id came first": {
			list(accepted("", outRenewal, thisRenewal), accepted("", outRenewal, "")), nil, done, thisRenewal, 0, "",
		},
		"accepted and rejected": {
			list(accepted("", outRenewal, thisRenewal), rejected("", outRenewal, thisRenewal)), nil, unknown, "", -1,
			"103 and 104",
		},
		"rejected and refunded": {
			list(rejected("", outRenewal, thisRenewal), refunded(outRenewal, "", "", thisRenewal)), nil, unknown, "", -1,
			"104 and 142",
		},
		"two renewals": {
			list(accepted("", outRenewal, thisRenewal), accepted("", outRenewal, otherRenewal)), nil, unknown, "", -1,
			"103 and 103",
		},
		"two renewals, one unnamed": {
			list(accepted("", outRenewal, ""), accepted("", outRenewal, thisRenewal), accepted("", outRenewal, otherRenewal)),
			nil, unknown, "", -1, "103 and 103",
		},
		"nothing": {nil, none, unknown, "", -1, ""},
		"nil events": {
			list(
				nil, (*events.RenewalAccepted)(nil), (*events.RenewalRejected)(nil), (*events.RenewalFeeRefund)(nil),
				(*events.Unknown)(nil),
			),
			none, unknown, "", -1, "",
		},
		"nil, then one": {
			list(nil, (*events.RenewalRejected)(nil), accepted("", outRenewal, thisRenewal)), nil, done, thisRenewal, 2, "",
		},
		"events about no renewal": {list(
			&events.FeeRefund{Envelope: events.Envelope{OrderID: mainOrder, OutOrderID: outRenewal}},
			&events.Unknown{Envelope: events.Envelope{OrderID: mainOrder, OutOrderID: outRenewal, EventType: 105}},
		), none, unknown, "", -1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, g := clientFor(t, replyJSON(`{"successful":false,"ret_code":"404"}`))
			req := &SettleRequest{Submit: unknownSubmit(), Events: tc.events, Others: tc.others, OthersKnown: tc.others != nil}
			asks := tc.by < 0 && tc.clash == ""
			if !asks {
				req.Probe = mustNotProbe(t)
			}
			got, err := c.Renewals.Settle(context.Background(), req)
			if err != nil {
				t.Fatal(err)
			}
			if got.Verdict != tc.verdict || got.RenewalOrderID != tc.id {
				t.Errorf("%v, renewal %q; want %v, %q", got.Verdict, got.RenewalOrderID, tc.verdict, tc.id)
			}
			switch {
			case tc.by >= 0:
				if got.Event != tc.events[tc.by] || got.Err != nil {
					t.Errorf("decided by %v, error %v", got.Event, got.Err)
				}
			case tc.clash != "":
				if want := "rentcar: settle: events " + tc.clash + " contradict each other"; got.Event != nil || got.Err == nil ||
					got.Err.Error() != want {
					t.Errorf("event %v, error %v", got.Event, got.Err)
				}
			default:
				if got.Event != nil || !isA[*BusinessError](got.Err) || g.count() != 1 {
					t.Errorf("event %v, error %v after %d requests", got.Event, got.Err, g.count())
				}
			}
		})
	}
}

// The events of the guide settle a renewal by the id that they carry.
func TestSettleByTheSamples(t *testing.T) {
	t.Parallel()
	c, _ := clientFor(t, replyJSON(okReply))
	for file, want := range map[string]Verdict{
		"event-103.json": VerdictDone, "event-104.json": VerdictRejected, "event-142.json": VerdictDone,
	} {
		pushed, err := events.Parse([]byte(readFile(t, "testdata", "samples", file)))
		if err != nil {
			t.Fatal(err)
		}
		e, err := events.Parse(pushed.Raw()) // as it is stored and read back
		if err != nil {
			t.Fatal(err)
		}
		mine := e.Head().OutOrderID
		if refund, ok := e.(*events.RenewalFeeRefund); ok {
			mine = refund.RenewalOutOrderID
		}
		got, err := c.Renewals.Settle(context.Background(), &SettleRequest{
			Submit: &RenewalSubmitRequest{RenewalOutOrderID: mine}, Events: []events.Event{e}, Probe: mustNotProbe(t),
		})
		if err != nil || got.Verdict != want || got.Event != e || got.RenewalOrderID == "" {
			t.Errorf("%s: %+v, %v", file, got, err)
		}
	}
}

// An event 104 that is passed over for want of OthersKnown is named, beside what the probe says.
func TestSettleNamesA104ThatIsPassedOver(t *testing.T) {
	t.Parallel()
	const hint = "rentcar: settle: an event 104 names only the main order: see SettleRequest.OthersKnown"
	event := rejected(mainOrder, outOrder, thisRenewal)
	for name, tc := range map[string]struct {
		event   events.Event
		others  []fliggy.ID
		known   bool
		verdict Verdict // of the probe
		err     error   // of the probe
		want    string
	}{
		"found nothing":   {event, nil, false, VerdictStillUnknown, nil, hint},
		"failed":          {event, nil, false, VerdictStillUnknown, io.EOF, hint + "\nEOF"},
		"found it":        {event, nil, false, VerdictDone, nil, ""},
		"of another":      {event, []fliggy.ID{thisRenewal}, false, VerdictStillUnknown, nil, ""},
		"others known":    {event, []fliggy.ID{thisRenewal}, true, VerdictStillUnknown, nil, ""},
		"of another main": {rejected("9", "x", thisRenewal), nil, false, VerdictStillUnknown, nil, ""},
		"an event 103":    {accepted(mainOrder, outOrder, thisRenewal), nil, false, VerdictStillUnknown, nil, ""},
		"nil":             {(*events.RenewalRejected)(nil), nil, false, VerdictStillUnknown, nil, ""},
	} {
		c, _ := clientFor(t, replyJSON(okReply))
		got, err := c.Renewals.Settle(context.Background(), &SettleRequest{
			Submit: unknownSubmit(), Events: []events.Event{tc.event}, Others: tc.others, OthersKnown: tc.known,
			Probe: func(context.Context, *RenewalSubmitRequest) (Verdict, error) { return tc.verdict, tc.err },
		})
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		if got.Err != nil {
			text = got.Err.Error()
		}
		if got.Verdict != tc.verdict || text != tc.want || tc.err != nil && !errors.Is(got.Err, tc.err) {
			t.Errorf("%s: %v, error %q, want %q", name, got.Verdict, text, tc.want)
		}
	}
}

// The order of events does not matter, and whatever they are, what is not told is
// never rejected.
func TestSettleProperties(t *testing.T) {
	t.Parallel()
	c, _ := clientFor(t, replyJSON(`{"successful":false,"ret_code":"404"}`))
	settle := func(list []events.Event, others []fliggy.ID) *Settlement {
		got, err := c.Renewals.Settle(
			context.Background(),
			&SettleRequest{Submit: unknownSubmit(), Events: list, Others: others, OthersKnown: others != nil},
		)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	rapid.Check(t, func(t *rapid.T) {
		order := rapid.SampledFrom([]fliggy.ID{"", mainOrder, "9"})
		out := rapid.SampledFrom([]string{"", outOrder, outRenewal, "RC9"})
		renewal := rapid.SampledFrom([]fliggy.ID{"", thisRenewal, otherRenewal})
		event := rapid.Custom(func(t *rapid.T) events.Event {
			o, own, id := order.Draw(t, "order"), out.Draw(t, "own"), renewal.Draw(t, "renewal")
			return rapid.SampledFrom([]events.Event{
				accepted(o, own, id), rejected(o, own, id), refunded(out.Draw(t, "own renewal"), o, own, id),
				(*events.RenewalRejected)(nil), nil,
			}).Draw(t, "event")
		})
		list := rapid.SliceOfN(event, 0, 6).Draw(t, "events")
		var others []fliggy.ID
		if rapid.Bool().Draw(t, "others known") {
			others = []fliggy.ID{otherRenewal}
		}
		before := slices.Clone(list)
		got := settle(list, others)
		if !slices.Equal(before, list) {
			t.Fatal("the events were moved")
		}
		rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		if again := settle(list, others); again.Verdict != got.Verdict || again.RenewalOrderID != got.RenewalOrderID {
			t.Fatalf("%+v in one order, %+v in another", got, again)
		}
		told := slices.ContainsFunc(
			list, func(e events.Event) bool { r, ok := e.(*events.RenewalRejected); return ok && r != nil },
		)
		if got.Verdict == VerdictRejected && (!told || got.Event == nil) {
			t.Fatalf("rejected, and no event says so: %+v", got)
		}
		if (got.Verdict == VerdictStillUnknown) != (got.Event == nil) {
			t.Fatalf("%+v", got)
		}
	})
}

func TestSettleRequestProblems(t *testing.T) {
	t.Parallel()
	c, g := clientFor(t, replyJSON(okReply))
	required := fliggy.Problem{Field: "Submit", Rule: "is required: the request whose outcome is unknown"}
	ownID := fliggy.Problem{
		Field: "Submit.RenewalOutOrderID", Rule: "is required: without an id of yours the renewal cannot be told from others",
	}
	for name, tc := range map[string]struct {
		req  *SettleRequest
		want fliggy.Problem
	}{
		"nil":       {nil, required},
		"no submit": {&SettleRequest{Probe: mustNotProbe(t)}, required},
		"no own id": {
			&SettleRequest{
				Submit: &RenewalSubmitRequest{OrderID: mainOrder},
				Events: []events.Event{accepted(mainOrder, outOrder, thisRenewal)}, OthersKnown: true,
			},
			ownID,
		},
		"one id for both": {
			&SettleRequest{Submit: &RenewalSubmitRequest{OrderID: mainOrder, OutOrderID: outOrder, RenewalOutOrderID: outOrder}},
			fliggy.Problem{
				Field: "Submit.RenewalOutOrderID",
				Rule:  "must differ from OutOrderID and OrderID: by the id of the main order any of its renewals would be found",
			},
		},
	} {
		got, err := c.Renewals.Settle(context.Background(), tc.req)
		diff(
			t, name, &fliggy.ValidationError{Method: opRenewalSubmit.Method, Problems: []fliggy.Problem{tc.want}},
			as[*fliggy.ValidationError](t, err),
		)
		if got != nil || g.count() != 0 {
			t.Errorf("%s: %+v after %d requests", name, got, g.count())
		}
	}
}

func TestVerdictString(t *testing.T) {
	t.Parallel()
	got := []string{VerdictStillUnknown.String(), VerdictDone.String(), VerdictRejected.String(), Verdict(9).String()}
	diff(t, "verdicts", []string{"still unknown", "done", "rejected", "still unknown"}, got)
}

// Settle changes nothing it is given.
func TestSettleChangesNothing(t *testing.T) {
	t.Parallel()
	request := func() *SettleRequest {
		return &SettleRequest{
			Submit: unknownSubmit(), Others: []fliggy.ID{"2", "1"}, Events: []events.Event{accepted("9", "", "2")},
		}
	}
	req := request()
	req.Submit.ChannelID = "" // the client's is sent
	c, g := clientFor(t, replyJSON(`{"successful":true,"cancel_fee":"0.00"}`), WithChannel(fliggy.ChannelHello))
	for range 2 {
		if got, err := c.Renewals.Settle(context.Background(), req); err != nil || got.Verdict != VerdictDone {
			t.Errorf("%+v, %v", got, err)
		}
	}
	want := request()
	want.Submit.ChannelID = ""
	if d := cmp.Diff(
		want.Submit, req.Submit, values,
	); d != "" || !slices.Equal(want.Others, req.Others) || len(req.Events) != 1 {
		t.Errorf("the request was changed: %s", d)
	}
	if sent := g.last(t).form(t)[opRenewalCheckCancel.Param]; !strings.Contains(sent, string(fliggy.ChannelHello)) {
		t.Errorf("sent %s", sent)
	}
}

// A submit that ended unknown, from the call to the verdict.
func TestSettleAnUnknownSubmit(t *testing.T) {
	t.Parallel()
	c, g := clientFor(
		t, inTurn(failure(t, "HTTP 502"), replyJSON(`{"successful":true,"cancel_fee":"0.00"}`)), withRetries(),
	)
	_, err := c.Renewals.Submit(context.Background(), unknownSubmit())
	if !errors.Is(err, ErrOutcomeUnknown) || g.count() != 1 {
		t.Fatalf("%d requests: %v", g.count(), err)
	}
	got, err := c.Renewals.Settle(context.Background(), &SettleRequest{Submit: unknownSubmit()})
	diff(t, "settlement", &Settlement{Verdict: VerdictDone}, got)
	if err != nil || g.last(t).query(t)["method"] != opRenewalCheckCancel.Method {
		t.Errorf("%v after a call of %s", err, g.last(t).query(t)["method"])
	}
}

// The probe of Settle goes out with the caller's options.
func TestSettleOptions(t *testing.T) {
	t.Parallel()
	c, g := clientFor(t, replyJSON(okReply))
	if _, err := c.Renewals.Settle(
		t.Context(), &SettleRequest{Submit: unknownSubmit()}, CallSession("mine"), CallMember("extra", "x"),
	); err != nil {
		t.Fatal(err)
	}
	if got := g.last(t).query(t)["session"]; got != "mine" {
		t.Errorf("session %q", got)
	}
}

// What the default probe makes of the platform's answers: a success is a proof,
// nothing else is.
func TestSettleByTheDefaultProbe(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		respond httpmock.Responder
		verdict Verdict
		sent    int
		kind    string // of the error
		is      error
	}{
		"it exists": {replyJSON(`{"successful":true,"cancel_fee":"1.60"}`), VerdictDone, 1, "success", nil},
		"refused": {
			replyJSON(`{"successful":false,"ret_code":"404","ret_msg":"no such renewal"}`), VerdictStillUnknown, 1,
			"business error", nil,
		},
		"no such order": {
			gatewayFailure("15", "isv.order-not-exist", ""), VerdictStillUnknown, 1, "gateway error", fliggy.ErrInvalidRequest,
		},
		"forbidden":      {gatewayFailure("11", "", ""), VerdictStillUnknown, 1, "gateway error", ErrForbidden},
		"unavailable":    {gatewayFailure("10", "", ""), VerdictStillUnknown, 3, "gateway error", ErrUnavailable},
		"lost":           {failure(t, "EOF"), VerdictStillUnknown, 3, "transport error", ErrUnavailable},
		"no connection":  {dialFailure(), VerdictStillUnknown, 3, "transport error", ErrUnavailable},
		"not understood": {replyJSON(`{"ret_code":"1"}`), VerdictStillUnknown, 3, "decode error", nil},
		// the page has one in every success
		"no fee": {replyJSON(okReply), VerdictStillUnknown, 3, "decode error", nil},
		"banned": {banFor("60"), VerdictStillUnknown, 1, "gateway error", ErrRateLimited},
		"lost, then it exists": {
			inTurn(failure(t, "EOF"), gatewayFailure("10", "", ""), replyJSON(`{"successful":true,"cancel_fee":"0.00"}`)),
			VerdictDone, 3, "success", nil,
		},
		"lost, then refused": {
			inTurn(failure(t, "EOF"), replyJSON(refusedReply)), VerdictStillUnknown, 2, "business error", nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, g := clientFor(t, tc.respond, withFakeTime(&fakeTime{}))
			got, err := c.Renewals.Settle(context.Background(), &SettleRequest{Submit: unknownSubmit()})
			if err != nil {
				t.Fatal(err)
			}
			if got.Verdict != tc.verdict || got.Event != nil || got.RenewalOrderID != "" || g.count() != tc.sent {
				t.Errorf("%+v after %d requests, want %v after %d", got, g.count(), tc.verdict, tc.sent)
			}
			diff(t, "error", tc.kind, verdict(got.Err))
			if tc.is != nil && !errors.Is(got.Err, tc.is) || errors.Is(got.Err, ErrOutcomeUnknown) {
				t.Errorf("%v, want %v", got.Err, tc.is)
			}
			want := `{"out_order_id":"` + outRenewal + `","channel_id":"80001"}`
			diff(t, "request", map[string]string{opRenewalCheckCancel.Param: want}, g.last(t).form(t))
		})
	}
}

// What keeps the default probe from asking leaves the outcome unknown.
func TestSettleWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	over, cancel := context.WithCancel(context.Background())
	cancel()
	unsendable := unknownSubmit()
	unsendable.RenewalOutOrderID = "\xff"
	for name, tc := range map[string]struct {
		ctx    context.Context
		submit *RenewalSubmitRequest
		opts   []Option
		is     error
	}{
		"context over": {over, unknownSubmit(), nil, context.Canceled},
		"no context":   {nil, unknownSubmit(), nil, fliggy.ErrInvalidRequest},
		"unsendable":   {context.Background(), unsendable, nil, fliggy.ErrInvalidRequest},
		"limiter":      {context.Background(), unknownSubmit(), []Option{WithLimiter(refusing(0))}, ErrRateLimited},
	} {
		c, g := clientFor(t, replyJSON(okReply), tc.opts...)
		got, err := c.Renewals.Settle(tc.ctx, &SettleRequest{Submit: tc.submit})
		if err != nil || got.Verdict != VerdictStillUnknown || !errors.Is(got.Err, tc.is) || g.count() != 0 {
			t.Errorf("%s: %+v, %v after %d requests", name, got, err, g.count())
		}
		// An event decides all the same.
		got, err = c.Renewals.Settle(
			tc.ctx, &SettleRequest{Submit: tc.submit, Events: []events.Event{rejected("", tc.submit.RenewalOutOrderID, "")}},
		)
		if err != nil || got.Verdict != VerdictRejected || got.Err != nil {
			t.Errorf("%s, with an event: %+v, %v", name, got, err)
		}
	}
}

// A probe of the caller's: its verdict counts unless it has failed.
func TestSettleByOwnProbe(t *testing.T) {
	t.Parallel()
	type key struct{}
	ctx := context.WithValue(context.Background(), key{}, "mine")
	broken := errors.New("no answer")
	for name, tc := range map[string]struct {
		verdict Verdict
		err     error
		want    Settlement
		text    string
	}{
		"done":             {VerdictDone, nil, Settlement{Verdict: VerdictDone}, ""},
		"rejected":         {VerdictRejected, nil, Settlement{Verdict: VerdictRejected}, ""},
		"unknown":          {VerdictStillUnknown, nil, Settlement{}, ""},
		"failed":           {VerdictStillUnknown, broken, Settlement{}, "no answer"},
		"done, failed":     {VerdictDone, broken, Settlement{}, "no answer"},
		"rejected, failed": {VerdictRejected, broken, Settlement{}, "no answer"},
		"no verdict": {
			VerdictRejected + 1, nil, Settlement{}, "rentcar: settle: the probe answered 3, which is no verdict",
		},
		"invalid, failed": {255, broken, Settlement{}, "no answer"},
	} {
		c, g := clientFor(t, replyJSON(okReply))
		submit := &RenewalSubmitRequest{OrderID: mainOrder} // a probe may need no more
		asked := 0
		req := &SettleRequest{
			Submit: submit, Events: []events.Event{accepted(mainOrder, "", otherRenewal), rejected("", "", thisRenewal)},
			Others: []fliggy.ID{otherRenewal}, OthersKnown: true,
			Probe: func(ctx context.Context, s *RenewalSubmitRequest) (Verdict, error) {
				asked++
				if s != submit || ctx.Value(key{}) != "mine" {
					t.Errorf("%s: asked for %+v", name, s)
				}
				return tc.verdict, tc.err
			},
		}
		got, err := c.Renewals.Settle(ctx, req)
		if err != nil || asked != 1 || g.count() != 0 {
			t.Fatalf("%s: %v, asked %d times, %d requests", name, err, asked, g.count())
		}
		if text := got.Err; (text == nil) != (tc.text == "") || text != nil && text.Error() != tc.text {
			t.Errorf("%s: error %v, want %s", name, text, tc.text)
		}
		if tc.err != nil && !errors.Is(got.Err, tc.err) {
			t.Errorf("%s: %v is lost", name, tc.err)
		}
		got.Err = nil
		diff(t, name, &tc.want, got)
		// An event that decides is enough, also without an id of the caller's.
		req.Events = append(req.Events, accepted(mainOrder, "", thisRenewal))
		if got, err = c.Renewals.Settle(ctx, req); err != nil || got.Verdict != VerdictDone || asked != 1 {
			t.Errorf("%s, with an event: %+v, %v, asked %d times", name, got, err, asked)
		}
	}
}
