package fliggy_test

import (
	"encoding/json"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
)

// Plain text is copied once and nothing else is allocated; escapes go another way. AllocsPerRun forbids t.Parallel.
func TestReadingPlainTextAllocatesOnce(t *testing.T) {
	for name, c := range map[string]struct {
		target json.Unmarshaler
		data   string
	}{
		"id":         {new(fliggy.ID), `"3187983531024266527"`},
		"bare id":    {new(fliggy.ID), `3187983531024266527`},
		"yuan":       {new(fliggy.Yuan), `"200.98"`},
		"fen":        {new(fliggy.Fen), `5565`},
		"decimal":    {new(fliggy.Decimal), `"14.5"`},
		"time":       {new(fliggy.Time), `"2023-02-03 19:23:32"`},
		"local time": {new(fliggy.LocalTime), `"2024-11-05 19:42:29"`},
		"date":       {new(fliggy.Date), `"2023-02-04"`},
		"exts":       {new(fliggy.Exts), `"free text"`},
		"channel":    {new(fliggy.Channel), `"80001"`},
		"biz type":   {new(fliggy.BillBizType), `"10"`},
	} {
		data := []byte(c.data)
		if n := testing.AllocsPerRun(100, func() {
			if err := c.target.UnmarshalJSON(data); err != nil {
				t.Fatal(err)
			}
		}); n > 1 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
