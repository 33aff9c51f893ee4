package top

import (
	"cmp"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"

	"github.com/shopspring/decimal"
)

// A Plan is the compiled form of a message type: which member goes into which
// field, and how. Plans are immutable and safe for concurrent use.
type Plan struct {
	typ      reflect.Type
	fields   []*field
	required []*field // those that must come
	byName   map[string]*field
	extra    []int // path of the field that takes unknown members, nil without one
}

// A field is one member of a message.
type field struct {
	name     string
	path     []int // index path, through embedded structs
	bit      int   // position in the set of members seen
	codec    *codec
	required bool
	present  bool // required where it is read
	keep     bool
	key      string // the name as JSON, and a colon
	zeroer   bool   // its type says itself whether it is unset
}

// kind tells how a value travels.
type kind uint8

const (
	kindString kind = iota
	kindBool
	kindInt
	kindUint
	kindFloat
	kindScalar // a type with text methods of its own
	kindRaw    // json.RawMessage
	kindStruct
	kindList
)

// A codec says how values of one Go type are read and written at one place.
type codec struct {
	kind     kind
	typ      reflect.Type
	pointers int     // how many pointers lie around the value
	elem     *codec  // list elements
	size     uintptr // of a list's element and what it points to, in bytes
	plan     *Plan   // structs
	wrap     string  // element name of a list in wrapped JSON and XML
	number   bool
	text     bool
	layout   string
	own      bool // a type of package fliggy
}

var (
	rawType         = reflect.TypeFor[json.RawMessage]()
	extraType       = reflect.TypeFor[map[string]json.RawMessage]()
	unmarshalerType = reflect.TypeFor[json.Unmarshaler]()
	textType        = reflect.TypeFor[encoding.TextUnmarshaler]()
	zeroerType      = reflect.TypeFor[isZeroer]()
	timeType        = reflect.TypeFor[time.Time]()
	decimalType     = reflect.TypeFor[decimal.Decimal]()
	idType          = reflect.TypeFor[fliggy.ID]()
	fenType         = reflect.TypeFor[fliggy.Fen]()
	fliggyTimeType  = reflect.TypeFor[fliggy.Time]()
	extsType        = reflect.TypeFor[fliggy.Exts]()
	errTime         = errors.New("a time.Time has no wire format here: use fliggy.Time")
	timeLayouts     = map[string]string{"minute": "2006-01-02 15:04"}
	cache           sync.Map // reflect.Type to *Plan
	codecs          sync.Map // reflect.Type to *codec
)

// PlanFor returns the plan of the struct type t. It fails for a type that
// cannot be a message, naming the field.
func PlanFor(t reflect.Type) (*Plan, error) {
	if p, ok := cache.Load(t); ok {
		return p.(*Plan), nil
	}
	p, err := (&compiler{busy: map[planKey]*Plan{}}).plan(t, "")
	if err != nil {
		return nil, err
	}
	stored, _ := cache.LoadOrStore(t, p)
	return stored.(*Plan), nil
}

// codecFor returns the codec of values of type t that stand in no message.
func codecFor(t reflect.Type) (*codec, error) {
	if c, ok := codecs.Load(t); ok {
		return c.(*codec), nil
	}
	c, err := (&compiler{busy: map[planKey]*Plan{}}).codec(t, "")
	if err != nil {
		return nil, err
	}
	codecs.Store(t, c)
	return c, nil
}

// RenamedPlan returns the plan of t with some members named otherwise on the
// wire. Keys are the names of the tags, dotted for members of inner messages
// ("price_info.quantity"); values are the names to use instead. A key that
// names no member is an error. The name "-" leaves the member out, as in a tag.
func RenamedPlan(t reflect.Type, names map[string]string) (*Plan, error) {
	if len(names) == 0 {
		return PlanFor(t)
	}
	c := &compiler{busy: map[planKey]*Plan{}, names: names, used: map[string]bool{}}
	p, err := c.plan(t, "")
	if err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(names)) {
		if !c.used[key] {
			return nil, fmt.Errorf("%s has no member %q", t.Name(), key)
		}
	}
	return p, nil
}

// compiler builds the plans of one type and of all types below it.
type compiler struct {
	busy  map[planKey]*Plan // lets a type contain itself
	names map[string]string
	used  map[string]bool
	camel bool // below a field with the option camel
}

type planKey struct {
	typ   reflect.Type
	camel bool
}

func (c *compiler) plan(t reflect.Type, at string) (*Plan, error) {
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%s is not a struct", t)
	}
	if t == timeType {
		return nil, errTime
	}
	// Renamed plans differ by place, so there a plan is shared only with itself.
	key := planKey{t, c.camel}
	if p, ok := c.busy[key]; ok {
		return p, nil
	}
	p := &Plan{typ: t, byName: map[string]*field{}}
	c.busy[key] = p
	if c.names != nil {
		defer delete(c.busy, key)
	}
	if err := c.addFields(p, t, nil, at); err != nil {
		return nil, err
	}
	return p, nil
}

func (c *compiler) addFields(p *Plan, t reflect.Type, path []int, at string) error {
	for i := range t.NumField() {
		sf := t.Field(i)
		tag, tagged := sf.Tag.Lookup("top")
		if !tagged {
			tag, _, _ = strings.Cut(sf.Tag.Get("json"), ",") // json's options are not ours
		}
		name, opts, _ := strings.Cut(tag, ",")
		here := append(slices.Clone(path), i)
		if sf.Anonymous && name == "" && isPlainStruct(sf.Type) {
			if err := c.addFields(p, sf.Type, here, at); err != nil {
				return err
			}
			continue
		}
		if err := c.addField(p, sf, name, opts, here, at); err != nil {
			return fmt.Errorf("%s.%s: %w", t.Name(), sf.Name, err)
		}
	}
	return nil
}

// addField adds what a field of a struct is: a member, the map of unknown members, or nothing.
func (c *compiler) addField(p *Plan, sf reflect.StructField, name, opts string, path []int, at string) error {
	switch {
	case name == "-":
		return nil
	case sf.Anonymous && name == "" && sf.Type.Kind() == reflect.Pointer && isPlainStruct(sf.Type.Elem()):
		return errors.New("embed the struct itself, not a pointer")
	case !sf.IsExported():
		return nil
	case opts == "unknown" && sf.Type != extraType:
		return errors.New("option unknown needs a map[string]json.RawMessage")
	case opts == "unknown" && p.extra != nil:
		return errors.New("a second place for unknown members")
	case opts == "unknown":
		p.extra = path
		return nil
	}
	f, err := c.field(sf.Type, cmp.Or(name, sf.Name), opts, at)
	if err != nil || f.name == "-" {
		return err
	}
	if p.byName[f.name] != nil {
		return fmt.Errorf("a second member %q", f.name)
	}
	f.path, f.bit = path, len(p.fields)
	f.key = string(append(AppendJSONString(nil, f.name), ':'))
	f.zeroer = sf.Type.Kind() != reflect.Pointer && sf.Type.Implements(zeroerType)
	p.fields = append(p.fields, f)
	if f.required || f.present {
		p.required = append(p.required, f)
	}
	p.byName[f.name] = f
	return nil
}

func (c *compiler) field(t reflect.Type, name, opts, at string) (*field, error) {
	f := &field{name: name}
	key := name
	if at != "" {
		key = at + "." + name
	}
	if to, ok := c.names[key]; ok {
		if to == "" {
			return nil, errors.New("the new name is empty")
		}
		c.used[key] = true
		f.name = to
	} else if c.camel {
		f.name = camelCase(name)
	}
	if slices.Contains(strings.Split(opts, ","), "camel") && !c.camel {
		c.camel = true
		defer func() { c.camel = false }()
	}
	cd, err := c.codec(t, key)
	if err != nil {
		return nil, err
	}
	f.codec = cd
	for opt := range strings.SplitSeq(opts, ",") {
		switch k, v, _ := strings.Cut(opt, "="); k {
		case "", "camel":
		case "required":
			f.required = true
		case "present":
			f.present = true
		case "keep":
			f.keep = true
		case "number":
			cd.number = true
		case "text":
			cd.text = true
		case "wrap":
			if cd.kind != kindList || !isXMLName(v) {
				return nil, fmt.Errorf("option wrap=%q needs a list and a name", v)
			}
			cd.wrap = v
		case "layout":
			if cd.layout = timeLayouts[v]; cd.layout == "" {
				return nil, fmt.Errorf("unknown layout %q", v)
			}
		default:
			return nil, fmt.Errorf("unknown option %q", opt)
		}
	}
	if cd.layout != "" && cd.typ != fliggyTimeType && (cd.elem == nil || cd.elem.typ != fliggyTimeType) {
		return nil, errors.New("option layout needs a fliggy.Time")
	}
	if cd.elem != nil {
		cd.elem.number, cd.elem.text, cd.elem.layout = cd.number, cd.text, cd.layout
	}
	return f, nil
}

func (c *compiler) codec(t reflect.Type, key string) (*codec, error) {
	cd := &codec{}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
		cd.pointers++
	}
	cd.typ = t
	switch {
	case t == rawType:
		cd.kind = kindRaw
		return cd, nil
	case t == timeType:
		return nil, errTime
	case isScalar(t):
		cd.kind, cd.own = kindScalar, t.PkgPath() == idType.PkgPath()
		return cd, nil
	}
	switch t.Kind() {
	case reflect.String:
		cd.kind = kindString
	case reflect.Bool:
		cd.kind = kindBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		cd.kind = kindInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		cd.kind = kindUint
	case reflect.Float32, reflect.Float64:
		cd.kind = kindFloat
	case reflect.Struct:
		cd.kind = kindStruct
		p, err := c.plan(t, key)
		cd.plan = p
		return cd, err
	case reflect.Slice:
		cd.kind = kindList
		elem, err := c.codec(t.Elem(), key)
		if err != nil {
			return nil, err
		}
		if elem.kind == kindList {
			return nil, errors.New("a list of lists has no wire format")
		}
		if elem.typ.Kind() == reflect.Uint8 && elem.kind == kindUint {
			return nil, errors.New("bytes have no wire format: use text or json.RawMessage")
		}
		cd.elem, cd.size = elem, sizeOf(t.Elem())
		cd.wrap = defaultWrap(elem)
	default:
		return nil, fmt.Errorf("a %s has no wire format: use a struct with tags, or a json.RawMessage", t)
	}
	return cd, nil
}

// defaultWrap is the element name of lists of simple values; lists of structs
// name theirs in the tag.
func defaultWrap(elem *codec) string {
	switch elem.kind {
	case kindInt, kindUint, kindFloat:
		return "number"
	case kindBool:
		return "boolean"
	case kindStruct:
		if name := snakeCase(elem.typ.Name()); isXMLName(name) {
			return name
		}
		return "item" // a struct without a name, or with type parameters
	}
	return "string"
}

// isXMLName reports whether s can name an element: letters and digits of ASCII, '_', '-' and '.', a letter or '_'
// first.
func isXMLName(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '_', c|0x20 >= 'a' && c|0x20 <= 'z':
		case i > 0 && (c == '-' || c == '.' || c >= '0' && c <= '9'):
		default:
			return false
		}
	}
	return s != ""
}

// snakeCase turns a type's name into the platform's: an underscore before every
// upper-case letter but the first, all in lower case.
func snakeCase(s string) string {
	var b strings.Builder
	for i, r := range s {
		if r >= 'A' && r <= 'Z' {
			if i > 0 {
				b.WriteByte('_')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// camelCase turns the name of a member of the gateway into that of a merchant's: day_price
// into dayPrice.
func camelCase(s string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(s, "_") {
		if b.Len() > 0 && part != "" {
			part = strings.ToUpper(part[:1]) + part[1:]
		}
		b.WriteString(part)
	}
	return b.String()
}

func isScalar(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.NumMethod() > 0 && (p.Implements(unmarshalerType) || p.Implements(textType))
}

func isPlainStruct(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && !isScalar(t)
}
