package top

// MaxDepth is maxDepth.
const MaxDepth = maxDepth

// XMLAsJSON returns the name of a document's root and what is kept of it where it
// is unknown, for the test that compares the tree with encoding/xml's own tokens.
func XMLAsJSON(data []byte) (root, text string, err error) {
	t, err := parseXML(data)
	if err == nil {
		err = t.err
	}
	if err != nil {
		return "", "", err
	}
	return t.name(0), string(t.appendJSON(nil, 0)), nil
}
