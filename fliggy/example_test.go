package fliggy_test

import (
	"encoding/json"
	"fmt"

	"github.com/fliggy-go/rentcar/fliggy"
)

// Amounts keep the scale they were read with and calculate exactly.
func ExampleYuan() {
	var line struct {
		Price    fliggy.Yuan    `json:"price"`
		Quantity fliggy.Decimal `json:"quantity"`
		Discount fliggy.Yuan    `json:"discount"`
	}
	if err := json.Unmarshal([]byte(`{"price":"10.00","quantity":14.5,"discount":""}`), &line); err != nil {
		fmt.Println(err)
		return
	}
	amount := line.Price.Mul(line.Quantity).RoundBank(2)
	fen, err := amount.Fen()
	fmt.Println(line.Price, amount, fen, err, line.Discount.IsSet())
	// Output: 10.00 145.00 14500 <nil> false
}

// Wire times are clock readings in GMT+8, whatever the zone of the host.
func ExampleTime() {
	for _, text := range []string{
		"2022-10-22 10:22:00", "2022-10-22 10:22", "1666405320000", "2022-10-22T02:22:00Z", "2022-02-30",
	} {
		t, err := fliggy.ParseTime(text)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(t)
	}
	// Output:
	// 2022-10-22 10:22:00
	// 2022-10-22 10:22:00
	// 2022-10-22 10:22:00
	// 2022-10-22 10:22:00
	// fliggy: time "2022-02-30": no such date or time of day
}

// Extension data travels as JSON inside a string.
func ExampleExts() {
	exts := fliggy.ExtsOf(map[string]string{"source": "app"})
	data, err := json.Marshal(exts)
	fmt.Println(string(data), err)
	fmt.Println(exts.Get("source"))
	// Output:
	// "{\"source\":\"app\"}" <nil>
	// app true
}

// Unknown values of an enumeration pass through.
func ExampleRefundType() {
	var known, other fliggy.RefundType
	fmt.Println(json.Unmarshal([]byte(`"2"`), &known), known)
	fmt.Println(json.Unmarshal([]byte(`17`), &other), other)
	// Output:
	// <nil> fuel fee
	// <nil> 17
}
