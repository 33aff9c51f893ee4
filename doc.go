// Package rentcar is a client of Fliggy's (飞猪) rental-car B2B APIs: renewals of
// rentals (续租), orders, settlement bills, callbacks, and the agency's order
// reports.
//
// A distributor (分销商) renews a rental like this:
//
//	client, err := rentcar.NewClient(appKey, appSecret, rentcar.WithChannel(fliggy.ChannelAmap))
//
//	order, err := client.Orders.Query(ctx, &rentcar.OrderQueryRequest{OrderID: id})
//	if !order.SupportsRenewal() { ... }                       // service_type holds 3
//	quote, err := client.Renewals.Quote(ctx, &rentcar.RenewalQuoteRequest{
//		OrderID: id, CarUseTime: from, CarReturnTime: to,
//	})
//	renewal, err := client.Renewals.Submit(ctx, &rentcar.RenewalSubmitRequest{OrderID: id, ItemID: quote.ItemID, ...})
//	// later, pushed to package qimen: event 103 (accepted) or 104 (rejected)
//	check, err := client.Renewals.CheckCancel(ctx, &rentcar.RenewalCheckCancelRequest{
//		RenewalOrderID: renewal.RenewalOrderID,
//	})
//	done, err := client.Renewals.Cancel(ctx, &rentcar.RenewalCancelRequest{RenewalOrderID: renewal.RenewalOrderID})
//	// event 142: refund the customer, then answer 270 or 271
//	_, err = client.Callbacks.Send(ctx, refund.SuccessCallback()) // or durable.Outbox: until Fliggy confirms
//	_, err = client.Bills.Notify(ctx, bill)                   // built by NewBill
//
// The neighbouring packages: qimen serves what Fliggy sends, pushed events to a
// distributor and renewals to a merchant (商家), and verifies its signature; events
// reads the events; pricing computes a merchant's prices; fliggy is the vocabulary
// that all share (ids, money, times); durable keeps pushed events, callbacks and bills
// until they are done; fliggytest is an in-process Fliggy to test against;
// merchantcheck tests the endpoint of a merchant.
//
// # Money, ids, times
//
// Amounts are exact decimals in yuan (Yuan) and whole numbers in fen (Fen) for
// the agency; they never mix silently, and an unset amount differs from 0.00.
// Order ids are text (ID), whatever the wire makes of them. Times are China time
// on the wire, whatever the zone of the host.
//
// # Errors
//
// ValidationError: refused before sending. TransportError: no usable reply.
// GatewayError: the gateway's error_response. BusinessError: a reply whose success
// flag says no. DecodeError: a reply that was not understood. OutcomeOf tells
// whether a failed call was surely not carried out (OutcomeNotSent,
// OutcomeRejected) or may have been (OutcomeUnknown); a write that ends unknown
// matches ErrOutcomeUnknown, and RenewalService.Settle finds out about a submit.
// Reads are sent again after failures that may pass, writes only where they surely
// were not carried out: see RetryPolicy.
//
// # Inferred names
//
// Some of the platform's pages are not public. Fields known only by inference say
// so in their comments; WithNames, CallMember, CallParam and CallWithoutValidation
// correct a wrong guess without waiting for a release.
package rentcar
