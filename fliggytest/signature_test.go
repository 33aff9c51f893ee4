package fliggytest

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/fliggy-go/rentcar/fliggy"
)

// javaBlank reports whether the official SDK leaves s out: by its own set of white space, s is blank.
func javaBlank(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		space := unicode.In(r, unicode.Zs, unicode.Zl, unicode.Zp) && !slices.Contains([]rune{0xA0, 0x2007, 0x202F}, r)
		return !space && (r < 0x09 || r > 0x0D) && (r < 0x1C || r > 0x1F)
	})
}

func TestSignVectors(t *testing.T) {
	t.Parallel()
	var file struct {
		Vectors []struct {
			Name   string
			Secret string
			Params map[string]*string
			Body   *string
			Signs  map[string]any
		}
	}
	readJSON(t, "../testdata/vectors/sign.json", &file)
	checked := 0
	for _, v := range file.Vectors {
		if v.Params["sign"] != nil {
			continue // the official routine would sign it, had it been there
		}
		sent := map[string]string{}
		for name, value := range v.Params {
			if value != nil && !javaBlank(name) && !javaBlank(*value) {
				sent[name] = *value
			}
		}
		var body []byte
		if v.Body != nil {
			body = []byte(*v.Body)
		}
		for method, want := range v.Signs {
			got, ok := sign(method, v.Secret, sent, body)
			if known := slices.Contains([]string{"md5", "hmac", "hmac-sha256"}, method); ok != known {
				t.Errorf("%s: %s: ok = %v, want %v", v.Name, method, ok, known)
			} else if text, isText := want.(string); known && isText {
				checked++
				if got != text {
					t.Errorf("%s: %s: got %s, want %s", v.Name, method, got, text)
				}
			}
		}
	}
	if checked < 70 {
		t.Errorf("checked %d signatures only", checked)
	}
}

func TestSignCountsEmptyParametersByName(t *testing.T) {
	t.Parallel()
	with, _ := sign("md5", "s", map[string]string{"a": "1", "b": ""}, nil)
	same, _ := sign("md5", "s", map[string]string{"a": "1b"}, nil)
	if with != same {
		t.Errorf("an empty parameter counts otherwise than by its name")
	}
}

func TestSignSortsByUTF16(t *testing.T) {
	t.Parallel()
	got, _ := sign("md5", "s", map[string]string{"\uFF21": "2", "\U0001F697": "1"}, nil)
	want, _ := sign("md5", "s", map[string]string{"\U0001F6971\uFF21": "2"}, nil)
	if got != want {
		t.Error("a name outside of the BMP does not come before U+FF21")
	}
}

// TestWireVectors sends what the official SDK sent, byte for byte.
func TestWireVectors(t *testing.T) {
	t.Parallel()
	var file struct {
		Vectors []struct {
			Name  string
			Input struct {
				AppKey    string `json:"app_key"`
				AppSecret string `json:"app_secret"`
				API       string
				UnixMS    int64 `json:"unix_ms"`
			}
			Request struct {
				Path     string
				RawQuery string `json:"raw_query"`
				Body     string
				Headers  map[string]string
			}
		}
	}
	readJSON(t, "../testdata/vectors/wire.json", &file)
	for _, v := range file.Vectors {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			now := time.UnixMilli(v.Input.UnixMS).In(fliggy.Zone())
			g := start(t, WithApp(v.Input.AppKey, v.Input.AppSecret), WithClock(func() time.Time { return now }))
			for _, tamper := range []bool{false, true} {
				query := v.Request.RawQuery
				if tamper {
					query = strings.Replace(query, "v=2.0", "v=2.0&stray=1", 1)
				}
				req, err := http.NewRequest(http.MethodPost, g.origin+v.Request.Path+"?"+query, strings.NewReader(v.Request.Body))
				noError(t, err)
				for name, value := range v.Request.Headers {
					req.Header.Set(name, value)
				}
				resp, err := http.DefaultClient.Do(req)
				noError(t, err)
				_, err = io.Copy(io.Discard, resp.Body)
				noError(t, err)
				noError(t, resp.Body.Close())
				got := lastRequest(t, g)
				want := SignatureValid
				if tamper {
					want = SignatureInvalid
				}
				if got.Signature != want {
					t.Errorf("tampered %v: signature %s, want %s", tamper, got.Signature, want)
				}
				if got.Method != v.Input.API {
					t.Errorf("method %q, want %q", got.Method, v.Input.API)
				}
			}
		})
	}
	if len(file.Vectors) < 8 {
		t.Errorf("%d vectors only", len(file.Vectors))
	}
}
