package ledger

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const header = "order_id,out_order_id,biz_type,order_amount,pay_trade_no,pay_time\n"

// movements are n lines, of which every third is a refund.
func movements(n int) string {
	var b bytes.Buffer
	b.WriteString(header)
	for i := range n {
		biz := 10
		if i%3 == 2 {
			biz = 20
		}
		fmt.Fprintf(&b, "31040502852%08d,RC%08d,%d,%d.05,T%08d,2026-12-01 10:00:00\n", i, i, biz, i%1000+1, i)
	}
	return b.String()
}

// write writes a file and opens it.
func write(t testing.TB, text []byte) (*File, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "movements.csv")
	noError(t, os.WriteFile(path, text, 0o600))
	return Open(path)
}

func noError(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
