// Package pricing computes the price of a renewal (续租) for a merchant (商家): pure
// functions from a rate plan and a period to the reply that package qimen sends.
//
// [Plan.Quote] makes the reply, [CheckTotal] compares the total of a submit with it,
// [TierAt] finds the cancellation tier in force. Nothing here reads a clock, a file
// or the network; amounts are exact decimals in yuan.
//
// # Rules
//
// These are the rules of the merchant renewal guide, as far as it has any, and
// otherwise what its samples show. All three scenarios of the guide come out the
// same to the fen.
//
//   - The duration is D whole days of 24 hours from the start and m scattered minutes
//     (零散分钟), m below 1440.
//   - The scattered-hour rules (零散小时规则) give m a percentage. Below 100 the
//     scattered-hour fee (零散小时费) applies (命中): that share of a day price. At
//     100 it does not (未命中), and the scattered part is one more whole day.
//   - standardPrice is the rent of the whole days (总整日租金) plus the handling fee
//     (手续费, poundageFee). A period of less than a day has no whole day where the
//     fee applies, and one where it does not.
//   - Added services (增值服务) cost price times quantity, or a flat price (一口价).
//     quantity is D plus the percentage: 1.5 for a day and a half-price rest. The
//     scattered-hour fee is a flat line of its own, hourFee, the last one.
//   - The total (订单总费用) is standardPrice plus the amounts of all lines.
//     basicServiceFee (基础服务费) repeats a line and is not added again.
//   - The calendar has one entry for each started day. The last one carries the
//     scattered-hour fee where it applies; its day price is then a base only.
//
// # What the documents leave open
//
// Options:
//
//   - Rounding of line amounts and of the scattered-hour fee: [Rounding]. Half even
//     is the only mode that fits all amounts of the guide.
//   - The base of the percentage: [ScatteredBase].
//   - The token of the price (priceMark): a digest, until you put your own into the
//     reply.
//   - A period of grace: none is documented, a range of 0 percent is one. Its fee is
//     0.00, and its line is written.
//
// Choices, which hold unless you change the reply:
//
//   - No scattered minutes, no fee, although the first range of the guide starts at 0.
//   - A day costs the price of the calendar date on which its 24 hours start, in
//     GMT+8. standardUnitPrice is a number to display where days differ.
//   - The fraction of quantity is the percentage itself: 33 percent is 0.33.
//   - A range of 100 percent is always one more day, never a line of 100 percent.
//   - Ranges cover all minutes once; percentages outside 0 to 100 have no meaning.
//   - Seconds are dropped: the duration is rounded down to whole minutes.
//   - Amounts are written with two decimals, a quantity with at least one.
//   - Optional services are lines of the quote like any other. No document says
//     whether a submitted total has them, so CheckTotal takes any choice of them.
//   - What a cancellation tier means is inferred; there is no amount to compute: the
//     penalty of the guide's own sample fits no tier.
//
// Scenario 1 of the guide is called 1 day 2 hours and is 1 day 30 minutes; both cost
// the same. Its prices and percentages are an example: the guide asks merchants to
// test with their own.
//
// Source: merchant renewal guide (续租商家标准参考).
package pricing
