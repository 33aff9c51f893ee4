package fliggytest

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/fliggy-go/rentcar"
)

// Handle lets h serve the API called method, of TOP or of Qimen. A nil h takes it
// away again.
//
// h runs without any lock, on the goroutine of the request; ctx ends with the client or the gateway. Its result is a
// struct with `top` or json tags, or a pointer to one, and is encoded in the format asked for, the request id added; or
// a rentcar.Raw, sent as it is; or nil for a reply without members. A success flag that is false is left
// out unless its tag says keep: refuse with an error instead. A
// *rentcar.BusinessError is answered as a reply whose success flag is false, a
// *rentcar.GatewayError as error_response with its codes; any other error, and a
// panic, as code 15, sub code isp.unknown-error.
func (g *Gateway) Handle(method string, h func(ctx context.Context, r *Request) (any, error)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.handlers[method] = h
}

// A handlerFunc is what [Gateway.Handle] takes.
type handlerFunc func(ctx context.Context, r *Request) (any, error)

func (g *Gateway) handler(method string) handlerFunc {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.handlers[method]
}

// call calls the handler and makes an error of a panic.
func (h handlerFunc) call(ctx context.Context, r *Request) (result any, err error) {
	defer func() {
		if v := recover(); v != nil {
			result, err = nil, fmt.Errorf("the handler panicked: %v", v)
		}
	}()
	return h(ctx, r)
}

// serve answers one request.
func (g *Gateway) serve(w http.ResponseWriter, in *http.Request, qimen bool) {
	r := &Request{Time: g.now(), Qimen: qimen, wireTime: g.wireNow()}
	err := r.read(w, in, g.secret())
	x := &exchange{g: g, r: r}
	if !qimen && g.handler(r.Method) == nil {
		x.op = g.operations[r.Method]
	}
	r.findArgument(x.op)
	g.log.add(r)
	if err == nil {
		err = g.check(r)
	}
	refused := err != nil
	if err == nil {
		x.fault = g.faults.take(*r, g.now())
	}
	var rep reply
	deliver := deliverWhole
	if err != nil {
		rep = r.encoding(x.op).answer(nil, err)
	} else {
		rep, deliver = x.run(in.Context())
	}
	g.log.finish(r, Answer{
		Executed: x.executed, Code: rep.code, Fault: x.fault.name, HTTPStatus: rep.status, Body: rep.body,
	}, refused)
	deliver(w, in, rep)
	x.afterwards()
}

// An exchange is one request on its way through the gateway.
type exchange struct {
	g        *Gateway
	r        *Request
	op       *operation // nil for an API with a Handler
	fault    Fault
	executed bool
	after    func() // what follows from the request once it is answered
}

// run carries the request out, with the fault that hits it. A client that hangs
// up while it is kept waiting gets no answer.
func (x *exchange) run(ctx context.Context) (reply, delivery) {
	f := &x.fault
	var result any
	var err error
	if !f.commit && !f.pause(ctx) {
		return reply{}, deliverNothing
	}
	if f.commit || !f.instead {
		result, err = x.execute(ctx)
		x.executed = err == nil
	}
	if f.commit {
		x.afterwards() // the world goes on while the caller waits
		if !f.pause(ctx) {
			return reply{}, deliverNothing
		}
	}
	deliver := f.deliver
	if deliver == nil {
		deliver = deliverWhole
	}
	enc := x.r.encoding(x.op)
	switch {
	case f.body != nil:
		rep := *f.body
		if rep.contentType == "" {
			rep.contentType = enc.contentType()
		}
		return rep, deliver
	case f.answer != nil:
		result, err = nil, f.answer(f.left)
	case f.instead && !f.commit:
		result, err = nil, errUnavailable
	case f.noFlag && err == nil:
		result = withoutFlag(result)
	}
	return enc.answer(result, err), deliver
}

var errUnavailable = gatewayError("10", "Service Currently Unavailable", "", "")

// execute lets the service do what the request asks for.
func (x *exchange) execute(ctx context.Context) (any, error) {
	if x.op == nil {
		h := x.g.handler(x.r.Method)
		if h == nil {
			return nil, gatewayError("22", "Invalid method", "", "") // taken away meanwhile
		}
		own := *x.r
		return h.call(ctx, &own)
	}
	req, err := x.op.decode(x.r)
	if err != nil {
		return nil, err
	}
	result, err := x.g.state.do(x.op, moment{x.g.now(), x.r.ID}, req)
	if submitted, ok := result.(*rentcar.RenewalSubmitResult); ok && err == nil {
		x.after = x.g.decideSoon(submitted.RenewalOrderID)
	}
	return result, err
}

// afterwards does once what follows from the request.
func (x *exchange) afterwards() {
	if x.after != nil {
		x.after()
		x.after = nil
	}
}

// wait waits for d, or for ever if d is negative. It is false when ctx ended
// first.
func wait(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return true
	}
	var over <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		over = t.C
	}
	select {
	case <-over:
		return true
	case <-ctx.Done():
		return false
	}
}
