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

// A Gate recognises messages that come again, so that the function of the user
// runs once for each. It guards events, [OnRenewalSubmit] and [OnRenewalCancel];
// price queries move nothing and pass it by. A [MemoryGate] is the default; see
// [WithGate].
//
// For every message the handler calls Begin, and after the function of the user
// has run for a new one either Finish, when the message was accepted, or Abandon,
// when it was refused, failed or panicked. All three are called by many goroutines
// at once, and each has the time of [WithHandlerTimeout]; Finish and Abandon also
// when the request is over by then. A panic counts as an error. A gate that several
// processes share must end a claim that its process did not: let it expire, after
// three times [WithHandlerTimeout] at the earliest.
type Gate interface {
	// Begin reports whether the message is new, being worked on, or finished, and
	// claims a new one. The same key with another digest is another message: it is
	// claimed for itself, with IsConflict set. An error turns the message away
	// (ReasonGateFailed), and nothing is to be claimed then.
	//
	// A signature belongs to the first message that came with it: where key or digest
	// differ, Begin claims nothing and returns ClaimRecut. Names, values and body are
	// signed without separators, so whoever has recorded a push can cut it in other
	// places under the same signature; the platform never does. Remember signatures
	// for twice the window at least (see [WithWindow]).
	//
	// signature is a hash of the signature, in hexadecimal.
	Begin(ctx context.Context, key, digest, signature string) (Claim, error)
	// Finish keeps the reply for repeats of the message. A failure is reported, and
	// the reply goes out all the same: the work is done.
	Finish(ctx context.Context, c Claim, reply Reply) error
	// Abandon forgets the claim, so that the next repeat runs again, and the
	// signature unless c.Signature is empty. A failure is reported.
	Abandon(ctx context.Context, c Claim) error
}

// A ClaimState tells what a gate knows of a message. The zero value is none of the
// states, so that a gate which leaves it out lets nothing run.
type ClaimState uint8

// The states.
const (
	// ClaimNew: the message has not been seen, or what was begun has failed. It is
	// now the caller's.
	ClaimNew ClaimState = iota + 1
	// ClaimRunning: the message is being worked on.
	ClaimRunning
	// ClaimFinished: the message was accepted; the claim holds the reply.
	ClaimFinished
	// ClaimRecut: the signature belongs to another message.
	ClaimRecut
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
	case ClaimRecut:
		return "recut"
	}
	return "unknown"
}

// A Claim is what [Gate.Begin] tells of a message.
type Claim struct {
	// Key names the message by what it is about; see [Delivery.Key].
	Key string
	// Digest is the SHA-256 of what the message says, in hexadecimal. White space and
	// the order of members do not count, nor does traceId, which may be another one
	// each time.
	Digest string
	// Signature is what Begin was given. It is empty for Abandon where the work was
	// done although the message was not accepted: the signature is to be kept then.
	Signature string
	// State reports whether the message is new.
	State ClaimState
	// IsConflict tells of a new message that its key is known with another digest:
	// the same operation on the same ids was asked for in other words.
	IsConflict bool
	// Reply is the reply of a finished message, as it was given to Finish.
	Reply Reply
	// Token is the gate's own, such as the number of a lease. Optional.
	Token string
}

var (
	// errInProgress is what a repeat of a running message is told.
	errInProgress = errors.New("qimen: the same message is being worked on")
	// errRecut refuses a push whose signature belongs to another message.
	errRecut = errors.New("qimen: a push with this signature was another message: it has been cut in other places")
)

// A task is a decoded message: what names it at the gate, and the work that is left
// to do.
type task struct {
	// key is empty for an operation that may run any number of times.
	key    string
	digest string
	// sign is the signature of the push.
	sign string
	// isUnread: the message could not be read, and is stored for a later version.
	isUnread bool
	run      func(ctx context.Context) (Reason, []byte, error)
}

// messageKey names a message by operation and ids. What it is about is hashed: keys
// are logged and stored in the open, and an id may be of any length and of any
// characters. If all ids are blank, the key is derived from fallback. The app is part of the
// name, so that no app can speak for another.
func messageKey(operation, appKey, fallback string, ids ...string) string {
	kind := "ids"
	if !isNamed(ids) {
		kind, ids = "content", []string{fallback}
	}
	var place [512]byte
	parts := appendPart(appendPart(place[:0], kind), appKey)
	for _, id := range ids {
		parts = appendPart(parts, id)
	}
	var key [100]byte
	name := append(append(key[:0], operation...), '/')
	sum := sha256.Sum256(parts)
	return string(hex.AppendEncode(name, sum[:]))
}

func isNamed(ids []string) bool {
	return slices.ContainsFunc(ids, func(id string) bool { return !saysNothing(id) })
}

// appendPart appends a part of a name so that it cannot be taken for two.
func appendPart(dst []byte, part string) []byte {
	return append(append(strconv.AppendInt(dst, int64(len(part)), 10), ':'), part...)
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
	head, about := e.Head(), eventIDs(e)
	var place [24]byte
	operation := strconv.AppendInt(append(place[:0], "event/"...), int64(e.Type()), 10)
	ids := [...]string{string(head.OrderID), string(about.RenewalOrderID), about.PayTradeNo}
	fallback := ""
	if !isNamed(ids[:]) { // the trace id may be all that tells such events apart
		fallback = digest + "/" + head.TraceID
	}
	return messageKey(string(operation), appKey, fallback, ids[:]...)
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

// pass runs a task through the gate. The reply is that of the gate for a
// repeat, and nil where the table or the operation gives it.
func (h *Handler) pass(ctx context.Context, gate Gate, d *Delivery, t task, o *Observation) (reply *Reply) {
	if gate == nil || t.key == "" {
		return h.work(ctx, t, o)
	}
	claim, err := h.begin(ctx, gate, t)
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
	return h.work(ctx, t, o)
}

// begin asks the gate for a claim.
func (h *Handler) begin(ctx context.Context, gate Gate, t task) (claim Claim, err error) {
	kind := "read/"
	if t.isUnread { // it must not stand in the way of one that can be read
		kind = "unread/"
	}
	var place [64]byte
	signature := hexText(sha256.Sum256(append(append(place[:0], kind...), t.sign...)))
	err = h.ask(ctx, gate, func(ctx context.Context) (err error) {
		claim, err = gate.Begin(ctx, t.key, t.digest, signature)
		return err
	})
	if err == nil {
		err = claim.check()
	}
	claim.Key, claim.Digest, claim.Signature = t.key, t.digest, signature // also where the gate left them out
	return claim, err
}

// end finishes the claim on what was accepted, and abandons any other.
func (h *Handler) end(ctx context.Context, gate Gate, claim Claim, reply *Reply, o *Observation) {
	var how func(context.Context) error
	if o.Reason == ReasonAccepted {
		kept := h.replies[ReasonAccepted]
		if reply != nil {
			kept = *reply
		}
		if isRemote(gate) { // a MemoryGate makes a copy
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
	if err := h.ask(ctx, gate, how); err != nil {
		o.Err = errors.Join(o.Err, gateError(err))
	}
}

// isRemote reports whether calls to gate can block. Those to a MemoryGate cannot.
func isRemote(gate Gate) bool {
	_, isMemory := gate.(*MemoryGate)
	return !isMemory
}

// ask calls a gate, with its time and its panics bounded.
func (h *Handler) ask(ctx context.Context, gate Gate, call func(context.Context) error) (err error) {
	defer contain(func(p *fliggy.PanicError) { err = p })
	if isRemote(gate) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, h.timeout)
		defer cancel()
	}
	return call(ctx)
}

// check refuses what no gate may say.
func (c *Claim) check() error {
	switch {
	case c.State != ClaimNew && c.State != ClaimRunning && c.State != ClaimFinished && c.State != ClaimRecut:
		return fmt.Errorf("the state of the claim is %d: use the ClaimState constants", c.State)
	case c.State == ClaimFinished && (c.Reply.Status < 200 || c.Reply.Status > 599):
		return fmt.Errorf("the stored reply has HTTP status %d: want the reply that Finish was given", c.Reply.Status)
	}
	return nil
}

func gateError(err error) error { return fmt.Errorf("qimen: gate: %w", err) }
