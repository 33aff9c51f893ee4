// Package qimen serves requests that Fliggy (飞猪) sends through the Qimen gateway (奇门): the order events (事件) pushed
// (推送) to a distributor (分销商), and the requests to a merchant (商家) to price, book and cancel renewals (续租).
//
// A [Handler] is an http.Handler for all of them. It verifies the signature over the bytes that arrived, checks the age
// of the timestamp, parses the message, calls the function given with [OnEvent], [OnRenewalPrices], [OnRenewalSubmit]
// or [OnRenewalCancel], and replies in the form that the platform expects. [Refuse] rejects a request with a code and a
// message. Each step can be used alone and without HTTP: [ReadPush], [VerifyPush], [Delivery.CheckTime],
// [Delivery.Payload], events.Parse, [Handler.Handle]. [SignPush] signs a push, for tests and tools.
//
// The terms: a push is an HTTP request as it arrived ([Push]), a delivery is a verified push ([Delivery]), a message is
// the content of a delivery, and a reply is the HTTP response ([Reply]).
//
// A [Gate] recognises a repeated message and keeps it from the function. [WithStore] stores events before they are
// acknowledged, for example in the Inbox of package durable, and [Handler.Work] handles stored events.
// [WithAllowedClients] restricts the handler to the addresses of the platform.
//
// Options cover the points that the documents leave open: the replies ([WithReplies], [WithUncheckedReplies]), the
// location of the message in the push ([WithPayload]) and the method of events ([WithEventMethod]).
//
// This package never prints, encodes or logs a secret or a signature.
package qimen
