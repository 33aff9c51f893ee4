package fliggytest

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/internal/api"
)

// TestServesEveryOperation holds the gateway to the table of APIs: it serves each, and
// takes its request in the same parameter.
func TestServesEveryOperation(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t))
	for _, op := range api.All() {
		err := c.Call(t.Context(), op.Method, rentcar.Params{"none": "1"}, new(rentcar.Raw))
		var failed *rentcar.GatewayError
		if !errors.As(err, &failed) || failed.Code != "40" || failed.Msg != "Missing required arguments:"+op.Param {
			t.Errorf("%s: the gateway does not serve it: add a function that carries it out to a file of fliggytest, and "+
				"put it in with serve in an init function of that file, such as that of agency.go: %v", op.Method, err)
		}
	}
	if len(served) != len(api.All()) {
		t.Errorf("%d APIs are served, the table has %d", len(served), len(api.All()))
	}
}

// TestTakesEveryGoldenRequest sends the gateway what the client sends with every member of
// the request set: it is read, and answered by the service.
func TestTakesEveryGoldenRequest(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t))
	for _, op := range api.All() {
		file, err := os.ReadFile(filepath.Join("..", "testdata", "golden", op.Method+".txt"))
		noError(t, err)
		_, request, ok := strings.Cut(string(file), "\n  "+op.Param+" = ")
		if !ok {
			t.Errorf("the golden request of %s has no %s", op.Method, op.Param)
			continue
		}
		request, _, _ = strings.Cut(request, "\n")
		var reply rentcar.Raw
		if err := c.Call(t.Context(), op.Method, rentcar.Params{op.Param: json.RawMessage(request)}, &reply); err != nil {
			t.Errorf("%s: %v", op.Method, err)
		}
	}
}
