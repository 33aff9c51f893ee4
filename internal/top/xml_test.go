package top_test

import (
	"testing"

	"github.com/fliggy-go/rentcar/internal/top"
)

func TestDecodeXMLErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ xml, want string }{
		{`<int>x</int>`, "int: expected a whole number"},
		{`<int><a>1</a></int>`, "int: expected text, got element a"},
		{
			`<yuan>x</yuan>`, "yuan: not a valid amount in yuan: want digits with an optional sign and fraction, such as -12.50",
		},
		{`<channel><x/></channel>`, "channel: expected text, got element x"},
		{`<item>x</item>`, "item: expected an object, got text"},
		{`<item>x<n>1</n></item>`, "item: expected members only, got text between them"},
		{`<item><n>x</n></item>`, "item.n: expected a whole number"},
		{`<item>{"n":"x"}</item>`, "item.n: expected a whole number"},
		{`<item>{"n":1} x</item>`, "item: not JSON at byte 8: expected the end"},
		{`<items><i/><i><next><n>x</n></next></i></items>`, "items[1].next.n: expected a whole number"},
		{`<items>x<i/></items>`, "items: expected elements only, got text between them"},
		{`<items>x</items>`, "items: expected a list, got text"},
		{`<items>[{"n":"x"}]</items>`, "items[0].n: expected a whole number"},
		{`<items>[] []</items>`, "items: not JSON at byte 3: expected the end"},
		{`<who><a></who>`, "not XML: line 1"},
		{`<who><a`, "not XML: line 1"},
		{`<text>&nbsp;</text>`, "not XML: line 1"},
		{`<!ENTITY a "b"><text/>`, "not XML as expected: a document type or directive"},
		{`<text>` + "\x01" + `</text>`, "not XML: line 1"},
	} {
		_, err := fromXML[all](t, "<r>"+c.xml+"</r>")
		wantError(t, c.xml, err, c.want)
	}
	for document, want := range map[string]string{
		"": "not XML: cut off", "\xff": "not valid UTF-8", "<r/>": "the reply is empty",
		"<r/><r/>": "not XML: a second root element",
	} {
		_, err := fromXML[all](t, document)
		wantError(t, document, err, want)
	}
}

// What XML has beside elements and text says nothing.
func TestDecodeXMLSyntax(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]string{
		"declaration and white space": "\n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<r>\n <text>a&lt;b</text>" +
			"\n <int>1</int>\n</r>\n",
		"byte order mark":         "\ufeff<r><text>a&lt;b</text><int>1</int></r>",
		"other encoding declared": `<?xml version="1.0" encoding="GBK"?><r><text>a&lt;b</text><int>1</int></r>`,
		"character data":          `<r><text><![CDATA[a<b]]></text><int><![CDATA[1]]></int></r>`,
		"character references":    `<r><text>&#97;&#x3C;b</text><int>&#49;</int></r>`,
		"comments": `<!--x--><r><!--x--><text>a<!--x-->&lt;b</text><int>1<!--x--></int></r><!--top01017` +
			`9031191.s.et2-->`,
		"processing instructions": `<r><?x y?><text>a<?x?>&lt;b</text><int>1</int></r><?x?>`,
		"attributes":              `<r a="1"><text list="true" int="7">a&lt;b</text><int type="number">1</int></r>`,
		"namespaces":              `<n:r xmlns:n="urn:x" xmlns="urn:y"><n:text>a&lt;b</n:text><int>1</int></n:r>`,
		"undeclared prefixes":     `<r><x:text>a&lt;b</x:text><y:int>1</y:int></r>`,
		"white space in tags":     "<r ><text\n>a&lt;b</text\t><int>\n1\n</int></r >",
	} {
		got, err := fromXML[all](t, document)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		wantDiff(t, name, all{Text: "a<b", Int: 1}, got)
	}
	if root, err := top.ParseXML(
		[]byte("<?xml version=\"1.0\"?><!-- x --><n:a_response/>"),
	); err != nil || root.Name() != "a_response" {
		t.Errorf("root %q, %v", root.Name(), err)
	}
	_, err := top.ParseXML([]byte("\xff"))
	wantError(t, "root", err, "not valid UTF-8")
}
