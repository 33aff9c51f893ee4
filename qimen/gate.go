package qimen

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

// A Gate recognises messages that come again, so that the function of the user
// runs once for each. It guards events, [OnRenewalSubmit] and [OnRenewalCancel];
// price queries move nothing and pass it by. A [MemoryGate] is the default; see
// [WithGate].
//
// For every message the handler calls Begin, and after the function of the user
// has run for a new one either Finish, when the message was accepted, or Abandon,
// when it was refused, failed or panicked. All three are called by many goroutines
// at once. A gate that several processes share must end a claim that its process
// did not: let it expire, after [WithHandlerTimeout] at the earliest.
type Gate interface {
	// Begin tells whether the message is new, being worked on, or finished, and
	// claims a new one. The same key with another digest is another message: it is
	// claimed for itself, with IsConflict set. An error turns the message away
	// (ReasonGateFailed), and nothing is to be claimed then.
	Begin(ctx context.Context, key, digest string) (Claim, error)
	// Finish keeps the reply for repeats of the message. A failure is reported, and
	// the reply goes out all the same: the work is done.
	Finish(ctx context.Context, c Claim, reply Reply) error
	// Abandon forgets the claim, so that the next repeat runs again.
	Abandon(ctx context.Context, c Claim) error
}

// A ClaimState tells what a gate knows of a message.
type ClaimState uint8

// The states.
const (
	// ClaimNew: the message has not been seen, or what was begun has failed. It is
	// now the caller's.
	ClaimNew ClaimState = iota
	// ClaimRunning: the message is being worked on.
	ClaimRunning
	// ClaimFinished: the message was accepted; the claim holds the reply.
	ClaimFinished
)

// String returns the state in a word.
func (s ClaimState) String() string {
	switch s {
	case ClaimNew:
		return "new"
	case ClaimRunning:
		return "running"
	case ClaimFinished:
		return "finished"
	}
	return "unknown"
}

// A Claim is what [Gate.Begin] tells of a message.
type Claim struct {
	// Key names the message by what it is about; see [Delivery.Key].
	Key string
	// Digest is the SHA-256 of the message in hexadecimal.
	Digest string
	// State tells whether the message is new.
	State ClaimState
	// IsConflict tells that the key is known with another digest: the same
	// operation on the same ids was asked for in other words.
	IsConflict bool
	// Reply is the reply of a finished message, as it was given to Finish.
	Reply Reply
	// Token is the gate's own, such as the number of a lease. Optional.
	Token string
}

// errInProgress is what a repeat of a running message is told.
var errInProgress = errors.New("qimen: the same message is being worked on")

// A task is a decoded message: what names it at the gate, and the work that is left
// to do.
type task struct {
	// key is empty for an operation that may run any number of times.
	key    string
	digest string
	run    func(ctx context.Context) (Reason, []byte, error)
}

// maxKey bounds a key; longer ones are digests.
const maxKey = 200

// messageKey names a message by operation and ids, readably where they are short.
// A message without any id is named by its digest. The app is part of the name,
// so that no app can speak for another.
func messageKey(operation, appKey, digest string, ids ...string) string {
	parts := make([]string, 0, len(ids)+2)
	parts = append(parts, operation, url.PathEscape(appKey))
	isNamed := false
	for _, id := range ids {
		isNamed = isNamed || !saysNothing(id)
		parts = append(parts, url.PathEscape(id))
	}
	if !isNamed {
		return parts[0] + "/" + parts[1] + "/sha256-" + digest
	}
	key := strings.Join(parts, "/")
	if len(key) > maxKey {
		key = operation + "/sha256-" + digestOf([]byte(key))
	}
	return key
}

// The keys of the operations that act.

func (r *RenewalPricesRequest) key(string, string) string { return "" }

func (r *RenewalSubmitRequest) key(appKey, digest string) string {
	return messageKey("renewal.submit", appKey, digest, string(r.OrderID), r.OutOrderID,
		r.CarUseTime.String(), r.CarReturnTime.String(), r.PayTradeNo, r.PriceMark)
}

func (r *RenewalCancelRequest) key(appKey, digest string) string {
	return messageKey("renewal.cancel", appKey, digest, string(r.OrderID), r.OutOrderID)
}

func eventKey(appKey, digest string, e events.Event) string {
	about := eventIDs(e)
	return messageKey("event/"+strconv.Itoa(int(e.Type())), appKey, digest,
		string(e.Head().OrderID), string(about.RenewalOrderID), about.PayTradeNo)
}

// aboutRenewal are the ids in the data of an event.
type aboutRenewal struct {
	RenewalOrderID fliggy.ID `top:"renewalOrderId"`
	PayTradeNo     string    `top:"payTradeNo"`
}

func eventIDs(e events.Event) (about aboutRenewal) {
	switch e := e.(type) {
	case *events.RenewalAccepted:
		return aboutRenewal{e.RenewalOrderID, e.PayTradeNo}
	case *events.RenewalRejected:
		return aboutRenewal{RenewalOrderID: e.RenewalOrderID}
	case *events.RenewalFeeRefund:
		return aboutRenewal{e.RenewalOrderID, e.PayTradeNo}
	case *events.FeeRefund:
		return aboutRenewal{PayTradeNo: e.PayTradeNo}
	case *events.Unknown:
		// Data of another form has no ids; the digest still tells messages apart.
		_ = readMessage(e.Data, &about)
	}
	return about
}

func digestOf(payload []byte) string {
	sum := sha256.Sum256(payload)
	return hex.EncodeToString(sum[:])
}

// pass runs a task through the gate. The reply is that of the gate for a
// repeat, and nil where the table or the operation gives it.
func (h *Handler) pass(ctx context.Context, gate Gate, d *Delivery, t task, o *Observation) (reply *Reply) {
	if gate == nil || t.key == "" {
		return h.work(ctx, t, o)
	}
	claim, err := gate.Begin(ctx, t.key, t.digest)
	if err != nil {
		o.Reason, o.Err = ReasonGateFailed, gateError(err)
		return nil
	}
	switch claim.State {
	case ClaimNew:
	case ClaimFinished:
		o.Reason, o.IsRepeat = ReasonAccepted, true
		return &claim.Reply
	default:
		o.Reason, o.IsRepeat, o.Err = ReasonInProgress, true, errInProgress
		return nil
	}
	d.IsConflict, o.IsConflict = claim.IsConflict, claim.IsConflict
	isDone := false
	defer func() { // also after a panic
		if !isDone {
			h.tell(ctx, o, func(ctx context.Context) error { return gate.Abandon(ctx, claim) })
		}
	}()
	reply = h.work(ctx, t, o)
	if isDone = o.Reason == ReasonAccepted; !isDone {
		return reply
	}
	kept := h.replies[ReasonAccepted]
	if reply != nil {
		kept = *reply
	}
	h.tell(ctx, o, func(ctx context.Context) error { return gate.Finish(ctx, claim, kept.clone()) })
	return reply
}

// tell lets the gate know how a claim ended. The request may be over by then.
func (h *Handler) tell(ctx context.Context, o *Observation, how func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.timeout)
	defer cancel()
	if err := how(ctx); err != nil {
		o.Err = errors.Join(o.Err, gateError(err))
	}
}

func gateError(err error) error { return fmt.Errorf("qimen: gate: %w", err) }
