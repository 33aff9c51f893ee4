package merchantcheck

// A finding is where an answer breaks a rule.
type finding struct {
	member   string // its path; empty for the answer as a whole
	expected string
	got      string
	doubtful bool // no document rules it out: a warning
}

// A rule is something that answers must keep.
type rule struct {
	id    string
	title string
	why   string // why it matters
	on    trialKind
	// anyAnswer: it looks at answers other than a regular yes, too.
	anyAnswer bool
	// check finds what is wrong. An error says why that is not known.
	check func(*trial) ([]finding, error)
}

// rules are all rules of the self-test.
var rules = []rule{{
	id:    "endpoint",
	title: "the endpoint can be reached, and replies",
	on:    askEndpoint, anyAnswer: true,
	why: "Nothing else can be checked. Look at the address, and whether it is your endpoint that answers " +
		"there.",
	check: checkEndpoint,
}, {
	id:    "signature-taken",
	title: "a correct signature is taken",
	on:    askPrices, anyAnswer: true,
	why: "Everything else is refused with it. Either the endpoint verifies wrongly, or it has another app key or " +
		"secret than this run: compare the two first.",
	check: checkSignatureTaken,
}, {
	id:    "reply-shape",
	title: "the answer is HTTP 200 with a JSON object that says success",
	on:    askRegulars, anyAnswer: true,
	why: "Fliggy hands the body to its own reader. Whatever is no such object counts as a failed call, and " +
		"the customer sees no renewal.",
	check: checkShape,
}, {
	id:    "members",
	title: "the members of the guide's replies are there",
	on:    askRegulars,
	why:   "A price or an id that is missing cannot be shown, paid or cancelled.",
	check: checkMembers,
}, {
	id:    "number-forms",
	title: "numbers, booleans, texts and lists have the JSON types of the guide's replies",
	on:    askRegulars,
	why: "The receiving side binds each member to a type. Text where a number is due may be refused, and an " +
		"amount that is a number may lose digits.",
	check: checkForms,
}, {
	id:    "amounts",
	title: "amounts are plain decimals of yuan, not negative, with at most two decimals",
	on:    askPrices,
	why: "An amount is charged to the fen. What is finer is rounded by somebody else, and totals then differ " +
		"by a fen.",
	check: checkAmounts,
}, {
	id:    "price-mark",
	title: "the quote has a price mark",
	on:    askPrices,
	why: "The mark comes back with the submit. Without it the order cannot be matched with the price that the " +
		"customer saw.",
	check: checkPriceMark,
}, {
	id:    "standard-price",
	title: "standardPrice is the whole-day rent plus the handling fee",
	on:    askPrices,
	why: "The page adds the services to standardPrice to get what the customer pays. An error here is an " +
		"error of the charge.",
	check: checkStandardPrice,
}, {
	id:    "services-not-in-standard-price",
	title: "standardPrice contains no added service",
	on:    askPrices,
	why:   "The page adds every added service by itself. One that is in standardPrice as well is charged twice.",
	check: checkServicesApart,
}, {
	id:    "duplicate-lines",
	title: "each added service is listed once",
	on:    askPrices,
	why:   "Every line is added to the total, so a service that is listed twice is charged twice.",
	check: checkDuplicates,
}, {
	id:    "hour-fee",
	title: "the hour-fee line repeats the scattered price of the calendar, as a flat price",
	on:    askPrices,
	why: "The calendar explains the fee, but only the line is charged: without it the hours are free, with " +
		"another amount the two contradict each other.",
	check: checkHourFee,
}, {
	id:    "scattered-rule",
	title: "scattered minutes cost what the merchant's own scattered-hour rule says",
	on:    askPrices,
	why:   "The customer is shown the rule beside the price. A price that does not follow it is a dispute.",
	check: checkScatteredRule,
}, {
	id:    "scattered-ranges",
	title: "the scattered-hour ranges cover a day without gap and overlap",
	on:    askPrices,
	why:   "A scattered minute that is in no range has no price, one in two ranges has two.",
	check: checkScatteredRanges,
}, {
	id:    "calendar",
	title: "the calendar has each started day once, in order, and scattered minutes only on the last",
	on:    askPrices,
	why: "The calendar is what the customer sees the price made of. A day that is missing or doubled makes it " +
		"contradict the sum.",
	check: checkCalendar,
}, {
	id:    "quantity",
	title: "quantities fit the period: whole days, plus the share or the whole of the started one",
	on:    askPrices,
	why:   "Services per day are multiplied with it. A wrong number of days makes each of them wrong.",
	check: checkQuantity,
}, {
	id:    "line-amount",
	title: "a line's amount is price times quantity, of a flat line the price",
	on:    askPrices,
	why: "The amount is charged, the price is displayed: they must tell the same. A difference of one fen is " +
		"taken for rounding.",
	check: checkLineAmounts,
}, {
	id:    "basic-service-fee",
	title: "basicServiceFee repeats the amount of the basic service line",
	on:    askPrices,
	why: "It is the same money at two places, shown once and charged once. Two amounts for it cannot both be " +
		"right.",
	check: checkBasicService,
}, {
	id:    "cancel-tiers",
	title: "the cancellation tiers fall in time and do not fall in penalty, between 0 and 100 percent",
	on:    askPrices,
	why: "The first tier whose time is reached is taken to hold. In another order customers pay a penalty that " +
		"you did not mean.",
	check: checkCancelTiers,
}, {
	id:    "quoted-total",
	title: "a submit with the total and the price mark of the quote is accepted",
	on:    askSubmit, anyAnswer: true,
	why: "The customer has paid what the quote said. If quote and order are computed in two ways, paid orders " +
		"fail.",
	check: checkQuotedTotal,
}, {
	id:    "submit-reply",
	title: "the reply to a submit has the id of the new renewal order and its creation time",
	on:    askSubmits,
	why:   "Fliggy knows the renewal by this id from then on, and cancels it by it.",
	check: checkSubmitReply,
}, {
	id:    "submit-repeat",
	title: "the same submit sent again gets the same answer, and books nothing more",
	on:    askSubmitAgain, anyAnswer: true,
	why: "An answer can get lost on its way, and the submit may then come again (inferred). Paid for once, it must " +
		"not be booked twice, and not be refused because it is booked.",
	check: checkSubmitRepeat,
}, {
	id:    "untraded-submits",
	title: "submits of two renewals without a trade number are two renewal orders",
	on:    askUntraded, anyAnswer: true,
	why: "payTradeNo may be empty. Whoever tells a repeat by it alone takes the second order for the first: " +
		"it is paid for, and not booked.",
	check: checkUntraded,
}, {
	id:    "cancel-reply",
	title: "a cancellation with the id of the submit's reply succeeds",
	on:    askCancel, anyAnswer: true,
	why: "The customer is told that the renewal is cancelled, and gets the money back. A car that stays " +
		"booked is the merchant's loss.",
	check: checkCancelReply,
}, {
	id:    "cancel-repeat",
	title: "the same cancellation sent again succeeds again",
	on:    askCancelAgain, anyAnswer: true,
	why: "Like a submit, a cancellation whose answer got lost may come again (inferred). Refusing it looks like a " +
		"renewal that could not be cancelled.",
	check: checkCancelRepeat,
}, {
	id:    "bad-signature",
	title: "a bad signature gets the prescribed reply",
	on:    askForged, anyAnswer: true,
	why: "The platform's console sends one before an API goes online, and insists on this very reply. Whoever " +
		"takes unsigned requests lets strangers book cars.",
	check: checkForged,
}, {
	id:    "unknown-app",
	title: "an unknown app key gets the same reply as a bad signature",
	on:    askUnknownApp, anyAnswer: true,
	why: "To the platform both are the same failed check. A different reply, or a crash while looking for a " +
		"secret that is not there, tells strangers which keys exist.",
	check: checkUnknownApp,
}, {
	id:    "stale-timestamp",
	title: "a request signed an hour ago gets a failure reply",
	on:    askStale, anyAnswer: true,
	why: "Whoever records a signed request could send it again at any time. Only the age of its timestamp " +
		"tells.",
	check: checkFailing,
}, {
	id:    "malformed-body",
	title: "a signed body that is cut off gets a failure reply",
	on:    askMalformed, anyAnswer: true,
	why: "A clear no can be handled on the other side. A crash, an error page or a success made of nothing " +
		"cannot.",
	check: checkFailing,
}, {
	id:    "unknown-order",
	title: "an order that the merchant does not know gets a failure reply with code and message",
	on:    askUnknownOrder, anyAnswer: true,
	why: "A price for an order that is not there is wrong in any case, and a no without a reason leaves " +
		"everybody guessing.",
	check: checkUnknownOrder,
}}
