package rentcar

import (
	"context"
	"fmt"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
)

// CityService lists the cities (城市) in which cars are rented.
type CityService struct{ client *Client }

var opCityQuery = bind[CityQueryRequest, CityQueryResult](api.CityQuery)

// Query lists all cities of a channel (租车分销城市基础信息接口). The reply is not paged.
//
// API: alitrip.rentcar.btb.city.query.
func (s *CityService) Query(
	ctx context.Context, req *CityQueryRequest, opts ...CallOption,
) (*CityQueryResult, error) {
	return invoke(ctx, s.client, opCityQuery, req, opts)
}

// A CityQueryRequest asks for the cities of a channel.
//
// Source: alitrip.rentcar.btb.city.query.
type CityQueryRequest struct {
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
func (r *CityQueryRequest) Validate() error { return validate(api.CityQuery, r) }

func (r *CityQueryRequest) defaultChannel(c fliggy.Channel) { setDefault(&r.ChannelID, c) }

// A CityQueryResult lists cities.
//
// Source: alitrip.rentcar.btb.city.query.
type CityQueryResult struct {
	Meta
	Status
	// Cities are the cities, in the order of the platform.
	Cities []City `top:"cities,wrap=rent_car_city_basic_info"`
}

// doubts lists cities without a code, and a list that is missing.
func (r *CityQueryResult) doubts() []fliggy.Problem {
	var ps fliggy.Problems
	lacks := lacking(&ps)
	lacks("cities", r.Cities == nil)
	for i, c := range r.Cities {
		lacks(fmt.Sprintf("cities[%d].city_code", i), c.Code == "")
	}
	return ps
}

// A City is a city in which cars are rented.
//
// Source: alitrip.rentcar.btb.city.query.
type City struct {
	// Name is the name of the city in Chinese, such as "漯河".
	Name string `top:"city_name"`
	// Code is the code of the city as text, such as "370200". A reply without it has a
	// warning.
	Code string `top:"city_code"`
}
