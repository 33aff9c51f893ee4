package fliggytest

import (
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
)

func init() {
	serve(api.AgencyCreateOrder, (*state).createAgencyOrder)
	serve(api.AgencyUpdateOrder, (*state).updateAgencyOrder)
}

// An AgencyOrder is an order of the agency (租租车) that the platform holds.
type AgencyOrder struct {
	FliggyOrderID fliggy.ID
	CreatedTime   time.Time
	// Create is the report of the order, Updates are those of its changes, as they
	// arrived.
	Create  rentcar.AgencyCreateOrderRequest
	Updates []rentcar.AgencyUpdateOrderRequest
}

// AgencyOrders returns copies of the agency's orders, repeated reports too, in
// their order.
func (g *Gateway) AgencyOrders() []AgencyOrder {
	g.state.mu.Lock()
	defer g.state.mu.Unlock()
	return copies(g.state.agency)
}

func (s *state) createAgencyOrder(
	m moment, req *rentcar.AgencyCreateOrderRequest,
) (*rentcar.AgencyCreateOrderResult, error) {
	o := &AgencyOrder{FliggyOrderID: numbered(firstAgencyID, s.agencyCount), CreatedTime: m.now, Create: *req}
	s.agencyCount++
	var old []*AgencyOrder
	s.agency, old = newest(append(s.agency, o), s.capacity)
	for _, old := range old {
		delete(s.agencyByID, old.FliggyOrderID)
		if s.agencyByNo[old.Create.AgentOrderNo] == old {
			delete(s.agencyByNo, old.Create.AgentOrderNo)
		}
	}
	s.agencyByID[o.FliggyOrderID], s.agencyByNo[req.AgentOrderNo] = o, o
	return &rentcar.AgencyCreateOrderResult{AgencyStatus: agencySuccess(), FliggyOrderID: o.FliggyOrderID}, nil
}

// updateAgencyOrder finds the order by Fliggy's id or else by the agency's number;
// of several with one number the latest counts.
func (s *state) updateAgencyOrder(
	_ moment, req *rentcar.AgencyUpdateOrderRequest,
) (*rentcar.AgencyUpdateOrderResult, error) {
	o := s.agencyByID[req.FliggyOrderID]
	if req.FliggyOrderID == "" {
		o = s.agencyByNo[req.AgentOrderNo]
	}
	if o == nil || req.AgentOrderNo != "" && o.Create.AgentOrderNo != req.AgentOrderNo {
		return nil, refuse(RetOrderNotFound, "订单不存在")
	}
	o.Updates, _ = newest(append(o.Updates, *req), s.capacity)
	return &rentcar.AgencyUpdateOrderResult{AgencyStatus: agencySuccess()}, nil
}

func agencySuccess() rentcar.AgencyStatus { return rentcar.AgencyStatus{BizSuccess: true} }
