package top

import (
	"errors"
	"fmt"
	"strings"
)

// An Error says which member of a message is wrong, and how. It carries no
// value of the message, which may be personal data.
type Error struct {
	Path string // such as "order_info.added_service_list[2].sid", empty for the whole
	Rule string
}

// Error names the path and the rule.
func (e *Error) Error() string {
	if e.Path == "" {
		return e.Rule
	}
	return e.Path + ": " + e.Rule
}

// under puts the name of the enclosing member, if it has one, in front of an error's path.
func under(name string, err error) error { return inside(printable(name), err) }

// underIndex puts the index of the enclosing element in front of an error's path.
func underIndex(i int, err error) error { return inside(indexPath(i), err) }

// inside puts a step of the path, a name or an index, in front of an error's path.
func inside(step string, err error) error {
	if err == nil || step == "" || errors.Is(err, errNothing) {
		return err
	}
	var e *Error
	if !errors.As(err, &e) {
		return &Error{Path: step, Rule: err.Error()}
	}
	path := step
	switch {
	case e.Path == "":
	case e.Path[0] == '[':
		path += e.Path
	default:
		path += "." + e.Path
	}
	return &Error{Path: path, Rule: e.Rule}
}

// maxName bounds, in bytes, the names from outside that errors show.
const maxName = 64

// printable returns a name that came from outside in a form that fits into an error and
// into a log: names that no API has may be anything, personal data too.
func printable(name string) string {
	isName := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-.:#", r)
	}
	beginsWithDigit := name != "" && name[0] >= '0' && name[0] <= '9'
	if beginsWithDigit || len(name) > maxName || strings.ContainsFunc(name, func(r rune) bool { return !isName(r) }) {
		return fmt.Sprintf("(a name of %d bytes)", len(name))
	}
	return name
}

func rulef(format string, args ...any) error {
	return &Error{Rule: fmt.Sprintf(format, args...)}
}
