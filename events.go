package rentcar

import (
	"context"
	"errors"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
)

// CallbackService answers events (回调): it sends what package events builds.
type CallbackService struct{ client *Client }

var opCallback = bind[CallbackRequest, CallbackResult](api.Callback)

// Send reports how something ended at the distributor (同步飞猪订单状态), such as
// the fee refund of an event 142:
//
//	_, err := client.Callbacks.Send(ctx, e.SuccessCallback()) // 270; FailureCallback: 271
//
// The callback is validated first; a channel that it lacks is the client's.
//
// API: alitrip.rentcar.btb.distribution.callback.
func (s *CallbackService) Send(ctx context.Context, cb *events.Callback, opts ...CallOption) (*CallbackResult, error) {
	req, err := s.request(cb, s.client.callConfig(opts).skipValidation)
	if err != nil {
		return nil, s.client.refused(ctx, api.Callback.Method, err, nil)
	}
	return s.SendRequest(ctx, req, opts...)
}

// NewRequest returns what Send sends for a callback, for whoever stores it first: cb is validated, and a channel that
// it lacks is the client's.
func (s *CallbackService) NewRequest(cb *events.Callback) (*CallbackRequest, error) {
	return s.request(cb, false)
}

// SendRequest sends what [CallbackService.NewRequest] has made.
//
// API: alitrip.rentcar.btb.distribution.callback.
func (s *CallbackService) SendRequest(
	ctx context.Context, req *CallbackRequest, opts ...CallOption,
) (*CallbackResult, error) {
	return invoke(ctx, s.client, opCallback, req, opts)
}

// request validates a callback and makes it a request.
func (s *CallbackService) request(cb *events.Callback, skipValidation bool) (*CallbackRequest, error) {
	if cb == nil {
		return nil, invalid(api.Callback.Method, "callback", "must not be nil")
	}
	own := *cb
	setDefault(&own.ChannelID, s.client.cfg.channel)
	if !skipValidation {
		err := own.Validate()
		var invalid *fliggy.ValidationError
		if errors.As(err, &invalid) {
			return nil, &fliggy.ValidationError{Method: api.Callback.Method, Problems: invalid.Problems}
		}
	}
	text, err := own.MarshalJSON()
	if err != nil {
		return nil, invalidValue(api.Callback.Method, err)
	}
	return &CallbackRequest{EventData: string(text), ChannelID: own.ChannelID}, nil
}

// A CallbackRequest is a callback on its way: the text that Send makes of it.
// The rest of the platform's page is not public.
//
// Source: alitrip.rentcar.btb.distribution.callback.
type CallbackRequest struct {
	// EventData is the whole callback as JSON text. Required here.
	EventData string `top:"event_data,required"`
	// EventType is the type once more; the envelope in EventData has it, so Send
	// leaves it out. Inferred.
	EventType events.Type `top:"event_type"`
	// ChannelID is the distribution channel. Inferred.
	ChannelID fliggy.Channel `top:"channel_id"`
	// TraceID is an id of your choice, for troubleshooting only. Optional.
	TraceID string `top:"trace_id"`
	// Exts is extension data, the text of a JSON object. Inferred.
	Exts fliggy.Exts `top:"exts"`
}

// Validate lists what is wrong with the request in a *ValidationError. It does not look into EventData.
func (r *CallbackRequest) Validate() error { return validate(api.Callback, r) }

// A CallbackResult says that the callback was taken. The whole reply is
// inferred.
//
// Source: alitrip.rentcar.btb.distribution.callback.
type CallbackResult struct {
	Meta
	Status
}
