package rentcar_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
)

func ExampleNewClient() {
	client, err := rentcar.NewClient("12345678", "0123456789abcdef0123456789abcdef",
		rentcar.WithEnvironment(rentcar.Sandbox),
		rentcar.WithChannel(fliggy.ChannelAmap),
		rentcar.WithTimeout(10*time.Second),
		rentcar.WithObserver(func(_ context.Context, o rentcar.Observation) {
			if o.Done {
				fmt.Println(o.Method, o.Outcome, o.Duration)
			}
		}),
	)
	fmt.Println(client, err) // never the secret

	_, err = rentcar.NewClient("12345678", "")
	fmt.Println(err)
	// Output:
	// rentcar.Client{app key 12345678, hmac-sha256, simplified JSON} <nil>
	// rentcar: new client: the app secret is empty: take it from the console of the open platform
}

// A method without a type is called by its name; the tags of the struct serve all
// three formats.
func ExampleClient_Call() {
	client, stop := answering(http.StatusOK, `{"successful":true,"city_list":[{"city_id":"460200","city_name":"三亚"}]}`)
	defer stop()

	var reply struct {
		Successful bool   `top:"successful,required"`
		RetMsg     string `top:"ret_msg"`
		Cities     []struct {
			ID   string `top:"city_id"`
			Name string `top:"city_name"`
		} `top:"city_list,wrap=city"`
	}
	err := client.Call(context.Background(), "alitrip.rentcar.btb.city.query", rentcar.Params{"country": "CN"}, &reply)
	fmt.Println(reply.Cities, err)
	// Output: [{460200 三亚}] <nil>
}

// A write whose outcome is unknown is not repeated: the platform is asked first.
func ExampleOutcomeOf() {
	client, stop := answering(http.StatusBadGateway, "<html>502</html>")
	defer stop()

	_, err := client.Renewals.Submit(
		context.Background(),
		&rentcar.RenewalSubmitRequest{OrderID: "3104050285204362836", RenewalOutOrderID: "RC202212191604667539969978361"},
	)
	switch {
	case err == nil:
		fmt.Println("booked")
	case errors.Is(err, rentcar.ErrOutcomeUnknown):
		fmt.Println("unknown: Renewals.Settle finds out")
	case rentcar.OutcomeOf(err) == rentcar.OutcomeNotSent:
		fmt.Println("not sent: send it again")
	default:
		fmt.Println("refused:", err)
	}
	// Output: unknown: Renewals.Settle finds out
}

// answering is a client of a gateway that always gives the same answer.
func answering(status int, body string) (client *rentcar.Client, stop func()) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	client, err := rentcar.NewClient("12345678", "0123456789abcdef0123456789abcdef", rentcar.WithBaseURL(server.URL))
	if err != nil {
		panic(err)
	}
	return client, server.Close
}

func ExampleNewClient_options() {
	const appKey, appSecret = "12345678", "0123456789abcdef0123456789abcdef"
	count := func(string, rentcar.Outcome) {}

	client, err := rentcar.NewClient(appKey, appSecret,
		rentcar.WithEnvironment(rentcar.Sandbox), // Production is the default; WithBaseURL for any other gateway
		rentcar.WithChannel(fliggy.ChannelAmap),  // fills channel_id where a request leaves it out
		rentcar.WithFormat(rentcar.WrappedJSON),  // SimplifiedJSON is the default; XML works too
		rentcar.WithSignMethod(rentcar.HMACMD5),  // HMACSHA256 is the default; MD5 works too
		rentcar.WithTimeout(10*time.Second),      // of one attempt
		rentcar.WithLogger(slog.Default()),       // nothing is logged without it
		rentcar.WithObserver(func(_ context.Context, o rentcar.Observation) { count(o.Method, o.Outcome) }),
	)
	fmt.Println(client, err)
	// Output: rentcar.Client{app key 12345678, hmac, wrapped JSON} <nil>
}
