package fliggytest

import (
	"strings"
	"testing"
)

func TestToXML(t *testing.T) {
	t.Parallel()
	for wrapped, want := range map[string]string{
		`{"r":{}}`: `<r></r>`,
		`{"r":{"a":1.50,"b":true,"c":"x<\"\u4e2d","d":null,"e"` +
			`:""}}`: `<r><a>1.50</a><b>true</b><c>x&lt;&#34;中</c><e></e></r>`,
		`{"r":{"l":{"string":["1",null,2]},"n":{"string":` +
			`[]}}}`: `<r><l><string>1</string><string></string><string>2</string></l><n></n></r>`,
		`{"r":{"l":{"item":[{"a":1},{"l":{"item":[{"a":2}]}` +
			`}]}}}`: `<r><l><item><a>1</a></item><item><l><item><a>2</a></item></l></item></l></r>`,
		`{"r":{"ids":{"number":[3187983531024266527]},"t":"\u0001\ufffe` +
			`\n"}}`: "<r><ids><number>3187983531024266527</number></ids><t>\uFFFD\uFFFD&#xA;</t></r>",
		`{"response":{"inner":{"successful":true,"request_id":"13162170384226` +
			`7"}}}`: `<response><inner><successful>true</successful><request_id>131621703842267</request_id></inner></response>`,
	} {
		got := strings.TrimPrefix(string(toXML([]byte(wrapped))), `<?xml version="1.0" encoding="UTF-8" ?>`)
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", wrapped, got, want)
		}
	}
}
