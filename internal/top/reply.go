package top

import (
	"iter"
	"reflect"
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

// peek is what is read of an XML reply before its type is known.
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
	requestID = "request_id"
	qimenRoot = "response"
	flag      = "flag"
	failure   = "failure"

	ruleInner = "missing: the reply is expected inside it"
	ruleEmpty = "the reply is empty"
)

// A Reply is a reply of the gateway, its envelope opened.
type Reply struct {
	Fault     *Fault // the error envelope, nil for a regular reply
	RequestID string
	inner     string
	text      string   // JSON: the object with the members
	size      int      // JSON: of the whole text
	empty     bool     // JSON: there are none
	tree      *xmlTree // XML: the whole document
	plan      *Plan    // what the reply was decoded by
}

// OpenReply opens the envelope of a reply, whose text must be valid UTF-8: error
// envelopes are found in every format, the root of a wrapped reply is taken off
// whatever it is called, and where the platform answers in the other JSON format
// than asked the reply is understood all the same. inner, where not empty, names a
// member that holds the members of the reply.
func OpenReply(text string, format Format, dialect Dialect, inner string) (*Reply, error) {
	r := &Reply{inner: inner}
	var err error
	if format == XML {
		err = r.openXML([]byte(text), dialect)
	} else {
		err = r.openJSON(text, format, dialect)
	}
	if err != nil {
		return nil, err
	}
	if r.Fault != nil {
		r.RequestID = r.Fault.RequestID
	}
	return r, nil
}

// Decode reads the members of a regular reply into dst, a pointer to the plan's
// struct. A reply without members is an error.
func (r *Reply) Decode(p *Plan, dst any) error {
	r.plan = p
	if r.tree != nil {
		return r.tree.decode(p, r.inner, dst)
	}
	if r.empty {
		return rulef(ruleEmpty)
	}
	return p.decodeText(r.text, r.size, dst)
}

// Understood tells whether the message that the reply was decoded into has a
// place for any of its members, the request id aside: a reply of which nothing is
// known is not the reply that was expected. A reply with a request id and nothing
// else is understood.
func (r *Reply) Understood() bool {
	others := false
	for name := range r.names() {
		if name == requestID {
			continue
		}
		if r.plan.Knows(name) {
			return true
		}
		others = true
	}
	return !others
}

// names are the names of the members.
func (r *Reply) names() iter.Seq[string] {
	return func(yield func(string) bool) {
		if r.tree == nil {
			parts, _ := appendParts(nil, r.text) // they were read before
			for _, m := range parts {
				if !yield(m.Name) {
					return
				}
			}
			return
		}
		for _, i := range r.tree.members(r.inner) {
			if !yield(r.tree.name(i)) {
				return
			}
		}
	}
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
