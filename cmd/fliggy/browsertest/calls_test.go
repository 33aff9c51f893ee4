package browsertest

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// A shownCall is what the control API says of a call.
type shownCall struct {
	ID         string            `json:"id"`
	Method     string            `json:"method"`
	Signature  string            `json:"signature"`
	Code       string            `json:"code"`
	Params     map[string]string `json:"params"`
	Protocol   map[string]string `json:"protocol"`
	SignedText string            `json:"signed_text"`
	Refused    *struct {
		Cause      string `json:"cause"`
		Parameter  string `json:"parameter"`
		SignedText string `json:"signed_text"`
	} `json:"refused"`
}

func (d *desk) calls() []shownCall {
	d.t.Helper()
	return get[struct {
		Calls []shownCall `json:"calls"`
	}](d, "calls").Calls
}

func TestCalls(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.shows("#calls-empty", d.url+"router/rest")
	d.submit("R1")
	d.until(`document.querySelectorAll('#calls-rows .row').length === 2`)
	d.shows("#calls-rows li:first-child", "renewal.submit")
	d.shows("#calls-rows li:first-child", "carried out")

	d.press("call-open")
	d.shows("#calls-detail h3", "alitrip.rentcar.btb.renewal.submit")
	submit := get[shownCall](d, "calls/"+d.calls()[1].ID)
	for name, value := range submit.Protocol {
		d.shows("#calls-detail", name)
		d.shows("#calls-detail", value)
	}
	d.shows("#calls-detail", "rent_car_b2b_renewal_submit_order_req")
	d.shows("#calls-detail", string(fliggytest.SampleOrderID)) // to its last digit
	d.shows("#calls-detail pre", submit.SignedText)
	d.shows("#calls-detail", `"renewal_order_id"`) // of the reply

	d.mayReadClipboard()
	d.press("copy")
	d.shows("#toast-good", "copied")
	if got := evaluate[string](d, `navigator.clipboard.readText()`); got != submit.SignedText {
		t.Errorf("copied %q, want %q", got, submit.SignedText)
	}
	d.press("toast-close")
	d.until(`document.getElementById('toast-good').textContent === ''`)

	d.press("call-close")
	d.until(`document.getElementById('calls-detail').hidden && document.activeElement.matches('.row')`)
	d.run(chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.Enter))
	d.shows("#calls-detail h3", "renewaldetail.query")
	d.run(chromedp.KeyEvent(kb.Escape))
	d.until(`document.getElementById('calls-detail').hidden`)
}

// mayReadClipboard lets the test read what the page has copied.
func (d *desk) mayReadClipboard() {
	d.t.Helper()
	_, err := chromedp.CallBrowser(d.tab, browser.SetPermission, browser.SetPermissionParams{
		Permission: &browser.PermissionDescriptor{Name: "clipboard-read"}, Setting: browser.PermissionSettingGranted,
		Origin: d.url, BrowserContextID: chromedp.FromContext(d.tab).BrowserContextID,
	})
	noError(d.t, err)
}

func TestFilter(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.submit("R1")
	call(d, http.MethodPost, "faults", map[string]any{"kind": "business", "code": "012"}, nil)
	_, _ = d.client().Orders.Query(t.Context(), &rentcar.OrderQueryRequest{OrderID: fliggytest.SampleOrderID})
	d.callBadly()
	rows := func(want ...string) {
		t.Helper()
		d.until(fmt.Sprintf(`[...document.querySelectorAll('#calls-rows .method')]
			.map((e) => e.title.split('.').pop()).join() === %s`, quote(strings.Join(want, ","))))
	}
	rows("query", "query", "submit", "query")
	d.set("calls-which", "refused")
	rows("query")
	d.set("calls-which", "error")
	rows("query", "query")
	d.set("calls-which", "fault")
	rows("query")
	d.set("calls-which", "all")
	d.fill("calls-search", "SUBMIT")
	rows("submit")
	d.shows("#calls-count", "1 of the newest 4")
	d.fill("calls-search", "nothing like that")
	d.shows("#calls-empty", "No call matches")
	d.fill("calls-search", "renewal.submit")
	rows("submit")

	d.press("calls-pause")
	d.submit("R2")
	d.shows("#calls-count", "paused, 2 newer")
	rows("submit")
	d.press("calls-pause")
	rows("submit", "submit")
}

// Rows stay where they are while the mouse is down on one of them, so that a click ends where it began.
func TestRowsUnderMouse(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.submit("R1")
	d.until(`document.querySelectorAll('#calls-rows .row').length === 2`)
	at := evaluate[[]float64](d, `(({x, y}) => [x + 9, y + 9])(
		document.querySelector('#calls-rows .row').getBoundingClientRect())`)
	mouse := func(event input.DispatchMouseEventType) {
		d.run(chromedp.MouseEvent(event, at[0], at[1], chromedp.ButtonLeft, chromedp.ClickCount(1)))
	}
	mouse(input.DispatchMouseEventTypeMousePressed)
	d.callBadly()
	d.shows("#calls-count", "3 of the newest 3")
	if n := evaluate[int](d, `document.querySelectorAll('#calls-rows .row').length`); n != 2 {
		t.Errorf("%d rows while the mouse is down", n)
	}
	mouse(input.DispatchMouseEventTypeMouseReleased)
	d.shows("#calls-detail h3", "renewal.submit")
	d.until(`document.querySelectorAll('#calls-rows .row').length === 3`)
}

// callBadly makes a call that is signed with another secret.
func (d *desk) callBadly() {
	d.t.Helper()
	c := d.clientWith("another-secret")
	_, err := c.Orders.Query(d.t.Context(), &rentcar.OrderQueryRequest{OrderID: fliggytest.SampleOrderID})
	if err == nil {
		d.t.Fatal("a call with another secret was answered")
	}
}

// A meddler adds a parameter to a call that is signed already.
type meddler struct{}

func (meddler) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.RawQuery += "&session=added"
	return http.DefaultTransport.RoundTrip(r)
}

func TestWhyRefused(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.callBadly()
	c := d.client(rentcar.WithHTTPClient(&http.Client{Transport: meddler{}}))
	if _, err := c.Orders.Query(t.Context(), &rentcar.OrderQueryRequest{OrderID: fliggytest.SampleOrderID}); err == nil {
		t.Fatal("a call with a parameter too much was answered")
	}
	d.until(`document.querySelectorAll('#calls-rows .row.failed').length === 2`)
	for i, want := range []string{"A parameter was added after signing", "The app secret is another one"} {
		d.click(fmt.Sprintf("#calls-rows li:nth-child(%d) .row", i+1))
		d.shows("#calls-detail .why", want)
		d.shows("#calls-detail .why h4", "Why was this signature refused?")
		refused := get[shownCall](d, "calls/"+d.calls()[1-i].ID).Refused
		d.shows("#calls-detail .why pre", refused.SignedText)
		d.shows("#calls-detail .why", refused.Parameter)
	}
}

// What callers send is text, and never part of the page.
func TestHostileCall(t *testing.T) {
	t.Parallel()
	d := open(t)
	const bad = `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>`
	form := url.Values{"method": {bad}, "app_key": {bad}, bad: {bad}, "sign": {bad}}
	res, err := http.PostForm(d.url+"router/rest?"+form.Encode(), form)
	noError(t, err)
	noError(t, res.Body.Close())
	d.submit(bad)
	d.shows("#calls-rows", bad[4:20])
	d.click("#calls-rows li:last-child .row")
	d.shows("#calls-detail td", bad)
	d.tabTo("orders")
	d.shows("#renewals", bad)
	if n := evaluate[int](d, `document.querySelectorAll('main img, main script').length + (window.hacked ?? 0)`); n != 0 {
		t.Errorf("%d elements came out of a call", n)
	}
}

// A thousand calls pour in: the list is bounded, the page goes on working, and in the end it shows the newest.
func TestLoad(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.script(`window.mostRows = 0;
		new MutationObserver(() => {
			window.mostRows = Math.max(window.mostRows, document.querySelectorAll('#calls-rows > li').length);
		}).observe(document.getElementById('calls-rows'), {childList: true});`)
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			c := d.client()
			for range 250 {
				_, err := c.Orders.Query(t.Context(), &rentcar.OrderQueryRequest{OrderID: fliggytest.SampleOrderID})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	d.tabTo("orders")
	d.shows("#orders", string(fliggytest.SampleOrderID))
	d.tabTo("calls")
	d.press("calls-pause") // rows that are pushed down are hard to hit
	d.shows("#calls-count", "paused")
	d.press("call-open")
	d.shows("#calls-detail h3", "order.query")
	d.press("calls-pause")
	callers.Wait()
	calls := d.calls()
	d.until(fmt.Sprintf(`document.querySelector('#calls-rows .row').dataset.id === %s`, quote(calls[len(calls)-1].ID)))
	d.until(`[...document.querySelectorAll('#calls-rows .row')].every((e) => !e.textContent.includes('no answer yet'))`)
	if n := evaluate[int](d, `window.mostRows`); n > 200 {
		t.Errorf("the list had %d rows", n)
	}
	if n := evaluate[int](d, `document.querySelectorAll('#calls-rows > li').length`); n != 200 {
		t.Errorf("the list has %d rows, want 200", n)
	}
}
