package top

import (
	"errors"
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
		r.Fault = &Fault{}
		return tree.decode(faultPlan, "", r.Fault)
	}
	if dialect == Qimen {
		if err := r.openQimenXML(); err != nil || r.Fault != nil {
			return err
		}
	}
	if tree.err != nil {
		return tree.err
	}
	for _, i := range tree.members("") {
		if tree.name(i) == errorRoot {
			r.Fault = &Fault{}
			return tree.decode(faultPlan, errorRoot, r.Fault)
		}
	}
	return r.findRequestID()
}

// openQimenXML takes the document as a fault where it says so itself.
func (r *Reply) openQimenXML() error {
	var p peek
	err := r.tree.decode(peekPlan, "", &p)
	var e *Error
	if errors.As(err, &e) && e.Rule == ruleTwice {
		return err
	}
	if err != nil || strings.TrimSpace(p.Flag) != failure {
		return nil // what else is wrong with a regular reply is found out later
	}
	var f qimenFault
	if err := r.tree.decode(qimenFaultPlan, "", &f); err != nil {
		return err
	}
	r.Fault = f.fault()
	r.Fault.Provider = r.tree.name(0) != qimenRoot
	return nil
}

// findRequestID looks for the request id where the members lie and, where they
// lie inside another one, beside that. What else is wrong there is found out later.
func (r *Reply) findRequestID() error {
	for _, inside := range []string{r.inner, ""} {
		var p peek
		err := r.tree.decode(peekPlan, inside, &p)
		var e *Error
		switch {
		case errors.As(err, &e) && e.Rule == ruleTwice:
			return err
		case err == nil && p.RequestID != "":
			r.RequestID = p.RequestID
			return nil
		case r.inner == "":
			return nil
		}
	}
	return nil
}
