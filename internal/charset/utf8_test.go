package charset

import (
	"testing"
)

// Recorded with OpenJDK 17: new String(bytes, UTF_8) and InputStreamReader agree.
func TestDecodeUTF8LikeJava(t *testing.T) {
	t.Parallel()
	const r = "\uFFFD"
	for in, want := range map[string]string{
		"":               "",
		"61":             "a",
		"e4b8ad":         "中",
		"e4b8":           r,
		"e4b861":         r + "a",
		"e4":             r,
		"e461":           r + "a",
		"e4b8e4b8ad":     r + "中",
		"f09f9a":         r,
		"f09f9a61":       r + "a",
		"f09f61":         r + "a",
		"f0":             r,
		"f0808080":       r + r + r + r,
		"f4908080":       r + r + r + r,
		"f48fbf":         r,
		"f5808080":       r + r + r + r,
		"f8888080":       r + r + r + r,
		"eda080":         r,
		"eda0":           r,
		"eda08061":       r + "a",
		"eda061":         r + "a",
		"edb080eda080":   r + r,
		"c0af":           r + r,
		"e08080":         r + r + r,
		"e080":           r + r,
		"c3":             r,
		"c328":           r + "(",
		"80":             r,
		"ff":             r,
		"efbfbd":         r,
		"efbfbe":         "\uFFFE",
		"efbbbf7b7d":     "\uFEFF{}",
		"f09f9a97":       "🚗",
		"f48fbfbf":       "\U0010FFFF",
		"61ff62f09f9a97": "a" + r + "b🚗",
	} {
		if got := UTF8.Decode(unhex(t, in)); got != want {
			t.Errorf("Decode(%s) = %+q, want %+q", in, got, want)
		}
	}
}
