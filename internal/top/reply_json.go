package top

import (
	"errors"
	"strings"
)

// openJSON reads the envelope of a JSON reply: all of the text, but of the members
// only what lies around them.
func (r *Reply) openJSON(text string, format Format, dialect Dialect) error {
	var place, within [20]Part // on the stack, for as many as most replies have
	r.text, r.size = text, len(text)
	members, inside, err := appendPartsInside(place[:0], within[:0], r.text)
	if err != nil {
		return nameless(err)
	}
	if err := r.checkFrame(members); err != nil {
		return err
	}
	if err := r.openFault(members, dialect); err != nil || r.Fault != nil {
		return err
	}
	root := findRoot(members, format, dialect)
	if root < 0 && len(members) == 1 && judge(inside, dialect) != regular {
		root = 0 // whatever it is called
	}
	if root >= 0 {
		r.text = members[root].Value
		if root == 0 {
			members, err = inside, r.checkFrame(inside)
		} else {
			members, err = r.envelope(place[:0], r.text)
		}
		if err != nil {
			return err
		}
		if err := r.openFault(members, dialect); err != nil || r.Fault != nil {
			return err
		}
	}
	outer := ""
	if r.inner != "" {
		inner := valueOf(members, r.inner)
		if !isObject(inner) {
			if couldBeError(members) && !contradicted(members, "") {
				return r.takeFault(r.text)
			}
			return under(r.inner, rulef(ruleInner))
		}
		outer = textOf(valueOf(members, requestID))
		r.text = inner
		if members, err = r.envelope(place[:0], r.text); err != nil {
			return err
		}
	}
	r.empty, r.couldBeError, r.contradicted = len(members) == 0, couldBeError(members), contradicted(members, "")
	if r.RequestID = textOf(valueOf(members, requestID)); r.RequestID == "" {
		r.RequestID = outer
	}
	r.RequestID = newSharer(r.size).keep(r.RequestID)
	return nil
}

// envelope lists the members of an object of the envelope. Its errors are without
// the names, which are the sender's choice.
func (r *Reply) envelope(place []Part, text string) ([]Part, error) {
	members, err := appendParts(place, text)
	if err != nil {
		return nil, nameless(err)
	}
	return members, r.checkFrame(members)
}

// checkFrame fails for a member of the envelope that comes twice; a repeated one of
// the message is found out when that is decoded.
func (r *Reply) checkFrame(members []Part) error {
	var names nameSet
	for _, m := range members {
		switch {
		case m.Name == errorRoot, m.Name == requestID, m.Name == flag, m.Name == r.inner, m.Name == qimenRoot, isRootName(m.Name):
			if err := names.add(m.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// nameless is an error without its path.
func nameless(err error) error {
	if e := (*Error)(nil); errors.As(err, &e) {
		return &Error{Rule: e.Rule}
	}
	return err
}

// openFault takes the error envelope where there is one among the members of the
// body, or where they are one.
func (r *Reply) openFault(members []Part, dialect Dialect) error {
	if valueOf(members, errorRoot) != "" {
		var e errorEnvelope
		if err := errorPlan.decodeText(r.text, r.size, &e); err != nil {
			return err
		}
		if e.Fault == nil {
			return &Error{Path: errorRoot, Rule: "expected an object"}
		}
		r.Fault = e.Fault.fault()
		r.Fault.Contradicted = contradicted(members, errorRoot)
		return nil
	}
	if root := valueOf(members, qimenRoot); isObject(root) && (dialect == Qimen || len(members) == 1) {
		inside, err := r.envelope(nil, root)
		if err != nil {
			return err
		}
		if judge(inside, dialect) != regular {
			err = r.takeFault(root)
			if err == nil {
				r.Fault.Contradicted = contradicted(members, qimenRoot)
			}
			return err
		}
	}
	v := judge(members, dialect)
	if v == regular {
		return nil
	}
	if err := r.takeFault(r.text); err != nil {
		return err
	}
	r.Fault.Contradicted = contradicted(members, "")
	r.Fault.Provider = v == flagged || dialect == Qimen && !isErrorType(wordOf(members, "type"))
	return nil
}

// takeFault takes an object as the error envelope.
func (r *Reply) takeFault(text string) error {
	var f faultText
	if err := faultPlan.decodeText(text, r.size, &f); err != nil {
		return err
	}
	r.Fault = f.fault()
	return nil
}

// findRoot returns which member is the root of a wrapped reply, -1 where the
// members lie at the top. A simplified reply is unwrapped only when its single
// member is named as a root.
func findRoot(members []Part, format Format, dialect Dialect) int {
	if len(members) != 1 || !isObject(members[0].Value) {
		for i, m := range members {
			if format == Wrapped && isRootName(m.Name) && isObject(m.Value) {
				return i
			}
		}
		return -1
	}
	name := members[0].Name
	if format == Wrapped && dialect == TOP || isRootName(name) || dialect == Qimen && name == qimenRoot {
		return 0
	}
	return -1
}

func isRootName(name string) bool { return strings.HasSuffix(name, "_response") }

// valueOf returns the value of the member of that name, nothing without one.
func valueOf(ms []Part, name string) string {
	for _, m := range ms {
		if m.Name == name {
			return m.Value
		}
	}
	return ""
}

// textOf returns the text of a value, nothing for null and for no value.
func textOf(value string) string {
	switch {
	case value == "" || value == "null":
		return ""
	case value[0] == '"':
		return Text(value)
	}
	return Compact(value)
}

func isObject(value string) bool { return value != "" && value[0] == '{' }
