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
	// Digest is the SHA-256 of the content of the message, in hexadecimal. White space, the order of members and traceId,
	// which may change with every repeat, do not count.
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
	if !isNamed(ids) {
		kind, ids = "content", []string{fallback}
	}
	var buf [512]byte
	parts := appendPart(appendPart(buf[:0], kind), appKey)
	for _, id := range ids {
		parts = appendPart(parts, id)
	}
	var key [100]byte
	name := append(append(key[:0], operation...), '/')
	sum := sha256.Sum256(parts)
	return string(hex.AppendEncode(name, sum[:]))
}

func isNamed(ids []string) bool {
	return slices.ContainsFunc(ids, func(id string) bool { return !isMissing(id) })
}

// appendPart appends a part with its length, so that different lists of parts never give the same text.
func appendPart(dst []byte, part string) []byte {
	return append(append(strconv.AppendInt(dst, int64(len(part)), 10), ':'), part...)
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
	var buf [24]byte
	operation := strconv.AppendInt(append(buf[:0], "event/"...), int64(e.Type()), 10)
	ids := [...]string{string(head.OrderID), string(about.RenewalOrderID), about.PayTradeNo}
	fallback := ""
	if !isNamed(ids[:]) { // the trace id may be the only difference
		fallback = digest + "/" + head.TraceID
	}
	return messageKey(string(operation), appKey, fallback, ids[:]...)
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
	claim, err := h.begin(ctx, gate, j)
	switch {
	case err != nil:
		o.Reason, o.Err = ReasonGateFailed, gateError(err)
		return nil
	case claim.State == ClaimRecut:
		o.Reason, o.Err = ReasonBadSignature, errRecut
		return nil
	case claim.State == ClaimRunning:
		o.Reason, o.IsRepeat, o.Err = ReasonInProgress, true, errInProgress
		return nil
	case claim.State == ClaimFinished:
		o.Reason, o.IsRepeat = ReasonAccepted, true
		stored := claim.Reply
		return &stored
	}
	d.IsConflict = d.IsConflict || claim.IsConflict
	o.IsConflict = d.IsConflict
	defer func() { h.end(ctx, gate, claim, reply, o) }() // also after runtime.Goexit
	defer contain(func(p *fliggy.PanicError) { o.Reason, o.Err, reply = ReasonPanic, p, nil })
	return h.work(ctx, j, o)
}

// begin claims j at the gate.
func (h *Handler) begin(ctx context.Context, gate Gate, j job) (claim Claim, err error) {
	kind := "read/"
	if j.isUnread { // the signature stays free for a version that can decode it
		kind = "unread/"
	}
	sum := sha256.Sum256([]byte(kind + j.sign))
	signature := hex.EncodeToString(sum[:])
	err = h.callGate(ctx, gate, func(ctx context.Context) (err error) {
		claim, err = gate.Begin(ctx, j.key, j.digest, signature)
		return err
	})
	if err == nil {
		err = claim.check()
	}
	claim.Key, claim.Digest, claim.Signature = j.key, j.digest, signature // a gate may leave them out
	return claim, err
}

// end finishes the claim if the message was accepted, and abandons it otherwise.
func (h *Handler) end(ctx context.Context, gate Gate, claim Claim, reply *Reply, o *Observation) {
	var how func(context.Context) error
	if o.Reason == ReasonAccepted {
		kept := h.replies[ReasonAccepted]
		if reply != nil {
			kept = *reply
		}
		if isRemote(gate) { // a MemoryGate copies it itself
			kept = kept.clone()
		}
		how = func(ctx context.Context) error { return gate.Finish(ctx, claim, kept) }
	} else {
		if o.Reason == ReasonBadReply || o.IsStored { // the work is done
			claim.Signature = ""
		}
		how = func(ctx context.Context) error { return gate.Abandon(ctx, claim) }
	}
	if isRemote(gate) {
		ctx = context.WithoutCancel(ctx)
	}
	if err := h.callGate(ctx, gate, how); err != nil {
		o.Err = errors.Join(o.Err, gateError(err))
	}
}

// isRemote reports whether calls to gate can block. Calls to a MemoryGate cannot.
func isRemote(gate Gate) bool {
	_, isMemory := gate.(*MemoryGate)
	return !isMemory
}

// callGate calls a gate with a timeout, and returns its panic as an error.
func (h *Handler) callGate(ctx context.Context, gate Gate, call func(context.Context) error) (err error) {
	defer contain(func(p *fliggy.PanicError) { err = p })
	if isRemote(gate) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, h.timeout)
		defer cancel()
	}
	return call(ctx)
}

// check returns an error if the claim is invalid.
func (c *Claim) check() error {
	switch {
	case c.State != ClaimNew && c.State != ClaimRunning && c.State != ClaimFinished && c.State != ClaimRecut:
		return fmt.Errorf("the state of the claim is %d: use the ClaimState constants", c.State)
	case c.State == ClaimFinished && (c.Reply.Status < 200 || c.Reply.Status > 599):
		return fmt.Errorf("the stored reply has HTTP status %d: return the reply that was passed to Finish", c.Reply.Status)
	}
	return nil
}

func gateError(err error) error { return fmt.Errorf("qimen: gate: %w", err) }
