package browsertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
)

var tabs = []string{"calls", "pushes", "orders", "faults", "settings", "merchant", "bills", "callbacks"}

// furnish has something of everything in a sandbox.
func (d *desk) furnish() {
	d.t.Helper()
	call(d, http.MethodPost, "faults", map[string]any{
		"kind": "unavailable", "methods": []string{"alitrip.rentcar.btb.renewal.submit"}, "after_commit": true,
	}, nil)
	if _, err := d.trySubmit("RC202611280001"); !errors.Is(err, rentcar.ErrOutcomeUnknown) {
		d.t.Fatalf("submitted: %v", err)
	}
	id := d.submit("RC202611280001") // the double booking that comes of it
	call(d, http.MethodPost, "faults", map[string]any{
		"kind": "delay", "seconds": 2, "times": 0, "methods": []string{"alitrip.rentcar.btb.vehicle.query"},
	}, nil)
	call(d, http.MethodPost, "renewals/"+string(id)+"/accept", map[string]any{}, nil)
	call(d, http.MethodPost, "renewals/"+string(id)+"/refund", map[string]any{
		"amount": "12.50", "reason": "客户投诉",
	}, nil)
	event, err := events.Parse([]byte(get[shownPush](d, d.last()).Body))
	noError(d.t, err)
	_, err = d.client().Callbacks.Send(d.t.Context(), event.(*events.RenewalFeeRefund).SuccessCallback())
	noError(d.t, err)
	d.notify("20261130001")
	d.callBadly()
	d.shows("#tab-callbacks .count", "1")
	d.until(`document.querySelectorAll('#calls-rows .row').length === 7`)
}

func TestLanguages(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.furnish()
	if missing := evaluate[[]string](d, `import('./texts.js').then(({texts: {en, zh}}) =>
		[...Object.keys(en).filter((key) => !zh[key]), ...Object.keys(zh).filter((key) => !en[key])])`); len(missing) != 0 {
		t.Errorf("texts of one language only: %v", missing)
	}
	d.press("language")
	d.until(`document.documentElement.lang === 'zh-CN' && document.title === '飞猪沙箱'`)
	texts := []string{"调用", "续租接单成功", "重复下单", "截断", "续租单如何处理", "商家接口地址", "订单费用", "续租退费成功"}
	for i, tab := range tabs {
		d.tabTo(tab)
		d.shows("#panel-"+tab, texts[i])
	}
	d.run(chromedp.Reload())
	d.isLive()
	d.shows("#live", "实时")
	d.press("language")
	d.until(`document.documentElement.lang === 'en'`)
	d.shows("#panel-callbacks h2", "Callbacks")
}

// A browser that prefers Chinese gets Chinese.
func TestLanguageOfBrowser(t *testing.T) {
	t.Parallel()
	d := open(t)
	command(d, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{
		UserAgent: evaluate[string](d, `navigator.userAgent`), AcceptLanguage: "zh-CN,en",
	})
	d.run(chromedp.Reload())
	d.isLive()
	d.shows("#live", "实时")
}

func TestThemes(t *testing.T) {
	t.Parallel()
	d := open(t)
	background := func(theme, system string) string {
		t.Helper()
		command(d, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: system}},
		})
		d.until(fmt.Sprintf(`(document.documentElement.dataset.theme ?? '') === %s`, quote(theme)))
		return evaluate[string](d, `getComputedStyle(document.documentElement).backgroundColor`)
	}
	light, dark := background("", "light"), background("", "dark")
	if light == dark {
		t.Errorf("light and dark are both %s", light)
	}
	d.press("theme")
	if got := background("light", "dark"); got != light {
		t.Errorf("light chosen: %s, want %s", got, light)
	}
	d.press("theme")
	if got := background("dark", "light"); got != dark {
		t.Errorf("dark chosen: %s, want %s", got, dark)
	}
	d.run(chromedp.Reload())
	d.isLive()
	if got := background("dark", "light"); got != dark {
		t.Errorf("dark after reload: %s, want %s", got, dark)
	}
}

// On a phone nothing is wider than the screen.
func TestPhone(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.furnish()
	d.run(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile))
	fits := func(what string) {
		t.Helper()
		got := evaluate[int](d, `Math.max(document.documentElement.scrollWidth, document.body.scrollWidth, innerWidth)`)
		if got > 360 {
			t.Errorf("%s is %d wide: %v", what, got, evaluate[[]string](d, `[...document.querySelectorAll('main *')]
				.filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > 360)
				.map((e) => e.tagName + '.' + e.className).slice(0, 9)`))
		}
	}
	for _, language := range []string{"en", "zh"} {
		for _, tab := range tabs {
			d.tabTo(tab)
			fits(language + " " + tab)
			for _, opener := range map[string][]string{
				"calls": {"call-open"}, "pushes": {"raw-open", "push-open"}, "bills": {"bill-lines"}, "orders": {"refund-order"},
			}[tab] {
				d.press(opener)
				d.until(`document.querySelector('.detail:not([hidden]), details[open], dialog[open]') !== null`)
				fits(language + " " + opener)
			}
			switch tab {
			case "calls":
				d.press("call-close")
			case "pushes":
				d.press("push-close")
				d.press("raw-open")
			case "orders":
				d.press("dialog-cancel")
			}
		}
		d.press("language")
	}
}

// Everything that the keyboard reaches has a name for those who do not see it.
func TestAccessibleNames(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.furnish()
	for _, language := range []string{"en", "zh"} {
		for _, tab := range tabs {
			d.tabTo(tab)
			switch tab {
			case "calls":
				d.press("call-open")
				d.shows("#calls-detail h3", ".")
			case "pushes":
				if language == "en" {
					d.press("raw-open")
				}
				d.press("push-open")
				d.shows("#pushes-detail h3", "1")
			}
			d.named(language + " " + tab)
		}
		d.tabTo("orders")
		d.press("refund-order")
		d.until(`document.getElementById('dialog').open`)
		d.named(language + " dialog")
		d.press("dialog-cancel")
		d.press("language")
	}
}

// named checks what assistive technology is told of the page.
func (d *desk) named(where string) {
	d.t.Helper()
	focusable := 0
	for _, node := range command(d, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes {
		if node.Ignored || !isFocusable(node) || string(node.Role.Value) == `"RootWebArea"` {
			continue
		}
		focusable++
		var name, role string
		noError(d.t, json.Unmarshal(node.Role.Value, &role))
		if node.Name != nil {
			noError(d.t, json.Unmarshal(node.Name.Value, &name))
		}
		// A symbol alone is no name.
		if strings.IndexFunc(name, unicode.IsLetter) < 0 && strings.IndexFunc(name, unicode.IsDigit) < 0 {
			d.t.Errorf("%s: a %s has no name but %q", where, role, name)
		}
	}
	if focusable < 5 {
		d.t.Errorf("%s: only %d nodes can be reached", where, focusable)
	}
}

func isFocusable(node *accessibility.Node) bool {
	for _, p := range node.Properties {
		if p.Name == accessibility.PropertyNameFocusable {
			return string(p.Value.Value) == "true"
		}
	}
	return false
}

// A renewal is accepted and another one looked at without a mouse.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	d := open(t)
	id := d.submit("R1")
	d.until(`document.querySelector('#tab-orders .count').textContent === '1'`)
	focus := func(what string) {
		t.Helper()
		d.until(`document.activeElement.matches(` + quote(what) + `)`)
		if what != ".skip" && !evaluate[bool](d, `document.activeElement.matches(':focus-visible') &&
			getComputedStyle(document.activeElement).outlineStyle !== 'none'`) {
			t.Errorf("%s: the focus does not show", what)
		}
	}
	press := func(keys string) { d.run(chromedp.KeyEvent(keys)) }
	press(kb.Tab)
	focus(".skip")
	press(kb.Tab)
	focus("#language")
	press(kb.Tab)
	focus("#theme")
	press(kb.Tab)
	focus("#tab-calls")
	press(kb.ArrowDown)
	focus("#tab-pushes")
	press(kb.End)
	focus("#tab-callbacks")
	press(kb.ArrowRight)
	focus("#tab-calls")
	press(kb.ArrowUp)
	press(kb.Home)
	press(kb.ArrowRight)
	press(kb.ArrowRight)
	focus("#tab-orders")
	press(kb.Tab)
	focus("[data-action=accept]")
	press(kb.Tab)
	press(kb.Enter)
	focus("[data-action=reject-code]")
	press(kb.Escape)
	focus("[data-action=reject]")
	d.run(chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(chromedp.ModifierShift)))
	focus("[data-action=accept]")
	press(kb.Enter)
	d.shows(card(id), "accepted")
	d.shows("#toast-good", "your endpoint accepted it")
	focus("[data-action=refund-renewal]") // the focus stays in the card whose button is gone
	d.mu.Lock()
	defer d.mu.Unlock()
	if diff := cmp.Diff([]events.Type{103}, d.accepted); diff != "" {
		t.Errorf("the endpoint got (-want +got):\n%s", diff)
	}
}

// TestScreenshots writes the images of the documents if it is asked to.
func TestScreenshots(t *testing.T) {
	t.Parallel()
	if !*screenshots {
		return
	}
	d := open(t)
	d.run(chromedp.EmulateViewport(1280, 720))
	d.furnish()
	shoot := func(name string) {
		t.Helper()
		data, err := chromedp.Run(d.tab, chromedp.CaptureScreenshot())
		noError(t, err)
		if len(data) > 200_000 {
			t.Errorf("%s has %d bytes", name, len(data))
		}
		noError(t, os.WriteFile(filepath.Join("..", "..", "..", "docs", "images", name), data, 0o644))
	}
	d.press("call-open")
	d.shows("#calls-detail h3", "order.query")
	shoot("console-en.png")
	d.press("language")
	d.press("theme")
	d.tabTo("orders")
	d.shows("#renewals", "重复下单")
	shoot("console-zh-dark.png")
	d.press("theme")
	d.press("language")
	d.run(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile, chromedp.EmulateScale(2)))
	d.tabTo("orders")
	shoot("console-phone.png")
}
