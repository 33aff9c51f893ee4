// Package pricing computes the price of a renewal (续租) for a merchant (商家). Its functions are pure: they turn a rate
// plan and a period into the reply that package qimen sends.
//
// [Plan.Quote] makes the reply, [CheckTotal] compares the total of a submit with it, and [TierAt] finds the
// cancellation tier that applies. Nothing here reads a clock, a file or the network. Amounts are exact decimals in
// yuan.
//
// # Rules
//
// The rules are those of the merchant renewal guide. Where the guide has no rule, they follow its samples. All three
// scenarios of the guide come out the same to the fen.
//
//   - The duration is D whole days of 24 hours from the start, plus m scattered minutes (零散分钟), with m below 1440.
//   - The scattered-hour rules (零散小时规则) map m to a percentage. Below 100 the scattered-hour fee (零散小时费) applies (命中):
//     that percentage of a day price. At 100 it does not apply (未命中), and the scattered part is charged as one more
//     whole day.
//   - standardPrice is the rent of the whole days (总整日租金) plus the handling fee (手续费, poundageFee). A period of less
//     than a day has no whole day if the scattered-hour fee applies, and one if it does not.
//   - An added service (增值服务) costs price times quantity, or a flat price (一口价). quantity is D plus the percentage: 1.5
//     for a day and a rest at half price. The scattered-hour fee is a flat line of its own, hourFee, and the last one.
//   - The total (订单总费用) is standardPrice plus the amounts of all lines. basicServiceFee (基础服务费) repeats a line and is
//     not added again.
//   - The calendar has one entry for each started day. If the scattered-hour fee applies, the last entry carries it,
//     and the day price of that entry is only the base of the fee.
//
// # Open points
//
// The documents leave some points open. These are options:
//
//   - How line amounts and the scattered-hour fee are rounded: [Rounding]. Half even is the only mode that fits all
//     amounts of the guide.
//   - The base of the percentage: [ScatteredBase].
//   - The token of the price (priceMark): a digest, unless you set your own in the reply.
//   - A grace period: none is documented. A range of 0 percent gives one; the reply then has a fee line of 0.00.
//
// These are choices of this package. Change the reply if you need another one:
//
//   - Without scattered minutes there is no fee, although the first range of the guide starts at 0.
//   - A day costs the price of the calendar date on which its 24 hours start, in GMT+8. If prices differ by day,
//     standardUnitPrice is for display only.
//   - The fraction of quantity is the percentage itself: 33 percent is 0.33.
//   - A range of 100 percent always means one more day, never a line of 100 percent.
//   - Ranges cover each minute once. Percentages are 0 to 100.
//   - Seconds are dropped: the duration is rounded down to whole minutes.
//   - Amounts are written with two decimals, a quantity with at least one.
//   - Optional services are lines of the quote like any other. No document says whether a submitted total includes
//     them, so CheckTotal accepts any choice of them.
//   - The meaning of a cancellation tier is inferred. No penalty is computed, because the one in the guide's sample
//     matches no tier.
//
// Scenario 1 of the guide is called 1 day 2 hours but lasts 1 day 30 minutes; both cost the same. Its prices and
// percentages are an example: the guide asks merchants to test with their own.
//
// Source: merchant renewal guide (续租商家标准参考).
package pricing
