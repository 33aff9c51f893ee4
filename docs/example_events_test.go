package docs_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/qimen"
)

// An endpoint behind a proxy that serves nobody but the gateway.
func Example_endpoint() {
	secrets := qimen.Secrets{"12345678": {"0123456789abcdef0123456789abcdef"}}
	handle := func(context.Context, *qimen.Delivery, events.Event) error { return nil }
	watch := func(_ context.Context, o qimen.Observation) { fmt.Println(o.Client, o.Reason) }

	handler, err := qimen.NewHandler(secrets, qimen.OnEvent(handle),
		qimen.WithoutForms(),                                       // the API is configured for JSON
		qimen.WithAllowedClients("203.0.113.0/24"),                 // from taobao.top.ipout.get
		qimen.WithTrustedProxies("X-Forwarded-For", "10.0.0.0/16"), // your load balancers
		qimen.WithWindow(5*time.Minute),                            // 10 minutes without it
		qimen.WithHandlerTimeout(5*time.Second),                    // 30 seconds without it
		qimen.WithObserver(watch),
	)
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute}

	for _, client := range []string{"203.0.113.7", "198.51.100.1"} {
		r := httptest.NewRequest(http.MethodPost, "/?app_key=12345678", http.NoBody)
		r.RemoteAddr = "10.0.0.5:4711"
		r.Header.Set("X-Forwarded-For", client)
		r.Header.Set("Content-Type", "application/json")
		server.Handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	// Output:
	// 203.0.113.7 bad signature
	// 198.51.100.1 forbidden client
}

// A reply of your own.
func Example_replies() {
	secrets := qimen.Secrets{"12345678": {"0123456789abcdef0123456789abcdef"}}
	handle := func(context.Context, *qimen.Delivery, events.Event) error { return nil }

	accepted := qimen.DefaultReplies()[qimen.ReasonAccepted]
	accepted.Body = []byte(`{"success":true,"retCode":"200","retMessage":"OK"}`) // as the page of your API has it
	handler, err := qimen.NewHandler(secrets, qimen.OnEvent(handle),
		qimen.WithReplies(qimen.Replies{qimen.ReasonAccepted: accepted}), // the other rows stay
	)
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/fliggy/replies", handler)
	// Output:
}
