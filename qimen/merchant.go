package qimen

import (
	"context"
	"errors"
	"fmt"

	"github.com/fliggy-go/rentcar/fliggy"
)

// A Refusal is the error by which a function rejects a request. Make one with [Refuse].
type Refusal struct {
	Code    string // retCode
	Message string // retMessage
}

// Refuse returns an error that rejects the request with a code and a message. Fliggy gets HTTP 200 with success false,
// the code and the message; the message may be shown to the customer. Inferred: the documents show no such reply and
// list no codes, so choose your own.
//
// For any other error Fliggy learns only that the system failed. Return one if a retry may succeed.
func Refuse(code, message string) error { return &Refusal{Code: code, Message: message} }

// Error returns code and message.
func (r *Refusal) Error() string {
	if r == nil { // handled like any other error
		return "qimen: refused: a nil *Refusal"
	}
	return fmt.Sprintf("qimen: refused: %s: %s", r.Code, r.Message)
}

// OnRenewalPrices registers the function that prices renewals. A price query changes nothing: the function may be
// called any number of times for one order.
//
// The reply is validated ([RenewalPricesReply.Validate]) before it is sent. Return [Refuse] if the renewal is not
// possible. Any other error becomes HTTP 500 without its text.
//
// Source: qimen.alitrip.rentcar.renewalprices.query.
func OnRenewalPrices(
	f func(ctx context.Context, d *Delivery, r *RenewalPricesRequest) (*RenewalPricesReply, error),
) Option {
	return serve("OnRenewalPrices", RenewalPricesMethod, f)
}

// OnRenewalSubmit registers the function that books renewals. Inferred: Fliggy may repeat a submit whose reply it did
// not get. Book a renewal once and give the same reply to a repeat. The gate does this until it forgets; after that
// your database must.
//
// Compare the total with your quote: pricing.CheckTotal. Return [Refuse] to decline the renewal. Any other error
// becomes HTTP 500 without its text; Fliggy then does not know whether the renewal is booked.
//
// Source: qimen.alitrip.rentcar.renewalorder.submit.
func OnRenewalSubmit(
	f func(ctx context.Context, d *Delivery, r *RenewalSubmitRequest) (*RenewalSubmitReply, error),
) Option {
	return serve("OnRenewalSubmit", RenewalSubmitMethod, f)
}

// OnRenewalCancel registers the function that cancels renewals. Inferred: Fliggy may repeat a cancellation whose reply
// it did not get, so report success for a renewal that is cancelled already.
//
// Errors are handled as in [OnRenewalSubmit].
//
// Source: qimen.alitrip.rentcar.renewalorder.cancel.
func OnRenewalCancel(
	f func(ctx context.Context, d *Delivery, r *RenewalCancelRequest) (*RenewalCancelReply, error),
) Option {
	return serve("OnRenewalCancel", RenewalCancelMethod, f)
}

// A merchantRequest is a pointer to one of the three requests.
type merchantRequest[T any] interface {
	*T
	Validate() error
	ids() (fliggy.ID, string)
	pressureTest() bool
	// key returns the deduplication key, empty for a request that may be repeated.
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

// requestOf returns the JSON of a request, with the members that arrived as parameters.
func requestOf[Req any](h *Handler, d *Delivery) ([]byte, error) {
	payload, err := h.message(d)
	if err != nil || h.payload != nil || h.refusesForms {
		return payload, err
	}
	if d.IsForm && d.Push != nil && len(d.Push.Body) == 0 { // unknown parameters do not belong to the request
		payload = []byte("{}")
	}
	return withParams[Req](payload, d.Params)
}

// replyJSON encodes the reply of a function.
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

// serve returns the option that registers f for a method.
func serve[Req, Rep any, PReq merchantRequest[Req], PRep merchantReply[Rep]](
	option, method string, f func(context.Context, *Delivery, PReq) (PRep, error),
) Option {
	decode := func(h *Handler, s *signedPush, o *Observation) (job, error) {
		d := &s.Delivery
		payload, err := requestOf[Req](h, d)
		if err != nil {
			return job{}, err
		}
		request := PReq(new(Req))
		if err := readMessage(payload, (*Req)(request)); err != nil {
			return job{}, err
		}
		if orderID, outOrderID := request.ids(); isMissing(string(orderID)) && isMissing(outOrderID) {
			return job{}, errNoID
		}
		digest, err := checkedDigest(s.charset, payload)
		if err != nil {
			return job{}, err
		}
		d.Findings = findings(request.Validate())
		o.Findings, o.IsPressureTest = d.Findings, request.pressureTest()
		o.note(request.ids())
		return job{
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
