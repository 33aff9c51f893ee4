package top_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
	"github.com/google/go-cmp/cmp"
)

// plain is a message that encoding/json reads too, with the methods that the
// scalars have for it, and without any tolerance.
type plain struct {
	Text      string                     `top:"text"`
	Flag      bool                       `top:"flag"`
	Int       int64                      `top:"int"`
	Small     uint8                      `top:"small"`
	Float     float64                    `top:"float"`
	TextPtr   *string                    `top:"text_ptr"`
	Texts     []string                   `top:"texts"`
	Raw       json.RawMessage            `top:"raw"`
	ID        fliggy.ID                  `top:"id"`
	Exts      fliggy.Exts                `top:"exts"`
	Channel   fliggy.Channel             `top:"channel"`
	Yuan      fliggy.Yuan                `top:"yuan"`
	Decimal   fliggy.Decimal             `top:"decimal"`
	Fen       fliggy.Fen                 `top:"fen"`
	Time      fliggy.Time                `top:"time"`
	LocalTime fliggy.LocalTime           `top:"local_time"`
	Date      fliggy.Date                `top:"date"`
	PayStatus fliggy.PayStatus           `top:"pay_status"`
	Item      *plain                     `top:"item"`
	Items     []plain                    `top:"items"`
	Extra     map[string]json.RawMessage `top:",unknown"`
}

var errTwice = errors.New("twice")

// readByHand reads a message member by member with encoding/json.
func readByHand(data []byte) (*plain, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.Join(err, errors.New("no object"))
	}
	v := &plain{}
	fields := map[string]any{
		"text": &v.Text, "flag": &v.Flag, "int": &v.Int, "small": &v.Small, "float": &v.Float, "text_ptr": &v.TextPtr,
		"texts": &v.Texts,
		"raw":   &v.Raw, "id": &v.ID, "exts": &v.Exts, "channel": &v.Channel, "yuan": &v.Yuan, "decimal": &v.Decimal,
		"fen":  &v.Fen,
		"time": &v.Time, "local_time": &v.LocalTime, "date": &v.Date, "pay_status": &v.PayStatus,
	}
	seen := map[string]bool{}
	var fault error // the first; one of a name that comes twice counts more
	for d.More() {
		name, err := d.Token()
		var raw json.RawMessage
		if err == nil {
			err = d.Decode(&raw)
		}
		if err != nil {
			return nil, err
		}
		n := name.(string)
		if seen[n] {
			return nil, errTwice
		}
		seen[n] = true
		if err := v.readMember(n, raw, fields[n]); err != nil && (fault == nil || errors.Is(err, errTwice)) {
			fault = err
		}
	}
	return v, fault
}

func (v *plain) readMember(name string, raw json.RawMessage, field any) error {
	switch {
	case field == nil && name != "item" && name != "items":
		if v.Extra == nil {
			v.Extra = map[string]json.RawMessage{}
		}
		v.Extra[name] = raw
		return nil
	case string(raw) == "null":
		return nil
	case name == "item":
		item, err := readByHand(raw)
		v.Item = item
		return err
	case name == "items":
		var list []json.RawMessage
		if err := json.Unmarshal(raw, &list); err != nil {
			return err
		}
		v.Items = []plain{}
		for _, raw := range list {
			item := &plain{}
			if string(raw) != "null" {
				var err error
				if item, err = readByHand(raw); err != nil {
					return err
				}
			}
			v.Items = append(v.Items, *item)
		}
		return nil
	}
	return json.Unmarshal(raw, field)
}

// FuzzStandard compares the decoder with encoding/json: what that reads, this
// reads as the same, unless a member comes twice. What only this reads is one of
// its tolerances, and is written as what both read.
func FuzzStandard(f *testing.F) {
	for _, c := range leniencies {
		f.Add([]byte("{" + c.json + "}"))
	}
	for _, data := range sampleFiles(f, ".json") {
		f.Add(data)
		f.Add(append(append([]byte(`{"item":`), data...), '}'))
	}
	for _, text := range []string{
		`{"text":"\ud83d\u0041","id":"\u4e2d","exts":" {} ","channel":80001,"yuan":" 1.50 ` +
			`","decimal":1e2,"fen":-0,"time":1666405320000}`,
		`{"yuan":"\u0031","fen":"\t1","local_time":"2024-11-05","date":" 2023-02-04","pay_status":" 2.0 ` +
			`","id":-1,"small":256}`,
		`{"items":[null,{"text":null},{"text":"a","text":"b"}],"texts":[null,""],"text_ptr":"","raw":null,"float":1e-400}`,
		`{"id":0,"item":{"x":{"y":1,"y":2},"id":01}}`,
		`{"exts":null,"raw":[ 1 ],"Text":"x","TEXT":1,"int":-9223372036854775809}`,
		`{"yuan":"` + strings.Repeat(" ", 255) + `1","exts":{"a" : 1},"id":"` + "\u00a0" + `","time":"` + "\u00a0" + `"}`,
	} {
		f.Add([]byte(text))
	}
	plan := planOf[plain](f)
	f.Fuzz(func(t *testing.T, data []byte) {
		strict := escapeControls(data) // strict JSON has nothing to escape
		if !json.Valid(strict) || !utf8.Valid(strict) || depthOf(strict) > top.MaxDepth {
			if plan.DecodeJSON(data, &plain{}) == nil {
				t.Fatal("is taken")
			}
			return
		}
		want, wantErr := readByHand(strict)
		var got plain
		err := plan.DecodeJSON(data, &got)
		twice := err != nil && strings.HasSuffix(err.Error(), ": comes more than once")
		switch {
		case wantErr == nil && err != nil:
			t.Fatalf("only encoding/json takes it: %v", err)
		case wantErr == nil:
			if diff := cmp.Diff(want, &got, samePlain); diff != "" {
				t.Fatalf("not the same (-encoding/json +ours):\n%s", diff)
			}
		case errors.Is(wantErr, errTwice) && err == nil:
			t.Fatal("a member that comes twice is taken")
		case twice && !errors.Is(wantErr, errTwice) && !bytes.Contains(
			data, []byte(`"{`),
		) && !bytes.Contains(data, []byte(`":`)):
			t.Fatalf("%v: nothing comes twice", err)
		case err == nil:
			text, err := plan.AppendJSON(nil, &got, top.EncodeOptions{Lenient: true})
			if err != nil {
				t.Fatal(err)
			}
			again, err := readByHand(text)
			if err != nil {
				t.Fatalf("%v in %s", err, text)
			}
			var back plain
			if err := plan.DecodeJSON(text, &back); err != nil {
				t.Fatalf("%v in %s", err, text)
			}
			if diff := cmp.Diff(again, &back, samePlain); diff != "" {
				t.Fatalf("not the same in %s (-encoding/json +ours):\n%s", text, diff)
			}
		}
	})
}

var samePlain = cmp.Options{
	same[fliggy.Yuan](), same[fliggy.Fen](), same[fliggy.Decimal](), same[fliggy.Date](), same[fliggy.LocalTime](),
	cmp.Comparer(func(a, b fliggy.Time) bool { return a.Time.Equal(b.Time) }),
}

// element is an element of a document as encoding/xml's checked tokens give it.
type element struct {
	name, text string
	kids       []*element
}

// readElements reads a document token by token.
func readElements(data []byte) (*element, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("not UTF-8")
	}
	d := xml.NewDecoder(bytes.NewReader(data))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	var root *element
	var open []*element
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) && root != nil {
			return root, nil
		}
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.Directive:
			return nil, errors.New("a directive")
		case xml.StartElement:
			e := &element{name: t.Name.Local}
			switch {
			case len(open) > 0:
				around := open[len(open)-1]
				around.kids = append(around.kids, e)
			case root != nil:
				return nil, errors.New("a second root")
			default:
				root = e
			}
			if open = append(open, e); len(open) > top.MaxDepth {
				return nil, errors.New("too deep")
			}
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			text := t
			if len(open) > 0 {
				open[len(open)-1].text += string(t)
				continue
			}
			if root == nil {
				text = bytes.TrimPrefix(t, []byte("\ufeff"))
			}
			if len(bytes.TrimSpace(text)) > 0 {
				return nil, errors.New("text outside")
			}
		}
	}
}

// json is how an unknown element is kept.
func (e *element) json() string {
	if len(e.kids) == 0 {
		return string(top.AppendJSONString(nil, e.text))
	}
	var names []string
	values := map[string][]string{}
	add := func(name, value string) {
		if values[name] == nil {
			names = append(names, name)
		}
		values[name] = append(values[name], value)
	}
	for _, kid := range e.kids {
		add(kid.name, kid.json())
	}
	if strings.TrimSpace(e.text) != "" {
		add("#text", string(top.AppendJSONString(nil, e.text)))
	}
	var parts []string
	for _, name := range names {
		value := values[name][0]
		if len(values[name]) > 1 {
			value = "[" + strings.Join(values[name], ",") + "]"
		}
		parts = append(parts, string(top.AppendJSONString(nil, name))+":"+value)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// FuzzXML compares the tree of a document, made of raw tokens, with the tokens that
// encoding/xml checks itself: the same documents, the same content.
func FuzzXML(f *testing.F) {
	for _, c := range leniencies {
		f.Add([]byte("<r>" + c.xml + "</r>"))
	}
	for _, data := range sampleFiles(f, ".xml") {
		f.Add(data)
	}
	for _, text := range []string{
		`<a xmlns:x="u"><x:b>1</x:b><b>2</b><y:b/></a>`, `<x:a></y:a>`, `<a></b>`, `</a>`, `<a/></a>`, `<a/><b/>`, `<a/>x`,
		"x<a/>", "\ufeff<a/>", `<a>`, `<a`,
		`<a>1<b/>2<![CDATA[<3>]]><!-- -->4</a>`, `<a><b>1</b><c/><b> </b></a>`, `<!DOCTYPE a><a/>`, `<a><!DOCTYPE b></a>`,
		`<a/><!DOCTYPE b>`, `<?xml version="1.0" encoding="GBK"?><a>&#20013;&lt;</a>`,
		`<a>&nbsp;</a>`, `<a b=c/>`, `<a xmlns="u"></a>`, nested("<a>", "", "</a>", 64), nested("<a>", "", "</a>", 65),
		`<a:b:c/>`, `<:a/>`, `<a:/>`, `<xmlns/>`, `<a></A>`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		want, wantErr := readElements(data)
		root, text, err := top.XMLAsJSON(data)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("error %v, of checked tokens %v", err, wantErr)
		}
		if err != nil {
			return
		}
		if root != want.name || text != want.json() {
			t.Fatalf("got %q %s, want %q %s", root, text, want.name, want.json())
		}
	})
}
