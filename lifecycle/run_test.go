package lifecycle_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/lifecycle"
)

// When its context ends, Run begins nothing more, however much is due.
func TestRunEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		var ids []fliggy.ID
		for i := range 16 {
			ids = append(ids, d.accepted(fmt.Sprint("R", i)).RenewalOrderID)
		}
		d.settle(time.Minute)
		d.stop()
		for _, id := range ids {
			d.gw.RequestRefund(id, refundOf("10"))
		}
		slow := lifecycle.OnRefund(func(ctx context.Context, r lifecycle.Refund) (lifecycle.RefundResult, error) {
			time.Sleep(time.Minute)
			return d.pay(ctx, r)
		})
		d.open(slow)
		d.settle(30 * time.Second)
		ended := time.Now()
		d.stop()
		if took := time.Since(ended); took > time.Minute || d.calls != 4 {
			t.Errorf("Run returned after %v, with %d calls; want the 4 that were begun", took, d.calls)
		}
		d.open(slow) // what was not begun is not lost
		d.settle(time.Hour)
		d.wantPaid("160", 16)
	})
}
