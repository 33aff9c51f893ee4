package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// An env is what a command runs with.
type env struct {
	system
	ctx     context.Context
	json    bool
	profile profile
	// Functions, so that no formatting verb reaches the secrets.
	secret  func() string
	session func() string
}

// A profile is a gateway and an app, as the config file has it.
type profile struct {
	URL         string `json:"url"`         // of the TOP gateway
	QimenURL    string `json:"qimen_url"`   // of the Qimen gateway
	Environment string `json:"environment"` // "production" or "sandbox" of the platform, in place of the addresses
	AppKey      string `json:"app_key"`
	Channel     string `json:"channel"`         // 80001 Amap, 80002 Hello, 80003 Didi
	SecretFile  string `json:"app_secret_file"` // a relative path is relative to the config file
	SessionFile string `json:"session_file"`
	PushTo      string `json:"push_to"` // where your endpoint for events listens
}

// sandboxProfile is that of "fliggy sandbox" without flags.
const sandboxProfile = "sandbox"

const sandboxAddr = "127.0.0.1:8787"

// A configFile is the file of --config.
type configFile struct {
	Default  string             `json:"default"` // the profile without --profile
	Profiles map[string]profile `json:"profiles"`
}

// configure reads the config file and the environment. The environment wins.
func (e *env) configure(g *globals) error {
	path, isAsked := g.Config, g.Config != ""
	if !isAsked {
		dir := e.getenv("XDG_CONFIG_HOME")
		if dir == "" {
			dir, _ = os.UserConfigDir() // without a home there is no file
		}
		if dir != "" {
			path = filepath.Join(dir, "fliggy", "config.json")
		}
	}
	file, err := readConfig(path, isAsked)
	if err != nil {
		return usage(err)
	}
	name := cmp.Or(g.Profile, file.Default, sandboxProfile)
	own, ok := file.Profiles[name]
	switch {
	case !ok && name == sandboxProfile:
		own = profile{
			URL: "http://" + sandboxAddr + "/router/rest", QimenURL: "http://" + sandboxAddr + "/router/qm",
			AppKey: fliggytest.DefaultAppKey, Channel: string(fliggy.ChannelAmap),
		}
	case !ok && file.Profiles == nil:
		return usage(fmt.Errorf("there is no profile %q: write it into %s; see docs/fliggy.md", name, path))
	case !ok:
		known := strings.Join(slices.Sorted(maps.Keys(file.Profiles)), ", ")
		return usage(fmt.Errorf("there is no profile %q: %s has %s, and there is %s", name, path, known, sandboxProfile))
	}
	get := func(to *string, variable string) { *to = cmp.Or(e.getenv(variable), *to) }
	get(&own.URL, "FLIGGY_URL")
	get(&own.QimenURL, "FLIGGY_QIMEN_URL")
	get(&own.AppKey, "FLIGGY_APP_KEY")
	get(&own.Channel, "FLIGGY_CHANNEL")
	get(&own.PushTo, "FLIGGY_PUSH_TO")
	e.profile = own
	dir := filepath.Dir(path)
	if e.secret, err = e.hidden("FLIGGY_APP_SECRET", "app_secret_file", own.SecretFile, dir); err != nil {
		return usage(err)
	}
	if e.session, err = e.hidden("FLIGGY_SESSION", "session_file", own.SessionFile, dir); err != nil {
		return usage(err)
	}
	if e.secret() == "" && own.AppKey == fliggytest.DefaultAppKey {
		e.secret = func() string { return fliggytest.DefaultAppSecret }
	}
	return nil
}

// hidden reads a secret: from the variable, from the file that the variable with _FILE names, or from the file of the
// profile, whose member it is. It returns the empty text where there is none.
func (e *env) hidden(variable, member, file, dir string) (func() string, error) {
	value, source := e.getenv(variable), member+" of the profile"
	if path := e.getenv(variable + "_FILE"); value == "" && path != "" {
		file, source = path, variable+"_FILE"
	} else if file != "" && !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	if value == "" && file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", source, err)
		}
		if value = strings.TrimSpace(string(data)); value == "" {
			return nil, fmt.Errorf("%s: %s is empty", source, file)
		}
	}
	return func() string { return value }, nil
}

// readConfig reads the config file. One that was not asked for may be missing.
func readConfig(path string, isAsked bool) (file configFile, err error) {
	if path == "" {
		return file, nil
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !isAsked {
		return file, nil
	}
	if err != nil {
		return file, fmt.Errorf("config file: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err = d.Decode(&file)
	if err == nil && d.More() {
		err = errors.New("there is something behind the JSON object")
	}
	if err != nil {
		text := strings.TrimPrefix(err.Error(), "json: ")
		var kind *json.UnmarshalTypeError
		switch {
		case errors.Is(err, io.EOF):
			text = "the file is empty: want a JSON object"
		case errors.Is(err, io.ErrUnexpectedEOF):
			text = "the JSON is not complete"
		case errors.As(err, &kind):
			text = strings.TrimPrefix(fmt.Sprintf("%s: want %s, got JSON's %s", kind.Field, wanted(kind.Type), kind.Value), ": ")
		}
		if strings.Contains(text, `"app_secret"`) || strings.Contains(text, `"session"`) {
			text += ": a secret does not go into this file; use app_secret_file, session_file or the environment"
		}
		at := d.InputOffset()
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			at = syntax.Offset
		}
		line := 1 + bytes.Count(data[:min(at, int64(len(data)))], []byte("\n"))
		return file, fmt.Errorf("config file %s, line %d: %s", path, line, text)
	}
	return file, nil
}

// wanted is what a member of the config file must be.
func wanted(t reflect.Type) string {
	if t.Kind() == reflect.String {
		return "a text"
	}
	return "an object"
}

// app returns the app that the profile is about.
func (e *env) app() (key, secret string, err error) {
	key, secret = e.profile.AppKey, e.secret()
	switch {
	case key == "":
		return "", "", usage(errors.New("no app key: set FLIGGY_APP_KEY, or app_key in the profile"))
	case secret == "":
		return "", "", usage(errors.New(
			"no app secret: set FLIGGY_APP_SECRET or FLIGGY_APP_SECRET_FILE, or app_secret_file in the profile",
		))
	}
	return key, secret, nil
}

// client makes a client of the profile's gateway. opts win.
func (e *env) client(opts ...rentcar.Option) (*rentcar.Client, error) {
	key, secret, err := e.app()
	if err != nil {
		return nil, err
	}
	var own []rentcar.Option
	switch p := e.profile; {
	case p.URL != "":
		err := checkURL("FLIGGY_URL, or url of the profile", p.URL)
		if err == nil && p.QimenURL != "" {
			err = checkURL("FLIGGY_QIMEN_URL, or qimen_url of the profile", p.QimenURL)
		}
		if err != nil {
			return nil, err
		}
		own = append(own, rentcar.WithBaseURL(p.URL))
		if p.QimenURL != "" {
			own = append(own, rentcar.WithQimenURL(p.QimenURL))
		}
	case p.Environment == "production":
		own = append(own, rentcar.WithEnvironment(rentcar.Production))
	case p.Environment == "sandbox":
		own = append(own, rentcar.WithEnvironment(rentcar.Sandbox))
	case p.Environment != "":
		return nil, usage(fmt.Errorf("environment %q of the profile: want production or sandbox", p.Environment))
	default:
		return nil, usage(errors.New("no gateway: set url or environment in the profile, or FLIGGY_URL"))
	}
	if e.profile.Channel != "" {
		own = append(own, rentcar.WithChannel(fliggy.Channel(e.profile.Channel)))
	}
	if s := e.session(); s != "" {
		own = append(own, rentcar.WithSession(s))
	}
	c, err := rentcar.NewClient(key, secret, append(own, opts...)...)
	if err != nil {
		return nil, usage(errors.New(strings.TrimPrefix(err.Error(), "rentcar: new client: ")))
	}
	return c, nil
}
