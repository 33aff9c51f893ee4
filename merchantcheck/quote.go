package merchantcheck

import (
	"strings"
	"unicode"

	"github.com/shopspring/decimal"

	"github.com/fliggy-go/rentcar/fliggy"
)

// A Quote is what the merchant asks for the renewal of one of the guide's scenarios,
// whether its parts obey the rules or not.
type Quote struct {
	Scenario string      `json:"scenario"` // such as "price of 1 d 30 min"
	From     fliggy.Time `json:"from"`     // when the renewal starts, in GMT+8
	To       fliggy.Time `json:"to"`       // when it ends
	// StandardPrice is the rent with the handling fee, in yuan. It is unset where it cannot be read.
	StandardPrice fliggy.Yuan `json:"standard_price"`
	// Lines are the added services.
	Lines []QuoteLine `json:"lines"`
	// Total is what the customer pays, in yuan: the standard price and all added services. It is unset where a part of it
	// cannot be read.
	Total fliggy.Yuan `json:"total"`
	// Unread says why there is no total.
	Unread string `json:"unread,omitempty"`
}

// A QuoteLine is an added service of a quote.
type QuoteLine struct {
	Code   string      `json:"code"`   // such as "hourFee"
	Name   string      `json:"name"`   // in the merchant's words
	Amount fliggy.Yuan `json:"amount"` // in yuan; unset where it cannot be read
}

// quoteOf reads the prices of an answer.
func quoteOf(x *trial, quotable func(string) string) Quote {
	q := Quote{Scenario: x.scenario, From: x.from, To: x.to, Lines: []QuoteLine{}}
	switch {
	case x.skipped != "":
		q.Unread = quotable(x.skipped)
		return q
	case !x.regular():
		q.Unread = quotable(x.status() + x.summary())
		return q
	}
	amount := func(n node) (y fliggy.Yuan) {
		var r reader
		if d := r.number(n); r.err == nil {
			y = yuanOf(d)
		}
		return y
	}
	word := func(n node) string { // on one line, whatever the merchant says
		return quotable(strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return ' '
			}
			return r
		}, n.text()))
	}
	q.StandardPrice = amount(x.price("standardPrice"))
	for _, line := range x.lines() {
		q.Lines = append(q.Lines, QuoteLine{
			Code: word(line.member("serviceCode")), Name: word(line.member("serviceName")),
			Amount: amount(line.member("amount")),
		})
	}
	var r reader
	if total := r.total(x); r.err != nil {
		q.Unread = quotable(r.err.Error())
	} else {
		q.Total = yuanOf(total)
	}
	return q
}

// yuanOf is an amount with two decimals, more where it has more.
func yuanOf(d decimal.Decimal) fliggy.Yuan {
	y, err := fliggy.ParseYuan(yuan(d))
	if err != nil { // longer than an amount may be
		return fliggy.Yuan{}
	}
	return y
}

// text writes the quote for a reader.
func (q *Quote) text(line func(format string, args ...any)) {
	const minute = "2006-01-02 15:04"
	line("  %s: %s to %s", q.Scenario, q.From.Format(minute), q.To.Format(minute))
	show := func(name string, y fliggy.Yuan) {
		text := "unreadable"
		if y.IsSet() {
			text = y.String()
		}
		line("    %10s  %s", text, name)
	}
	if q.StandardPrice.IsSet() || q.Unread == "" {
		show("standard price", q.StandardPrice)
	}
	for _, l := range q.Lines {
		name := l.Code
		if l.Name != "" && l.Name != l.Code {
			name += " " + l.Name
		}
		show(name, l.Amount)
	}
	if q.Unread != "" {
		line("    no total: %s", q.Unread)
		return
	}
	show("in all", q.Total)
}
