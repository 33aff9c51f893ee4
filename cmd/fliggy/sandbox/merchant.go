package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/merchantcheck"
	"github.com/fliggy-go/rentcar/qimen"
)

// merchantMethods are what a merchant serves.
var merchantMethods = []string{qimen.RenewalPricesMethod, qimen.RenewalSubmitMethod, qimen.RenewalCancelMethod}

// forward forwards calls of a merchant's methods that come to the Qimen gateway to a merchant, signed as Fliggy signs
// them, and answers what the merchant says.
func (s *Sandbox) forward(address string) error {
	if address == "" {
		return nil
	}
	caller, err := merchantcheck.New(address, s.config.AppKey, s.config.AppSecret)
	if err != nil {
		return &invalid{"merchant", strings.TrimPrefix(err.Error(), "merchantcheck: endpoint: ")}
	}
	for _, method := range merchantMethods {
		s.gateway.Handle(method, func(ctx context.Context, r *fliggytest.Request) (any, error) {
			if !json.Valid(r.Body) {
				return nil, errors.New("the call has no JSON body")
			}
			_, answer, err := caller.Call(ctx, method, r.Body)
			if err != nil {
				return nil, err
			}
			return rentcar.Raw(answer), nil
		})
	}
	return nil
}

// checkMerchant runs the self-test of a merchant's endpoint.
func (s *Sandbox) checkMerchant(r *http.Request) (any, error) {
	var in struct {
		URL        string      `json:"url"`
		OrderID    fliggy.ID   `json:"order_id"`
		OutOrderID string      `json:"out_order_id"`
		Start      fliggy.Time `json:"start"`
		Submit     bool        `json:"submit"`
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	if in.URL == "" {
		in.URL = s.config.Merchant
	}
	if err := checkURL(in.URL); err != nil {
		return nil, &invalid{"url", err.Error()}
	}
	switch {
	case in.OrderID == "" && in.OutOrderID == "":
		return nil, &invalid{"order_id", "missing: want order_id or out_order_id of a rental that the merchant knows"}
	case !in.Start.IsSet():
		return nil, &invalid{"start", "missing: want the present return time of the rental, yyyy-MM-dd HH:mm in GMT+8"}
	}
	caller, err := merchantcheck.New(in.URL, s.config.AppKey, s.config.AppSecret)
	if err != nil {
		return nil, &invalid{"url", strings.TrimPrefix(err.Error(), "merchantcheck: endpoint: ")}
	}
	defer caller.Close()
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Minute)
	defer cancel()
	return merchantcheck.Run(ctx, caller, merchantcheck.Config{
		Orders: []merchantcheck.Order{{OrderID: in.OrderID, OutOrderID: in.OutOrderID, Start: in.Start}},
		Submit: in.Submit, PressureTest: true,
	}), nil
}
