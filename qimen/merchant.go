package qimen

import (
	"context"
	"errors"
	"fmt"

	"github.com/fliggy-go/rentcar/fliggy"
)

// A Refusal is the answer no: the request was understood, and will not be done.
// Make one with [Refuse].
type Refusal struct {
	Code    string // retCode
	Message string // retMessage
}

// Refuse makes the error for a request that you will not carry out. Fliggy gets
// success false with your code and message, and HTTP 200; the message may be shown
// to the customer. Inferred: the documents show no refusal, and no codes; choose your
// own.
//
// Any other error tells Fliggy nothing but that the system failed: use it where
// trying again may help.
func Refuse(code, message string) error { return &Refusal{Code: code, Message: message} }

// Error gives code and message.
func (r *Refusal) Error() string {
	if r == nil { // a nil pointer in an error: answered as any other error
		return "qimen: refused: a nil *Refusal"
	}
	return fmt.Sprintf("qimen: refused: %s: %s", r.Code, r.Message)
}

// OnRenewalPrices registers the function that prices renewals. It moves nothing,
// and may be called any number of times for one order.
//
// The reply is checked ([RenewalPricesReply.Validate]) before it goes out. Return
// [Refuse] for a renewal that is not possible; any other error is answered with
// HTTP 500, without its text.
//
// Source: qimen.alitrip.rentcar.renewalprices.query.
func OnRenewalPrices(f func(ctx context.Context, d *Delivery, r *RenewalPricesRequest) (*RenewalPricesReply, error)) Option {
	return serve("OnRenewalPrices", RenewalPricesMethod, f)
}

// OnRenewalSubmit registers the function that books renewals. Inferred: Fliggy may
// send a submit again when it did not learn the answer, so book a renewal once and
// give the same reply again.
//
// Compare the total with your quote: pricing.CheckTotal. Return [Refuse] for what
// you will not book. Any other error is answered with HTTP 500, without its text,
// and leaves open to Fliggy whether the renewal is booked.
//
// Source: qimen.alitrip.rentcar.renewalorder.submit.
func OnRenewalSubmit(f func(ctx context.Context, d *Delivery, r *RenewalSubmitRequest) (*RenewalSubmitReply, error)) Option {
	return serve("OnRenewalSubmit", RenewalSubmitMethod, f)
}

// OnRenewalCancel registers the function that cancels renewals. Inferred: Fliggy may
// send a cancellation again when it did not learn the answer, so say success for a
// renewal that is cancelled already.
//
// Errors are answered as those of [OnRenewalSubmit].
//
// Source: qimen.alitrip.rentcar.renewalorder.cancel.
func OnRenewalCancel(f func(ctx context.Context, d *Delivery, r *RenewalCancelRequest) (*RenewalCancelReply, error)) Option {
	return serve("OnRenewalCancel", RenewalCancelMethod, f)
}

// A merchantRequest is a pointer to one of the three requests.
type merchantRequest[T any] interface {
	*T
	Validate() error
	ids() (fliggy.ID, string)
	pressureTest() bool
	// key names the request at the gate; it is empty for one that may be repeated.
	key(appKey, digest string) string
}

// A merchantReply is a pointer to one of the three replies.
type merchantReply[T any] interface {
	*T
	Validate() error
	MarshalJSON() ([]byte, error)
}

func (r *RenewalPricesRequest) ids() (fliggy.ID, string) { return r.OrderID, r.OutOrderID }
func (r *RenewalSubmitRequest) ids() (fliggy.ID, string) { return r.OrderID, r.OutOrderID }
func (r *RenewalCancelRequest) ids() (fliggy.ID, string) { return r.OrderID, r.OutOrderID }

func (r *RenewalPricesRequest) pressureTest() bool { return r.IsPressureTest }
func (r *RenewalSubmitRequest) pressureTest() bool { return r.IsPressureTest }
func (r *RenewalCancelRequest) pressureTest() bool { return r.IsPressureTest }

// requestOf returns the JSON of a merchant's request, with the members that travel as parameters.
func requestOf[Req any](h *Handler, d *Delivery) ([]byte, error) {
	payload, err := h.message(d)
	if err != nil || h.payload != nil || h.refusesForms {
		return payload, err
	}
	if d.IsForm && d.Push != nil && len(d.Push.Body) == 0 { // parameters of other names are no part of the request
		payload = []byte("{}")
	}
	return withParams[Req](payload, d.Params)
}

// replyJSON returns the JSON of a merchant's reply.
func replyJSON[T any, P merchantReply[T]](reply P, check bool) ([]byte, error) {
	if reply == nil {
		return nil, errors.New("the function returned neither a reply nor an error")
	}
	if check {
		if err := reply.Validate(); err != nil {
			return nil, err
		}
	}
	return reply.MarshalJSON()
}

// serve makes the option that registers f for a method.
func serve[Req, Rep any, PReq merchantRequest[Req], PRep merchantReply[Rep]](
	option, method string, f func(context.Context, *Delivery, PReq) (PRep, error),
) Option {
	decode := func(h *Handler, d *Delivery, o *Observation) (task, error) {
		payload, err := requestOf[Req](h, d)
		if err != nil {
			return task{}, err
		}
		request := PReq(new(Req))
		if err := readMessage(payload, (*Req)(request)); err != nil {
			return task{}, err
		}
		if orderID, outOrderID := request.ids(); saysNothing(string(orderID)) && saysNothing(outOrderID) {
			return task{}, errNoID
		}
		digest, err := checkedDigest(d, payload)
		if err != nil {
			return task{}, err
		}
		d.Findings = findings(request.Validate())
		o.Findings, o.IsPressureTest = d.Findings, request.pressureTest()
		o.note(request.ids())
		return task{
			key: request.key(d.AppKey, digest), digest: digest,
			run: func(ctx context.Context) (Reason, []byte, error) {
				reply, err := f(ctx, d, request)
				if err != nil {
					return ReasonHandlerError, nil, err
				}
				body, err := replyJSON[Rep](reply, h.checkReplies)
				if err != nil {
					return ReasonBadReply, nil, fmt.Errorf("qimen: the reply of %s: %w", option, err)
				}
				return ReasonAccepted, body, nil
			},
		}, nil
	}
	return func(c *config) error {
		if f == nil {
			return fmt.Errorf("%s: the function is nil", option)
		}
		if c.operations[method] != nil {
			return fmt.Errorf("%s is given twice: register one function", option)
		}
		c.operations[method] = decode
		return nil
	}
}
