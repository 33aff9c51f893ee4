package top

import (
	"strconv"
	"strings"
)

// Quote quotes the beginning of text for an error or a log: as [strconv.Quote] does, in
// about most bytes. A precision of package fmt counts characters of the text, each of which
// may take ten bytes when it is quoted.
func Quote(text string, most int) string {
	quoted := strconv.Quote(text[:min(len(text), most)])
	if len(text) <= most && len(quoted) <= most+2 {
		return quoted
	}
	quoted = quoted[:len(quoted)-1]
	return strings.ToValidUTF8(quoted[:min(len(quoted), most)], "") + `..."`
}
