package top

import (
	"slices"
	"strings"
)

// openXML reads the document of an XML reply, and of its members the envelope.
func (r *Reply) openXML(data []byte, dialect Dialect) error {
	tree, err := parseXML(data)
	if err != nil {
		return err
	}
	r.tree = tree
	if tree.name(0) == errorRoot {
		return r.takeXMLFault("")
	}
	if tree.err != nil {
		return tree.err
	}
	members := tree.parts("")
	if err := r.checkFrame(members); err != nil {
		return err
	}
	if valueOf(members, errorRoot) != "" {
		if err := r.takeXMLFault(errorRoot); err != nil {
			return err
		}
		r.Fault.Contradicted = contradicted(members, errorRoot)
		return nil
	}
	switch v := judge(members, dialect); {
	case v == regular && r.inner != "" && valueOf(members, r.inner) == "" && couldBeError(members) && !contradicted(members, ""):
		return r.takeXMLFault("")
	case v != regular:
		if err := r.takeXMLFault(""); err != nil {
			return err
		}
		r.Fault.Contradicted = contradicted(members, "")
		r.Fault.Provider = tree.name(0) != qimenRoot && (v == flagged || dialect == Qimen && !isErrorType(wordOf(members, "type")))
		return nil
	}
	if r.inner != "" {
		inside := tree.parts(r.inner)
		if err := r.checkFrame(inside); err != nil {
			return err
		}
		r.RequestID = textOf(valueOf(inside, requestID))
	}
	if r.RequestID == "" {
		r.RequestID = textOf(valueOf(members, requestID))
	}
	r.couldBeError, r.contradicted = couldBeError(members), contradicted(members, "")
	return nil
}

// takeXMLFault takes the root, or the child of it that is called inner, as the error
// envelope.
func (r *Reply) takeXMLFault(inner string) error {
	var f faultText
	if err := r.tree.decode(faultPlan, inner, &f); err != nil {
		return err
	}
	r.Fault = f.fault()
	return nil
}

// framed are the members whose values the envelope is known by.
var framed = []string{requestID, flag, "code", "msg", "message", "sub_code", "type", "successful", "success"}

// parts lists the members of the root, or those inside its children that are called
// inner where that is not empty. Only simple ones of the envelope have their value.
func (t *xmlTree) parts(inner string) []Part {
	members := t.members(inner)
	if len(members) == 0 && inner == "" {
		parts, _ := appendParts(nil, strings.TrimSpace(t.content(0))) // members may travel as JSON text
		return parts
	}
	parts := make([]Part, len(members))
	for k, i := range members {
		parts[k] = Part{t.name(i), "{}"}
		if t.next(i) == i+1 && slices.Contains(framed, parts[k].Name) {
			parts[k].Value = string(AppendJSONString(nil, t.content(i)))
		}
	}
	return parts
}
