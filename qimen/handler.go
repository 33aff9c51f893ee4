package qimen

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
)

// A Handler serves the pushes of the Qimen gateway. Make it with [NewHandler]. It is immutable and safe for concurrent
// use.
type Handler struct{ config }

// An operation decodes a delivery and records what it finds in s and o. An error means that the message cannot be
// decoded.
type operation func(h *Handler, s *signedPush, o *Observation) (job, error)

// NewHandler returns a handler that accepts pushes signed with one of secrets. It needs at least one function:
// [OnEvent] for a distributor; [OnRenewalPrices], [OnRenewalSubmit] and [OnRenewalCancel] for a merchant. The error
// lists every invalid setting and how to fix it.
func NewHandler(secrets Secrets, opts ...Option) (*Handler, error) {
	h := &Handler{config: defaultConfig()}
	var problems []error
	note := func(err error) {
		if err != nil {
			problems = append(problems, fmt.Errorf("qimen: %w", err))
		}
	}
	ring, err := newKeyring(secrets)
	note(err)
	h.ring = ring
	for i, opt := range opts {
		if opt == nil {
			note(fmt.Errorf("option %d is nil", i+1))
			continue
		}
		note(opt(&h.config))
	}
	if h.onEvent != nil {
		if h.operations[h.eventMethod] != nil {
			note(fmt.Errorf("WithEventMethod: %s has another function already", top.Quote(h.eventMethod, 80)))
		}
		h.operations[h.eventMethod] = handleEvent
	}
	if h.store != nil && h.onEvent == nil {
		note(errors.New("WithStore: OnEvent is missing: pass the function that handles stored events"))
	}
	if len(h.operations) == 0 {
		note(
			errors.New(
				"no function is registered: pass OnEvent(...) to receive events, OnRenewalPrices(...), OnRenewalSubmit(...) or " +
					"OnRenewalCancel(...) to serve renewals",
			),
		)
	}
	if !h.hasOwnGate {
		h.gate, err = NewMemoryGate(MemoryGateConfig{Age: max(DefaultGateAge, 2*h.window), Now: h.now})
		note(err)
	}
	switch g, ok := h.gate.(*MemoryGate); {
	case !ok:
	case g == nil:
		note(errors.New("WithGate: the gate is a nil *MemoryGate: make it with NewMemoryGate"))
	case g.age < 2*h.window:
		note(
			fmt.Errorf(
				"WithGate: it forgets after %v: use at least %v, twice the window, since a push can be repeated that long", g.age,
				2*h.window,
			),
		)
	}
	if problems != nil {
		return nil, errors.Join(problems...)
	}
	return h, nil
}

// Timeout returns the time limit of your functions: see [WithHandlerTimeout].
func (h *Handler) Timeout() time.Duration { return h.timeout }

// Verify checks the signature of p and the age of its timestamp. The error matches [ErrInvalidSignature] or
// [ErrExpired], or is a [*fliggy.PanicError] if the clock of [WithClock] panicked.
func (h *Handler) Verify(p *Push) (d *Delivery, err error) {
	defer contain(func(p *fliggy.PanicError) { d, err = nil, p })
	s, err := h.verify(p)
	if err != nil {
		return nil, err
	}
	if err := s.CheckTime(h.now(), h.window); err != nil {
		return nil, err
	}
	return &s.Delivery, nil
}

// verify checks the signature and enforces WithoutForms.
func (h *Handler) verify(p *Push) (*signedPush, error) {
	s, err := h.ring.verify(p, h.headerLimit)
	if err == nil && s.IsForm && h.refusesForms {
		return nil, unsupportedContentType("a form, or parameters in the query without a body: WithoutForms is set")
	}
	return s, err
}

// Handle is ServeHTTP without HTTP: it verifies p, parses it, calls the function registered for it, reports to observer
// and logger, and returns the reply. [WithAllowedClients] has no effect on it.
func (h *Handler) Handle(ctx context.Context, p *Push) Reply {
	start, ctx := time.Now(), h.tracePush(ctx, nil)
	o, own := h.process(ctx, p, false)
	reply := h.finish(&o, own, start)
	h.report(ctx, o)
	return reply.clone()
}

// ServeHTTP handles one push: [ReadPush], [Handler.Handle], reply. It refuses a request before it reads the body if the
// client is not allowed, if the request is neither a POST nor a GET with a query and no body, if the content type is
// not supported, or if the body is compressed or too large.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	if h.tracer != nil {
		r = r.WithContext(h.tracePush(r.Context(), r.Header))
	}
	o, own := h.receive(w, r)
	reply := h.finish(&o, own, start)
	if o.Reason == ReasonBadMethod {
		w.Header().Set("Allow", "GET, POST")
	}
	if o.Reason == ReasonTooSlow && r.ProtoMajor == 1 { // its connection can no longer be read
		w.Header().Set("Connection", "close")
	}
	if reply.ContentType != "" {
		w.Header().Set(headerContentType, reply.ContentType)
	}
	if len(reply.Body) > 0 {
		w.Header().Set("Content-Length", strconv.Itoa(len(reply.Body)))
	}
	w.WriteHeader(reply.Status)
	if len(reply.Body) > 0 {
		_, err := w.Write(reply.Body)
		if err == nil { // the gateway does not wait for the observer
			err = http.NewResponseController(w).Flush()
		}
		if err != nil && !errors.Is(err, http.ErrNotSupported) {
			o.Err = errors.Join(o.Err, fmt.Errorf("qimen: writing the reply: %w", err))
		}
	}
	h.report(r.Context(), o)
}

// finish returns the reply: own if it is set, otherwise the row of the table.
func (h *Handler) finish(o *Observation, own *Reply, start time.Time) Reply {
	reply := h.replies[o.Reason]
	if own != nil {
		reply = *own
	}
	o.Status, o.Duration = reply.Status, time.Since(start)
	return reply
}

// receive handles a request, from the client check to the reply.
func (h *Handler) receive(w http.ResponseWriter, r *http.Request) (o Observation, own *Reply) {
	client, err := h.clients.admit(r)
	var p *Push
	var wasRead bool
	if err == nil {
		p, wasRead, err = h.read(w, r)
	}
	if err != nil {
		o.Reason, o.Err = reasonOf(err), err
		h.limitRest(w, r, o.Reason)
	} else {
		o, own = h.process(r.Context(), p, wasRead)
	}
	o.Client = client
	return o, own
}

// read does the checks that need no body, and reads the body.
func (h *Handler) read(w http.ResponseWriter, r *http.Request) (p *Push, wasRead bool, err error) {
	if r.Method != http.MethodPost && !isBareGet(r) {
		text := top.Quote(r.Method, 20) + ": want POST, or GET with a query and no body"
		return nil, false, &refusal{errBadMethod, ReasonBadMethod, text}
	}
	if contentType := r.Header.Get(headerContentType); contentType != "" || !isBareGet(r) {
		if _, _, err := checkContentType(contentType); err != nil {
			return nil, false, err
		}
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), h.readTimeout, errReadTimeout)
	defer cancel()
	return readPush(ctx, w, r, h.headerLimit, h.bodyLimit)
}

var errReadTimeout = errors.New("read timeout")

// limitRest limits the time that net/http waits for the rest of a refused body, which it reads before it sends the
// reply.
func (h *Handler) limitRest(w http.ResponseWriter, r *http.Request, reason Reason) {
	if r.Body == nil || r.Body == http.NoBody || reason == ReasonTooSlow {
		return
	}
	timeout := h.readTimeout
	if server, ok := r.Context().Value(http.ServerContextKey).(*http.Server); ok && server.ReadTimeout > 0 {
		timeout = min(timeout, server.ReadTimeout)
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(timeout)) // fails if w does not support it
}

// process verifies and handles a push. wasRead reports whether something may have read the body before. It never
// panics.
func (h *Handler) process(ctx context.Context, p *Push, wasRead bool) (o Observation, own *Reply) {
	defer contain(func(p *fliggy.PanicError) { o.Reason, o.Err, own = ReasonPanic, p, nil })
	if p != nil && int64(len(p.Body)) > h.bodyLimit { // ServeHTTP has checked this already
		return Observation{Reason: ReasonTooLarge, Err: tooLarge(h.bodyLimit)}, nil
	}
	s, err := h.verify(p)
	if err == nil {
		o.Method, o.AppKey = s.Method, s.AppKey
		err = s.CheckTime(h.now(), h.window)
	}
	if err != nil {
		if wasRead && reasonOf(err) == ReasonBadSignature {
			err = errBodyRead
		}
		o.Reason, o.Err = reasonOf(err), err
		return o, nil
	}
	return h.perform(ctx, s, h.gate)
}

// perform decodes a delivery, passes it through the gate, if there is one, and runs the function registered for it.
// A stored delivery has no sign. It never panics.
func (h *Handler) perform(ctx context.Context, s *signedPush, gate Gate) (o Observation, own *Reply) {
	d := &s.Delivery
	defer contain(func(p *fliggy.PanicError) { o.Reason, o.Err, own = ReasonPanic, p, nil })
	o.Method, o.AppKey, o.Attempt = d.Method, d.AppKey, d.Attempt
	if d.IsGarbled {
		o.Reason, o.Err = ReasonUndecodable, errGarbled
		return o, nil
	}
	decode, ok := h.operations[d.Method]
	if !ok {
		o.Reason, o.Err = ReasonUnknownMethod, fmt.Errorf(
			"qimen: no function is registered for method %s", top.Quote(d.Method, 80),
		)
		return o, nil
	}
	j, err := decode(h, s, &o)
	if h.store != nil && s.sign != "" && d.Method == h.eventMethod {
		j, err = h.storeJob(s, &o, j, err), nil
	}
	if err != nil {
		o.Reason, o.Err = ReasonUndecodable, err
		return o, nil
	}
	j.sign = s.sign
	d.Key, d.Digest = j.key, j.digest
	o.Key, o.IsConflict = j.key, d.IsConflict
	return o, h.pass(ctx, gate, d, j, &o)
}

// work runs j with the handler timeout. A nil reply selects the row of the table.
func (h *Handler) work(ctx context.Context, j job, o *Observation) *Reply {
	ctx, cancel := context.WithTimeout(h.traceFunction(ctx, o), h.timeout)
	defer cancel()
	// Also after a panic of the function, or its runtime.Goexit.
	defer func() { h.traceEnd(func(t Tracer) { t.TraceFunctionEnd(ctx, *o) }) }()
	var body []byte
	o.Reason = ReasonPanic // until the function returns
	o.Reason, body, o.Err = j.run(ctx)
	if o.Reason == ReasonAccepted && body != nil { // a merchant's reply
		return &Reply{Status: http.StatusOK, ContentType: jsonContentType, Body: body}
	}
	if o.Reason == ReasonHandlerError {
		return h.refuse(o)
	}
	return nil
}

// refuse returns the reply to a Refusal in the error of your function, or nil.
func (h *Handler) refuse(o *Observation) *Reply {
	var refusal *Refusal
	if !errors.As(o.Err, &refusal) || refusal == nil {
		return nil
	}
	o.Reason = ReasonRefused
	reply := h.replies[ReasonRefused]
	if reply.Render == nil {
		return nil
	}
	reply.Body = reply.Render(refusal.Code, refusal.Message)
	return &reply
}

// message returns the message of a delivery, for read-only use: a body that is the message is not copied.
func (h *Handler) message(d *Delivery) ([]byte, error) {
	switch {
	case h.payload != nil:
		return h.payload(d)
	case !d.IsForm && !d.IsGarbled && string(d.Push.Body) == d.Text:
		return d.Push.Body, nil
	}
	return d.Payload()
}

// handleEvent decodes an event.
func handleEvent(h *Handler, s *signedPush, o *Observation) (job, error) {
	d := &s.Delivery
	payload, err := h.message(d)
	if err != nil {
		return job{}, err
	}
	event, err := events.Parse(payload)
	if err != nil {
		return job{}, err
	}
	digest, err := checkedDigest(s.charset, payload)
	if err != nil {
		return job{}, err
	}
	d.Findings = findings(event.Validate())
	o.EventType, o.Findings = event.Type(), d.Findings
	o.note(event.Head().OrderID, event.Head().OutOrderID)
	return job{
		key: eventKey(d.AppKey, digest, event), digest: digest,
		run: func(ctx context.Context) (Reason, []byte, error) {
			if err := h.onEvent(ctx, d, event); err != nil {
				return ReasonHandlerError, nil, err
			}
			return ReasonAccepted, nil, nil
		},
	}, nil
}

// findings returns the problems in a validation error.
func findings(err error) []fliggy.Problem {
	if err == nil {
		return nil
	}
	if invalid := (*fliggy.ValidationError)(nil); errors.As(err, &invalid) {
		return invalid.Problems
	}
	return []fliggy.Problem{{Rule: err.Error()}}
}

// String returns the settings, without secrets.
func (h Handler) String() string {
	return fmt.Sprintf("Handler(%d methods, window %v, bodies up to %d bytes, secrets redacted)",
		len(h.operations), h.window, h.bodyLimit)
}

// Format writes String for every verb.
func (h Handler) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, h.String()) }

// MarshalJSON writes String.
func (h Handler) MarshalJSON() ([]byte, error) { return json.Marshal(h.String()) }
