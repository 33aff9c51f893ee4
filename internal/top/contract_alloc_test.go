package top_test

import (
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
)

// Reading allocates for the tree, for lists, and once or twice for each scalar that
// reads itself. AllocsPerRun forbids t.Parallel.
func TestReadingAllocations(t *testing.T) {
	type order struct {
		Successful bool             `top:"successful,required"`
		RetMsg     string           `top:"ret_msg"`
		ID         fliggy.ID        `top:"id"`
		Number     fliggy.ID        `top:"number"`
		Channel    fliggy.Channel   `top:"channel"`
		Exts       fliggy.Exts      `top:"exts"`
		Total      fliggy.Yuan      `top:"total"`
		Days       fliggy.Decimal   `top:"days"`
		Fen        fliggy.Fen       `top:"fen"`
		Time       fliggy.Time      `top:"time"`
		Local      fliggy.LocalTime `top:"local"`
		Date       fliggy.Date      `top:"date"`
		Status     fliggy.PayStatus `top:"status"`
		Count      int              `top:"count"`
		Inner      struct {
			Text string `top:"text"`
		} `top:"inner"`
		Items []struct {
			SID   string      `top:"sid"`
			Price fliggy.Yuan `top:"price"`
		} `top:"items"`
		RequestID string `top:"request_id"`
	}
	const members = `"successful":true,"ret_msg":"成功","id":"3187983531024266527","number":3187983531024266527,"channel"` +
		`:"80001",` +
		`"exts":"{\"key\":\"value\"}","total":"1000.10","days":2.5,"fen":"5565","time":"2022-11-24 ` +
		`10:00:00","local":"2022-11-24 10:00:00",` +
		`"date":"2022-11-24","status":"2","count":"5","inner":{"text":"x"},"items":[{"sid":"1","price":"1.00"},{"sid":"2",` +
		`"price":2}],"request_id":"r"`
	const document = `<x_response><successful>true</successful><ret_msg>成功</ret_msg><id>3187983531024266527</id><total>` +
		`1000.10</total>` +
		`<time>2022-11-24 10:00:00</time><status>2</status><items><i><sid>1</sid></i></items><request_id>r</request_id></x` +
		`_response>`
	plan := planOf[order](t)
	for _, c := range []struct {
		name, body string
		format     top.Format
		most       float64
	}{
		{"simplified", "{" + members + "}", top.Simplified, 45},
		{"wrapped", `{"x_response":{` + members + "}}", top.Wrapped, 45},
		{"XML", document, top.XML, 100}, // encoding/xml makes most of them
	} {
		n := testing.AllocsPerRun(100, func() {
			r, err := top.OpenReply(c.body, c.format, top.TOP, "")
			if err == nil {
				err = r.Decode(plan, &order{})
			}
			if err != nil {
				t.Fatal(err)
			}
		})
		if n > c.most {
			t.Errorf("%s: %v allocations, want at most %v", c.name, n, c.most)
		}
	}
}
