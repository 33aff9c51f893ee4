package browsertest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/cmd/fliggy/sandbox"
	"github.com/fliggy-go/rentcar/events"
)

// A shownPush is what the control API says of a push.
type shownPush struct {
	ID          string `json:"id"`
	EventType   int    `json:"event_type"`
	OrderID     string `json:"order_id"`
	ContentType string `json:"content_type"`
	Status      int    `json:"http_status"`
	Accepted    bool   `json:"accepted"`
	Query       string `json:"query"`
	Body        string `json:"body"`
}

func (d *desk) pushes() []shownPush {
	d.t.Helper()
	return get[struct {
		Pushes []shownPush `json:"pushes"`
	}](d, "pushes").Pushes
}

// pushCount waits until the page shows so many pushes, and returns them as the control API has them.
func (d *desk) pushCount(n int) []shownPush {
	d.t.Helper()
	d.until(fmt.Sprintf(`document.querySelectorAll('#pushes-rows .row').length === %d`, n))
	return d.pushes()
}

func TestResend(t *testing.T) {
	t.Parallel()
	d := open(t)
	id := d.submit("R1")
	call(d, http.MethodPost, "renewals/"+string(id)+"/accept", map[string]any{}, nil)
	d.tabTo("pushes")
	count := len(d.pushCount(1))
	d.shows("#pushes-rows", "accepted")
	d.press("push-open")
	d.shows("#pushes-detail h3", "103 renewal accepted")
	first := get[shownPush](d, "pushes/push-1")
	d.shows("#pushes-detail", first.OrderID)
	d.shows("#pushes-detail", first.ContentType)

	for _, tc := range []struct {
		way, contentType string
		times            int
		accepted         bool
	}{
		{"again", "application/json", 1, true},
		{"late", "application/json", 1, false},
		{"bad", "application/json", 1, false},
		{"unsigned", "application/json", 1, false},
		{"form", "application/x-www-form-urlencoded;charset=UTF-8", 1, true},
		{"gbk", "application/json;charset=GBK", 1, true},
		{"five", "application/json", 5, true},
	} {
		d.press("resend-" + tc.way)
		count += tc.times
		pushes := d.pushCount(count)
		last := get[shownPush](d, "pushes/"+pushes[len(pushes)-1].ID)
		if last.Accepted != tc.accepted || !strings.HasPrefix(last.ContentType, tc.contentType) || last.EventType != 103 {
			t.Errorf("%s: %+v", tc.way, last)
		}
		d.click("#pushes-rows li:first-child .row")
		d.shows("#pushes-detail .pairs", last.ID)
		d.shows("#pushes-detail pre", "renewalOrderId")
		d.click("#pushes-rows li:last-child .row")
		d.shows("#pushes-detail .pairs", first.ID)
		if tc.way == "unsigned" && strings.Contains(last.Query, "sign=") {
			t.Errorf("unsigned: the query is %s", last.Query)
		}
		if tc.accepted {
			d.shows("#toast-good", "your endpoint accepted it")
		} else {
			d.shows("#toast-bad", "did not accept it")
		}
	}
	d.press("push-close")
	d.until(`document.getElementById('pushes-detail').hidden`)
}

func TestRawEvent(t *testing.T) {
	t.Parallel()
	d := open(t)
	id := d.submit("R1")
	d.until(`document.querySelector('#tab-orders .count').textContent === '1'`)
	d.tabTo("pushes")
	d.press("raw-open")
	d.until(`document.querySelector('[data-action=raw-event]').value.includes('"eventType": 103')`)
	var want []events.Type
	count := 0
	for _, kind := range []events.Type{104, 141, 142, 103} {
		d.set("raw-template", fmt.Sprint(int(kind)))
		d.press("raw-push")
		count++
		pushes := d.pushCount(count)
		if last := pushes[count-1]; last.EventType != int(kind) || !last.Accepted {
			t.Errorf("%d: %+v", kind, last)
		}
		want = append(want, kind)
	}
	if body := get[shownPush](d, d.last()).Body; !strings.Contains(body, string(id)) {
		t.Errorf("the event is not about the renewal %s: %s", id, body)
	}
	d.fill("raw-event", `{"eventType": 104, "orderId": 3104050285204362836,`)
	d.press("raw-push")
	d.shows("#toast-bad", "The event is no JSON")
	// What is written goes as it is written.
	d.fill("raw-event", `{"eventType":999, "orderId":3104050285204362836}`)
	d.press("raw-push")
	count++
	d.pushCount(count)
	if body := get[shownPush](d, d.last()).Body; body != `{"eventType":999, "orderId":3104050285204362836}` {
		t.Errorf("pushed %s", body)
	}

	d.set("raw-template", "103")
	for _, box := range []string{"late", "bad-signature", "unsigned"} {
		d.press("raw-" + box)
		d.press("raw-push")
		count++
		if last := d.pushCount(count)[count-1]; last.Accepted {
			t.Errorf("%s: accepted", box)
		}
		d.press("raw-" + box)
	}
	d.press("raw-form")
	d.press("raw-gbk")
	d.fill("raw-times", "2")
	d.press("raw-push")
	count += 2
	d.pushCount(count)
	last := get[shownPush](d, d.last())
	if !last.Accepted || last.ContentType != "application/x-www-form-urlencoded;charset=GBK" {
		t.Errorf("as a form in GBK: %+v", last)
	}
	// The two of the last press say what the 103 before has said, which the endpoint handles once.
	d.mu.Lock()
	defer d.mu.Unlock()
	if diff := cmp.Diff(append(want, 999), d.accepted); diff != "" {
		t.Errorf("the endpoint got (-want +got):\n%s", diff)
	}
}

// last is the path of the newest push.
func (d *desk) last() string {
	d.t.Helper()
	pushes := d.pushes()
	return "pushes/" + pushes[len(pushes)-1].ID
}

// An endpoint that answers something else than an acknowledgement, or that is not there, is told of.
func TestPushNotTaken(t *testing.T) {
	t.Parallel()
	const page = `<html><img src=x onerror="window.hacked=1">`
	wrong := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, page)
	}))
	t.Cleanup(wrong.Close)
	d := open(t, func(c *sandbox.Config) { c.PushTo = "" })
	id := d.submit("R1")
	d.tabTo("orders")
	d.press("accept")
	d.shows("#toast-bad", "was not delivered")
	if n := len(d.pushes()); n != 0 {
		t.Errorf("%d pushes", n)
	}
	call(d, http.MethodPut, "push-to", map[string]string{"push_to": wrong.URL}, nil)
	call(d, http.MethodPost, "renewals/"+string(id)+"/accept", map[string]any{}, nil)
	d.tabTo("pushes")
	d.shows("#pushes-rows", "not accepted")
	d.press("push-open")
	d.shows("#pushes-detail pre", page)
	if n := evaluate[int](d, `document.querySelectorAll('main img').length + (window.hacked ?? 0)`); n != 0 {
		t.Errorf("%d elements came out of an answer", n)
	}
}
