package fliggy

// The parts of a renewal's price that a merchant writes and a distributor reads. Their members are named in camelCase
// in a merchant's reply: the field that holds them has the option camel in its tag. What is inferred is so for the
// distributor's quote: the samples of the merchant renewal guide show the same members.

// ScatteredPriceRules are the scattered-hour rules (零散小时规则) of a merchant.
type ScatteredPriceRules struct {
	// Rules are the ranges of minutes, in rising order. Inferred.
	Rules []ScatteredPriceRule `top:"data,keep"`
}

// ScatteredPriceRule says what scattered minutes in a range cost. One that came without one of its numbers is an error:
// 0 would be read as a price.
type ScatteredPriceRule struct {
	// Value is the share of the day price in percent; 100 means that the fee does not apply (未命中) and a whole day is
	// charged instead. Required. Inferred.
	Value Decimal `top:"value,required"`
	// StartTime is the first minute of the range. Inferred.
	StartTime int `top:"start_time,present,keep"`
	// EndTime is the last minute of the range, included. Inferred.
	EndTime int `top:"end_time,present,keep"`
}

// CancelPolicy is a cancellation policy (取消政策), cancelStrategyStruct on the wire. No document explains it; what the
// members mean is inferred.
type CancelPolicy struct {
	// Rules are the tiers of the penalty, in falling order of Time. Inferred.
	Rules []CancelRule `top:"cancel_rules,wrap=cancel_rule,keep"`
	// ManualCheckTime is explained nowhere; 0 in the samples. Inferred.
	ManualCheckTime int `top:"manual_check_time,keep"`
	// CancelType is the kind of rule; only 1 is seen. Required of a merchant. Inferred.
	CancelType int `top:"cancel_type,keep"`
	// SupportCancel reports whether cancelling is possible. Inferred.
	SupportCancel bool `top:"support_cancel,keep"`
}

// CancelRule is one tier of a cancellation penalty. What the numbers mean is inferred. A tier that came without one of
// them is an error: 0 would be read as free of charge.
type CancelRule struct {
	// Num is the penalty in percent of the total, when CancelType is 1. Inferred.
	Num int `top:"num,present,keep"`
	// Time is the threshold in hours before the start of the renewal. Inferred.
	Time int `top:"time,present,keep"`
}
