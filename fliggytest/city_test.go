package fliggytest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar"
)

func TestCities(t *testing.T) {
	t.Parallel()
	for _, format := range allFormats {
		res, err := connect(t, start(t), rentcar.WithFormat(format)).Cities.Query(t.Context(), &rentcar.CityQueryRequest{})
		noError(t, err)
		if diff := cmp.Diff(cities, res.Cities); diff != "" || len(res.Warnings) > 0 {
			t.Errorf("%v: cities (-want +got):\n%s\nwarnings %v", format, diff, res.Warnings)
		}
	}
}
