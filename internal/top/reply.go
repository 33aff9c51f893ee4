package top

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"
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
func contradicted(v Value, root string) bool {
	for m := range v.Inside() {
		name := m.Name()
		own := name == root || root == "" && slices.Contains(errorNames, name)
		if !own && !isAddedID(name) {
			return true
		}
	}
	return false
}

// errorNames are the members of an error, the request id aside.
var errorNames = []string{"code", "msg", "message", "sub_code", "sub_msg", "sub_message", "type", flag}

// A faultText has the names that others use beside those of TOP.
type faultText struct {
	Fault
	Message    string `top:"message"`
	SubMessage string `top:"sub_message"`
}

var faultPlan = mustPlan[faultText]()

// readFault reads an error envelope.
func readFault(v Value) (*Fault, error) {
	var f faultText
	if err := faultPlan.Decode(v, &f); err != nil {
		return nil, err
	}
	if f.Msg == "" {
		f.Msg = f.Message
	}
	if f.SubMsg == "" {
		f.SubMsg = f.SubMessage
	}
	return &f.Fault, nil
}

// A verdict is what an object says of itself.
type verdict uint8

const (
	regular verdict = iota
	flagged         // a failure, in the words of whoever serves the API
	bare            // an error of the gateway without its root
)

// judge reports whether an object or element is an error envelope, although it is
// not called error_response.
//
// It is one if its flag is failure. Qimen's replies have that flag. A reply of TOP
// may have a flag of its own, which counts only where a code or a message stands
// beside it.
//
// It is one, too, if it has a code other than 0, a message or nothing that an error has
// not, and either one of the types that the gateways give their errors and no success, or
// a sub code and no success flag. So a regular reply with a code of its own is none.
func judge(v Value, dialect Dialect) verdict {
	failed := strings.EqualFold(word(v, flag), "failure")
	if failed && (dialect == Qimen || hasAny(v, "code", "sub_code", "msg", "message")) {
		return flagged
	}
	isError := isErrorType(v) && !succeeds(v) || hasAny(v, "sub_code") && !hasAny(v, successFlags...)
	if isError && hasCode(v) && (hasAny(v, "msg", "message") || !contradicted(v, "")) {
		return bare
	}
	return regular
}

// couldBeError reports whether the members could be those of an error: a code, a
// message, and no success flag.
func couldBeError(v Value) bool {
	return hasCode(v) && hasAny(v, "msg", "message") && !hasAny(v, successFlags...)
}

func hasCode(v Value) bool {
	code := word(v, "code")
	return code != "" && code != "0"
}

var successFlags = []string{"successful", "success"}

// succeeds reports whether a success flag says yes.
func succeeds(v Value) bool {
	return slices.ContainsFunc(successFlags, func(name string) bool {
		says := strings.ToLower(word(v, name))
		return says == "true" || says == "1"
	})
}

// isErrorType reports whether the type is one that the gateways give their errors.
func isErrorType(v Value) bool {
	kind := strings.ToUpper(word(v, "type"))
	return kind == "ISP" || kind == "ISV" || kind == "SYSTEM"
}

func hasAny(v Value, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return word(v, name) != "" })
}

// word returns the text of a simple member without white space around it, nothing
// for any other value.
func word(v Value, name string) string {
	m := v.Get(name)
	if kind := m.Kind(); kind == Object || kind == List || kind == Element && !m.IsEmpty() {
		return ""
	}
	return strings.TrimSpace(m.Text())
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

	ruleInner = "missing: the reply is expected inside it"
	ruleEmpty = "the reply is empty"
)

// A Reply is a reply of the gateway, its envelope opened.
type Reply struct {
	Fault     *Fault // the error envelope, nil for a regular reply
	RequestID string
	members   Value // where they lie
	inner     string
	plan      *Plan // what the reply was decoded by
}

// OpenReply opens the envelope of a reply: error envelopes are found in every format
// and place, the root of a wrapped reply is taken off whatever it is called, and
// where the platform answers in the other JSON format than asked the reply is
// understood all the same. inner, where not empty, names a member that holds the
// members of the reply.
func OpenReply(text string, format Format, dialect Dialect, inner string) (*Reply, error) {
	body, err := readReply(text, format)
	if err != nil {
		return nil, err
	}
	r := &Reply{members: body, inner: inner}
	if err := r.open(format, dialect); err != nil {
		return nil, err
	}
	if r.Fault != nil || inner == "" {
		return r, nil
	}
	v := r.members.Get(inner)
	if kind := v.Kind(); kind != Object && kind != Element {
		return nil, under(inner, rulef(ruleInner))
	}
	r.members = v
	r.RequestID = cmp.Or(v.keep(v.Get(requestID).Text()), r.RequestID)
	if err := checkFrame(v, ""); err != nil {
		return nil, err
	}
	return r, nil
}

// readReply returns the object or root element that a reply is. An element may hold
// the text of an object.
func readReply(text string, format Format) (Value, error) {
	if format != XML {
		v, err := ParseJSON(text)
		if err == nil && v.Kind() != Object {
			err = rulef("expected an object, got %v", v.Kind())
		}
		return v, err
	}
	root, err := ParseXML([]byte(text))
	if err != nil || !root.IsEmpty() || !strings.HasPrefix(strings.TrimSpace(root.Text()), "{") {
		return root, err
	}
	in, err := ParseJSON(root.Text())
	if err == nil {
		in.nodes[0].name = root.Name()
	}
	return in, err
}

// maxRoots is how many roots may lie around an error envelope.
const maxRoots = 3

// open takes the root off, and finds the error envelope that the reply is or holds.
func (r *Reply) open(format Format, dialect Dialect) error {
	beside := false // something stands beside a root
	for range maxRoots {
		v := r.members
		r.RequestID = cmp.Or(v.keep(v.Get(requestID).Text()), r.RequestID) // the innermost
		if err := checkFrame(v, r.inner); err != nil {
			return err
		}
		if envelope, path := r.envelope(dialect); envelope.Kind() != None {
			return r.take(envelope, path, dialect, beside)
		}
		root := findRoot(v, format, dialect)
		if root.Kind() == None {
			return nil
		}
		beside = beside || contradicted(v, root.Name())
		r.members = root
	}
	return nil
}

// envelope returns the error envelope among the members, with its name, or the members
// themselves where they are one; none otherwise.
func (r *Reply) envelope(dialect Dialect) (envelope Value, name string) {
	v := r.members
	if v.Name() == errorRoot {
		return v, ""
	}
	if envelope = v.Get(errorRoot); envelope.Kind() != None {
		return envelope, errorRoot
	}
	response := v.Get(qimenRoot)
	if (dialect == Qimen || isAlone(v)) && judge(response, dialect) != regular {
		return response, qimenRoot
	}
	isLost := r.inner != "" && v.Get(r.inner).Kind() == None && couldBeError(v) && !contradicted(v, "")
	if judge(v, dialect) != regular || isLost {
		return v, ""
	}
	return Value{}, ""
}

// take reads an error envelope, beside which or a root of which other members may stand.
func (r *Reply) take(envelope Value, name string, dialect Dialect, beside bool) error {
	if err := checkFrame(envelope, ""); err != nil {
		return err
	}
	fault, err := readFault(envelope)
	if err != nil {
		return under(name, err)
	}
	isSelf := name == "" && envelope.Name() != errorRoot
	if isSelf && envelope.Name() != qimenRoot {
		fault.Provider = judge(envelope, dialect) == flagged ||
			dialect == Qimen && !isErrorType(envelope) || isAnybodys(envelope)
	}
	fault.Contradicted = beside || succeeds(envelope) || (isSelf || name != "") && contradicted(r.members, name)
	fault.RequestID = cmp.Or(fault.RequestID, r.RequestID)
	r.Fault, r.RequestID = fault, fault.RequestID
	return nil
}

// isAnybodys reports whether nothing but its number makes an error one of the gateway:
// others count their errors too.
func isAnybodys(v Value) bool {
	_, err := strconv.Atoi(word(v, "code"))
	return err == nil && !hasAny(v, "sub_code") && !isErrorType(v)
}

// BareFault returns what a decoded reply says that could be an error without its root
// (see couldBeError) and is nothing that was expected: nil where it is not so.
func (r *Reply) BareFault() *Fault {
	if r.plan == nil || !couldBeError(r.members) || r.Understood() {
		return nil
	}
	fault, err := readFault(r.members)
	if err != nil {
		return nil
	}
	fault.Contradicted, fault.Provider = contradicted(r.members, ""), isAnybodys(r.members)
	return fault
}

// Decode reads the members of a regular reply into dst, a pointer to the plan's
// struct. A reply without members is an error.
func (r *Reply) Decode(p *Plan, dst any) error {
	r.plan = p
	if r.members.Kind() == Object && r.members.IsEmpty() {
		return under(r.inner, rulef(ruleEmpty))
	}
	return under(r.inner, p.Decode(r.members, dst))
}

// Understood reports whether the message that the reply was decoded into has a
// place for any of its members, the request id aside: a reply of which nothing is
// known is not the reply that was expected. A reply with a request id and nothing
// else is understood.
func (r *Reply) Understood() bool {
	others := false
	for m := range r.members.Inside() {
		if m.Name() == requestID {
			continue
		}
		if r.plan.Knows(m.Name()) {
			return true
		}
		others = true
	}
	return !others
}

// Knows reports whether the message has a member of that name.
func (p *Plan) Knows(name string) bool { return p.byName[name] != nil }

// checkFrame fails for a member of the envelope that comes twice; a repeated one of
// the message is found out when that is decoded.
func checkFrame(v Value, inner string) error {
	seen := map[string]bool{}
	for m := range v.Inside() {
		switch name := m.Name(); {
		case name == errorRoot, name == requestID, name == flag, name == inner, name == qimenRoot, isRootName(name):
			if seen[name] {
				return under(name, rulef(ruleTwice))
			}
			seen[name] = true
		}
	}
	return nil
}

// findRoot returns the member that is the root of a wrapped reply, or of an error, none
// where the members lie in v. A simplified reply is unwrapped only when its single member
// is named as a root. The root of XML has been taken off by reading it.
func findRoot(v Value, format Format, dialect Dialect) Value {
	isBody, alone := v.Kind() == Object && v.Name() == "", isAlone(v)
	single := isBody && v.count() == 1 && format == Wrapped && dialect == TOP
	for m := range v.Inside() {
		if m.Kind() != Object && (m.Kind() != Element || m.IsEmpty()) {
			continue
		}
		isRoot := isBody && (isRootName(m.Name()) && (alone || format == Wrapped) || alone && dialect == Qimen &&
			m.Name() == qimenRoot)
		if isRoot || single || alone && leadsToError(m, dialect) {
			return m
		}
	}
	return Value{}
}

// leadsToError reports whether v is an error envelope, holds one, or is the root of one.
func leadsToError(v Value, dialect Dialect) bool {
	if v.Get(errorRoot).Kind() != None || judge(v, dialect) != regular {
		return true
	}
	if !isRootName(v.Name()) && v.Name() != qimenRoot || !isAlone(v) {
		return false
	}
	return slices.ContainsFunc(slices.Collect(v.Inside()), func(m Value) bool { return judge(m, dialect) != regular })
}

// isAlone reports whether v has one member beside the ids that gateways add.
func isAlone(v Value) bool {
	n := 0
	for m := range v.Inside() {
		if !isAddedID(m.Name()) {
			n++
		}
	}
	return n == 1
}

func isAddedID(name string) bool { return name == requestID || name == "_trace_id_" }

func isRootName(name string) bool { return strings.HasSuffix(name, "_response") }
