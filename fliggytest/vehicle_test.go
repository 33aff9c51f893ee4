package fliggytest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/internal/api"
)

// Every size of a page gives all models, in all formats, and the calls that it takes.
func TestVehiclePages(t *testing.T) {
	t.Parallel()
	for size, calls := range map[int]int{1: 26, 4: 8, 5: 6, 25: 2, 100: 2} {
		for _, format := range allFormats {
			g := start(t)
			c := connect(t, g, rentcar.WithFormat(format))
			var got []rentcar.VehicleModel
			for v, err := range c.Vehicles.All(t.Context(), &rentcar.VehicleQueryRequest{PageSize: size}) {
				noError(t, err)
				got = append(got, v)
			}
			if diff := cmp.Diff(vehicles, got); diff != "" {
				t.Errorf("size %d, %v: models (-want +got):\n%s", size, format, diff)
			}
			if n := len(g.Requests()); n != calls {
				t.Errorf("size %d, %v: %d calls, want %d", size, format, n, calls)
			}
		}
	}
}

// A page or a size that is none is refused; the client does not even send it.
func TestVehiclePageThatIsNone(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t))
	for _, req := range []string{
		`{"channel_id":"80001","page":-1,"page_size":5}`, `{"channel_id":"80001","page":1,"page_size":-5}`,
	} {
		err := c.Call(t.Context(), api.VehicleQuery.Method, rentcar.Params{api.VehicleQuery.Param: req}, new(rentcar.Raw))
		if code(err) != "15 isv.invalid-parameter" {
			t.Errorf("%s: %v", req, err)
		}
	}
}
