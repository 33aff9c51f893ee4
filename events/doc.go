// Package events reads the events that Fliggy pushes to a distributor and builds
// the callbacks that answer them. It knows no HTTP: package qimen receives,
// rentcar.CallbackService sends.
//
//	e, err := events.Parse(payload)
//	switch e := e.(type) {
//	case *events.RenewalAccepted: // 103
//	case *events.RenewalRejected: // 104
//	case *events.RenewalFeeRefund: // 142: refund, then send e.SuccessCallback() or e.FailureCallback()
//	case *events.FeeRefund: // 141, on the main order
//	case *events.Unknown: // anything else, nothing of it lost
//	}
//
// Reading and checking are separate: Parse accepts every form that the documents
// and samples show, Validate lists what breaks a rule of the guide.
package events
