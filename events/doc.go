// Package events decodes the events that Fliggy pushes to a distributor and builds the callbacks that answer them. It
// does no HTTP: package qimen receives pushes, rentcar.CallbackService sends callbacks.
//
//	e, err := events.Parse(payload)
//	switch e := e.(type) {
//	case *events.RenewalAccepted: // 103
//	case *events.RenewalRejected: // 104
//	case *events.RenewalFeeRefund: // 142: refund, then send e.SuccessCallback() or e.FailureCallback()
//	case *events.FeeRefund: // 141, on the main order
//	case *events.Unknown: // any other event, with all its members
//	}
//
// Decoding and checking are separate: Parse accepts every form that the documents and samples show, and Validate lists
// the broken rules of the guide.
package events
