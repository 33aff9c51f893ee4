package fliggytest

import (
	"slices"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/internal/api"
)

func init() { serve(api.CityQuery, (*state).queryCities) }

// cities are the cities of every gateway, with the codes of the national standard.
var cities = []rentcar.City{
	{Name: "北京", Code: "110100"},
	{Name: "上海", Code: "310100"},
	{Name: "青岛", Code: "370200"},
	{Name: "漯河", Code: "411100"},
	{Name: "海口", Code: "460100"},
	{Name: "三亚", Code: "460200"},
}

func (*state) queryCities(moment, *rentcar.CityQueryRequest) (*rentcar.CityQueryResult, error) {
	return &rentcar.CityQueryResult{Status: success(), Cities: slices.Clone(cities)}, nil
}
