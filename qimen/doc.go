// Package qimen serves what Fliggy (飞猪) sends through the Qimen gateway (奇门):
// the order events (事件) pushed (推送) to a distributor (分销商), and the requests
// to a merchant (商家) to price, book and cancel renewals (续租).
//
// A [Handler] is an http.Handler that does it all: it verifies the signature
// over the bytes that arrived, checks the age of the timestamp, parses the
// message, calls the function given with [OnEvent], [OnRenewalPrices],
// [OnRenewalSubmit] or [OnRenewalCancel], and answers as the platform expects.
// [Refuse] makes the answer no. Each step is usable alone and without HTTP: [ReadPush], [VerifyPush],
// [Delivery.CheckTime], [Delivery.Payload], events.Parse, [Handler.Handle].
// [SignPush] is the twin of [VerifyPush], for tests and tools.
//
// A message that comes again is recognised by a [Gate] and does not reach the
// function a second time. [WithStore] stores events before they are acknowledged, such as in
// the Inbox of package durable, and [Handler.Work] works on what was stored. [WithAllowedClients] admits the platform's addresses only.
//
// The documents leave some things open, so they can be replaced: the replies
// ([WithReplies], [WithUncheckedReplies]), the place of the message in the push
// ([WithPayload]) and the name of the method of events ([WithEventMethod]).
//
// Nothing in this package prints, marshals or logs a secret or a signature.
package qimen
