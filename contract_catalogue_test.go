package rentcar

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/internal/api"
)

// A catalogueField is one member as the platform's documentation has it.
type catalogueField struct {
	Name       string           `json:"name"`
	Type       string           `json:"type"`
	Unit       string           `json:"unit"`
	Hint       string           `json:"sdk_hint"`
	Required   *bool            `json:"required"`
	List       bool             `json:"list"`
	Wrapper    string           `json:"element_wrapper"`
	Enum       []any            `json:"enum"`
	Confidence string           `json:"confidence"`
	Fields     []catalogueField `json:"fields"`
}

type catalogueAPI struct {
	Name    string `json:"name"`
	Title   string `json:"title_en"`
	TitleZH string `json:"title_zh"`
	Role    string `json:"role"`
	Scope   string `json:"scope"`
	Request struct {
		Param      string           `json:"param"`
		Confidence string           `json:"confidence"`
		Fields     []catalogueField `json:"fields"`
	} `json:"request"`
	Response struct {
		Root   string           `json:"root"`
		Fields []catalogueField `json:"fields"`
	} `json:"response"`
}

func catalogue(t testing.TB) map[string]catalogueAPI {
	t.Helper()
	var file struct {
		APIs []catalogueAPI `json:"apis"`
	}
	readJSON(t, &file, "testdata", "catalogue", "apis.json")
	out := map[string]catalogueAPI{}
	for _, a := range file.APIs {
		out[a.Name] = a
	}
	return out
}

// A mapping says which Go type, with which options of the tag, a documented type
// becomes. Empty patterns match everything; the first row that matches decides.
type mapping struct {
	docType, unit, hint string // unit and hint: a part of the text
	enum                bool
	goType              string
	number              bool // written as a JSON number although Go has text
}

var mappings = []mapping{
	{docType: "Boolean", goType: "bool"},
	{docType: "Json", goType: "fliggy.Exts"},
	{docType: "Date", unit: "local time", goType: "fliggy.LocalTime"},
	{docType: "Date", goType: "fliggy.Time"},
	{docType: "String", unit: "CNY yuan", goType: "fliggy.Yuan"},
	{docType: "String", unit: "HH:mm:ss, China time", goType: "fliggy.Time"},
	{docType: "String", unit: "yyyy-MM-dd", goType: "fliggy.Date"},
	{docType: "String", unit: "percent", goType: "fliggy.Decimal"},
	{docType: "String", unit: "days", goType: "fliggy.Decimal"},
	{docType: "String", hint: "decimal text", goType: "fliggy.Decimal"},
	{docType: "String", hint: "a JSON object inside a string", goType: "fliggy.Exts"},
	{docType: "String", hint: "keep as text; accept a JSON string or a JSON number", goType: "fliggy.ID"},
	{docType: "String", hint: "text, not necessarily numeric", goType: "fliggy.ID"},
	{docType: "String", enum: true, goType: "an enumeration"},
	{docType: "String", goType: "string"},
	{docType: "Number", unit: "CNY fen", goType: "fliggy.Fen"},
	{docType: "Number", unit: "not stated", goType: "string", number: true}, // an amount of unknown unit stays text
	{docType: "Number", hint: "keep as text; accept a JSON string or a JSON number", goType: "fliggy.ID", number: true},
	{docType: "Number", enum: true, goType: "an enumeration"},
	{docType: "Number", goType: "int"},
}

// enumerations are the Go types of members with a list of values, where they are not
// called like the member.
var enumerations = map[string]string{
	"biz_status": "fliggy.AgencyOrderStatus", "biz_type": "fliggy.BillBizType", "channel_id": "fliggy.Channel",
	"service_on_door_type": "fliggy.DoorServiceType", "service_type": "fliggy.OrderServiceType",
	"transmission_type": "fliggy.Transmission", "type": "fliggy.PlaceType",
	"is_fixed": "fliggy.Flag", "is_one_way_fee": "fliggy.Flag",
}

// camel is the Go name of a member: CarType for car_type.
func camel(name string) string {
	out := ""
	for word := range strings.SplitSeq(name, "_") {
		out += strings.ToUpper(word[:1]) + word[1:]
	}
	return out
}

func mapped(f catalogueField) (mapping, bool) {
	for _, m := range mappings {
		if m.docType == f.Type && strings.Contains(f.Unit, m.unit) && strings.Contains(f.Hint, m.hint) && (!m.enum ||
			len(f.Enum) > 0) {
			if m.goType == "an enumeration" {
				m.goType = cmp.Or(enumerations[f.Name], "fliggy."+camel(f.Name))
				m.number = m.goType == "fliggy.Flag" // text that is written as a number
			}
			return m, true
		}
	}
	return mapping{}, false
}

// A deviation is a field that is not what the tables say, on purpose.
type deviation struct {
	goType   string // instead of the mapped one; empty for no difference
	number   bool
	required bool // by us, although optional or open in the documents
	surplus  bool // not in the catalogue
	reason   string
}

// deviations by method, part and path; "*" for every method. Those of one API are in the
// test of the file that has its types.
var deviations = map[string]deviation{
	"* response request_id": {
		goType: "string", surplus: true, reason: "of the envelope: the gateway adds it to every reply",
	},
	"* response successful": {goType: "bool", required: true, reason: "no silent success"},
}

func findDeviation(method, part, path string) (key string, d deviation, ok bool) {
	short := strings.TrimPrefix(strings.TrimPrefix(method, "alitrip.rentcar.btb."), "alitrip.rentcar.zzc.callback.")
	for _, m := range []string{short, "*"} {
		key = fmt.Sprintf("%s %s %s", m, part, path)
		if d, ok = deviations[key]; ok {
			return key, d, true
		}
	}
	return "", deviation{}, false
}

// A goField is one member of a Go message, read from its tag.
type goField struct {
	name    string
	typ     reflect.Type
	options []string
	owner   reflect.Type // the struct that declares it
	field   reflect.StructField
}

func (f goField) has(option string) bool { return slices.Contains(f.options, option) }

// wrap is the element name of a list, by the tag or by the default.
func (f goField) wrap() string {
	for _, o := range f.options {
		if name, ok := strings.CutPrefix(o, "wrap="); ok {
			return name
		}
	}
	return "string"
}

// goFields lists the members of a message, those of embedded structs included.
func goFields(t *testing.T, typ reflect.Type) []goField {
	t.Helper()
	var out []goField
	for i := range typ.NumField() {
		f := typ.Field(i)
		tag, tagged := f.Tag.Lookup("top")
		if f.Anonymous && !tagged {
			out = append(out, goFields(t, f.Type)...)
			continue
		}
		name, rest, _ := strings.Cut(tag, ",")
		if !tagged {
			t.Errorf("%s.%s has no tag", typ, f.Name)
		}
		if name == "-" || rest == "unknown" {
			continue
		}
		g := goField{name: name, typ: f.Type, owner: typ, field: f}
		if rest != "" {
			g.options = strings.Split(rest, ",")
		}
		out = append(out, g)
	}
	return out
}

// comparison walks the two descriptions of one message side by side.
type comparison struct {
	t            *testing.T
	method, part string
	used         map[string]bool // deviations that were met
	inferred     *[]inferredField
}

type inferredField struct {
	method string
	outer  reflect.Type
	goField
}

func (c *comparison) message(outer, typ reflect.Type, documented []catalogueField, at string) {
	fields := map[string]goField{}
	for _, f := range goFields(c.t, typ) {
		fields[f.name] = f
	}
	for _, doc := range documented {
		path := at + doc.Name
		f, ok := fields[doc.Name]
		if !ok {
			c.t.Errorf("%s %s: %s is documented, and %s has no field for it", c.method, c.part, path, typ)
			continue
		}
		delete(fields, doc.Name)
		c.field(outer, f, doc, path)
	}
	for name, f := range fields {
		path := at + name
		key, d, ok := findDeviation(c.method, c.part, path)
		if !ok || !d.surplus {
			c.t.Errorf("%s %s: %s.%s (%s) is documented nowhere", c.method, c.part, typ, f.field.Name, path)
			continue
		}
		c.used[key] = true
		c.is(path, f, d.goType, d.number, d.required)
	}
}

func (c *comparison) field(outer reflect.Type, f goField, doc catalogueField, path string) {
	if doc.Confidence == "inferred" {
		*c.inferred = append(*c.inferred, inferredField{c.method, outer, f})
	}
	if doc.List {
		if f.typ.Kind() != reflect.Slice {
			c.t.Errorf("%s %s: %s is a list, %s is none", c.method, c.part, path, f.typ)
			return
		}
		if want := doc.Wrapper; want != "" && f.wrap() != want {
			c.t.Errorf("%s %s: %s wraps its elements in %q, want %q", c.method, c.part, path, f.wrap(), want)
		}
		f.typ = f.typ.Elem()
	}
	if len(doc.Fields) > 0 {
		if f.typ.Kind() != reflect.Struct {
			c.t.Errorf("%s %s: %s has members, %s has none", c.method, c.part, path, f.typ)
			return
		}
		c.is(path, f, f.typ.String(), false, doc.Required != nil && *doc.Required)
		c.message(outer, f.typ, doc.Fields, path+".")
		return
	}
	m, ok := mapped(doc)
	if !ok {
		c.t.Errorf("%s %s: %s: no row of the mapping for type %s, unit %q", c.method, c.part, path, doc.Type, doc.Unit)
		return
	}
	goType, number, required := m.goType, m.number, doc.Required != nil && *doc.Required
	if key, d, ok := findDeviation(c.method, c.part, path); ok && !d.surplus {
		if d.goType == goType && d.number == number && d.required == required {
			c.t.Errorf("deviation %q is none", key)
		}
		c.used[key] = true
		goType, number, required = d.goType, d.number, d.required
	}
	c.is(path, f, goType, number, required)
	c.values(path, f.typ, doc.Enum)
}

// values fails where the type of a member has no name for a documented value.
func (c *comparison) values(path string, typ reflect.Type, documented []any) {
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	for _, d := range documented {
		raw := fmt.Sprint(d.(map[string]any)["value"])
		v := reflect.New(typ).Elem()
		if n, err := strconv.Atoi(raw); v.CanInt() && err == nil {
			v.SetInt(int64(n))
		} else {
			v.SetString(raw)
		}
		if name, ok := v.Interface().(fmt.Stringer); ok && name.String() == raw {
			c.t.Errorf("%s %s: %s: %s has no name for %s", c.method, c.part, path, typ, raw)
		}
	}
}

func (c *comparison) is(path string, f goField, goType string, number, required bool) {
	if got := f.typ.String(); got != goType {
		c.t.Errorf("%s %s: %s is a %s, want %s", c.method, c.part, path, got, goType)
	}
	if f.has("number") != number {
		c.t.Errorf("%s %s: %s: option number %v, want %v", c.method, c.part, path, f.has("number"), number)
	}
	// Of a reply's member that a merchant may leave at 0, present says that it must come.
	isRequired := f.has("required") || c.part == "response" && f.has("present")
	if isRequired != required {
		c.t.Errorf("%s %s: %s: option required %v, want %v", c.method, c.part, path, isRequired, required)
	}
	for _, o := range f.options {
		if (o == "keep" || o == "present") && c.part == "response" { // zeros that the gateway writes
			continue
		}
		if o != "number" && o != "required" && !strings.HasPrefix(o, "wrap=") {
			c.t.Errorf("%s %s: %s: unexpected option %q", c.method, c.part, path, o)
		}
	}
}

// compareAll compares all typed APIs with the catalogue and lists the inferred
// members.
func compareAll(t *testing.T) []inferredField {
	t.Helper()
	var inferred []inferredField
	used := map[string]bool{}
	apis := catalogue(t)
	for _, op := range api.All() {
		page, ok := apis[op.Method]
		if !ok {
			t.Errorf("%s is not in testdata/catalogue/apis.json: put its page there first", op.Method)
			continue
		}
		if page.Request.Param != op.Param || page.Title != op.Title || page.TitleZH != op.TitleZH {
			t.Errorf("%s: the catalogue has parameter %q and titles %q, %q: make the row in internal/api/api.go agree",
				op.Method, page.Request.Param, page.Title, page.TitleZH)
		}
		of := types[op.Method]
		if of.request == nil {
			continue // TestMethodsNameTheirAPI says what to do
		}
		request := comparison{t, op.Method, "request", used, &inferred}
		request.message(of.request, of.request, page.Request.Fields, "")
		response := comparison{t, op.Method, "response", used, &inferred}
		response.message(of.result, of.result, page.Response.Fields, "")
	}
	for key := range deviations {
		if !used[key] {
			t.Errorf("deviation %q matches no field", key)
		}
	}
	return inferred
}

func TestTypesAreTheCatalogue(t *testing.T) {
	t.Parallel()
	if n := len(compareAll(t)); n < 50 {
		t.Errorf("only %d inferred members: the catalogue was not read", n)
	}
	// The core of what a distributor or an agency calls has types.
	for name, page := range catalogue(t) {
		called := page.Role != "merchant" && page.Scope == "core" && !strings.HasPrefix(name, "qimen.")
		if called && api.ByMethod(name) == nil {
			t.Errorf("%s has no row in internal/api/api.go", name)
		}
	}
}
