package top

// Unquote is unquote, for the test that compares it with encoding/json.
func Unquote(raw []byte) string { return unquote(raw) }

// MaxDepth is maxDepth.
const MaxDepth = maxDepth
