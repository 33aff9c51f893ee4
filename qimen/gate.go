package qimen

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

// A Gate recognises repeated messages, so that your function runs once for each message. It covers events,
// [OnRenewalSubmit] and [OnRenewalCancel]; price queries change nothing and bypass it. The default is a [MemoryGate];
// see [WithGate].
//
// The handler calls Begin for every message. After your function has run for a new message, it calls Finish if the
// message was accepted, or Abandon if it was refused, failed or panicked. The methods are called concurrently. Each
// call is limited by [WithHandlerTimeout]; Finish and Abandon are called even if the request has ended. A panic counts
// as an error. A gate that several processes share must let claims expire, since a process may die before it ends its
// claim: after three times [WithHandlerTimeout] at the earliest.
type Gate interface {
	// Begin reports whether the message is new, running or finished, and claims a new one. The same key with another
	// digest is another message: Begin claims it separately and sets IsConflict. If Begin returns an error, it must not
	// have claimed anything; the message is turned away (ReasonGateFailed).
	//
	// A signature belongs to the first message that had it. If key or digest differ, Begin claims nothing and returns
	// ClaimRecut. Names, values and body are signed without separators, so somebody who recorded a push can split it
	// differently under the same signature; the platform never does. Remember signatures for at least twice the window
	// (see [WithWindow]).
	//
	// signature is a hash of the signature, in hexadecimal.
	Begin(ctx context.Context, key, digest, signature string) (Claim, error)
	// Finish stores the reply for repeats of the message. An error is reported but does not change the reply, since the
	// work is done.
	Finish(ctx context.Context, c Claim, reply Reply) error
	// Abandon forgets the claim, so that the next repeat runs again. It also forgets the signature unless c.Signature is
	// empty. An error is reported.
	Abandon(ctx context.Context, c Claim) error
}

// A ClaimState is the state of a message in a gate. The zero value is invalid: a gate that forgets to set the state
// lets no message run.
type ClaimState uint8

// The states.
const (
	// ClaimNew means that the message is new, or that its last attempt failed. The caller now owns the claim.
	ClaimNew ClaimState = iota + 1
	// ClaimRunning means that another caller is handling the message.
	ClaimRunning
	// ClaimFinished means that the message was accepted. The claim holds the reply.
	ClaimFinished
	// ClaimRecut means that the signature belongs to another message.
	ClaimRecut
)

// String returns the name of the state.
func (s ClaimState) String() string {
	switch s {
	case ClaimNew:
		return "new"
	case ClaimRunning:
		return "running"
	case ClaimFinished:
		return "finished"
	case ClaimRecut:
		return "recut"
	}
	return "unknown"
}

// A Claim is the result of [Gate.Begin].
type Claim struct {
	// Key identifies the message by its business ids; see [Delivery.Key].
	Key string
	// Digest is the SHA-256 of the content of the message, in hexadecimal. White space, the order of members, whether a
	// number is written as text, as in a form, and traceId, which may change with every repeat, do not count.
	Digest string
	// Signature is the signature passed to Begin. For Abandon it is empty if the work was done although the message was
	// not accepted: the gate must then keep the signature.
	Signature string
	// State is the state of the message.
	State ClaimState
	// IsConflict reports whether a new message has a key that the gate knows with another digest: the same operation on
	// the same ids, with other content.
	IsConflict bool
	// Reply is the reply of a finished message, as passed to Finish.
	Reply Reply
	// Token is for use by the gate, for example the number of a lease. Optional.
	Token string
}

var (
	// errInProgress is the error for a repeat of a running message.
	errInProgress = errors.New("qimen: the same message is being handled already")
	// errRecut refuses a push whose signature belongs to another message.
	errRecut = errors.New(
		"qimen: the signature belongs to an earlier push with another message: its text was split differently",
	)
)

// A job is a decoded message, ready to be handled.
type job struct {
	// key is the deduplication key. It is empty for an operation that may run any number of times.
	key    string
	digest string
	// sign is the signature of the push.
	sign string
	// isUnread reports that the message could not be decoded and is stored for a later version.
	isUnread bool
	run      func(ctx context.Context) (Reason, []byte, error)
}

// messageKey returns a deduplication key made of the operation and a hash. The hash hides the ids, which may be of any
// length and have any characters, from logs and stores. It includes the app, so that one app cannot block another. If
// all ids are blank, the key is derived from fallback.
func messageKey(operation, appKey, fallback string, ids ...string) string {
	kind := "ids"
	if !slices.ContainsFunc(ids, func(id string) bool { return !isMissing(id) }) {
		kind, ids = "content", []string{fallback}
	}
	var buf [512]byte
	parts := buf[:0]
	for _, part := range append([]string{kind, appKey}, ids...) { // with lengths, so that no other list gives the same
		parts = append(strconv.AppendInt(parts, int64(len(part)), 10), ':')
		parts = append(parts, part...)
	}
	sum := sha256.Sum256(parts)
	var key [100]byte
	return string(hex.AppendEncode(append(append(key[:0], operation...), '/'), sum[:]))
}

// The keys of the operations.

func (r *RenewalPricesRequest) key(string, string) string { return "" }

func (r *RenewalSubmitRequest) key(appKey, digest string) string {
	return messageKey("renewal.submit", appKey, digest, string(r.OrderID), r.OutOrderID,
		r.CarUseTime.String(), r.CarReturnTime.String(), r.PayTradeNo, r.PriceMark)
}

func (r *RenewalCancelRequest) key(appKey, digest string) string {
	return messageKey("renewal.cancel", appKey, digest, string(r.OrderID), r.OutOrderID)
}

func eventKey(appKey, digest string, e events.Event) string {
	head, about := e.Head(), eventIDs(e)
	fallback := digest + "/" + head.TraceID // the trace id may be the only difference
	return messageKey("event/"+strconv.Itoa(int(e.Type())), appKey, fallback,
		string(head.OrderID), string(about.RenewalOrderID), about.PayTradeNo)
}

// aboutRenewal holds the ids in the data of an event.
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
		// Data of another form has no ids; the digest still distinguishes such messages.
		_ = readMessage(e.Data, &about)
	}
	return about
}

// pass runs j unless the gate knows the message. It returns the stored reply for a repeat. A nil reply selects the
// table or the reply of the operation.
func (h *Handler) pass(ctx context.Context, gate Gate, d *Delivery, j job, o *Observation) (reply *Reply) {
	if gate == nil || j.key == "" {
		return h.work(ctx, j, o)
	}
	kind := "read/"
	if j.isUnread { // the signature stays free for a version that can decode it
		kind = "unread/"
	}
	var buf [2 * sha256.Size]byte
	sum := sha256.Sum256(append(append(buf[:0], kind...), j.sign...))
	signature := string(hex.AppendEncode(buf[:0], sum[:]))
	var claim Claim
	err := h.callGate(ctx, gate, func(ctx context.Context) (err error) {
		claim, err = gate.Begin(ctx, j.key, j.digest, signature)
		return err
	})
	switch stored := claim.Reply; {
	case err != nil:
	case claim.State == ClaimRecut:
		o.Reason, o.Err = ReasonBadSignature, errRecut
		return nil
	case claim.State == ClaimRunning:
		o.Reason, o.IsRepeat, o.Err = ReasonInProgress, true, errInProgress
		return nil
	case claim.State == ClaimFinished && 200 <= stored.Status && stored.Status <= 599:
		o.Reason, o.IsRepeat = ReasonAccepted, true
		return &stored
	case claim.State == ClaimFinished:
		err = fmt.Errorf("the stored reply has HTTP status %d: return the reply that was passed to Finish", stored.Status)
	case claim.State != ClaimNew:
		err = fmt.Errorf("the state of the claim is %d: use the ClaimState constants", claim.State)
	}
	if err != nil {
		o.Reason, o.Err = ReasonGateFailed, gateError(err)
		return nil
	}
	claim.Key, claim.Digest, claim.Signature = j.key, j.digest, signature // a gate may leave them out
	d.IsConflict = d.IsConflict || claim.IsConflict
	o.IsConflict = d.IsConflict
	defer func() { h.end(ctx, gate, claim, reply, o) }() // also after runtime.Goexit
	defer contain(func(p *fliggy.PanicError) { o.Reason, o.Err, reply = ReasonPanic, p, nil })
	return h.work(ctx, j, o)
}

// end finishes the claim if the message was accepted, and abandons it otherwise.
func (h *Handler) end(ctx context.Context, gate Gate, claim Claim, reply *Reply, o *Observation) {
	err := h.callGate(context.WithoutCancel(ctx), gate, func(ctx context.Context) error {
		if o.Reason != ReasonAccepted {
			if o.Reason == ReasonBadReply || o.IsStored { // the work is done
				claim.Signature = ""
			}
			return gate.Abandon(ctx, claim)
		}
		kept := h.replies[ReasonAccepted]
		if reply != nil {
			kept = *reply
		}
		return gate.Finish(ctx, claim, kept.clone())
	})
	if err != nil {
		o.Err = errors.Join(o.Err, gateError(err))
	}
}

// callGate calls a gate with a timeout, and returns its panic as an error. A MemoryGate needs no timeout: it cannot
// block.
func (h *Handler) callGate(ctx context.Context, gate Gate, call func(context.Context) error) (err error) {
	defer contain(func(p *fliggy.PanicError) { err = p })
	if _, ok := gate.(*MemoryGate); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, h.timeout)
		defer cancel()
	}
	return call(ctx)
}

func gateError(err error) error { return fmt.Errorf("qimen: gate: %w", err) }
