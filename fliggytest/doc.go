// Package fliggytest is Fliggy (飞猪) inside your process, for tests and demos: a
// gateway that answers over real HTTP, keeps orders and renewals in memory,
// pushes signed events, and fails when told to.
//
//	gw := fliggytest.NewGateway()
//	defer gw.Close()
//	gw.PushTo(url)                                   // where your endpoint for events listens
//	client, err := gw.Client(rentcar.WithChannel(fliggy.ChannelAmap))
//	quote, err := client.Renewals.Quote(ctx, ...)    // a real call, its signature checked
//	result := gw.Accept(renewalOrderID)              // pushes event 103 and returns what your endpoint said
//
// # What it does
//
// Every request is checked: HTTP method, API method, app key, timestamp (10
// minutes), version, format, signature, session, flow control, arguments, in this
// order; the order is inferred. The signature is computed by code that shares
// nothing with the client's. [Gateway.RefusedRequests] says why a request was refused, and
// what its signature should have covered. Requests are taken as the official clients of
// other languages send them: POST or GET, parameters in the query, in a form or in the
// parts of a multipart body, JSON or XML bodies. Replies come as simplified JSON, wrapped
// JSON or XML, whichever was asked for, gzipped where the client takes that; in json2 the
// members are at the top level, those of errors too (for TOP this is inferred), and xml2
// is xml.
//
// All APIs that package rentcar has types for are there; [Gateway.Handle]
// adds any other, of TOP or of Qimen. The sample order of the documents is loaded
// ([SampleOrderID]), with service type 3 added so that it can be renewed, and with
// times that follow from the gateway's clock when it is made: rented from tomorrow
// 10:00 (GMT+8) for three days. A renewal that starts when it ends can be cancelled, and
// rentcar's Settle finds it.
//
//   - order.query and order.cancelcheck read what [Gateway.AddOrder] put in.
//   - renewaldetail.query prices any period like scenario 1 of the merchant guide:
//     10 yuan a day, handling fee 1.0, basic service 0.01 a day, scattered minutes
//     0-420 for 50 % of a day, 421 and more for a whole one. Amounts of a line are
//     rounded half to even to 0.01. 2023-02-04 10:00 to 2023-02-05 10:30 costs
//     16.02.
//   - renewal.submit carries out every valid order, repeated ones too, and gives
//     each a new renewal order id: it knows no key that marks a repeat, like
//     a platform of which nothing better is known. Valid means: the main order
//     exists and can be renewed, and item_id, where given, is that of a quote for
//     this order.
//   - renewal.checkcancel and renewal.order.cancel find the renewal by every id
//     that is given: renewal_order_id; out_order_id, the distributor's id of the
//     renewal or of the main order; order_id, the main order. Of several matches
//     the latest that is alive counts. The fee is the percentage of the total that
//     the tier in force names: 72 hours or more before the start 0 %, 48 hours
//     10 %, 24 hours 20 %, 2 hours 30 %, less 50 %; after the start there is no
//     cancelling. The reading of the tiers is inferred.
//   - bill.notify and distribution.callback keep what they get; the callbacks 270,
//     271, 260 and 261 settle the refund whose trade number they carry.
//   - The agency's order.create and order.update keep orders by a Fliggy order id.
//
// Refusals of the business are replies with successful=false and one of the Ret
// codes of this package, which are made up: no list is published.
//
// # Failing
//
// [Gateway.Fail] injects a [Fault]: which requests, how often, what happens, and
// whether before the request is carried out or after it.
//
//	gw.Fail(fliggytest.Unavailable().On(method).AfterCommit())                    // code 10, but the order exists
//	gw.Fail(fliggytest.Banned(time.Minute, fliggytest.BanApp))                    // code 7 until a minute is over
//	gw.Fail(fliggytest.Failed(&rentcar.BusinessError{Code: "012", Message: "x"})) // a refusal of the business
//
// A client sends reads, and writes that were refused by flow control, again by
// itself: a fault that hits one request may go unnoticed, and waits take real time.
// Where a test is about a single attempt, give the call rentcar.CallAttempts(1); where
// it is about waits, give the client rentcar.WithSleep together with a clock that it moves.
//
// # Looking
//
// [Gateway.Requests] and [Gateway.Pushes] have everything that came and went;
// Order, Renewals, Bills, Callbacks and AgencyOrders what is held. All are
// copies.
//
// Package merchantcheck plays Fliggy towards the endpoint of a merchant.
package fliggytest
