package top_test

import (
	"encoding/json"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
)

type responseVector struct {
	Name     string
	Client   string
	Format   string
	Simplify bool
	Body     string
	Official struct {
		Exception string
		IsSuccess bool `json:"is_success"`
		Flag      *string
		Code      *string
		Msg       *string
		SubCode   *string `json:"sub_code"`
		SubMsg    *string `json:"sub_msg"`
		RequestID *string `json:"request_id"`
		Fields    *declared
	}
}

// declared are the fields that the recorded parser knew. Pointers tell missing
// from zero.
type (
	declared struct {
		Successful *bool          `top:"successful" json:"successful"`
		RetCode    *string        `top:"ret_code" json:"ret_code"`
		Num        *int64         `top:"num" json:"num"`
		When       *fliggy.Time   `top:"when" json:"when"`
		Addresses  []string       `top:"address_list" json:"address_list"`
		Services   []declaredItem `top:"added_service_list,wrap=order_detail_add_service_info" json:"added_service_list"`
		Item       *declaredItem  `top:"item" json:"item"`
	}
	declaredItem struct {
		SID *string `top:"sid" json:"sid"`
		N   *int64  `top:"n" json:"n"`
	}
)

func (v *responseVector) open() (*top.Reply, error) {
	format := top.Wrapped
	switch {
	case v.Format == "xml":
		format = top.XML
	case v.Simplify:
		format = top.Simplified
	}
	dialect := top.TOP
	if v.Client == "qimencloud" {
		dialect = top.Qimen
	}
	return top.OpenReply(v.Body, format, dialect, "")
}

// verdicts are the cases where the package differs from the recorded parser on
// purpose.
var verdicts = map[string]func(t *testing.T, v *responseVector, r *top.Reply, err error){
	// The official client drops the body of a status of 401 and more; here the
	// envelope is opened whatever the status, which is the caller's to judge.
	"http_500": wantFault(&top.Fault{Code: "10", Msg: "x"}),
	"http_403": wantFault(&top.Fault{Code: "11", Msg: "x"}),
	// Both refuse it.
	"not_json": func(t *testing.T, _ *responseVector, _ *top.Reply, err error) {
		t.Helper()
		wantError(t, "open", err, "not JSON at byte 0: expected a value")
	},
	// Null text is empty text there, missing here.
	"json_nulls": func(t *testing.T, v *responseVector, r *top.Reply, err error) {
		t.Helper()
		v.Official.Fields.RetCode = nil
		checkOfficial(t, v, r, err)
	},
	// A wrapper without its list is missing there, an empty list here.
	"json_empty_list": func(t *testing.T, v *responseVector, r *top.Reply, err error) {
		t.Helper()
		v.Official.Fields.Addresses = []string{}
		checkOfficial(t, v, r, err)
	},
	// The code of a provider's own body is the provider's, not the gateway's.
	"qimen_success_code0": func(t *testing.T, v *responseVector, r *top.Reply, err error) {
		t.Helper()
		v.Official.Code = nil
		checkOfficial(t, v, r, err)
	},
}

func wantFault(want *top.Fault) func(*testing.T, *responseVector, *top.Reply, error) {
	return func(t *testing.T, v *responseVector, r *top.Reply, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if v.Official.Exception == "" {
			t.Error("the official parser reads it too: no verdict of our own is needed")
		}
		wantDiff(t, "fault", want, r.Fault)
	}
}

func TestResponseVectors(t *testing.T) {
	t.Parallel()
	judged := 0
	for _, v := range vectors[responseVector](t, "response.json") {
		verdict := verdicts[v.Name]
		if verdict != nil {
			judged++
		} else {
			verdict = checkOfficial
		}
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			r, err := v.open()
			verdict(t, &v, r, err)
		})
	}
	if judged != len(verdicts) {
		t.Errorf("%d of %d verdicts have a case", judged, len(verdicts))
	}
}

func checkOfficial(t *testing.T, v *responseVector, r *top.Reply, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	o := &v.Official
	if want := text(o.RequestID); r.RequestID != want {
		t.Errorf("request id %q, want %q", r.RequestID, want)
	}
	if o.IsSuccess != (r.Fault == nil) {
		t.Fatalf("success %v, fault %+v", o.IsSuccess, r.Fault)
	}
	if !o.IsSuccess {
		wantDiff(t, "fault", &top.Fault{
			Code: text(o.Code), Msg: text(o.Msg), SubCode: text(o.SubCode), SubMsg: text(o.SubMsg), RequestID: text(o.RequestID),
			Provider: v.Name == "qimen_provider_sign_failure", // the official parser does not tell
		}, r.Fault)
		return
	}
	if text(o.Code) != "" {
		t.Errorf("success with code %q", text(o.Code))
	}
	if o.Fields == nil { // a provider's body, passed through
		wantProviderBody(t, v, r)
		return
	}
	var got declared
	if err := r.Decode(planOf[declared](t), &got); err != nil {
		t.Fatal(err)
	}
	wantDiff(t, "fields", *o.Fields, got)
	if !r.Understood() {
		t.Error("not understood")
	}
}

// provider is what the providers of the recorded cases answer.
type provider struct {
	Success bool                       `top:"success,required"`
	Others  map[string]json.RawMessage `top:",unknown"`
}

func wantProviderBody(t *testing.T, v *responseVector, r *top.Reply) {
	t.Helper()
	var got provider
	if err := r.Decode(planOf[provider](t), &got); err != nil {
		t.Fatal(err)
	}
	var want map[string]json.RawMessage
	if err := json.Unmarshal([]byte(v.Body), &want); err != nil {
		t.Fatal(err)
	}
	delete(want, "success")
	wantDiff(t, "body", provider{true, want}, got)
}
