package top_test

import (
	"encoding/json"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
)

// The enumerations that are text are read as their own methods read them.
func TestTextScalars(t *testing.T) {
	t.Parallel()
	checkTextScalar[fliggy.ID](t)
	checkTextScalar[fliggy.Exts](t)
	checkTextScalar[fliggy.Channel](t)
	checkTextScalar[fliggy.Canceller](t)
	checkTextScalar[fliggy.PayModel](t)
	checkTextScalar[fliggy.PositionType](t)
	checkTextScalar[fliggy.OrderServiceType](t)
	checkTextScalar[fliggy.AddedServiceCode](t)
}

func checkTextScalar[T ~string](t *testing.T) {
	t.Helper()
	type message struct {
		V T `top:"v"`
	}
	for _, text := range []string{
		"", " ", "null", " null", "{}", " {}\t", "1", "-1", "a\"b\\", "中文", "\u00a0", "{ }", "pickUp ", "\x00", "0",
	} {
		quoted := top.AppendJSONString(nil, text)
		for _, raw := range []string{string(quoted), text} {
			if !json.Valid([]byte(raw)) || raw == "null" || raw == " null" {
				continue
			}
			var want T
			wantErr := json.Unmarshal([]byte(raw), &want)
			got, err := fromJSON[message](t, `{"v":`+raw+`}`)
			if got.V != want || (err == nil) != (wantErr == nil) {
				t.Errorf("%T of %s: got %q, %v, its own method gives %q, %v", want, raw, got.V, err, want, wantErr)
			}
		}
	}
}

// An id of digits that says nothing is none, and white space around one is no part of it.
func TestNumbersThatSayNothing(t *testing.T) {
	t.Parallel()
	type message struct {
		ID   fliggy.ID `top:"id,number,required"`
		Text string    `top:"text"`
	}
	for _, nothing := range []string{`" "`, `"null"`, `""`, "null", "\"\n\""} {
		_, err := fromJSON[message](t, `{"id":`+nothing+`}`)
		wantError(t, nothing, err, "id: missing")
	}
	for _, text := range []string{"{\"id\":\"1\n\"}", `{"id":1,"text":[]}`, `{"id":"1","text":{}}`} {
		got, err := fromJSON[message](t, text)
		if want := (message{ID: "1"}); got != want || err != nil {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}
