package rentcar

import (
	"context"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jarcoal/httpmock"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
	"github.com/fliggy-go/rentcar/internal/golden"
)

// A goldenCase is one call of each API, with every member of its request.
type goldenCase struct {
	op   *api.Operation
	call func(ctx context.Context, c *Client) (any, error)
	// sample is the platform's own request, where one is printed.
	sample string
}

const (
	mainOrder    = fliggy.ID("3104050285204362836")
	renewalOrder = fliggy.ID("3187983531024266527")
	outOrder     = "RC202212191604667539969978368"
	outRenewal   = "RC202212191604667539969978361"
	someExts     = fliggy.Exts(`{"key":"value"}`)
)

// goldenCases has one call of each API. Those of an API are put in by the test of the file
// that has its types.
var goldenCases []goldenCase

// wireText is a request as a golden file has it: parameters decoded, one a line.
func wireText(t testing.TB, s sent) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s://%s%s\n", s.method, s.url.Scheme, s.url.Host, s.url.Path)
	for _, name := range []string{"Accept", "Content-Type", "User-Agent"} {
		fmt.Fprintf(&b, "%s: %s\n", name, s.header.Get(name))
	}
	for _, part := range []struct {
		title  string
		params map[string]string
	}{{"query", s.query(t)}, {"form", s.form(t)}} {
		fmt.Fprintf(&b, "\n%s\n", part.title)
		for _, name := range slices.Sorted(maps.Keys(part.params)) {
			fmt.Fprintf(&b, "  %s = %s\n", name, part.params[name])
		}
	}
	return b.String()
}

// wrapperOf is the name of the elements of a list; where the catalogue has none,
// any will do.
func wrapperOf(f catalogueField) string {
	if f.Wrapper == "" {
		return "item"
	}
	return f.Wrapper
}

func fieldByName(fields []catalogueField, name string) catalogueField {
	i := slices.IndexFunc(fields, func(f catalogueField) bool { return f.Name == name })
	if i < 0 {
		return catalogueField{Name: name}
	}
	return fields[i]
}

// wrapLists turns the members of a simplified reply into those of a wrapped one,
// by the catalogue and without code of the library.
func wrapLists(v any, f catalogueField) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, member := range v {
			out[name] = wrapLists(member, fieldByName(f.Fields, name))
		}
		return out
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = wrapLists(e, f)
		}
		return map[string]any{wrapperOf(f): list}
	}
	return v
}

// writeXML writes a simplified value as an element.
func writeXML(b *strings.Builder, name string, v any, f catalogueField) {
	fmt.Fprintf(b, "<%s>", name)
	switch v := v.(type) {
	case map[string]any:
		for _, member := range slices.Sorted(maps.Keys(v)) {
			writeXML(b, member, v[member], fieldByName(f.Fields, member))
		}
	case []any:
		for _, e := range v {
			writeXML(b, wrapperOf(f), e, f)
		}
	default:
		_ = xml.EscapeText(b, []byte(fmt.Sprint(v))) // a strings.Builder does not fail
	}
	fmt.Fprintf(b, "</%s>", name)
}

// documents are the three forms of one simplified reply.
func documents(t testing.TB, simplified string, page catalogueAPI) map[Format]httpmock.Responder {
	t.Helper()
	members := tree(t, simplified)
	whole := catalogueField{Fields: page.Response.Fields}
	var doc strings.Builder
	doc.WriteString(`<?xml version="1.0" encoding="utf-8" ?>`)
	writeXML(&doc, page.Response.Root, members, whole)
	doc.WriteString("<!--top010179031191.s.et2-->")
	return map[Format]httpmock.Responder{
		SimplifiedJSON: replyJSON(simplified),
		WrappedJSON:    replyJSON(indented(t, map[string]any{page.Response.Root: wrapLists(members, whole)})),
		XML:            reply(http.StatusOK, xmlType, doc.String()),
	}
}

// missing lists documented members that a value lacks.
func missing(v any, fields []catalogueField, at string) []string {
	var out []string
	if list, ok := v.([]any); ok && len(list) > 0 {
		v = list[0]
	}
	members, _ := v.(map[string]any)
	for _, f := range fields {
		m, ok := members[f.Name]
		if !ok {
			out = append(out, at+f.Name)
			continue
		}
		out = append(out, missing(m, f.Fields, at+f.Name+".")...)
	}
	return out
}

// An exchange is what the golden file of an API holds: the request as it is sent, the reply
// with every documented member, and the result that the caller gets.
type exchange struct{ request, reply, result string }

func exchangeFile(method string) string { return filepath.Join("testdata", "golden", method+".txt") }

// readExchange reads a golden file. A new one is begun with the reply alone, and -update
// writes the rest.
func readExchange(t testing.TB, method string) exchange {
	t.Helper()
	before, after, ok := strings.Cut(readFile(t, exchangeFile(method)), "-- reply --\n")
	if !ok {
		t.Fatalf("%s: write a reply in simplified JSON, with every documented member, under a line \"-- reply --\", "+
			"then run go test -run TestGolden -update .", exchangeFile(method))
	}
	reply, result, _ := strings.Cut(after, "-- result --\n")
	return exchange{strings.TrimPrefix(before, "-- request --\n"), reply, result}
}

func (e exchange) String() string {
	return "-- request --\n" + e.request + "-- reply --\n" + e.reply + "-- result --\n" + e.result
}

func TestGolden(t *testing.T) {
	t.Parallel()
	apis := catalogue(t)
	called := map[*api.Operation]bool{}
	for _, tc := range goldenCases {
		called[tc.op] = true
		t.Run(tc.op.Method, func(t *testing.T) {
			t.Parallel()
			page, file := apis[tc.op.Method], readExchange(t, tc.op.Method)
			if m := missing(tree(t, file.reply), page.Response.Fields, ""); m != nil {
				t.Errorf("the reply lacks documented members: %q", m)
			}
			requests, results := map[Format]string{}, map[Format]string{}
			for format, respond := range documents(t, file.reply, page) {
				// the defaults carry the version
				c, g := clientFor(t, respond, WithFormat(format), WithPartnerID("golden"), WithUserAgent("golden"))
				got, err := tc.call(context.Background(), c)
				if err != nil {
					t.Fatalf("%v: %v", format, err)
				}
				requests[format], results[format] = wireText(t, g.last(t)), indented(t, got)
				checkRequest(t, tc, page, g.last(t), format)
			}
			diff(t, "result from wrapped JSON", results[SimplifiedJSON], results[WrappedJSON])
			diff(t, "result from XML", results[SimplifiedJSON], results[XML])
			golden.Compare(t, exchangeFile(tc.op.Method),
				[]byte(exchange{requests[SimplifiedJSON], file.reply, results[SimplifiedJSON]}.String()))
		})
	}
	for _, op := range api.All() {
		if !called[op] {
			t.Errorf("no golden case calls %s: give goldenCases one in the test of the file that has its types, "+
				"such as order_test.go", op.Method)
		}
	}
}

func checkRequest(t *testing.T, tc goldenCase, page catalogueAPI, s sent, format Format) {
	t.Helper()
	form := s.form(t)
	if len(form) != 1 {
		t.Errorf("%d form parameters, want one", len(form))
	}
	message := tree(t, form[page.Request.Param])
	skip := map[string]bool{}
	if tc.op == api.Callback { // the envelope in event_data says it all
		skip = map[string]bool{"event_type": true, "trace_id": true, "exts": true}
	}
	for _, m := range missing(message, page.Request.Fields, "") {
		if !skip[m] {
			t.Errorf("the request lacks the documented member %s", m)
		}
	}
	if tc.sample != "" {
		diff(t, "request and the platform's sample", tree(t, readFile(t, "testdata", "samples", tc.sample)), message)
	}
	protocol := s.query(t)
	if protocol["method"] != tc.op.Method {
		t.Errorf("%s is called, want %s", protocol["method"], tc.op.Method)
	}
	signed := maps.Clone(form)
	maps.Copy(signed, protocol)
	if want, err := Sign(HMACSHA256, testSecret, signed, nil); err != nil || protocol["sign"] != want {
		t.Errorf("sign %s does not match what was sent, want %s (%v)", protocol["sign"], want, err)
	}
	switch format {
	case WrappedJSON:
		diff(t, "format parameters", [2]string{"json", ""}, [2]string{protocol["format"], protocol["simplify"]})
	case XML:
		diff(t, "format parameters", [2]string{"xml", ""}, [2]string{protocol["format"], protocol["simplify"]})
	}
}

// The XML replies that the platform prints decode as they stand. They claim
// success beside an error code, and carry no string lists and no request id.
func TestSampleReplies(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	sample := func(name string) *Client {
		c, _ := clientFor(
			t, reply(http.StatusOK, xmlType, readFile(t, "testdata", "samples", name)), WithFormat(XML),
			WithChannel(fliggy.ChannelAmap),
		)
		return c
	}

	order, err := queryOrder(ctx, sample("alitrip.rentcar.btb.order.query.response.xml"))
	if err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "testdata/golden/alitrip.rentcar.btb.order.query.sample.json", []byte(indented(t, order)))
	if order.SupportsRenewal() {
		t.Error("the sample has no service types, and supports a renewal")
	}

	bill, err := sample("alitrip.rentcar.btb.bill.notify.response.xml").Bills.Notify(ctx, someBill(t))
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "bill.notify", Status{Successful: true, RetCode: "1001", RetMsg: "错误信息", Exts: `{"k":"v"}`}, bill.Status)

	agency, err := sample(
		"alitrip.rentcar.zzc.callback.order.create.response.xml",
	).Agency.CreateOrder(ctx, &AgencyCreateOrderRequest{AgentOrderNo: "1"})
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "order.create", &AgencyCreateOrderResult{
		Meta: Meta{Attempts: 1}, AgencyStatus: AgencyStatus{BizSuccess: true, BizErrorCode: "31", BizErrorMsg: "错误内容"},
		FliggyOrderID: "1321231234",
	}, agency)

	for _, name := range []string{
		"alitrip.rentcar.btb.order.query", "alitrip.rentcar.btb.bill.notify", "alitrip.rentcar.zzc.callback.order.create",
	} {
		_, err := queryOrder(ctx, sample(name+".error.xml"))
		want := &GatewayError{
			Method: opOrderQuery.Method, Code: "50", Msg: "Remote service error", SubCode: "isv.invalid-parameter",
			SubMsg: "非法参数", HTTPStatus: 200, Attempts: 1,
		}
		diff(t, name, want, as[*GatewayError](t, err))
	}
}
