package rentcar

import (
	"context"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
)

func encodeGBK(t testing.TB, text string) string {
	t.Helper()
	b, err := simplifiedchinese.GBK.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A declared charset is decoded, wherever it is declared; anything else must be
// UTF-8.
func TestReplyCharsets(t *testing.T) {
	t.Parallel()
	const body = `{"successful":true,"ret_msg":"续租中"}`
	const doc = `<r_response><successful>true</successful><ret_msg>续租中</ret_msg></r_response>`
	gb18030, err := simplifiedchinese.GB18030.NewEncoder().String(`{"successful":true,"ret_msg":"续租中"}`)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		format      Format
		contentType string
		body        string
		fails       string // part of the error
	}{
		"UTF-8, declared":        {SimplifiedJSON, "application/json;charset=UTF-8", body, ""},
		"UTF-8, spelt otherwise": {SimplifiedJSON, "application/json; charset=utf8", body, ""},
		"UTF-8, quoted":          {SimplifiedJSON, `application/json; charset="utf-8"`, body, ""},
		"UTF-8, not declared":    {SimplifiedJSON, "text/javascript", body, ""},
		"UTF-8, no content type": {SimplifiedJSON, "", body, ""},
		"UTF-8, empty charset":   {SimplifiedJSON, "text/javascript;charset=", body, ""},
		"byte order mark":        {SimplifiedJSON, jsonType, "\ufeff" + body, ""},
		"byte order mark, XML":   {XML, xmlType, "\ufeff<?xml version=\"1.0\"?>" + doc, ""},
		"GBK":                    {SimplifiedJSON, "text/javascript;charset=GBK", encodeGBK(t, body), ""},
		"gbk, quoted":            {SimplifiedJSON, `text/javascript; charset="gbk"`, encodeGBK(t, body), ""},
		"GB2312":                 {SimplifiedJSON, "text/javascript;charset=gb2312", encodeGBK(t, body), ""},
		"GB18030":                {SimplifiedJSON, "text/javascript;charset=GB18030", gb18030, ""},
		"GBK, XML": {
			XML, "text/xml;charset=GBK", `<?xml version="1.0" encoding="GBK"?>` + encodeGBK(t, doc), "",
		},
		"GBK by the XML alone": {XML, "text/xml", `<?xml version="1.0" encoding="GBK"?>` + encodeGBK(t, doc), ""},
		"GBK by the XML, quoted": {
			XML, "", `<?xml version='1.0' encoding='gb2312' standalone="yes"?>` + encodeGBK(t, doc), "",
		},
		"GBK claimed, UTF-8 sent": {XML, "text/xml", `<?xml version="1.0" encoding="GBK"?>` + doc, ""},
		"GBK not declared": {
			SimplifiedJSON, "text/javascript", encodeGBK(t, body), "not valid UTF-8, and no other charset is declared",
		},
		"GBK declared as UTF-8": {
			SimplifiedJSON, jsonType, encodeGBK(t, body), "not valid UTF-8, and no other charset is declared",
		},
		"UTF-8 declared as GBK": {SimplifiedJSON, "text/javascript;charset=GBK", body + "\xff\xff", "not valid GBK"},
		"unknown charset":       {SimplifiedJSON, "text/plain;charset=KOI8-R", body, "not supported"},
		"unknown, in XML": {
			XML, "text/xml", `<?xml version="1.0" encoding="KOI8-R"?><r><a>` + "\xd6</a></r>", "not supported",
		},
		"long charset": {SimplifiedJSON, "text/plain;charset=" + strings.Repeat("x", 5000), body, "not supported"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := clientFor(t, reply(200, tc.contentType, tc.body), WithFormat(tc.format))
			res, err := queryOrder(context.Background(), c)
			if tc.fails != "" {
				e := as[*DecodeError](t, err)
				if e == nil || !strings.Contains(e.Error(), tc.fails) || len(e.Error()) > 300 {
					t.Errorf("%v, want %q", err, tc.fails)
				}
				return
			}
			if err != nil || res.RetMsg != "续租中" {
				t.Errorf("%+v, %v", res, err)
			}
			var raw Raw
			if err := c.Call(
				context.Background(), "x.y", nil, &raw,
			); err != nil || !strings.Contains(string(raw), "续租中") || strings.HasPrefix(string(raw), "\ufeff") {
				t.Errorf("raw %q, %v", raw, err)
			}
		})
	}
}

// Errors of the gateway are read in GBK too.
func TestGBKErrors(t *testing.T) {
	t.Parallel()
	body := encodeGBK(t, `{"error_response":{"code":15,"msg":"Remote service error","sub_code":"isv.x","sub_msg":"非法参数"}}`)
	c, _ := clientFor(t, reply(200, "text/javascript;charset=GBK", body))
	_, err := queryOrder(context.Background(), c)
	if e := as[*GatewayError](t, err); e == nil || e.SubMsg != "非法参数" {
		t.Errorf("%v", err)
	}
}
