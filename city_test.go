package rentcar

import (
	"context"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
)

func init() {
	call := func(ctx context.Context, c *Client) (any, error) {
		return c.Cities.Query(ctx, &CityQueryRequest{
			ChannelID: fliggy.ChannelAmap, TraceID: "2147b72e16691938918672871ef815", Exts: someExts,
		})
	}
	goldenCases = append(goldenCases, goldenCase{op: api.CityQuery, call: call})
}

func TestCityQuery(t *testing.T) {
	t.Parallel()
	const noCity = "is missing from the reply; if the platform's page has another name, correct it with WithNames"
	for name, tc := range map[string]struct {
		reply    string
		cities   []City
		warnings []fliggy.Problem
	}{
		"cities": {
			reply: `{"successful":true,"cities":[{"city_name":"漯河","city_code":"411100"},` +
				`{"city_name":"青岛","city_code":370200}]}`,
			cities: []City{{"漯河", "411100"}, {"青岛", "370200"}},
		},
		"none":    {reply: `{"successful":true,"cities":[]}`, cities: []City{}},
		"no list": {reply: `{"successful":true}`, warnings: []fliggy.Problem{{Field: "cities", Rule: noCity}}},
		"no code": {
			reply:  `{"successful":true,"cities":[{"city_name":"漯河"}]}`,
			cities: []City{{Name: "漯河"}}, warnings: []fliggy.Problem{{Field: "cities[0].city_code", Rule: noCity}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, g := clientFor(t, replyJSON(tc.reply), WithChannel(fliggy.ChannelHello))
			res, err := c.Cities.Query(t.Context(), &CityQueryRequest{})
			if err != nil {
				t.Fatal(err)
			}
			diff(t, "cities", tc.cities, res.Cities)
			diff(t, "warnings", tc.warnings, res.Warnings)
			diff(t, "form", map[string]string{api.CityQuery.Param: `{"channel_id":"80002"}`}, g.last(t).form(t))
		})
	}
	c, g := clientFor(t, replyJSON(okReply))
	_, err := c.Cities.Query(t.Context(), &CityQueryRequest{Exts: "x"})
	diff(t, "error", &fliggy.ValidationError{Method: api.CityQuery.Method, Problems: []fliggy.Problem{
		{Field: "channel_id", Rule: "is required"}, {Field: "exts", Rule: "must be the text of a JSON object"},
	}}, as[*fliggy.ValidationError](t, err))
	if g.count() != 0 {
		t.Error("an invalid request is sent")
	}
}
