package push

import (
	"encoding/xml"
	"strings"

	"github.com/fliggy-go/rentcar/internal/charset"
	"github.com/fliggy-go/rentcar/internal/top"
)

// Encode writes a message, given as a JSON object in UTF-8, as a content type says: as a form, as XML, or else as JSON,
// in its charset.
func Encode(message []byte, contentType string) ([]byte, error) {
	cs, err := charset.Lookup(charset.FromContentType(contentType))
	if err != nil {
		return nil, err
	}
	object, err := top.ParseJSON(string(message))
	has := func(prefix string) bool { return strings.HasPrefix(contentType, prefix) }
	switch {
	case err != nil:
		return nil, err
	case has("application/x-www-form-urlencoded"):
		var fields []top.Param
		for m := range object.Inside() {
			fields = append(fields, top.Param{Name: m.Name(), Value: string(cs.Encode(m.Text()))})
		}
		return top.AppendForm(nil, fields), nil
	case has("text/xml"), has("application/xml"):
		return cs.Encode(inXML(object)), nil
	}
	return cs.Encode(string(message)), nil
}

// inXML writes the members of a flat object as elements.
func inXML(object top.Value) string {
	var b strings.Builder
	b.WriteString("<request>")
	for m := range object.Inside() {
		b.WriteString("<" + m.Name() + ">")
		_ = xml.EscapeText(&b, []byte(m.Text())) // a strings.Builder does not fail
		b.WriteString("</" + m.Name() + ">")
	}
	b.WriteString("</request>")
	return b.String()
}
