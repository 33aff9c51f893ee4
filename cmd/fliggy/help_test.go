package main

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/alecthomas/kong"

	"github.com/fliggy-go/rentcar/merchantcheck"
)

// modelOf is the command line in a language.
func modelOf(t *testing.T, lang string) *kong.Application {
	t.Helper()
	parser, _, err := newParser(new(cli), &env{system: system{getenv: variables{}.get}}, lang)
	noError(t, err)
	return parser.Model
}

// texts lists the help of commands, flags and arguments by its key in the tables. Of a command it is line and detail.
func texts(app *kong.Application) map[string]text {
	out := map[string]text{"fliggy": {line: app.Help}}
	var walk func(n *kong.Node)
	walk = func(n *kong.Node) {
		name := strings.TrimPrefix(n.FullPath(), "fliggy ")
		if n.Type == kong.CommandNode {
			out[name] = text{n.Help, n.Detail}
		}
		for _, f := range n.Flags {
			out[strings.TrimSpace(flagKey(name, f.Name))] = text{line: f.Help}
		}
		for _, p := range n.Positional {
			out[name+" <"+p.Name+">"] = text{line: p.Help}
		}
		for _, child := range n.Children {
			walk(child)
		}
	}
	walk(app.Node)
	return out
}

func hasHan(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

// TestHelp: every command, flag and argument has its text in both languages, every command its examples.
func TestHelp(t *testing.T) {
	t.Parallel()
	en, zh := texts(modelOf(t, "en")), texts(modelOf(t, "zh"))
	for key, english := range en {
		chinese := zh[key]
		isCommand := !strings.ContainsAny(key, "-<") || key == "check-merchant"
		if english.line == "" || key != "fliggy" && hasHan(english.line) {
			t.Errorf("%s: English %q", key, english.line)
		}
		if !hasHan(chinese.line) {
			t.Errorf("%s: Chinese %q", key, chinese.line)
		}
		if isCommand && key != "fliggy" &&
			(!strings.Contains(english.detail, "Example") || !strings.Contains(chinese.detail, "示例") ||
				!strings.Contains(english.detail, "  fliggy "+key)) {
			t.Errorf("%s: details without examples\n%s\n%s", key, english.detail, chinese.detail)
		}
		for line := range strings.Lines(english.detail + "\n" + chinese.detail) {
			if len([]rune(line)) > 130 {
				t.Errorf("%s: a long line: %s", key, line)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(chinese)) {
		if _, ok := en[key]; !ok {
			t.Errorf("the Chinese table has %q, which is no command, flag or argument", key)
		}
	}
	for key := range english {
		if _, ok := en[key]; !ok {
			t.Errorf("the English table has %q, which is no command", key)
		}
	}
}

// TestHelpNamesMembers: the help of a command names what its JSON has, in both languages.
func TestHelpNamesMembers(t *testing.T) {
	t.Parallel()
	en, zh := texts(modelOf(t, "en")), texts(modelOf(t, "zh"))
	for _, c := range []struct {
		command string
		result  any
	}{
		{"trigger", triggered{}}, {"listen", arrival{}}, {"call", called{}}, {"call", wouldSend{}}, {"sign", signing{}},
		{"verify", verified{}}, {"check-merchant", merchantcheck.Report{}},
	} {
		for _, member := range members(reflect.TypeOf(c.result)) {
			if c.command == "check-merchant" && slices.Contains([]string{"code", "name", "amount"}, member) {
				continue // of the lines
			}
			word := regexp.MustCompile(`(^|[^a-z_])` + member + `([^a-z_]|$)`)
			if !word.MatchString(en[c.command].detail) || !word.MatchString(zh[c.command].detail) {
				t.Errorf("the help of %s does not name %s", c.command, member)
			}
		}
	}
}

// members are the names of the JSON of a type, of the package and of merchantcheck.
func members(typ reflect.Type) (names []string) {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || typ.PkgPath() != "" && !strings.HasSuffix(typ.PkgPath(), "merchantcheck") &&
		typ.PkgPath() != reflect.TypeFor[cli]().PkgPath() {
		return nil
	}
	for f := range typ.Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			names = append(names, name)
		}
		names = append(names, members(f.Type)...)
	}
	return names
}

// TestHelpInChinese has no English around the Chinese texts.
func TestHelpInChinese(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--help"}, {"bill", "--help"}} {
		zh := fliggyCmd(t.Context(), variables{"LANG": "zh_CN.UTF-8"}, "", args...)
		en := fliggyCmd(t.Context(), variables{}, "", args...)
		for _, heading := range [][2]string{{"Usage: ", "用法："}, {"Flags:", "选项："}} {
			if strings.Contains(zh.stdout, heading[0]) || !strings.Contains(zh.stdout, heading[1]) ||
				!strings.Contains(en.stdout, heading[0]) || zh.status != 0 {
				t.Errorf("%v:\n%s\n%s", args, zh.stdout, en.stdout)
			}
		}
		if strings.Contains(zh.stdout, "。 ") {
			t.Errorf("%v: a space behind a full stop:\n%s", args, zh.stdout)
		}
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		vars variables
		args []string
		want string
	}{
		{variables{}, nil, "en"},
		{variables{"LANG": "C.UTF-8"}, nil, "en"},
		{variables{"LANG": "zh_CN.UTF-8"}, nil, "zh"},
		{variables{"LANG": "zh_CN.UTF-8", "LC_ALL": "en_US"}, nil, "en"},
		{variables{"LANG": "en_US", "FLIGGY_LANG": "zh"}, nil, "zh"},
		{variables{"FLIGGY_LANG": "zh"}, []string{"--lang", "en", "call"}, "en"},
		{variables{}, []string{"call", "--lang=zh"}, "zh"},
	} {
		if got := language(c.args, c.vars.get); got != c.want {
			t.Errorf("%v %v: %s, want %s", c.vars, c.args, got, c.want)
		}
	}
}
