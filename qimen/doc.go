// Package qimen serves what Fliggy (飞猪) sends through the Qimen gateway (奇门):
// the order events (事件) pushed (推送) to a distributor (分销商).
//
// A [Handler] is an http.Handler that does it all: it verifies the signature
// over the bytes that arrived, checks the age of the timestamp, parses the
// event, calls the function given with [OnEvent] and answers as the platform
// expects. Each step is usable alone and without HTTP: [ReadPush], [VerifyPush],
// [Delivery.CheckTime], [Delivery.Payload], events.Parse, [Handler.Handle].
// [SignPush] is the twin of [VerifyPush], for tests and tools.
//
// The documents leave three things open, so they can be replaced: the replies
// ([WithReplies]), the place of the event in the push ([WithPayload]) and the
// name of the method ([WithEventMethod]).
//
// Nothing in this package prints, marshals or logs a secret or a signature.
package qimen
