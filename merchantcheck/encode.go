package merchantcheck

import (
	"encoding/xml"
	"reflect"
	"strings"

	"github.com/fliggy-go/rentcar/internal/charset"
	"github.com/fliggy-go/rentcar/internal/top"
)

// encodeRequest writes a request as the content type says: as a form, as XML, or else as JSON.
func encodeRequest(request any, contentType string) ([]byte, error) {
	plan, err := top.PlanFor(reflect.TypeOf(request).Elem())
	if err != nil {
		return nil, err
	}
	cs, err := charset.Lookup(charset.FromContentType(contentType))
	if err != nil {
		return nil, err
	}
	body, err := plan.AppendJSON(nil, request, top.EncodeOptions{})
	if err != nil {
		return nil, err
	}
	object, err := top.ParseJSON(string(body))
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
	return cs.Encode(string(body)), nil
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
