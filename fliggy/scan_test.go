package fliggy_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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

// Hostile numbers must cost nothing: what is refused is hardly looked at.
func TestHostileNumbersAreRefusedAtOnce(t *testing.T) { // alone, since it counts allocations
	digits := []byte(strings.Repeat("9", 1<<20))
	quoted := []byte(`"` + string(digits) + `"`)
	for name, unmarshal := range map[string]func() error{
		"Yuan text":    func() error { return new(fliggy.Yuan).UnmarshalText(digits) },
		"Yuan":         func() error { return new(fliggy.Yuan).UnmarshalJSON(digits) },
		"Decimal":      func() error { return new(fliggy.Decimal).UnmarshalJSON(quoted) },
		"Fen":          func() error { return new(fliggy.Fen).UnmarshalJSON(quoted) },
		"Time":         func() error { return new(fliggy.Time).UnmarshalJSON(quoted) },
		"enum":         func() error { return new(fliggy.RefundType).UnmarshalJSON(digits) },
		"big exponent": func() error { return new(fliggy.Yuan).UnmarshalJSON([]byte("1e999999999")) },
	} {
		var err error
		if n := testing.AllocsPerRun(10, func() { err = unmarshal() }); err == nil || n > 20 {
			t.Errorf("%s: error %.80v, %v allocations", name, err, n)
		}
	}
	_, err := fliggy.ParseYuan(string(digits))
	wantError(t, err, `"`+strings.Repeat("9", 40)+`"...`)
	_, err = fliggy.ParseYuan(strings.Repeat("\x00", 50))
	wantError(t, err, `\x00`)
}

func TestUnsetScalarsAreWrittenAsNothing(t *testing.T) {
	t.Parallel()
	type all struct {
		Yuan      fliggy.Yuan      `json:"yuan"`
		Fen       fliggy.Fen       `json:"fen"`
		Decimal   fliggy.Decimal   `json:"decimal"`
		Time      fliggy.Time      `json:"time"`
		LocalTime fliggy.LocalTime `json:"local"`
		Date      fliggy.Date      `json:"date"`
		ID        fliggy.ID        `json:"id"`
		Exts      fliggy.Exts      `json:"exts"`
	}
	type lean struct {
		Yuan fliggy.Yuan    `json:"yuan,omitzero"`
		Fen  fliggy.Fen     `json:"fen,omitzero"`
		Days fliggy.Decimal `json:"days,omitzero"`
		Time fliggy.Time    `json:"time,omitzero"`
		Date fliggy.Date    `json:"date,omitzero"`
	}
	for _, c := range []struct {
		v    any
		want string
	}{
		{all{}, `{"yuan":null,"fen":null,"decimal":null,"time":null,"local":null,"date":null,"id":"","exts":""}`},
		{lean{}, `{}`},
		{
			lean{
				fliggy.MustYuan("0.00"), fliggy.FenOf(0), fliggy.MustDecimal("0"), fliggy.MustTime("2023-02-03 19:23:32"),
				fliggy.Date{Year: 2023, Month: 2, Day: 4},
			},
			`{"yuan":"0.00","fen":0,"days":"0","time":"2023-02-03 19:23:32","date":"2023-02-04"}`,
		},
	} {
		got, err := json.Marshal(c.v)
		if err != nil || string(got) != c.want {
			t.Errorf("got %s, %v; want %s", got, err, c.want)
		}
	}
	var back all
	if err := json.Unmarshal(
		[]byte(`{"yuan":null,"fen":"","decimal":"null","time":null,"local":"","date":"null","id":null,"exts":"{}"}`), &back,
	); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(all{}, back, exact[all]()); diff != "" {
		t.Error(diff)
	}
	if got := fmt.Sprint(
		fliggy.Yuan{}, fliggy.Fen{}, fliggy.Decimal{}, fliggy.Time{}, fliggy.LocalTime{}, fliggy.Date{},
	); strings.TrimSpace(got) != "" {
		t.Errorf("unset prints %q", got)
	}
}
