package fliggytest

import (
	"bytes"
	"encoding/xml"

	"github.com/fliggy-go/rentcar/internal/top"
)

// toXML writes wrapped JSON as XML: a member is an element, and a list as many elements as it has items. A member that
// is null is left out; an item that is null is an empty element. What XML cannot carry becomes U+FFFD.
func toXML(wrapped []byte) []byte {
	root, _ := top.ParseJSON(string(wrapped)) // valid: it was encoded here
	b := bytes.NewBufferString(`<?xml version="1.0" encoding="UTF-8" ?>`)
	for m := range root.Inside() {
		writeElement(b, m.Name(), m)
	}
	return b.Bytes()
}

func writeElement(b *bytes.Buffer, name string, v top.Value) {
	if v.Kind() == top.List {
		for item := range v.Inside() {
			writeElement(b, name, item)
		}
		return
	}
	b.WriteString("<" + name + ">")
	if v.Kind() == top.Object {
		for m := range v.Inside() {
			if m.Kind() != top.Null {
				writeElement(b, m.Name(), m)
			}
		}
	} else {
		_ = xml.EscapeText(b, []byte(v.Text())) // a bytes.Buffer does not fail
	}
	b.WriteString("</" + name + ">")
}
