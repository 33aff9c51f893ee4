package top

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
)

// Format is how a reply travels.
type Format uint8

// The formats of a reply.
const (
	Simplified Format = iota // JSON without root and list wrappers
	Wrapped                  // JSON with root and list wrappers
	XML
)

// Dialect tells whose error envelopes a reply may have.
type Dialect uint8

// The dialects of a reply.
const (
	TOP   Dialect = iota // {"error_response":{...}}
	Qimen                // {"response":{"flag":"failure",...}} and the others
)

// A Fault is what an error envelope says.
type Fault struct {
	Code      string `top:"code"`
	Msg       string `top:"msg"`
	SubCode   string `top:"sub_code"`
	SubMsg    string `top:"sub_msg"`
	RequestID string `top:"request_id"`
	// Provider tells that a Qimen provider wrote it, not the gateway: the codes are
	// its own.
	Provider bool `top:"-"`
}

// qimenFault has the names of Qimen beside those of TOP.
type qimenFault struct {
	Fault
	Flag       string `top:"flag"`
	Message    string `top:"message"`
	SubMessage string `top:"sub_message"`
}

var (
	faultPlan      = mustPlan[Fault]()
	qimenFaultPlan = mustPlan[qimenFault]()
	errorPlan      = mustPlan[errorEnvelope]()
	peekPlan       = mustPlan[peek]()
)

// errorEnvelope is the error envelope of TOP with its root.
type errorEnvelope struct {
	Fault *Fault `top:"error_response"`
}

// peek is what is read of a reply before its type is known.
type peek struct {
	RequestID string `top:"request_id"`
	Flag      string `top:"flag"`
}

func mustPlan[T any]() *Plan {
	p, err := PlanFor(reflect.TypeFor[T]())
	if err != nil {
		panic(err) // a type of this package, known at start-up
	}
	return p
}

const (
	errorRoot = "error_response"
	qimenRoot = "response"
	failure   = "failure"

	ruleInner = "missing: the reply is expected inside it"
	ruleEmpty = "the reply is empty"
	ruleTwice = "comes more than once"
)

// A Reply is a reply of the gateway, its envelope opened.
type Reply struct {
	Fault     *Fault // the error envelope, nil for a regular reply
	RequestID string
	format    Format
	inner     string
	body      []byte // the object with the members, or the whole XML document
	names     []string
	known     bool
}

// OpenReply opens the envelope of a reply: error envelopes are found in every
// format, the root of a wrapped reply is taken off whatever it is called, and
// where the platform answers in the other JSON format than asked the reply is
// understood all the same. inner, where not empty, names a member that holds the
// members of the reply.
func OpenReply(data []byte, format Format, dialect Dialect, inner string) (*Reply, error) {
	r := &Reply{format: format, inner: inner, body: data}
	var err error
	if format == XML {
		err = r.openXML(dialect)
	} else {
		err = r.openJSON(dialect)
	}
	if err != nil {
		return nil, err
	}
	if r.Fault != nil {
		r.RequestID = r.Fault.RequestID
	}
	return r, nil
}

// findRequestID looks for the request id where the members lie and, where they
// lie inside another one, beside that.
func (r *Reply) findRequestID(outer func(p *Plan, dst any) error) {
	var p peek
	if r.decode(peekPlan, &p) == nil {
		r.RequestID = p.RequestID
	}
	if r.RequestID == "" && r.inner != "" && outer(peekPlan, &p) == nil {
		r.RequestID = p.RequestID
	}
}

// Decode reads the members of a regular reply into dst, a pointer to the plan's
// struct. A reply without members is an error.
func (r *Reply) Decode(p *Plan, dst any) error {
	if r.format != XML && len(r.names) == 0 { // XML may hold JSON text instead
		return rulef(ruleEmpty)
	}
	r.known = !slices.ContainsFunc(r.names, isNoRequestID)
	for _, name := range r.names {
		r.known = r.known || isNoRequestID(name) && p.Knows(name)
	}
	return r.decode(p, dst)
}

// Understood tells whether the message that the reply was decoded into has a
// place for any of its members, the request id aside: a reply of which nothing is
// known is not the reply that was expected. A reply with a request id and nothing
// else is understood.
func (r *Reply) Understood() bool { return r.known }

func (r *Reply) decode(p *Plan, dst any) error {
	if r.format == XML {
		return p.decodeXML(r.body, r.inner, dst)
	}
	return p.DecodeJSON(r.body, dst)
}

func (r *Reply) openXML(dialect Dialect) error {
	root, err := XMLRoot(r.body)
	if err != nil {
		return err
	}
	if root == errorRoot {
		r.Fault = &Fault{}
		return faultPlan.DecodeXML(r.body, r.Fault)
	}
	if dialect == Qimen {
		if err := r.openQimen(func(p *Plan, dst any) error { return p.DecodeXML(r.body, dst) }); err != nil || r.Fault != nil {
			if r.Fault != nil {
				r.Fault.Provider = root != qimenRoot
			}
			return err
		}
	}
	names, err := xmlNames(r.body, "")
	if err != nil {
		return err
	}
	if slices.Contains(names, errorRoot) {
		r.Fault = &Fault{}
		return faultPlan.decodeXML(r.body, errorRoot, r.Fault)
	}
	if r.names = names; r.inner != "" {
		if r.names, err = xmlNames(r.body, r.inner); err != nil {
			return err
		}
	}
	r.findRequestID(func(p *Plan, dst any) error { return p.DecodeXML(r.body, dst) })
	return nil
}

func (r *Reply) openJSON(dialect Dialect) error {
	members, err := objectMembers(r.body)
	if err != nil {
		return err
	}
	if err := r.openFault(members); err != nil || r.Fault != nil {
		return err
	}
	if dialect == Qimen {
		if err := r.openQimenJSON(members); err != nil || r.Fault != nil {
			return err
		}
	}
	if root := r.root(members, dialect); root != nil {
		r.body = root
		if members, err = objectMembers(root); err != nil {
			return err
		}
		if err := r.openFault(members); err != nil || r.Fault != nil {
			return err
		}
	}
	outer := r.body
	if r.inner != "" {
		i := indexMember(members, r.inner)
		if i < 0 || !isObject(members[i].Value) {
			return under(r.inner, rulef(ruleInner))
		}
		r.body = members[i].Value
		if members, err = objectMembers(r.body); err != nil {
			return err
		}
	}
	for _, m := range members {
		r.names = append(r.names, m.Name)
	}
	r.findRequestID(func(p *Plan, dst any) error { return p.DecodeJSON(outer, dst) })
	return nil
}

// openFault takes the error envelope of TOP where there is one among the members
// of the body.
func (r *Reply) openFault(members []Member) error {
	if indexMember(members, errorRoot) < 0 {
		return nil
	}
	var e errorEnvelope
	if err := errorPlan.DecodeJSON(r.body, &e); err != nil {
		return err
	}
	if e.Fault == nil {
		return &Error{Path: errorRoot, Rule: "expected an object"}
	}
	r.Fault = e.Fault
	return nil
}

// root returns the object inside the root of a wrapped reply, nil where the
// members lie at the top. A simplified reply is unwrapped only when its single
// member is named as a root.
func (r *Reply) root(members []Member, dialect Dialect) json.RawMessage {
	if len(members) != 1 || !isObject(members[0].Value) {
		for _, m := range members {
			if r.format == Wrapped && isRootName(m.Name) && isObject(m.Value) {
				return m.Value
			}
		}
		return nil
	}
	m := members[0]
	if r.format == Wrapped && dialect == TOP || isRootName(m.Name) || dialect == Qimen && m.Name == qimenRoot {
		return m.Value
	}
	return nil
}

func isNoRequestID(name string) bool { return name != "request_id" }

func isRootName(name string) bool { return strings.HasSuffix(name, "_response") }

// openQimenJSON looks for the two error envelopes that Qimen has of its own.
func (r *Reply) openQimenJSON(members []Member) error {
	if i := indexMember(members, qimenRoot); i >= 0 && isObject(members[i].Value) {
		inner := members[i].Value
		err := r.openQimen(func(p *Plan, dst any) error { return p.DecodeJSON(inner, dst) })
		if err != nil || r.Fault != nil {
			return err
		}
	}
	err := r.openQimen(func(p *Plan, dst any) error { return p.DecodeJSON(r.body, dst) })
	if r.Fault != nil {
		r.Fault.Provider = true
	}
	return err
}

// openQimen takes what decode reads as a fault where it says so itself.
func (r *Reply) openQimen(decode func(p *Plan, dst any) error) error {
	var p peek
	if decode(peekPlan, &p) != nil || strings.TrimSpace(p.Flag) != failure {
		return nil // what is wrong with a regular reply is found out later
	}
	var f qimenFault
	if err := decode(qimenFaultPlan, &f); err != nil {
		return err
	}
	r.Fault = f.fault()
	return nil
}

func (f *qimenFault) fault() *Fault {
	out := f.Fault
	if out.Msg == "" {
		out.Msg = f.Message
	}
	if out.SubMsg == "" {
		out.SubMsg = f.SubMessage
	}
	return &out
}

func objectMembers(data []byte) ([]Member, error) {
	var ms []Member
	err := ScanObject(data, func(name string, value json.RawMessage) error {
		ms = append(ms, Member{name, value})
		return nil
	})
	var e *Error
	if errors.As(err, &e) {
		err = rulef("%s", e.Rule) // without the names, which are the sender's choice
	}
	return ms, err
}

// indexMember returns the place of the last member of that name, -1 without one.
func indexMember(ms []Member, name string) int {
	for i := len(ms) - 1; i >= 0; i-- {
		if ms[i].Name == name {
			return i
		}
	}
	return -1
}

func isObject(raw json.RawMessage) bool { return len(raw) > 0 && raw[0] == '{' }
