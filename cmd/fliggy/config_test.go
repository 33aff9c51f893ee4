package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/fliggytest"
)

// TestProfiles reads gateway and app from the file, and what the environment says instead.
func TestProfiles(t *testing.T) {
	t.Parallel()
	g := fliggytest.NewGateway(fliggytest.WithApp("7", "of the file"))
	defer g.Close()
	dir := t.TempDir()
	noError(t, os.WriteFile(filepath.Join(dir, "secret"), []byte("of the file\n"), 0o600))
	noError(t, os.WriteFile(filepath.Join(dir, "other"), []byte("another"), 0o600))
	config := filepath.Join(dir, "config.json")
	noError(t, os.WriteFile(config, []byte(`{"default": "mine", "profiles": {
		"mine": {"url": "`+g.URL()+`", "app_key": "7", "channel": "80001", "app_secret_file": "secret"},
		"nowhere": {"app_key": "7", "app_secret_file": "secret"},
		"no key": {"url": "`+g.URL()+`"},
		"no secret": {"url": "`+g.URL()+`", "app_key": "7"},
		"gone": {"url": "`+g.URL()+`", "app_key": "7", "app_secret_file": "gone"},
		"odd": {"app_key": "7", "app_secret_file": "secret", "environment": "moon"}}}`), 0o600))
	bill := csvFile(t, billLines(1))
	for name, c := range map[string]struct {
		vars   variables
		args   []string
		status int
		want   string
	}{
		"default":        {variables{}, nil, 0, ""},
		"by name":        {variables{}, []string{"--profile", "mine"}, 0, ""},
		"by variable":    {variables{"FLIGGY_PROFILE": "mine"}, nil, 0, ""},
		"environment":    {variables{"FLIGGY_APP_SECRET": "wrong"}, nil, 1, "25"},
		"secret file":    {variables{"FLIGGY_APP_SECRET_FILE": filepath.Join(dir, "other")}, nil, 1, "25"},
		"no such":        {variables{}, []string{"--profile", "x"}, 2, `no profile "x": ` + config + " has gone, mine"},
		"no URL":         {variables{"FLIGGY_URL": "here"}, nil, 2, "FLIGGY_URL, or url of the profile: want"},
		"no Qimen URL":   {variables{"FLIGGY_QIMEN_URL": "here"}, nil, 2, "FLIGGY_QIMEN_URL, or qimen_url"},
		"no gateway":     {variables{}, []string{"--profile", "nowhere"}, 2, "FLIGGY_URL"},
		"no key":         {variables{}, []string{"--profile", "no key"}, 2, "FLIGGY_APP_KEY"},
		"no secret":      {variables{}, []string{"--profile", "no secret"}, 2, "FLIGGY_APP_SECRET"},
		"file gone":      {variables{}, []string{"--profile", "gone"}, 2, "app_secret_file of the profile: open"},
		"no environment": {variables{}, []string{"--profile", "odd"}, 2, "production or sandbox"},
	} {
		c.vars["FLIGGY_CONFIG"] = config
		args := append([]string{"bill", bill, "--bill-no", name, "--yes", "--state", filepath.Join(t.TempDir(), "state")},
			c.args...)
		got := fliggyCmd(t.Context(), c.vars, "", args...)
		if got.status != c.status || !strings.Contains(got.stderr, c.want) || strings.Contains(got.stderr+got.stdout,
			"of the file") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestConfigFileThatIsWrong(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{\n\"profiles\": {\"a\": {\n\"app_secret\": \"s3cret\"}}}": "a secret does not go into this file",
		"{\"profile\": {}}":  `unknown field "profile"`,
		"{\n{":               "line 2",
		"{\"profiles\": []}": "line 1: profiles: want an object, got JSON's array",
		"{\"profiles\": {\"a\": {\"app_key\": 1}}}": "profiles.app_key: want a text, got JSON's number",
		"[]":                      "line 1: want an object, got JSON's array",
		"":                        "the file is empty",
		"{":                       "the JSON is not complete",
		"{} x":                    "something behind the JSON object",
		"{\"default\": \"mine\"}": `there is no profile "mine": write it into`,
	} {
		path := filepath.Join(t.TempDir(), "config.json")
		noError(t, os.WriteFile(path, []byte(text), 0o600))
		got := fliggyCmd(t.Context(), variables{"FLIGGY_CONFIG": path}, "", "bill", csvFile(t, billLines(1)), "--bill-no",
			"B")
		if got.status != statusUsage || !strings.Contains(got.stderr, want) || strings.Contains(got.stderr, "s3cret") {
			t.Errorf("%q: %+v", text, got)
		}
	}
	got := fliggyCmd(t.Context(), variables{"FLIGGY_CONFIG": "/no/such/file"}, "", "bill", csvFile(t, billLines(1)),
		"--bill-no", "B")
	if got.status != statusUsage || !strings.Contains(got.stderr, "no such file") {
		t.Errorf("got %+v", got)
	}
}
