package rentcar

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"net/http"
	"slices"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
)

// VehicleService lists the vehicle models (车型) that are rented.
type VehicleService struct{ client *Client }

var opVehicleQuery = bind[VehicleQueryRequest, VehicleQueryResult](api.VehicleQuery)

// Query returns one page of the vehicle models (租车分销车型基础信息接口). The reply does
// not say how many there are: see All.
//
// API: alitrip.rentcar.btb.vehicle.query.
func (s *VehicleService) Query(
	ctx context.Context, req *VehicleQueryRequest, opts ...CallOption,
) (*VehicleQueryResult, error) {
	return invoke(ctx, s.client, opVehicleQuery, req, opts)
}

// All returns an iterator over the vehicle models, in the order of the platform. It calls
// Query for one page after the other, beginning with req.Page, or 1 where that is 0, and
// with req.PageSize models a page, or 100 where that is 0.
//
//	for model, err := range client.Vehicles.All(ctx, &rentcar.VehicleQueryRequest{}) {
//		if err != nil {
//			return err
//		}
//		save(model)
//	}
//
// The first page without a model is the end; a page with fewer models than asked for is
// not. An error ends the iteration: that of a call, or a *DecodeError for a page that
// repeats the one before, which would have no end. Ranging again begins anew.
//
// API: alitrip.rentcar.btb.vehicle.query.
func (s *VehicleService) All(
	ctx context.Context, req *VehicleQueryRequest, opts ...CallOption,
) iter.Seq2[VehicleModel, error] {
	return func(yield func(VehicleModel, error) bool) {
		page := req
		if req != nil {
			own := *req
			page = &own
			page.Page, page.PageSize = cmp.Or(req.Page, 1), cmp.Or(req.PageSize, defaultPageSize)
		}
		for before := []VehicleModel(nil); ; page.Page++ {
			res, err := s.Query(ctx, page, opts...)
			if err == nil && len(res.Vehicles) == 0 {
				return
			}
			if err == nil && slices.Equal(res.Vehicles, before) {
				err = repeatedPage(page.Page, res)
			}
			if err != nil {
				yield(VehicleModel{}, err)
				return
			}
			for _, model := range res.Vehicles {
				if !yield(model, nil) {
					return
				}
			}
			before = res.Vehicles
		}
	}
}

// defaultPageSize is the page size of the documentation's example.
const defaultPageSize = 100

// repeatedPage is the error of a page that is the one before again.
func repeatedPage(page int, res *VehicleQueryResult) error {
	return &DecodeError{
		Method: api.VehicleQuery.Method, RequestID: res.RequestID, HTTPStatus: http.StatusOK, Attempts: res.Attempts,
		Reply: fmt.Sprintf("page %d, %d models", page, len(res.Vehicles)),
		Err:   fmt.Errorf("cars: page %d repeats page %d", page, page-1),
	}
}

// A VehicleQueryRequest asks for one page of the vehicle models of a channel.
//
// Source: alitrip.rentcar.btb.vehicle.query.
type VehicleQueryRequest struct {
	// Page is the number of the page. That the first is 1 is inferred from the example.
	// Required; All begins with 1 where it is 0.
	Page int `top:"page,required"`
	// PageSize is how many models a page has at most. A largest size is not documented;
	// the example asks for 100. Required; All asks for 100 where it is 0.
	PageSize int `top:"page_size,required"`
	// ChannelID is the distribution channel (分销渠道); empty takes the client's.
	// Required.
	ChannelID fliggy.Channel `top:"channel_id,required"`
	// TraceID is an id of your choice, for troubleshooting only. Optional.
	TraceID string `top:"trace_id"`
	// Exts is extension data (扩展信息), the text of a JSON object. Optional.
	Exts fliggy.Exts `top:"exts"`
}

// Validate lists what is wrong with the request in a *ValidationError. The channel
// counts as missing here even if the client would fill it.
func (r *VehicleQueryRequest) Validate() error { return validate(api.VehicleQuery, r) }

func (r *VehicleQueryRequest) defaultChannel(c fliggy.Channel) { setDefault(&r.ChannelID, c) }

func (r *VehicleQueryRequest) rules(ps *fliggy.Problems) {
	if r.Page < 0 {
		ps.Add("page", "must not be negative")
	}
	if r.PageSize < 0 {
		ps.Add("page_size", "must not be negative")
	}
}

// A VehicleQueryResult is one page of vehicle models.
//
// Source: alitrip.rentcar.btb.vehicle.query.
type VehicleQueryResult struct {
	Meta
	Status
	// Vehicles are the models, in the order of the platform. A page behind the last has
	// none.
	Vehicles []VehicleModel `top:"cars,wrap=rent_car_basic_info"`
}

// doubts lists models without an id.
func (r *VehicleQueryResult) doubts() []fliggy.Problem {
	var ps fliggy.Problems
	lacks := lacking(&ps)
	for i, v := range r.Vehicles {
		lacks(fmt.Sprintf("cars[%d].sid", i), v.ModelID == "")
	}
	return ps
}

// A VehicleModel is a model of a vehicle (车型), with its variant (车款).
//
// Source: alitrip.rentcar.btb.vehicle.query.
type VehicleModel struct {
	// ModelID is the platform's id of the model, such as "xxx11". It is in the page's
	// example only. A reply without it has a warning.
	ModelID string `top:"sid"`
	// Brand is the brand in Chinese, such as "别克".
	Brand string `top:"auto_brand"`
	// Series is the series, such as "GL8".
	Series string `top:"name"`
	// Variant is the variant (车款), such as "陆上公务舱 652T 豪华型".
	Variant string `top:"car_name"`
	// ModelYear is the model year as text, such as "2021".
	ModelYear string `top:"model_year"`
	// CarType is the class of the vehicle.
	CarType fliggy.CarType `top:"type"`
	// SeatNum is the number of seats (座位数).
	SeatNum int `top:"seat_num"`
	// DoorNum is the number of doors (门数).
	DoorNum int `top:"door_num"`
	// OutputVolume is the displacement (排量) as text, such as "2.0", marked
	// by OutputType.
	OutputVolume string `top:"output_volume"`
	// OutputType is how the displacement is marked: T or L.
	OutputType fliggy.OutputType `top:"output_type"`
	// Transmission is the gearbox (变速箱).
	Transmission fliggy.Transmission `top:"transmission"`
	// FuelType is what drives the vehicle (燃料类型).
	FuelType fliggy.FuelType `top:"fuel_type"`
	// Pictures are pictures of the model, URLs. How several are separated is not
	// documented.
	Pictures string `top:"pics"`
}
