package browsertest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/cmd/fliggy/sandbox"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/qimen"
)

// patience is how long a condition may take to come true.
const patience = time.Minute

// watch tells the tests which controls there are and which are used, and what the page's policy forbade.
const watch = `(() => {
  const told = new Set();
  const tell = (what) => { if (!told.has(what)) { told.add(what); window.tellTest(what); } };
  const seen = (root) => {
    if (root.matches?.('[data-action]')) tell('seen ' + root.dataset.action);
    root.querySelectorAll?.('[data-action]').forEach((e) => tell('seen ' + e.dataset.action));
  };
  new MutationObserver((list) => list.forEach((m) => m.addedNodes.forEach(seen)))
    .observe(document, {childList: true, subtree: true});
  for (const type of ['click', 'input', 'change']) {
    addEventListener(type, (e) => {
      const control = e.target.closest?.('[data-action]');
      if (control) tell('used ' + control.dataset.action);
    }, true);
  }
  addEventListener('securitypolicyviolation', (e) => tell('wrong policy: ' + e.violatedDirective + ' ' + e.blockedURI));
})()`

// A desk is a sandbox, an endpoint for its events and a tab with the console.
type desk struct {
	t        *testing.T
	tab      context.Context
	url      string
	server   *httptest.Server
	sandbox  *sandbox.Sandbox
	endpoint *httptest.Server

	mu       sync.Mutex
	accepted []events.Type // by the endpoint
	wrong    []string      // what the browser complained about
	refusals bool          // answers that are no success are expected
}

// open makes a desk and waits until the console is live.
func open(t *testing.T, prepare ...func(*sandbox.Config)) *desk {
	t.Helper()
	d := &desk{t: t}
	d.endpoint = d.newEndpoint()
	t.Cleanup(d.endpoint.Close)
	cfg := sandbox.Config{
		AppKey: fliggytest.DefaultAppKey, AppSecret: fliggytest.DefaultAppSecret, PushTo: d.endpoint.URL, Version: "test",
	}
	for _, p := range prepare {
		p(&cfg)
	}
	d.serve(&cfg, "127.0.0.1:0")
	d.url = cfg.Origin + "/"
	t.Cleanup(func() {
		d.sandbox.Close()
		d.server.Close()
	})
	d.openTab()
	d.run(chromedp.Navigate(d.url))
	d.isLive()
	return d
}

// serve starts a sandbox at an address.
func (d *desk) serve(cfg *sandbox.Config, addr string) {
	d.t.Helper()
	server := httptest.NewUnstartedServer(nil)
	if addr != "127.0.0.1:0" {
		_ = server.Listener.Close()
		server.Listener = listenAgain(d.t, addr)
	}
	cfg.Origin = "http://" + server.Listener.Addr().String()
	s, err := sandbox.New(*cfg)
	noError(d.t, err)
	server.Config.Handler = s.Handler()
	server.Start()
	d.server, d.sandbox = server, s
}

// newEndpoint serves a distributor's endpoint as in production.
func (d *desk) newEndpoint() *httptest.Server {
	handler, err := qimen.NewHandler(qimen.Secrets{fliggytest.DefaultAppKey: {fliggytest.DefaultAppSecret}},
		qimen.OnEvent(func(_ context.Context, _ *qimen.Delivery, e events.Event) error {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.accepted = append(d.accepted, e.Type())
			return nil
		}))
	noError(d.t, err)
	return httptest.NewServer(handler)
}

// openTab opens an empty tab that complains to the test.
func (d *desk) openTab() {
	d.t.Helper()
	tab, cancel := chromedp.NewContext(chromium, chromedp.WithNewBrowserContext(), chromedp.WithListener(d.listen))
	d.tab = tab
	d.t.Cleanup(func() {
		cancel()
		d.mu.Lock()
		defer d.mu.Unlock()
		for _, text := range d.wrong {
			d.t.Errorf("the browser: %s", text)
		}
	})
	noError(d.t, chromedp.Do(tab)) // the context that opens the tab is the one that closes it
	command(d, log.Enable, cdp.Empty{})
	command(d, runtime.AddBinding, runtime.AddBindingParams{Name: "tellTest"})
	command(d, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watch})
	command(d, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	d.run(chromedp.EmulateViewport(1280, 800))
}

// command sends a command of the protocol to the tab.
func command[P, R any](d *desk, cmd cdp.Command[P, R], params P) R {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.tab, patience)
	defer cancel()
	result, err := chromedp.Call(ctx, cmd, params)
	noError(d.t, err)
	return result
}

func (d *desk) listen(event any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventBindingCalled:
		kind, rest, _ := strings.Cut(e.Payload, " ")
		controls.Lock()
		defer controls.Unlock()
		switch kind {
		case "seen":
			if _, ok := controls.used[rest]; !ok {
				controls.used[rest] = false
			}
		case "used":
			controls.used[rest] = true
		default:
			d.wrong = append(d.wrong, e.Payload)
		}
	case *runtime.EventExceptionThrown:
		d.wrong = append(d.wrong, fmt.Sprint(e.ExceptionDetails.Text, " ", e.ExceptionDetails.Exception))
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			var text []string
			for _, arg := range e.Args {
				text = append(text, string(arg.Value)+arg.Description)
			}
			d.wrong = append(d.wrong, strings.Join(text, " "))
		}
	case *log.EventEntryAdded:
		if e.Entry.Source == log.EntrySourceNetwork && d.refusals {
			return
		}
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			d.wrong = append(d.wrong, e.Entry.Text+" "+e.Entry.URL)
		}
	}
}

// expectRefusals lets answers of the control API be errors.
func (d *desk) expectRefusals() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refusals = true
}

func (d *desk) isLive() {
	d.t.Helper()
	d.until(`document.getElementById('live').dataset.live === 'on' && document.getElementById('fact-clock') !== null`)
}

// run does something in the tab.
func (d *desk) run(actions ...chromedp.Action[chromedp.Void]) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.tab, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		d.t.Fatalf("%v\nthe page says: %s", err, d.visibleText())
	}
}

// visibleText is what there is to read, for a failure.
func (d *desk) visibleText() string {
	ctx, cancel := context.WithTimeout(d.tab, 2*time.Second)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText.slice(0, 4000)`))
	return text
}

// until waits for an expression of the page to become true.
func (d *desk) until(expression string) {
	d.t.Helper()
	_, err := chromedp.Run(d.tab, chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingTimeout(patience)))
	if err != nil {
		d.t.Fatalf("%s: %v\nthe page says: %s", expression, err, d.visibleText())
	}
}

// evaluate returns the value of an expression of the page, which may be a promise.
func evaluate[T any](d *desk, expression string) T {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.tab, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		d.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// script runs a script in the page.
func (d *desk) script(text string) {
	d.t.Helper()
	d.run(chromedp.Evaluate[chromedp.Void](text))
}

// quote writes a text as JavaScript has it.
func quote(text string) string {
	data, _ := json.Marshal(text)
	return string(data)
}

// shows waits until an element has a text in it.
func (d *desk) shows(selector, text string) {
	d.t.Helper()
	d.until(fmt.Sprintf(`[...document.querySelectorAll(%s)].some(
		(e) => e.checkVisibility() && e.textContent.includes(%s))`, quote(selector), quote(text)))
}

// press presses a control with the mouse: the first that is visible of those with a data-action.
func (d *desk) press(action string) {
	d.t.Helper()
	d.pressIn("", action)
}

// pressIn presses a control in a part of the page.
func (d *desk) pressIn(part, action string) {
	d.t.Helper()
	d.click(fmt.Sprintf(`%s [data-action=%s]`, part, quote(action)))
}

// click clicks the first visible element of a selector. One that is at work takes no press.
func (d *desk) click(selector string) {
	d.t.Helper()
	visible := fmt.Sprintf(`[...document.querySelectorAll(%s)].find(
		(e) => e.checkVisibility() && e.getAttribute('aria-busy') !== 'true')`, quote(selector))
	d.until(visible + ` !== undefined`)
	d.run(chromedp.Click(chromedp.JSPath(visible)))
}

// fill replaces what is in a text input.
func (d *desk) fill(action, text string) {
	d.t.Helper()
	selector := chromedp.CSS(byAction(action))
	d.run(chromedp.WaitVisible(selector), chromedp.Focus(selector))
	d.script(`document.activeElement.select()`)
	d.run(chromedp.KeyEvent(kb.Delete), chromedp.SendKeys(selector, text))
}

// set sets a control whose value is not typed, such as a select or a date.
func (d *desk) set(action, value string) {
	d.t.Helper()
	selector := byAction(action)
	d.run(chromedp.WaitVisible(chromedp.CSS(selector)))
	d.script(fmt.Sprintf(`(() => {
		const e = document.querySelector(%s);
		e.value = %s;
		e.dispatchEvent(new Event('input', {bubbles: true}));
		e.dispatchEvent(new Event('change', {bubbles: true}));
	})()`, quote(selector), quote(value)))
}

func byAction(action string) string { return fmt.Sprintf(`[data-action=%s]`, quote(action)) }

// tabTo opens a section.
func (d *desk) tabTo(name string) {
	d.t.Helper()
	d.press("tab-" + name)
	d.until(fmt.Sprintf(`!document.getElementById('panel-%s').hidden`, name))
}

// get asks the control API.
func get[T any](d *desk, path string) (out T) {
	d.t.Helper()
	call(d, http.MethodGet, path, nil, &out)
	return out
}

func call(d *desk, method, path string, in, out any) {
	d.t.Helper()
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		noError(d.t, err)
		body = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(d.t.Context(), method, d.url+"control/v1/"+path, body)
	noError(d.t, err)
	r.Header.Set("Content-Type", "application/json")
	resp, err := d.server.Client().Do(r)
	noError(d.t, err)
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	noError(d.t, err)
	if resp.StatusCode != http.StatusOK {
		d.t.Fatalf("%s %s: %s %s", method, path, resp.Status, data)
	}
	if out != nil {
		noError(d.t, json.Unmarshal(data, out))
	}
}

// client calls the gateway as a distributor's program does.
func (d *desk) client(opts ...rentcar.Option) *rentcar.Client {
	d.t.Helper()
	return d.clientWith(fliggytest.DefaultAppSecret, opts...)
}

func (d *desk) clientWith(secret string, opts ...rentcar.Option) *rentcar.Client {
	d.t.Helper()
	client, err := rentcar.NewClient(fliggytest.DefaultAppKey, secret, append([]rentcar.Option{
		rentcar.WithBaseURL(d.url + "router/rest"), rentcar.WithChannel(fliggy.ChannelAmap),
	}, opts...)...)
	noError(d.t, err)
	return client
}

// submit books a renewal of the sample order and returns its id.
func (d *desk) submit(outID string) fliggy.ID {
	d.t.Helper()
	id, err := d.trySubmit(outID)
	noError(d.t, err)
	return id
}

// trySubmit books a renewal of the sample order, which may fail.
func (d *desk) trySubmit(outID string) (fliggy.ID, error) {
	d.t.Helper()
	order := get[struct {
		Orders []struct {
			Return time.Time `json:"car_return_time"`
		} `json:"orders"`
	}](d, "orders").Orders[0]
	from, to := fliggy.At(order.Return), fliggy.At(order.Return.Add(48*time.Hour))
	client := d.client()
	quote, err := client.Renewals.Quote(d.t.Context(), &rentcar.RenewalQuoteRequest{
		OrderID: fliggytest.SampleOrderID, CarUseTime: from, CarReturnTime: to,
	})
	noError(d.t, err)
	total, err := quote.Total()
	noError(d.t, err)
	result, err := client.Renewals.Submit(d.t.Context(), &rentcar.RenewalSubmitRequest{
		OrderID: fliggytest.SampleOrderID, RenewalOutOrderID: outID, ItemID: quote.ItemID, CarUseTime: from,
		CarReturnTime: to, TotalFee: total,
	})
	if err != nil {
		return "", err
	}
	return result.RenewalOrderID, nil
}

func noError(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
