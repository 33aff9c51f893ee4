package main

import (
	"strings"
	"testing"
)

func TestSetMembers(t *testing.T) {
	t.Parallel()
	const event = `{"eventType":142,"eventData":{"amount":"1.00","big":9007199254740993,"yes":true,"list":[1]}}`
	for name, c := range map[string]struct {
		texts, values []string
		want, problem string
	}{
		"nothing":           {want: event},
		"text stays text":   {texts: []string{"eventData.amount=12.50"}, want: `"amount":"12.50"`},
		"number":            {texts: []string{"eventType=104"}, want: `"eventType":104`},
		"big number":        {texts: []string{"a=b"}, want: `"big":9007199254740993`},
		"no number":         {texts: []string{"eventType=x"}, want: `"eventType":"x"`},
		"null for a number": {texts: []string{"eventType=null"}, want: `"eventType":"null"`},
		"truth":             {texts: []string{"eventData.yes=false"}, want: `"yes":false`},
		"missing":           {texts: []string{"exts.deep.id=7"}, want: `"exts":{"deep":{"id":"7"}}`},
		"with equals":       {texts: []string{"a=b=c"}, want: `"a":"b=c"`},
		"empty":             {texts: []string{"a="}, want: `"a":""`},
		"html":              {texts: []string{"a=<&>"}, want: `"a":"<&>"`},
		"json":              {values: []string{`eventData={"x":[1.50]}`}, want: `"eventData":{"x":[1.50]}`},
		"null":              {values: []string{"eventType=null"}, want: `"eventType":null`},
		"no value":          {texts: []string{"a"}, problem: "want PATH=VALUE"},
		"no path":           {texts: []string{"=b"}, problem: "want PATH=VALUE"},
		"object":            {texts: []string{"eventData=1"}, problem: "use --set-json"},
		"through a text":    {texts: []string{"eventData.amount.x=1"}, problem: "eventData.amount is no object"},
		"not JSON":          {values: []string{"a={"}, problem: "--set-json a={: not JSON"},
		"behind":            {values: []string{"a=1 2"}, problem: "something behind"},
	} {
		got, err := setMembers([]byte(event), c.texts, c.values)
		switch {
		case c.problem == "" && (err != nil || !strings.Contains(string(got), c.want)):
			t.Errorf("%s: %s, %v; want %s", name, got, err, c.want)
		case c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)):
			t.Errorf("%s: %s, %v; want an error with %q", name, got, err, c.problem)
		}
	}
	for _, text := range []string{"[1]", "x", ""} {
		if got, err := setMembers([]byte(text), []string{"a=b"}, nil); err == nil {
			t.Errorf("%q became %s", text, got)
		}
	}
}
