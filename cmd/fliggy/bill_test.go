package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggytest"
)

const billHeader = "order_id,out_order_id,biz_type,order_amount,pay_trade_no,pay_time\n"

func csvFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "movements.csv")
	noError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// gatewayVars is the environment of an app of a gateway.
func gatewayVars(g *fliggytest.Gateway) variables {
	return variables{"FLIGGY_URL": g.URL(), "FLIGGY_QIMEN_URL": g.QimenURL(), "FLIGGY_APP_SECRET": g.AppSecret()}
}

func billLines(n int) string {
	var b strings.Builder
	b.WriteString(billHeader)
	for i := range n {
		fmt.Fprintf(&b, "1,RC1,10,1.50,T%d,2026-12-01 10:00:00\n", i)
	}
	return b.String()
}

func TestBill(t *testing.T) {
	t.Parallel()
	g := fliggytest.NewGateway()
	defer g.Close()
	vars, path := gatewayVars(g), csvFile(t, billLines(5))
	args := []string{"bill", path, "--bill-no", "B1", "--batch-size", "2"}
	got := fliggyCmd(t.Context(), vars, "", append(args, "--dry-run")...)
	if got.status != 0 || !strings.Contains(got.stdout, "5 movements, 3 batches") || !strings.Contains(got.stdout,
		"7.50") {
		t.Errorf("dry run: %+v", got)
	}
	got = fliggyCmd(t.Context(), vars, "", args...)
	if got.status != statusUsage || !strings.Contains(got.stderr, "--yes") || len(g.Bills()) != 0 {
		t.Errorf("without a terminal: %+v", got)
	}
	// The second batch is carried out, and its reply lost.
	hit := 0
	second := func(fliggytest.Request) bool { hit++; return hit == 2 }
	stop := g.Fail(fliggytest.CutOff().AfterCommit().Always().When(second))
	got = fliggyCmd(t.Context(), vars, "", append(args, "--yes")...)
	stop()
	if got.status != statusUnknown || !strings.Contains(got.stdout, "B1-00002: its outcome is unknown") ||
		len(g.Bills()) != 2 {
		t.Errorf("lost reply: %+v, %d batches", got, len(g.Bills()))
	}
	for range 2 { // the same command goes on, and sends nothing twice
		got = fliggyCmd(t.Context(), vars, "", append(args, "--yes", "--json")...)
		var report struct {
			Confirmed int
			Unknown   []string
		}
		if err := json.Unmarshal([]byte(got.stdout), &report); err != nil || got.status != statusUnknown ||
			report.Confirmed != 2 || len(report.Unknown) != 1 || len(g.Bills()) != 3 {
			t.Errorf("again: %+v, %v, %d batches", got, err, len(g.Bills()))
		}
	}
	got = fliggyCmd(t.Context(), vars, "", append(args, "--yes", "--resend", "B1-00002")...)
	if got.status != 0 || len(g.Bills()) != 4 || !strings.Contains(got.stdout,
		"3 of 3 batches are confirmed, 2 of them before") {
		t.Errorf("sent again on demand: %+v, %d batches", got, len(g.Bills()))
	}
	got = fliggyCmd(t.Context(), vars, "", append(args, "--yes", "--resend", "B1-00009")...)
	if got.status != statusUsage || !strings.Contains(got.stderr, "--resend B1-00009: this run has sent no such batch") {
		t.Errorf("a batch that there is not: %+v", got)
	}
	got = fliggyCmd(t.Context(), vars, "", "bill", path, "--bill-no", "B2", "--batch-size", "2", "--yes")
	if got.status != statusUsage || !strings.Contains(got.stderr, "--bill-no was B1") {
		t.Errorf("another bill over the same state file: %+v", got)
	}
}

// A batch that Fliggy refuses ends the run, and goes out again in the next.
func TestBillRefused(t *testing.T) {
	t.Parallel()
	g := fliggytest.NewGateway()
	defer g.Close()
	args := []string{"bill", csvFile(t, billLines(2)), "--bill-no", "B1", "--batch-size", "1", "--yes"}
	g.Fail(fliggytest.Failed(&rentcar.BusinessError{Code: "012", Message: "账单有误"}))
	got := fliggyCmd(t.Context(), gatewayVars(g), "", args...)
	if got.status != statusNo || !strings.Contains(got.stderr, "012") || len(g.Bills()) != 0 {
		t.Errorf("got %+v, %d batches", got, len(g.Bills()))
	}
	if got = fliggyCmd(t.Context(), gatewayVars(g), "", args...); got.status != 0 || len(g.Bills()) != 2 {
		t.Errorf("got %+v, %d batches", got, len(g.Bills()))
	}
}

func TestBillThatIsWrong(t *testing.T) {
	t.Parallel()
	broken := billHeader + "1,RC1,10,1.00,T1,2026-12-01 10:00:00\n1,RC1,10,-1,T2,2026-12-01 10:00:00\n2,,10,1,T3,soon\n"
	for name, c := range map[string]struct {
		text string
		args []string
		want []string
	}{
		"lines": {broken, nil, []string{
			"line 3, order_amount", "line 4, out_order_id: missing", "line 4, pay_time", "3 problems; nothing was sent",
		}},
		"headings":    {"a,b\n", nil, []string{`heading "a" is unknown`, `"order_id" (飞猪订单号) is missing`}},
		"nothing":     {billHeader, nil, []string{"no movements"}},
		"batch size":  {billLines(1), []string{"--batch-size", "0"}, []string{"1 to 5000"}},
		"bill number": {billLines(1), []string{"--bill-no", " ", "--dry-run"}, []string{"--bill-no: want the number"}},
		"two lines":   {billLines(1), []string{"--bill-no", "A\nB", "--dry-run"}, []string{"--bill-no: a control character"}},
		"remark":      {billLines(1), []string{"--remark", "\x1b[31m"}, []string{"--remark: a control character"}},
		"one":         {billHeader + "1,RC1,10,1.00,T1,soon\n", nil, []string{"1 problem; nothing was sent"}},
	} {
		got := fliggyCmd(t.Context(), variables{}, "",
			append([]string{"bill", csvFile(t, c.text), "--bill-no", "B", "--yes"}, c.args...)...)
		for _, want := range c.want {
			if got.status != statusUsage || !strings.Contains(got.stderr, want) {
				t.Errorf("%s: %+v, want %q", name, got, want)
			}
		}
	}
	got := fliggyCmd(t.Context(), variables{}, "", "bill", "no such file", "--bill-no", "B")
	if got.status != statusUsage || !strings.Contains(got.stderr, "no such file") {
		t.Errorf("no file: %+v", got)
	}
	got = fliggyCmd(t.Context(), variables{}, "", "bill", csvFile(t, broken), "--bill-no", "B", "--json")
	if got.status != statusUsage || !strings.Contains(got.stdout, `{"line":3,"column":"order_amount"`) {
		t.Errorf("as JSON: %+v", got)
	}
}
