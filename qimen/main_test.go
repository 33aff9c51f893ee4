package qimen

import (
	"testing"

	"go.uber.org/goleak"

	_ "github.com/fliggy-go/rentcar/internal/golden" // -update
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
