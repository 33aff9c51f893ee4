package fliggytest

import (
	"testing"

	"github.com/fliggy-go/rentcar"
)

// TestClientHasEveryOperation: an API that the gateway serves by itself is one that the client has types
// for. Package rentcar tests the other direction.
func TestClientHasEveryOperation(t *testing.T) {
	t.Parallel()
	for _, op := range builtIn() {
		if _, err := rentcar.NewClient("1", "secret", rentcar.WithNames(op.method, rentcar.Names{})); err != nil {
			t.Errorf("builtIn has %s, the client has not: add it to operations.go of the root, or serve it with Handle: %v", op.method, err)
		}
	}
}
