package top

import (
	"iter"
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

// Dialect says whose replies they are.
type Dialect uint8

// The dialects of a reply.
const (
	TOP   Dialect = iota // the platform's own APIs
	Qimen                // what a provider answers, passed through
)

// A Fault is what an error envelope says.
type Fault struct {
	Code      string `top:"code"`
	Msg       string `top:"msg"`
	SubCode   string `top:"sub_code"`
	SubMsg    string `top:"sub_msg"`
	RequestID string `top:"request_id"`
	// Provider reports that whoever serves the API wrote it, not the gateway: the
	// codes are its own.
	Provider bool `top:"-"`
	// Contradicted reports whether the reply has members of its own beside the error
	// envelope, such as a success flag.
	Contradicted bool `top:"-"`
}

// contradicted reports whether any member beside the error envelope, which is the
// member called root or all those that an error has, could say what became of the call.
func contradicted(members []Part, root string) bool {
	return slices.ContainsFunc(members, func(m Part) bool {
		own := m.Name == root || root == "" && slices.Contains(errorNames, m.Name)
		return !own && m.Name != requestID && m.Name != "_trace_id_"
	})
}

// errorNames are the members of an error, the request id aside.
var errorNames = []string{"code", "msg", "message", "sub_code", "sub_msg", "sub_message", "type", flag}

// A faultText has the names that others use beside those of TOP.
type faultText struct {
	Fault
	Message    string `top:"message"`
	SubMessage string `top:"sub_message"`
}

func (f *faultText) fault() *Fault {
	out := f.Fault
	if out.Msg == "" {
		out.Msg = f.Message
	}
	if out.SubMsg == "" {
		out.SubMsg = f.SubMessage
	}
	return &out
}

// An errorEnvelope is the error envelope of TOP with its root.
type errorEnvelope struct {
	Fault *faultText `top:"error_response"`
}

var (
	faultPlan = mustPlan[faultText]()
	errorPlan = mustPlan[errorEnvelope]()
)

// A verdict is what an object says of itself.
type verdict uint8

const (
	regular verdict = iota
	flagged         // a failure, in the words of whoever serves the API
	bare            // an error of the gateway without its root
)

// judge reports whether an object with these members is an error envelope, although
// it is not called error_response.
//
// It is one if its flag is failure. Qimen's replies have that flag. A reply of TOP
// may have a flag of its own, which counts only where a code or a message stands
// beside it.
//
// It is one, too, if it could be an error (see couldBeError) and has a sub code, or
// one of the types that the gateways give their errors. So a regular reply with a
// code and a message of its own is none.
func judge(members []Part, dialect Dialect) verdict {
	if strings.EqualFold(wordOf(members, flag), failure) && (dialect == Qimen || hasAny(members, "code", "sub_code", "msg", "message")) {
		return flagged
	}
	if couldBeError(members) && (hasAny(members, "sub_code") || isErrorType(wordOf(members, "type"))) {
		return bare
	}
	return regular
}

// couldBeError reports whether the members could be those of an error: a code other
// than 0, a message, and no success flag.
func couldBeError(members []Part) bool {
	code := wordOf(members, "code")
	return code != "" && code != "0" && hasAny(members, "msg", "message") && !hasAny(members, "successful", "success")
}

func isErrorType(s string) bool {
	return strings.EqualFold(s, "ISP") || strings.EqualFold(s, "ISV") || strings.EqualFold(s, "SYSTEM")
}

func hasAny(members []Part, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return wordOf(members, name) != "" })
}

// wordOf returns the text of a simple member without white space around it, nothing
// for any other value.
func wordOf(members []Part, name string) string {
	value := valueOf(members, name)
	if value == "" || value[0] == '{' || value[0] == '[' {
		return ""
	}
	return strings.TrimSpace(textOf(value))
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

	couldBeError, contradicted bool // see the functions of those names
}

// OpenReply opens the envelope of a reply, whose text must be valid UTF-8: error
// envelopes are found in every format and place, the root of a wrapped reply is taken off
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

// BareFault returns what a decoded reply says that could be an error without its root
// (see couldBeError) and is nothing that was expected: nil where it is not so.
func (r *Reply) BareFault() *Fault {
	if !r.couldBeError || r.plan == nil || r.Understood() {
		return nil
	}
	var f faultText
	var err error
	if r.tree != nil {
		err = r.tree.decode(faultPlan, "", &f)
	} else {
		err = faultPlan.decodeText(r.text, r.size, &f)
	}
	if err != nil {
		return nil
	}
	fault := f.fault()
	fault.Contradicted = r.contradicted
	return fault
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
