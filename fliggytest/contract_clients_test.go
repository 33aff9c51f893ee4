package fliggytest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar"
)

// The files of testdata/requests are what official clients of other languages put on the
// wire, byte for byte, with the app of a default gateway and the time of testNow: Java of
// 2021 and 2017 (protocol parameters in the query), Node (every parameter a part of a
// multipart body), PHP (files in parts) and Python (a timestamp in milliseconds;
// python-get is a client of somebody's own). They are made by hand, from descriptions of
// the protocol and of the clients.
var recordedRequests = map[string]struct {
	params map[string]string // business parameters that are not JSON
	want   []string          // what the answer holds
}{
	"java-form.http": {want: []string{
		`{"alitrip_rentcar_btb_renewaldetail_query_response":{`, `"standard_price":"11.00"`,
		// The client has null for a number that is left out, and its users crash.
		`"cancel_rule":[{"num":0,"time":72},{"num":10,"time":48},`, `{"num":50,"time":0}]`,
		`"manual_check_time":0`, `"start_time":0`, `"is_one_way_fee":0`,
	}},
	"java-form-json2.http": {
		want: []string{`{"request_id":"`, `"successful":true,`, `"cancel_rules":[{"num":0,"time":72},`},
	},
	"java-multipart-upload.http": {uploadParams, []string{`"title":"合同.png"`}},
	"java-qimen-form-json2.http": {qimenParams, []string{`{"title":"24700009"}`}},
	"java-qimen-body-xml2.http":  {want: []string{`<response><title>24700009</title></response>`}},
	"java-2017-qimen-no-v.http":  {qimenParams, []string{`{"title":"24700009"}`}},
	"node-multipart.http": {
		want: []string{`{"alitrip_rentcar_btb_renewaldetail_query_response":{`, `"standard_price":"11.00"`},
	},
	"node-qimen-multipart.http": {map[string]string{"orderId": "3104050285204362836"}, []string{`{"title":"24700009"}`}},
	"php-form.http":             {want: []string{`{"request_id":"`, `"license":"鲁A231212"`}},
	"php-multipart-upload.http": {uploadParams, []string{`"title":"合同.png"`}},
	"python-form.http": {
		want: []string{`{"alitrip_rentcar_btb_order_query_response":{`, `"license":"鲁A231212"`},
	},
	"python-get.http": {want: []string{`{"request_id":"`, `"license":"鲁A231212"`}},
}

var (
	uploadParams = map[string]string{"picture_category_id": "0", "image_input_title": "合同.png"}
	qimenParams  = map[string]string{"orderId": "3104050285204362836", "extendProps": `{"remark":"北京"}`}
)

// recordedGateway serves what the recorded requests ask for.
func recordedGateway(t *testing.T) *Gateway {
	g := start(t)
	type reply struct {
		Title string `top:"title"`
	}
	g.Handle("taobao.picture.upload", func(_ context.Context, r *Request) (any, error) {
		return reply{r.Params["image_input_title"]}, nil
	})
	g.Handle("qimen.alitrip.rentcar.renewalprices.query", func(_ context.Context, r *Request) (any, error) {
		return reply{r.Protocol["target_app_key"]}, nil
	})
	return g
}

// say writes bytes to a connection of the gateway and returns the answer.
func say(t *testing.T, g *Gateway, request []byte) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(g.origin, "http://"))
	noError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = conn.Write(request)
	noError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	noError(t, err)
	defer func() { _ = resp.Body.Close() }()
	in := io.Reader(resp.Body)
	if resp.Header.Get("Content-Encoding") == "gzip" {
		in, err = gzip.NewReader(resp.Body)
		noError(t, err)
	}
	body, err := io.ReadAll(in)
	noError(t, err)
	return string(body)
}

func TestRecordedRequests(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/requests/*.http")
	noError(t, err)
	if len(files) != len(recordedRequests) {
		t.Errorf("%d files, want %d", len(files), len(recordedRequests))
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			c := recordedRequests[filepath.Base(file)]
			request, err := os.ReadFile(file)
			noError(t, err)
			g := recordedGateway(t)
			body := say(t, g, request)
			for _, want := range c.want {
				if !strings.Contains(body, want) {
					t.Errorf("got %s, want %s", body, want)
				}
			}
			r := lastRequest(t, g)
			if r.Signature != SignatureValid || !r.Answer.Executed || r.Answer.Code != "" {
				t.Errorf("recorded %v", r)
			}
			if diff := cmp.Diff(c.params, r.Params); c.params != nil && diff != "" {
				t.Errorf("parameters (-want +got):\n%s", diff)
			}
			if got := g.RefusedRequests(); got != nil {
				t.Errorf("refused %v", got)
			}

			// What is signed is checked: another value is refused, another file is not.
			for _, change := range []struct{ from, to string }{
				{"24700009", "24700008"}, {"2023-02-05", "2023-02-06"}, {"80001", "80002"},
				{`id"` + "\r\n\r\n0", `id"` + "\r\n\r\n1"},
			} {
				other := bytes.Replace(request, []byte(change.from), []byte(change.to), 1)
				if bytes.Equal(other, request) {
					continue
				}
				if body := say(t, g, other); lastRequest(t, g).Answer.Code != "25" || strings.Contains(body, change.to) {
					t.Errorf("%s instead of %s: %s", change.to, change.from, body)
				}
			}
			other := bytes.Replace(request, []byte("--not a boundary"), []byte("--not a Boundary"), 1)
			if !bytes.Equal(other, request) {
				if say(t, g, other); lastRequest(t, g).Answer.Code != "" {
					t.Errorf("another file: %v", lastRequest(t, g))
				}
				verb := bytes.Replace(request, []byte("POST "), []byte("GET "), 1)
				if body := say(t, g, verb); !strings.Contains(body, `"code":9`) {
					t.Errorf("a file by GET: %s", body)
				}
			}
		})
	}
}

// TestErrorsOfJSON2 has the members of an error at the top level. For TOP that is inferred.
func TestErrorsOfJSON2(t *testing.T) {
	t.Parallel()
	g := start(t)
	for address, want := range map[string]string{
		g.URL():      `{"code":25,"msg":"Invalid signature","request_id":"`,
		g.QimenURL(): `{"flag":"failure","code":25,"message":"Invalid signature","request_id":"`,
	} {
		g.Handle("qimen.x", func(context.Context, *Request) (any, error) { return rentcar.Raw("{}"), nil })
		query := protocol(g)
		query["format"], query["method"], query["sign"] = "json2", "qimen.x", "x"
		_, body := raw(t, http.MethodPost, address+"?"+encode(query), "", "")
		if !strings.HasPrefix(body, want) {
			t.Errorf("got %s, want %s", body, want)
		}
		query["format"] = "xml2"
		_, body = raw(t, http.MethodPost, address+"?"+encode(query), "", "")
		if !strings.Contains(body, `<code>25</code><m`) {
			t.Errorf("got %s", body)
		}
	}
}
