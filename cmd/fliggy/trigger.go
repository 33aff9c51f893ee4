package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// triggerCmd is "fliggy trigger".
type triggerCmd struct {
	Event        string        `arg:"" help:"103, 104, 141, 142, or raw for the event of --file."`
	To           string        `help:"URL of your endpoint. Default: push_to of the profile." placeholder:"URL"`
	Set          []string      `help:"Change a member of the event: eventData.amount=12.50." sep:"none" placeholder:"PATH=VALUE"`
	SetJSON      []string      `help:"Change a member to any JSON." sep:"none" placeholder:"PATH=JSON"`
	File         string        `help:"File of the raw event, or - for stdin." placeholder:"FILE"`
	Repeat       int           `help:"Push it so many times, byte for byte the same." default:"1" placeholder:"N"`
	Late         time.Duration `help:"Sign it as of so long ago, such as 10m." placeholder:"DURATION"`
	BadSignature bool          `help:"Sign it with a secret that nobody has."`
	Unsigned     bool          `help:"Leave the signature out."`
	Form         bool          `help:"Push it as a form."`
	GBK          bool          `help:"Push it in GBK."`
	Method       string        `help:"API name that it is pushed under." placeholder:"NAME"`
	Timeout      time.Duration `help:"How long the answer may take." default:"10s"`
}

// A triggered is the result of the command as JSON.
type triggered struct {
	Event    json.RawMessage `json:"event"` // null for one that is not JSON
	To       string          `json:"to"`
	Accepted bool            `json:"accepted"` // every time
	Pushes   []pushed        `json:"pushes"`
}

// A pushed is one push and its answer.
type pushed struct {
	Status     int    `json:"status"` // HTTP status, 0 where no answer came
	Answer     string `json:"answer"`
	DurationMS int64  `json:"duration_ms"`
	Accepted   bool   `json:"accepted"`
	Verdict    string `json:"verdict"`
	Error      string `json:"error,omitempty"` // why no answer came
}

// Run pushes the event.
func (c *triggerCmd) Run(e *env) error {
	to := cmp.Or(c.To, e.profile.PushTo)
	if to == "" {
		return usage(errors.New("nowhere to push to: say --to URL, or set FLIGGY_PUSH_TO or push_to in the profile"))
	}
	if err := checkURL("--to", to); err != nil {
		return err
	}
	switch {
	case c.Repeat < 1:
		return usage(errors.New("--repeat: want more than zero"))
	case c.Timeout <= 0:
		return usage(errors.New("--timeout: want more than zero"))
	}
	key, secret, err := e.app()
	if err != nil {
		return err
	}
	body, err := c.body(e)
	if err != nil {
		return usage(err)
	}
	gateway := fliggytest.NewGateway(
		fliggytest.WithOrigin("http://fliggy.invalid"), fliggytest.WithApp(key, secret), fliggytest.WithClock(e.now),
	)
	defer gateway.Close()
	gateway.PushTo(to)
	how := c.how(e.now().Add(-c.Late))
	push := func() fliggytest.PushResult { return gateway.PushRaw(e.ctx, body, how) }
	if how.ContentType != "" {
		event, err := events.Parse(body)
		if err != nil {
			return usage(fmt.Errorf("--form and --gbk are for an event, and this is none: %w", err))
		}
		push = func() fliggytest.PushResult { return gateway.Push(e.ctx, event, how) }
	}
	return c.push(e, &triggered{To: withoutPassword(to), Event: jsonOrNull(body), Accepted: true}, push)
}

// push pushes as often as asked for, and says what came.
func (c *triggerCmd) push(e *env, out *triggered, push func() fliggytest.PushResult) error {
	isAnswered := true
	for i := range c.Repeat {
		start := e.now()
		res := push()
		switch {
		case e.ctx.Err() != nil:
			return errInterrupted
		case res.ID == "": // it was not sent
			return usage(res.Err)
		}
		p := pushed{
			Status: res.Status, Answer: string(res.Answer), Accepted: res.Accepted, Verdict: c.verdict(&res),
			DurationMS: e.now().Sub(start).Milliseconds(),
		}
		if res.Err != nil {
			p.Error, isAnswered = strings.TrimPrefix(res.Err.Error(), "fliggytest: push: "), false
		}
		out.Accepted = out.Accepted && res.Accepted
		out.Pushes = append(out.Pushes, p)
		if !e.json {
			c.show(e, out.To, i, &p)
		}
	}
	if err := e.print(out, func() {}); err != nil {
		return err
	}
	switch {
	case !isAnswered:
		return &exit{statusNoAnswer, nil}
	case !out.Accepted:
		return no()
	}
	return nil
}

// show tells about one push.
func (c *triggerCmd) show(e *env, to string, i int, p *pushed) {
	times := ""
	if c.Repeat > 1 {
		times = fmt.Sprintf(", %d of %d", i+1, c.Repeat)
	}
	e.printf("%s to %s%s", c.Event, to, times)
	e.showPushed(p)
}

// showPushed tells what was answered, and what the platform would make of it.
func (e *env) showPushed(p *pushed) {
	if p.Error == "" {
		e.printf("  HTTP %d in %d ms  %s", p.Status, p.DurationMS, e.paint(faint, oneLine(p.Answer, 500)))
	}
	mark, hue := "accepted", green
	if !p.Accepted {
		mark, hue = "not accepted", red
	}
	verdict := ""
	if p.Verdict != "" {
		verdict = ": " + p.Verdict
	}
	e.printf("  %s%s", e.paint(hue, mark), verdict)
}

// body is the message that is pushed.
func (c *triggerCmd) body(e *env) ([]byte, error) {
	sample, ok := samples[c.Event]
	var err error
	data := []byte(sample)
	switch {
	case c.Event == "raw" && c.File == "":
		return nil, errors.New("raw pushes a message of yours: say --file FILE, or --file - to read it from stdin")
	case c.Event == "raw":
		if data, err = e.readFile(c.File); err != nil {
			return nil, err
		}
	case !ok:
		known := slices.Sorted(maps.Keys(samples))
		return nil, fmt.Errorf("event %q is unknown: there are %s, and raw for any other", c.Event, strings.Join(known, ", "))
	case c.File != "":
		return nil, errors.New("--file is for raw: fliggy trigger raw --file FILE")
	}
	body, err := setMembers(data, c.Set, c.SetJSON)
	if err != nil && c.File != "" {
		return nil, fmt.Errorf("%s: %w", c.File, err)
	}
	return body, err
}

// how is the shape of the push.
func (c *triggerCmd) how(signedAt time.Time) fliggytest.Push {
	p := fliggytest.Push{
		SignedAt: signedAt, BadSignature: c.BadSignature, Unsigned: c.Unsigned, Timeout: c.Timeout,
	}
	if c.Method != "" {
		p.Params = map[string]string{"method": c.Method}
	}
	charset := "UTF-8"
	if c.GBK {
		charset = "GBK"
	}
	if c.Form {
		p.ContentType = "application/x-www-form-urlencoded;charset=" + charset
	} else if c.GBK {
		p.ContentType = "application/json;charset=" + charset
	}
	return p
}

// verdict says what the platform would make of the answer, and what to look at. It is empty if all is well.
func (c *triggerCmd) verdict(res *fliggytest.PushResult) string {
	var said struct {
		Success    any    `json:"success"`
		RetCode    any    `json:"retCode"`
		RetMessage any    `json:"retMessage"`
		Message    string `json:"message"`
	}
	isJSON := json.Unmarshal(res.Answer, &said) == nil
	switch {
	case res.Accepted && (c.BadSignature || c.Unsigned):
		return "but it is not signed as it should be: does your endpoint check signatures?"
	case res.Accepted && c.Late.Abs() > 10*time.Minute:
		return "but its timestamp is old: does your endpoint check timestamps?"
	case res.Accepted:
		return ""
	case res.Err != nil:
		return "no answer came: " + strings.TrimPrefix(res.Err.Error(), "fliggytest: push: ") +
			". Is the endpoint running, and does it answer in time?"
	case isJSON && said.RetCode == "sign-check-failure" && (c.BadSignature || c.Unsigned):
		return "it is not signed as it should be, and your endpoint says so"
	case isJSON && said.RetCode == "sign-check-failure":
		return "your endpoint takes the signature for wrong: does it have the secret of app " + appOf(res) +
			"? fliggy listen shows what it should see"
	case isJSON && said.Success != nil:
		return fmt.Sprintf("your endpoint refuses it, retCode %s, retMessage %s", word(said.RetCode), word(said.RetMessage))
	}
	return lookAt(res.Status, isJSON)
}

// lookAt says what to look at after an answer that says neither yes nor no.
func lookAt(status int, isJSON bool) string {
	const undelivered = "the platform would take it for not delivered: "
	switch {
	case status >= 300 && status < 400:
		return undelivered + "a redirect is not followed; give the final address"
	case status == http.StatusNotFound:
		return undelivered + "is the path right?"
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return undelivered + "is there a login, a CSRF check or an address filter in front of the endpoint?"
	case status == http.StatusMethodNotAllowed || status == http.StatusUnsupportedMediaType:
		return undelivered + "the endpoint must take a POST of JSON"
	case status >= 500:
		return undelivered + "the endpoint failed; look at its log"
	case status != http.StatusOK:
		return undelivered + "it wants HTTP status 200"
	case isJSON:
		return undelivered + `the answer has no "success": true`
	}
	return undelivered + `it wants a JSON object such as {"success":true}`
}

// appOf is the app key of a push.
func appOf(res *fliggytest.PushResult) string {
	query, _ := url.ParseQuery(res.RawQuery) // what can be read
	return query.Get("app_key")
}

// word is a value of an answer in a sentence.
func word(v any) string {
	if v == nil {
		return "none"
	}
	return oneLine(fmt.Sprint(v), 200)
}

// oneLine shortens a text and keeps control characters from the terminal.
func oneLine(text string, length int) string {
	runes := []rune(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd")))
	if len(runes) > length {
		return string(runes[:length]) + "…"
	}
	return string(runes)
}

// jsonOrNull is a message in a result as JSON.
func jsonOrNull(data []byte) json.RawMessage {
	if !json.Valid(data) {
		return json.RawMessage("null")
	}
	var out bytes.Buffer
	_ = json.Compact(&out, data) // it is valid
	return out.Bytes()
}

// checkURL checks an address.
func checkURL(flag, address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return usage(fmt.Errorf("%s: want an absolute URL that starts with http:// or https://", flag))
	}
	if _, err := url.QueryUnescape(u.RawQuery); err != nil {
		return usage(fmt.Errorf("%s: its query is not percent-encoded", flag))
	}
	return nil
}

// withoutPassword is an address as it is shown.
func withoutPassword(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Redacted()
}

// readFile reads a file, or stdin for "-".
func (e *env) readFile(name string) ([]byte, error) {
	if name == "-" {
		return e.wait(func() ([]byte, error) { return io.ReadAll(e.stdin) })
	}
	return os.ReadFile(name)
}

// wait waits for what the user types, or for an interruption, which leaves the reader behind.
func (e *env) wait(read func() ([]byte, error)) ([]byte, error) {
	type typed struct {
		data []byte
		err  error
	}
	done := make(chan typed, 1)
	go func() {
		data, err := read()
		done <- typed{data, err}
	}()
	select {
	case t := <-done:
		return t.data, t.err
	case <-e.ctx.Done():
		return nil, errInterrupted
	}
}
