package qimen

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
)

type spiVectors struct {
	Verify []struct {
		Name        string
		Desc        string
		Secret      string
		Method      string
		Path        string
		Query       *string
		Headers     [][2]string
		BodyBase64  string  `json:"body_base64"`
		Verdict     string  // true, false, exception
		RequestBody *string `json:"request_body"`
		ParamString *string `json:"official_param_string"`
		Sign        *string `json:"official_sign"`
	}
	Timestamp []struct {
		Name       string
		AgeSeconds *int64 `json:"age_seconds"`
		Literal    *string
		Minutes    int
		Official   any
	}
}

func readVectors(t *testing.T) spiVectors {
	t.Helper()
	data, err := os.ReadFile("../testdata/vectors/spi.json")
	if err != nil {
		t.Fatal(err)
	}
	var v spiVectors
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Verify) < 51 || len(v.Timestamp) < 7 {
		t.Fatalf("only %d verify and %d timestamp cases", len(v.Verify), len(v.Timestamp))
	}
	return v
}

// Every verdict of the official checker is ours, the quirks marked as not
// normative included: a parameter with several "=" is unsigned and dropped,
// application/xml is text, a missing Content-Type is an error.
func TestVerifyVectors(t *testing.T) {
	t.Parallel()
	for _, c := range readVectors(t).Verify {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			body, err := base64.StdEncoding.DecodeString(c.BodyBase64)
			if err != nil {
				t.Fatal(err)
			}
			// As over the network: the request is written out and read back.
			target := c.Path
			if c.Query != nil {
				target += "?" + *c.Query
			}
			wire := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n", c.Method, target, len(body))
			for _, h := range c.Headers {
				wire += h[0] + ": " + h[1] + "\r\n"
			}
			r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(append([]byte(wire+"\r\n"), body...))))
			if err != nil {
				t.Fatal(err)
			}
			p, err := ReadPush(nil, r, 1<<20)
			if err != nil {
				t.Fatal(err)
			}

			if c.ParamString != nil {
				s, err := readSigned(p)
				if err != nil {
					t.Fatal(err)
				}
				if got := s.charset.Decode(s.base); got != *c.ParamString {
					t.Errorf("base string %q, want %q", got, *c.ParamString)
				}
				if got := s.digest(c.Secret); string(got[:]) != *c.Sign {
					t.Errorf("sign %s, want %s", got, *c.Sign)
				}
			}
			d, err := VerifyPush(p, Secrets{testApp: {c.Secret}})
			if c.Verdict != "true" {
				if !errors.Is(err, ErrInvalidSignature) || d != nil {
					t.Fatalf("%s: got %v, %v; want ErrInvalidSignature", c.Desc, d, err)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s: %v", c.Desc, err)
			}
			if (c.RequestBody == nil) != d.IsForm {
				t.Errorf("IsForm = %v", d.IsForm)
			}
			if c.RequestBody != nil && d.Text != *c.RequestBody {
				t.Errorf("Text = %q, want %q", d.Text, *c.RequestBody)
			}
			if d.AppKey != testApp || d.Attempt != 1 || d.Push != p {
				t.Errorf("delivery %v", d)
			}
			if _, ok := d.Params["sign"]; ok {
				t.Error("Params has the signature")
			}
			if c.Name == "raw_equals_in_value_json" {
				if token, ok := d.Params["token"]; ok {
					t.Errorf("unsigned parameter handed on: %q", token)
				}
			}
			// And the twin makes the same signature.
			signed := mustSign(t, p, c.Secret)
			values, _ := url.ParseQuery(signed.RawQuery)
			if got := values.Get("sign"); got != *c.Sign {
				t.Errorf("SignPush made %s, want %s", got, *c.Sign)
			}
		})
	}
}

// The official check lets every future timestamp pass and throws on garbage;
// ours bounds the future by the same window and gives an error.
func TestTimestampVectors(t *testing.T) {
	t.Parallel()
	stricter := map[string]string{
		"one hour in the future": "a push signed for later could be held back until then",
		"garbage":                "an error, not an exception",
	}
	now := time.Date(2026, 11, 22, 1, 2, 3, 400e6, time.UTC)
	for _, c := range readVectors(t).Timestamp {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			query := url.Values{"method": {"m"}, "app_key": {testApp}}
			switch {
			case c.Literal != nil:
				query.Set("timestamp", *c.Literal)
			case c.AgeSeconds != nil:
				query.Set("timestamp", fliggy.At(now.Add(-time.Duration(*c.AgeSeconds)*time.Second)).String())
			}
			d, err := VerifyPush(mustSign(t, newPush(query.Encode(), "application/json", "{}"), testSecret), testSecrets)
			if err != nil {
				t.Fatal(err)
			}
			err = d.CheckTime(now, time.Duration(c.Minutes)*time.Minute)
			want := c.Official == true
			if reason, ok := stricter[c.Name]; ok {
				want = false
				t.Log(reason)
			}
			if (err == nil) != want {
				t.Fatalf("CheckTime: %v, want fresh=%v", err, want)
			}
			if err != nil && !errors.Is(err, ErrExpired) {
				t.Errorf("%v does not match ErrExpired", err)
			}
		})
	}
}
