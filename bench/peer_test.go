package bench

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/url"
	"sort"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar/bench/internal/work"
	"github.com/fliggy-go/rentcar/fliggy"
)

// A peer is a client written by hand for just this work: no options, no checks of
// what it sends, no tolerance for what it gets. What sends its requests is net/http
// or resty.
type peer struct {
	format    string
	partnerID string
	now       func() time.Time
	post      func(ctx context.Context, address, form string) ([]byte, error)
}

const gatewayURL = "https://gw.api.taobao.com/top/router/rest"

type peerReply interface{ failure() error }

// call sends a request as the JSON of one parameter, and reads the reply.
func (p *peer) call(ctx context.Context, address, method, param string, request any, reply peerReply) error {
	text, err := json.Marshal(request)
	if err != nil {
		return err
	}
	params := map[string]string{
		"method":      method,
		"app_key":     work.AppKey,
		"timestamp":   p.now().In(fliggy.Zone()).Format(time.DateTime),
		"v":           "2.0",
		"sign_method": "hmac-sha256",
		"format":      p.format,
		"partner_id":  p.partnerID,
	}
	if p.format == "json" {
		params["simplify"] = "true"
	}
	query := make(url.Values, len(params)+1)
	for name, value := range params {
		query.Set(name, value)
	}
	params[param] = string(text)
	query.Set("sign", signSHA256(work.Secret, params))
	form := url.Values{param: {string(text)}}
	body, err := p.post(ctx, address+"?"+query.Encode(), form.Encode())
	if err != nil {
		return err
	}
	if p.format == "xml" {
		err = xml.Unmarshal(body, reply)
	} else {
		err = json.Unmarshal(body, reply)
	}
	if err != nil {
		return err
	}
	return reply.failure()
}

// base joins the parameters in the order of their names, without blank ones.
func base(b *strings.Builder, params map[string]string) {
	names := make([]string, 0, len(params))
	for name := range params {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if value := params[name]; name != "sign" && strings.TrimSpace(value) != "" {
			b.WriteString(name)
			b.WriteString(value)
		}
	}
}

func signMD5(secret string, params map[string]string) string {
	var b strings.Builder
	b.WriteString(secret)
	base(&b, params)
	b.WriteString(secret)
	sum := md5.Sum([]byte(b.String()))
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

func signSHA256(secret string, params map[string]string) string {
	var b strings.Builder
	base(&b, params)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(b.String()))
	return strings.ToUpper(hex.EncodeToString(mac.Sum(nil)))
}

// A fault is an error of the gateway.
type fault struct {
	Code    int    `json:"code"`
	Msg     string `json:"msg"`
	SubCode string `json:"sub_code"`
	SubMsg  string `json:"sub_msg"`
}

// PeerStatus is what every reply says. The members of an error lie in it as XML, and
// in a member of their own as JSON. encoding/xml sets XMLName in exported types only.
type PeerStatus struct {
	XMLName       xml.Name    `json:"-"`
	ErrorResponse *fault      `json:"error_response" xml:"-"`
	Code          string      `json:"-" xml:"code"`
	Successful    bool        `json:"successful" xml:"successful"`
	RetCode       string      `json:"ret_code" xml:"ret_code"`
	RetMsg        string      `json:"ret_msg" xml:"ret_msg"`
	Exts          fliggy.Exts `json:"exts" xml:"exts"`
	RequestID     string      `json:"request_id" xml:"request_id"`
}

func (s *PeerStatus) failure() error {
	switch {
	case s.ErrorResponse != nil:
		return fmt.Errorf("gateway error %d %s", s.ErrorResponse.Code, s.ErrorResponse.SubCode)
	case s.XMLName.Local == "error_response":
		return fmt.Errorf("gateway error %s", s.Code)
	case !s.Successful:
		return fmt.Errorf("refused: %s %s", s.RetCode, s.RetMsg)
	}
	return nil
}
