package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// parseJSON reads one JSON value. Numbers stay as they are written.
func parseJSON(data []byte) (value any, err error) {
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is something behind the JSON value")
	}
	return value, nil
}

// writeJSON is the inverse of parseJSON.
func writeJSON(value any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(out.Bytes()), nil
}

// setMembers changes members of a JSON object. A value of texts is written like the one that it replaces: as a number,
// a truth value or a text. One of values is JSON. Objects that are missing on the way are made.
func setMembers(data []byte, texts, values []string) ([]byte, error) {
	if len(texts)+len(values) == 0 {
		return data, nil
	}
	root, err := parseJSON(data)
	if err != nil {
		return nil, err
	}
	object, ok := root.(map[string]any)
	if !ok {
		return nil, errors.New("it is no JSON object: there is no member to set")
	}
	for _, assignment := range texts {
		if err := setMember(object, "--set", assignment, likeOld); err != nil {
			return nil, err
		}
	}
	for _, assignment := range values {
		if err := setMember(object, "--set-json", assignment, asJSON); err != nil {
			return nil, err
		}
	}
	return writeJSON(object)
}

// setMember does what an assignment such as "eventData.amount=12.50" says.
func setMember(object map[string]any, flag, assignment string, value func(old any, text string) (any, error)) error {
	path, text, ok := strings.Cut(assignment, "=")
	if !ok || path == "" {
		return fmt.Errorf("%s %q: want PATH=VALUE, such as eventData.amount=12.50", flag, assignment)
	}
	names := strings.Split(path, ".")
	for i, name := range names[:len(names)-1] {
		inner, ok := object[name].(map[string]any)
		if old := object[name]; old == nil {
			inner = map[string]any{}
			object[name] = inner
		} else if !ok {
			return fmt.Errorf("%s %s: %s is no object", flag, assignment, strings.Join(names[:i+1], "."))
		}
		object = inner
	}
	last := names[len(names)-1]
	set, err := value(object[last], text)
	if err != nil {
		return fmt.Errorf("%s %s: %w", flag, assignment, err)
	}
	object[last] = set
	return nil
}

func likeOld(old any, text string) (any, error) {
	switch old.(type) {
	case map[string]any, []any:
		return nil, errors.New("it is an object or a list: name a member of it, or use --set-json")
	case json.Number, bool:
		value, err := parseJSON([]byte(text))
		if err != nil {
			return text, nil
		}
		if _, ok := value.(json.Number); ok {
			return value, nil
		}
		if _, ok := value.(bool); ok {
			return value, nil
		}
	}
	return text, nil
}

func asJSON(_ any, text string) (any, error) {
	value, err := parseJSON([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	return value, nil
}
