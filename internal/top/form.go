package top

const upperHex = "0123456789ABCDEF"

// AppendForm appends the parameters as name=value pairs joined by '&', escaped
// as Java escapes forms: space becomes '+', letters, digits and ".-*_" stay,
// all other bytes become %XX.
func AppendForm(dst []byte, params []Param) []byte {
	for i, p := range params {
		if i > 0 {
			dst = append(dst, '&')
		}
		dst = appendEscaped(dst, p.Name)
		dst = append(dst, '=')
		dst = appendEscaped(dst, p.Value)
	}
	return dst
}

// FormLen is the length of what AppendForm appends.
func FormLen(params []Param) int {
	n := 2 * len(params)
	for _, p := range params {
		n += escapedLen(p.Name) + escapedLen(p.Value)
	}
	return max(n-1, 0)
}

func escapedLen(text string) int {
	n := len(text)
	for i := range len(text) {
		if c := text[i]; c != ' ' && !formPlain[c] {
			n += 2
		}
	}
	return n
}

func appendEscaped(dst []byte, text string) []byte {
	for i := range len(text) {
		switch c := text[i]; {
		case formPlain[c]:
			dst = append(dst, c)
		case c == ' ':
			dst = append(dst, '+')
		default:
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}

// formPlain has the bytes that a form leaves as they are.
var formPlain = func() (t [256]bool) {
	for _, c := range []byte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-*_") {
		t[c] = true
	}
	return t
}()
