package docs_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
)

// Waits of the client take no real time inside a bubble of testing/synctest, as long as nothing in it uses the network.
func TestWaitsInABubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		replies := []string{
			`{"error_response":{"code":7,"msg":"App Call Limited","sub_code":"accesscontrol.limited-by-api-access-count",` +
				`"sub_msg":"This ban will last for 4 more seconds"}}`,
			`{"successful":true,"city_list":[]}`,
		}
		transport := httpmock.NewMockTransport()
		transport.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
			reply := replies[0]
			replies = replies[1:]
			return httpmock.NewStringResponse(http.StatusOK, reply), nil
		})
		client, err := rentcar.NewClient("12345678", "0123456789abcdef0123456789abcdef",
			rentcar.WithHTTPClient(&http.Client{Transport: transport}),
		)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := client.Cities.Query(t.Context(), &rentcar.CityQueryRequest{ChannelID: fliggy.ChannelAmap}); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(start); waited < 4*time.Second { // by the clock of the bubble
			t.Errorf("waited %v for the end of a ban of four seconds", waited)
		}
	})
}
