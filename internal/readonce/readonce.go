// Package readonce lets package qimen read the JSON of an event once, for the event and for its digest.
package readonce

import "github.com/fliggy-go/rentcar/internal/top"

// Event is events.Parse, which also returns the payload as it was read. The first result is an events.Event. Package
// events sets it.
var Event func(payload []byte) (any, top.Value, error)
