package top_test

import (
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
)

// Writing into room that is there allocates nothing: what it needs comes from pools.
// AllocsPerRun forbids t.Parallel.
func TestWritingAllocations(t *testing.T) {
	type line struct {
		ID     fliggy.ID          `top:"id,required"`
		Number fliggy.ID          `top:"number,number"`
		Text   string             `top:"text,required"`
		Type   fliggy.BillBizType `top:"type,required"`
		Amount fliggy.Yuan        `top:"amount,required"`
		Fen    fliggy.Fen         `top:"fen"`
		Days   fliggy.Decimal     `top:"days"`
		Time   fliggy.Time        `top:"time,required"`
		Minute fliggy.Time        `top:"minute,layout=minute"`
		Flag   *bool              `top:"flag"`
	}
	type bill struct {
		Lines []line `top:"lines,required"`
	}
	noon := fliggy.MustTime("2023-02-03 12:00:00")
	v := bill{make([]line, 20)}
	for i := range v.Lines {
		v.Lines[i] = line{"3187983531024266527", "7", "上海/浦东\n", 10, fliggy.MustYuan("-200.98"), fliggy.FenOf(5), fliggy.MustDecimal("1.5"), noon, noon, ptr(true)}
	}
	plan := planOf[bill](t)
	room := make([]byte, 0, 64<<10)
	params := []top.Param{{Name: "a", Value: strings.Repeat("x/", 2000)}, {Name: "b", Value: "飞猪"}}
	for name, work := range map[string]func() error{
		"plain":   func() error { _, err := plan.AppendJSON(room, &v, top.EncodeOptions{}); return err },
		"escaped": func() error { _, err := plan.AppendJSON(room, &v, top.EncodeOptions{Escaped: true}); return err },
		"check":   func() error { return plan.Check(&v).Err("") },
		"form":    func() error { top.AppendForm(room, params); return nil },
		"md5":     func() error { top.Sign(top.SignMD5, "secret", params, room[:5000]); return nil },
		"hmac":    func() error { top.Sign(top.SignHMAC, "secret", params, room[:5000]); return nil },
		"sha256":  func() error { top.Sign(top.SignHMACSHA256, "secret", params, room[:5000]); return nil },
	} {
		most := 1.0 // the signature, or an entry that a pool has lost
		if n := testing.AllocsPerRun(200, func() {
			if err := work(); err != nil {
				t.Fatal(err)
			}
		}); n > most {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
