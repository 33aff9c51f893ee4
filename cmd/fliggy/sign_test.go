package main

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/fliggytest"
)

const pushURL = "http://h/fliggy?app_key=24700001&method=m&timestamp=2026-12-01+10%3A00%3A00"

// TestSign signs as the documents say, in each sign method.
func TestSign(t *testing.T) {
	t.Parallel()
	// The example of the platform's documents on signing.
	params := []string{
		"sign", "-p", "method=taobao.item.seller.get", "-p", "app_key=12345678", "-p", "session=test",
		"-p", "timestamp=2016-01-01 12:00:00", "-p", "format=json", "-p", "v=2.0", "-p", "sign_method=md5",
		"-p", "fields=num_iid,title,nick,price,num", "-p", "num_iid=11223344",
	}
	vars := variables{"FLIGGY_APP_SECRET": "helloworld"}
	got := fliggyCmd(t.Context(), vars, "", params...)
	for _, want := range []string{
		"app_key12345678fieldsnum_iid,title,nick,price,numformatjsonmethodtaobao.item.seller.getnum_iid11223344sessiontest" +
			"sign_methodmd5timestamp2016-01-01 12:00:00v2.0\n",
		"66987CB115214E59E6EC978214934FB8", "3. MD5 of the secret, the text and the secret again",
	} {
		if got.status != 0 || !strings.Contains(got.stdout, want) || strings.Contains(got.stdout+got.stderr, "helloworld") {
			t.Errorf("%+v; want %q", got, want)
		}
	}
	for args, want := range map[string]signing{
		"-p b=2 -p B=1 -p a=": {SignMethod: "hmac-sha256", SignedText: "B1b2", LeftOut: []string{"a"}},
		"--url http://h/?a=x+y&sign=Q --body c=%E4%B8%AD&sign_method=hmac": {
			SignMethod: "hmac", SignedText: "ax yc中sign_methodhmac", LeftOut: []string{"sign"},
		},
		`--url http://h/?a=1 --body {"b":2} --sign-method md5`: {SignMethod: "md5", SignedText: `a1{"b":2}`},
		"--url http://h/?a=1 -p c=3 --body @-":                 {SignMethod: "hmac-sha256", SignedText: "a1c3<x/>"},
	} {
		got := fliggyCmd(t.Context(), variables{}, "<x/>", append([]string{"sign", "--json"}, strings.Fields(args)...)...)
		var out signing
		noError(t, json.Unmarshal([]byte(got.stdout), &out))
		if out.Signature == "" || len(out.Params) == 0 {
			t.Errorf("%s: %+v", args, out)
		}
		out.Signature, out.Params = "", nil
		if want.LeftOut == nil {
			want.LeftOut = []string{}
		}
		if diff := cmp.Diff(want, out); diff != "" {
			t.Errorf("%s: -want +got:\n%s", args, diff)
		}
	}
}

// recordings are requests of the official clients of other languages, with the app of a default gateway.
func recordings(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/requests/*.http")
	noError(t, err)
	if len(files) < 5 {
		t.Fatalf("recordings: %v", files)
	}
	return files
}

// TestSignRecordings gives recorded requests the signature that they have.
func TestSignRecordings(t *testing.T) {
	t.Parallel()
	signed := 0
	for _, file := range recordings(t) {
		data, err := os.ReadFile(file)
		noError(t, err)
		r, body, err := readRequest(data)
		noError(t, err)
		contentType := r.Header.Get("Content-Type")
		if strings.HasPrefix(contentType, "multipart/") {
			continue // with parts that are files
		}
		args := []string{"sign", "--json", "--url", r.URL.String(), "--body", string(body)}
		if contentType != "" {
			args = append(args, "--content-type", contentType)
		}
		got := fliggyCmd(t.Context(), variables{}, "", args...)
		var out signing
		noError(t, json.Unmarshal([]byte(got.stdout), &out))
		if want := paramsOf(r, body).Get("sign"); out.Signature != want {
			t.Errorf("%s: %+v, want %s", file, out, want)
		}
		signed++
	}
	if signed < 4 {
		t.Errorf("%d recordings", signed)
	}
}

// TestSignPush signs a URL that "fliggy verify" takes.
func TestSignPush(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"eventType":103}`, "a=b&c=%E4%B8%AD", "<x/>", ""} {
		args := []string{"sign", "--push", "--url", pushURL + "&sign=old", "--body", body, "--json"}
		got := fliggyCmd(t.Context(), variables{}, "", args...)
		var out signing
		noError(t, json.Unmarshal([]byte(got.stdout), &out))
		u, err := url.Parse(out.URL)
		noError(t, err)
		if u.Query().Get("sign") != out.Signature || out.SignMethod != "md5" || len(out.Params) < 3 ||
			!strings.HasPrefix(out.SignedText, "a") {
			t.Errorf("%+v", out)
		}
		args = []string{"verify", "--push", "--url", out.URL, "--body", body, "--at", "2026-12-01 10:00:00"}
		if body == "" {
			args = append(args, "--content-type", "application/json")
		}
		if got := fliggyCmd(t.Context(), variables{}, "", args...); got.status != 0 {
			t.Errorf("%q: %+v", body, got)
		}
	}
	got := fliggyCmd(t.Context(), variables{}, "", "sign", "--push", "--url", "http://h/", "--body", "{}")
	if !strings.Contains(got.stdout, "http://h/?sign=") {
		t.Errorf("without a query: %+v", got)
	}
	got = fliggyCmd(t.Context(), variables{}, "", "sign", "--push", "--url", pushURL, "--body", "{}")
	if !strings.Contains(got.stdout, "4. the signature goes into the query\n   http://h/fliggy?app_key=") ||
		strings.Contains(got.stdout, fliggytest.DefaultAppSecret) {
		t.Errorf("%+v", got)
	}
}

func TestSignThatIsWrong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"nothing":   {nil, "nothing to sign"},
		"parameter": {[]string{"-p", "x"}, "NAME=VALUE"},
		"twice":     {[]string{"-p", "x=1", "--url", "http://h/?x=1"}, "given twice"},
		"URL":       {[]string{"--url", "http://h h/"}, "not a URL"},
		"query":     {[]string{"--url", "http://h/?a=%zz"}, "not percent-encoded"},
		"body":      {[]string{"--url", "http://h/", "--body", "%zz"}, "--body"},
		"multipart": {[]string{"--url", "http://h/", "--body", "x", "--content-type", "multipart/form-data"},
			"--content-type"},
		"no file":     {[]string{"--url", "http://h/", "--body", "@/no/such"}, "no such file"},
		"sign method": {[]string{"-p", "sign_method=sha1"}, `"sha1"`},
		"two methods": {[]string{"-p", "sign_method=md5", "--sign-method", "hmac"}, "must be the same"},
		"push":        {[]string{"--push", "-p", "a=b"}, "say --url"},
		"push alone":  {[]string{"--push"}, "--push signs a URL"},
		"push, -p":    {[]string{"--push", "--url", pushURL, "-p", "a=b"}, "not for --push"},
		"push, hmac":  {[]string{"--push", "--url", pushURL, "--sign-method", "hmac"}, "signed with md5"},
		"push, type":  {[]string{"--push", "--url", pushURL, "--body", "x", "--content-type", "image/png"}, "content type"},
		"push, query": {[]string{"--push", "--url", "http://h/?a=%zz"}, ""},
	} {
		got := fliggyCmd(t.Context(), variables{}, "", append([]string{"sign"}, c.args...)...)
		if got.status != statusUsage || !strings.Contains(got.stderr, c.want) {
			t.Errorf("%s: %+v; want %q", name, got, c.want)
		}
	}
}
