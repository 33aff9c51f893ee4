package rentcar

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
)

func init() {
	call := func(ctx context.Context, c *Client) (any, error) {
		return c.Vehicles.Query(ctx, &VehicleQueryRequest{
			Page: 1, PageSize: 100, ChannelID: fliggy.ChannelAmap,
			TraceID: "2147b72e16691938918672871ef815", Exts: someExts,
		})
	}
	goldenCases = append(goldenCases, goldenCase{op: api.VehicleQuery, call: call})
	deviations["vehicle.query response cars.type"] = deviation{
		goType: "fliggy.CarType", reason: "type is the class of the car here",
	}
}

// vehiclePages answers with one reply after the other.
func vehiclePages(t *testing.T, replies ...string) (*Client, *gatewayMock) {
	t.Helper()
	n := 0
	return clientFor(t, func(r *http.Request) (*http.Response, error) {
		if n++; n > len(replies) {
			return nil, errors.New("a page too many is asked for")
		}
		return replyJSON(replies[n-1])(r)
	}, WithChannel(fliggy.ChannelAmap))
}

// vehiclePage is a page with these models.
func vehiclePage(ids ...string) string {
	var cars []string
	for _, id := range ids {
		cars = append(cars, fmt.Sprintf(`{"sid":%q}`, id))
	}
	return `{"successful":true,"request_id":"r1","cars":[` + strings.Join(cars, ",") + `]}`
}

// walk takes the models of an iteration, as many as it may, and the error that ends it.
func walk(ctx context.Context, c *Client, req *VehicleQueryRequest, limit int) (ids string, err error) {
	for v, err := range c.Vehicles.All(ctx, req) {
		if err != nil {
			return ids, err
		}
		ids += v.ModelID
		if len(ids) == limit {
			break
		}
	}
	return ids, nil
}

func TestVehiclesAll(t *testing.T) {
	t.Parallel()
	const end = `{"successful":true}` // an empty list may be missing
	for name, tc := range map[string]struct {
		replies []string
		req     VehicleQueryRequest
		limit   int
		ids     string
		failed  string // part of the error
		pages   []int  // asked for
	}{
		"to the empty page": {
			replies: []string{vehiclePage("a", "b"), vehiclePage("c", "d"), vehiclePage()}, ids: "abcd", pages: []int{1, 2, 3},
		},
		"past a short page": {
			replies: []string{vehiclePage("a"), vehiclePage("b", "c"), end}, ids: "abc", pages: []int{1, 2, 3},
		},
		"nothing": {replies: []string{end}, pages: []int{1}},
		"from a page": {
			req: VehicleQueryRequest{Page: 7}, replies: []string{vehiclePage("a"), end}, ids: "a", pages: []int{7, 8},
		},
		"a repeated page": {
			replies: []string{vehiclePage("a", "b"), vehiclePage("a", "b")},
			ids:     "ab", failed: "cars: page 2 repeats page 1", pages: []int{1, 2},
		},
		"a later page repeated": {
			replies: []string{vehiclePage("a", "b"), vehiclePage("c"), vehiclePage("c")},
			ids:     "abc", failed: "cars: page 3 repeats page 2", pages: []int{1, 2, 3},
		},
		"a page that overlaps": {
			replies: []string{vehiclePage("a", "b"), vehiclePage("b"), vehiclePage("a", "b"), end},
			ids:     "abbab", pages: []int{1, 2, 3, 4},
		},
		"an error in the middle": {
			replies: []string{vehiclePage("a"), `{"successful":false,"ret_msg":"no"}`},
			ids:     "a", failed: "no", pages: []int{1, 2},
		},
		"a break within a page": {replies: []string{vehiclePage("a", "b")}, limit: 1, ids: "a", pages: []int{1}},
		"a break between pages": {replies: []string{vehiclePage("a", "b")}, limit: 2, ids: "ab", pages: []int{1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, g := vehiclePages(t, tc.replies...)
			ids, err := walk(t.Context(), c, &tc.req, tc.limit)
			if ids != tc.ids || (err == nil) != (tc.failed == "") || !strings.Contains(fmt.Sprint(err), tc.failed) {
				t.Errorf("models %q, error %v", ids, err)
			}
			var pages []int
			for _, s := range g.sent {
				var sent struct {
					Page int `json:"page"`
					Size int `json:"page_size"`
				}
				if err := json.Unmarshal([]byte(s.form(t)[api.VehicleQuery.Param]), &sent); err != nil || sent.Size != 100 {
					t.Errorf("sent %+v, %v", sent, err)
				}
				pages = append(pages, sent.Page)
			}
			diff(t, "pages", tc.pages, pages)
		})
	}
}

// The error of a page that repeats the one before says which call it was.
func TestVehiclesAllRepeatedPage(t *testing.T) {
	t.Parallel()
	c, _ := vehiclePages(t, vehiclePage("a"), vehiclePage("a"))
	_, err := walk(t.Context(), c, &VehicleQueryRequest{PageSize: 1}, 0)
	e := as[*DecodeError](t, err)
	if e.RequestID != "r1" || e.Attempts != 1 || e.HTTPStatus != http.StatusOK || errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("%+v", e)
	}
}

// The end of the context ends the iteration before the next call.
func TestVehiclesAllContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c, g := vehiclePages(t, vehiclePage("a", "b"), vehiclePage("c"))
	var ids string
	var failed error
	for v, err := range c.Vehicles.All(ctx, &VehicleQueryRequest{}) {
		ids, failed = ids+v.ModelID, err
		cancel()
	}
	if ids != "ab" || !errors.Is(failed, context.Canceled) || OutcomeOf(failed) != OutcomeNotSent || g.count() != 1 {
		t.Errorf("models %q, %v after %d calls", ids, failed, g.count())
	}
}

// Ranging again begins anew, and the request stays as it is.
func TestVehiclesAllAgain(t *testing.T) {
	t.Parallel()
	c, _ := vehiclePages(t, vehiclePage("a"), vehiclePage("b"), vehiclePage(), vehiclePage("a"), vehiclePage())
	req := &VehicleQueryRequest{}
	all := c.Vehicles.All(t.Context(), req)
	for _, want := range []string{"ab", "a"} {
		ids := ""
		for v, err := range all {
			if err != nil {
				t.Fatal(err)
			}
			ids += v.ModelID
		}
		if ids != want || *req != (VehicleQueryRequest{}) {
			t.Errorf("models %q of %+v", ids, req)
		}
	}
}

func TestVehicleQuery(t *testing.T) {
	t.Parallel()
	c, g := vehiclePages(t, `{"successful":true,"cars":[{"name":"GL8"}]}`)
	res, err := c.Vehicles.Query(t.Context(), &VehicleQueryRequest{Page: 1, PageSize: 1})
	if err != nil || len(res.Warnings) != 1 || res.Warnings[0].Field != "cars[0].sid" {
		t.Errorf("%+v, %v", res, err)
	}
	for _, tc := range []struct {
		req  *VehicleQueryRequest
		want []fliggy.Problem
	}{
		{nil, []fliggy.Problem{{Field: "request", Rule: "must not be nil"}}},
		{&VehicleQueryRequest{}, []fliggy.Problem{
			{Field: "page", Rule: "is required"}, {Field: "page_size", Rule: "is required"},
		}},
		{&VehicleQueryRequest{Page: -1, PageSize: -1}, []fliggy.Problem{
			{Field: "page", Rule: "must not be negative"}, {Field: "page_size", Rule: "must not be negative"},
		}},
	} {
		_, err := c.Vehicles.Query(t.Context(), tc.req)
		want := &fliggy.ValidationError{Method: api.VehicleQuery.Method, Problems: tc.want}
		diff(t, "error", want, as[*fliggy.ValidationError](t, err))
	}
	if ids, err := walk(t.Context(), c, nil, 0); ids != "" || !isA[*fliggy.ValidationError](err) || g.count() != 1 {
		t.Errorf("without a request: %q, %v after %d calls", ids, err, g.count())
	}
}
