package ledger

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
)

// TestForms reads the same movements as spreadsheets save them.
func TestForms(t *testing.T) {
	t.Parallel()
	const english = "order_id,out_order_id,biz_type,order_amount,pay_trade_no,pay_time,order_status\n" +
		"3104050285204362836,RC1,10,1234.50,T1,2026-12-01 10:00:00,已完成\n\n,,,,,,\n" +
		"3104050285204362836,RC1,20,0.05,T2,2026-12-02 08:09:00,\n"
	const chinese = "飞猪订单号,分销商订单号,业务类型,金额(元),交易流水号,交易时间,订单状态,交易类型\n" +
		"\"=\"\"3104050285204362836\"\"\",'RC1,订单费用,1234.50,T1 ,2026/12/1 10:00,已完成,收入\n" +
		"3104050285204362836,RC1,订单费用退款,0.05,T2,2026/12/2 8:09,,退款\n"
	line := func(biz fliggy.BillBizType, trade fliggy.TradeType, amount, no, at, status string) rentcar.BillLine {
		return rentcar.BillLine{
			OrderID: "3104050285204362836", OutOrderID: "RC1", BizType: biz, TradeType: trade,
			OrderAmount: fliggy.MustYuan(amount), PayTradeNo: no, PayTime: fliggy.MustTime(at), OrderStatus: status,
		}
	}
	want := []rentcar.BillLine{
		line(10, fliggy.TradeIncome, "1234.50", "T1", "2026-12-01 10:00:00", "已完成"),
		line(20, fliggy.TradeRefund, "0.05", "T2", "2026-12-02 08:09:00", ""),
	}
	gbk, err := simplifiedchinese.GBK.NewEncoder().String(chinese)
	noError(t, err)
	utf16, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(strings.ReplaceAll(chinese,
		",", "\t"))
	noError(t, err)
	for name, c := range map[string]struct{ text, encoding string }{
		"UTF-8":     {english, "UTF-8"},
		"BOM":       {"\ufeff" + chinese, "UTF-8"},
		"Windows":   {strings.ReplaceAll(chinese, "\n", "\r\n"), "UTF-8"},
		"semicolon": {strings.ReplaceAll(chinese, ",", ";"), "UTF-8"},
		"GBK":       {gbk, "GBK"},
		"UTF-16":    {utf16, "UTF-16"},
	} {
		f, err := write(t, []byte(c.text))
		if err != nil || f.Encoding != c.encoding {
			t.Errorf("%s: %v, %+v", name, err, f)
			continue
		}
		var got []rentcar.BillLine
		err = f.Lines(func(p Problem) { t.Errorf("%s: %v", name, p) }, func(_ int, l *rentcar.BillLine) error {
			got = append(got, *l)
			return nil
		})
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestBrokenLines(t *testing.T) {
	t.Parallel()
	const good = "1,RC1,10,1.00,T1,2026-12-01 10:00:00"
	replace := func(from, to string) string { return strings.Replace(good, from, to, 1) }
	for name, c := range map[string]struct{ line, column, rule string }{
		"Excel's number":  {replace("1,RC1", "3.10405E+18,RC1"), "order_id", "rounded the number"},
		"no id":           {replace("RC1", ""), "out_order_id", "missing"},
		"negative":        {replace("1.00", "-1.00"), "order_amount", "no sign"},
		"zero":            {replace("1.00", "0.00"), "order_amount", "above zero"},
		"three decimals":  {replace("1.00", "1.001"), "order_amount", "two decimals"},
		"thousands":       {replace("1.00", `"1,000.00"`), "order_amount", "no comma"},
		"currency":        {replace("1.00", "¥1.00"), "order_amount", "no currency"},
		"no amount":       {replace("1.00", " "), "order_amount", "missing"},
		"unknown kind":    {replace("10,", "15,"), "biz_type", "10, 11, 12, 13, 14, 20"},
		"words":           {replace("10,", "租金,"), "biz_type", "numbers of the API"},
		"day first":       {replace("2026-12-01 10:00:00", "01/12/2026 10:00"), "pay_time", "GMT+8"},
		"no time of day":  {replace("2026-12-01 10:00:00", "2026-12-01"), "pay_time", "GMT+8"},
		"a field more":    {good + ",1", "", "7 fields, and there are 6"},
		"a field less":    {"1,RC1,10,1.00,T1", "", "5 fields"},
		"quotation marks": {replace("RC1", `R"C"1`), "", "quotation marks"},
		"NUL":             {replace("T1", "T\x00"), "pay_trade_no", "control character"},
		"tab":             {replace("RC1", "RC\t1"), "out_order_id", "control character"},
		"escape":          {replace("1,RC1", "\x1b[31m,RC1"), "order_id", "control character"},
		"line break":      {replace("T1", "\"T\n1\""), "pay_trade_no", "control character"},
		"endless text":    {replace("T1", strings.Repeat("T", 5000)), "pay_trade_no", "5000 bytes"},
		"exponent":        {replace("1.00", "1e3"), "order_amount", "want yuan"},
		"wide digits":     {replace("1.00", "１"), "order_amount", "want yuan"},
	} {
		f, err := write(t, []byte(header+good+"\n"+c.line+"\n"+strings.Replace(good, "T1", "T2", 1)+"\n"))
		noError(t, err)
		var problems []Problem
		lines := 0
		err = f.Lines(func(p Problem) { problems = append(problems, p) }, func(int, *rentcar.BillLine) error {
			lines++
			return nil
		})
		if err != nil || lines != 2 || len(problems) != 1 || problems[0].Line != 3 || problems[0].Column != c.column ||
			!strings.Contains(problems[0].String(), c.rule) || !strings.Contains(problems[0].String(), "line 3") {
			t.Errorf("%s: %v, %d lines, %v", name, err, lines, problems)
		}
	}
	contradiction := strings.TrimSuffix(header, "\n") + ",trade_type\n" + good + ",2\n"
	f, err := write(t, []byte(contradiction))
	noError(t, err)
	err = f.Lines(func(p Problem) {
		if p.Column != "trade_type" {
			t.Errorf("got %v", p)
		}
	}, func(int, *rentcar.BillLine) error { t.Error("taken"); return nil })
	noError(t, err)
}

func TestFilesThatAreWrong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"empty":       {"", "empty"},
		"no headings": {"1,RC1,10,1.00,T1,2026-12-01 10:00:00\n", `heading "1" is unknown`},
		"missing":     {"order_id,out_order_id,biz_type,order_amount,pay_trade_no\n", `"pay_time" (交易时间) is missing`},
		"twice":       {strings.TrimSuffix(header, "\n") + ",金额\n", `"金额" is there twice`},
		"other money": {strings.TrimSuffix(header, "\n") + ",bonus\n", `"bonus" is unknown`},
		"one byte":    {"a", `heading "a" is unknown`},
		"old Mac":     {strings.ReplaceAll(header+"1,RC1\n", "\n", "\r"), "carriage return"},
		"mixed":       {"飞猪订单号\n1\n\xd6\xd0\n", "the text before line 3 of the file is UTF-8"},
		"quotes":      {`"` + header, "the headings cannot be read"},
		"pictures":    {"\x89PNG\r\n\x1a\n\x00\x00\x00", "is missing"},
	} {
		if _, err := write(t, []byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	// A few bytes of another charset in the middle are found where they are.
	f, err := write(t, []byte(header+"1,RC\xff1,10,1.00,T1,2026-12-01 10:00:00\n"))
	noError(t, err)
	var got []Problem
	noError(t, f.Lines(func(p Problem) { got = append(got, p) }, func(int, *rentcar.BillLine) error { return nil }))
	if len(got) != 1 || got[0].Line != 2 || !strings.Contains(got[0].Rule, "not text in GBK") {
		t.Errorf("got %v", got)
	}
	if _, err := Open("no such file"); err == nil {
		t.Error("opened nothing")
	}
}

// TestMemory reads 100,000 lines without holding them.
func TestMemory(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	f, err := write(t, []byte(movements(100_000)))
	noError(t, err)
	before, most := heap(), uint64(0)
	err = f.Lines(func(p Problem) { t.Error(p) }, func(number int, _ *rentcar.BillLine) error {
		if number%20_000 == 0 {
			most = max(most, heap())
		}
		return nil
	})
	noError(t, err)
	if most > before+4<<20 {
		t.Errorf("the heap grew from %d to %d bytes", before, most)
	}
}

// TestQuoteThatIsNotClosed stops at a quotation mark that is not closed, and does not hold the rest of the file.
func TestQuoteThatIsNotClosed(t *testing.T) {
	t.Parallel()
	text := strings.Replace(movements(100_000), "\n3104", "\n\"3104", 1)
	f, err := write(t, []byte(text))
	noError(t, err)
	err = f.Lines(func(p Problem) { t.Errorf("got %v", p) }, func(int, *rentcar.BillLine) error { return nil })
	if !errors.Is(err, errLongRecord) || !strings.Contains(err.Error(), "after line 1:") {
		t.Errorf("got %v", err)
	}
}

// TestProblemNamesHeading names a column as the file does.
func TestProblemNamesHeading(t *testing.T) {
	t.Parallel()
	f, err := write(t, []byte("飞猪订单号,分销商订单号,业务类型,金额,流水号,交易时间\n1,RC1,10,0.00,T1,2026-12-01 10:00:00\n"))
	noError(t, err)
	var got []string
	noError(t, f.Lines(func(p Problem) { got = append(got, p.Column) }, func(int, *rentcar.BillLine) error { return nil }))
	if diff := cmp.Diff([]string{"金额"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
