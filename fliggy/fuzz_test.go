package fliggy_test

import (
	"encoding/json"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
)

// Whatever an enum takes it writes again and reads back as the same value; there
// is one enum of each kind here, since all of a kind share their code.
func FuzzEnums(f *testing.F) {
	for _, seed := range []string{
		`2`, `"2"`, `-1`, `"80001"`, `80001`, `""`, `null`, `"null"`, `2.0`, `1.5`, `1e3`, `true`, `{}`, `"a\u0000b"`,
		`9223372036854775808`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var number, numberAgain fliggy.RefundType
		if number.UnmarshalJSON(data) == nil {
			raw, err := json.Marshal(number)
			if err != nil || numberAgain.UnmarshalJSON(raw) != nil || numberAgain != number {
				t.Errorf("%q: %d, written as %s, read as %d, %v", data, number, raw, numberAgain, err)
			}
			_ = number.String()
		}
		var text, textAgain fliggy.Channel
		if text.UnmarshalJSON(data) == nil {
			raw, err := json.Marshal(string(text))
			if err != nil || textAgain.UnmarshalJSON(raw) != nil || textAgain != text {
				t.Errorf("%q: %q, written as %s, read as %q, %v", data, string(text), raw, string(textAgain), err)
			}
			_ = text.String()
		}
	})
}
