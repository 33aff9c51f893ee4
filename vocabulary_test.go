package rentcar

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

// The functions that stand for those of package fliggy do what theirs do.
func TestVocabulary(t *testing.T) {
	t.Parallel()
	at, err := ParseTime("2023-02-03T14:00")
	if err != nil || !at.Equal(testClock()) || At(testClock()).String() != "2023-02-03 14:00:00" || !At(time.Time{}).IsZero() {
		t.Errorf("time %v, %v", at, err)
	}
	yuan, err := ParseYuan("16.020")
	if err != nil || yuan.String() != "16.020" || MustYuan("16.020") != yuan || YuanFromDecimal(decimal.New(1602, -2)).String() != "16.02" {
		t.Errorf("yuan %v, %v", yuan, err)
	}
	if _, err := ParseYuan("16,02"); err == nil {
		t.Error("a comma is taken")
	}
	if _, err := ParseTime("now"); err == nil {
		t.Error("a word is taken for a time")
	}
	diff(t, "the rest", []string{"150", `{"a":"1","b":"2"}`, "s"}, []string{FenOf(150).String(), string(ExtsOf(map[string]string{"b": "2", "a": "1"})), NewSecret("s").Reveal()})
}
