package rentcar_test

import (
	"errors"
	"testing"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// TestFakeServesEveryAPI holds the in-process Fliggy to the table of typed APIs: it serves
// each, and takes its request in the same parameter. The other direction is in package
// fliggytest.
func TestFakeServesEveryAPI(t *testing.T) {
	t.Parallel()
	gw := fliggytest.NewGateway()
	t.Cleanup(gw.Close)
	client, err := gw.Client()
	if err != nil {
		t.Fatal(err)
	}
	for method, param := range rentcar.MethodParams() {
		err := client.Call(t.Context(), method, rentcar.Params{"none": "1"}, new(rentcar.Raw))
		failed, ok := errors.AsType[*rentcar.GatewayError](err)
		switch {
		case ok && failed.Code == "22":
			t.Errorf("the client has %s, and fliggytest answers that it has no such method: add it to builtIn in "+
				"fliggytest/operations.go, with a function that carries it out, and to the list in fliggytest/doc.go", method)
		case !ok || failed.Code != "40" || failed.Msg != "Missing required arguments:"+param:
			t.Errorf("%s: the client sends the request in %s, fliggytest says %v: make builtIn in fliggytest/operations.go "+
				"agree with operations.go", method, param, err)
		}
	}
}
