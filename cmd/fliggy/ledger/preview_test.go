package ledger

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/fliggy"
)

func TestPreview(t *testing.T) {
	t.Parallel()
	f, err := write(t, []byte(movements(7)))
	noError(t, err)
	got, err := f.Preview(3, func(p Problem) { t.Error(p) })
	noError(t, err)
	want := &Preview{
		Encoding: "UTF-8", Lines: 7, Batches: 3, Total: fliggy.MustYuan("10.15"),
		Sums: []Sum{
			{10, "order fee", 5, fliggy.MustYuan("19.25")},
			{20, "order fee refund", 2, fliggy.MustYuan("9.10")},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPreviewFindsRepeats(t *testing.T) {
	t.Parallel()
	text := movements(3)
	lines := strings.SplitAfter(text, "\n")
	f, err := write(t, []byte(text+lines[2]+strings.Replace(lines[2], ",10,", ",14,", 1)))
	noError(t, err)
	var problems []string
	got, err := f.Preview(10, func(p Problem) { problems = append(problems, p.String()) })
	noError(t, err)
	want := []string{"line 5: the movement of line 3 again: the same order_id, biz_type and pay_trade_no"}
	if diff := cmp.Diff(want, problems); diff != "" || got.Problems != 1 || got.Lines != 4 {
		t.Errorf("%+v (-want +got):\n%s", got, diff)
	}
}
