package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/fliggy-go/rentcar/fliggytest"
)

// An activityView is something that happened: a call that arrived or was answered, a push that ended, or, without
// either, a change of what the sandbox holds.
type activityView struct {
	Seq  uint64      `json:"seq"`
	Call *callView   `json:"call,omitempty"`
	Push *pushedView `json:"push,omitempty"`
}

func (s *Sandbox) activityView(a fliggytest.Activity) activityView {
	v := activityView{Seq: a.Seq}
	if a.Request != nil {
		call := newCallView(a.Request)
		v.Call = &call
	}
	if a.Push != nil {
		push := s.pushView(a.Push, false)
		v.Push = &push
	}
	return v
}

// after is the number after which a reader wants to go on: ?after=, or the header of an EventSource that reconnects.
func after(r *http.Request) (uint64, error) {
	text := r.Header.Get("Last-Event-ID")
	if q := r.URL.Query().Get("after"); text == "" {
		text = q
	}
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, &invalid{"after", "want the number of an activity"}
	}
	return n, nil
}

// getActivity returns what happened after a number. With ?wait_seconds= it waits for the first.
func (s *Sandbox) getActivity(r *http.Request) (any, error) {
	from, err := after(r)
	if err != nil {
		return nil, err
	}
	limit, err := limitOf(r)
	if err != nil {
		return nil, err
	}
	wait := time.Duration(0)
	if text := r.URL.Query().Get("wait_seconds"); text != "" {
		seconds, err := strconv.ParseFloat(text, 64)
		if err != nil || !(seconds >= 0 && seconds <= 60) {
			return nil, &invalid{"wait_seconds", "want 0 to 60"}
		}
		wait = time.Duration(seconds * float64(time.Second))
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	timer := time.AfterFunc(wait, cancel)
	defer timer.Stop()
	list := []activityView{}
	for a := range s.gateway.Activity(ctx, from) {
		if list = append(list, s.activityView(a)); len(list) == limit {
			break
		}
		timer.Reset(0) // what is there already, and no more waiting
	}
	return map[string]any{"activity": list}, nil
}

const (
	batchEvery = 200 * time.Millisecond // how often the console hears of what happened
	batchMost  = 100                    // the newest are told
	beat       = 15 * time.Second       // so that a connection that is gone is noticed
)

// A news is what a stream has to tell.
type news struct {
	batch    []activityView // the newest
	skipped  int            // older ones
	epoch    string
	settings bool // have changed
}

func (n *news) add(a activityView) {
	if n.batch = append(n.batch, a); len(n.batch) > batchMost {
		n.batch, n.skipped = n.batch[1:], n.skipped+1
	}
}

// tell writes what there is to tell, if there is something.
func (n *news) tell(w io.Writer) error {
	if n.settings {
		if _, err := fmt.Fprintf(w, "event: settings\ndata: {\"epoch\":%q}\n\n", n.epoch); err != nil {
			return err
		}
		n.settings = false
	}
	if n.batch == nil {
		return nil
	}
	data, err := json.Marshal(map[string]any{"activity": n.batch, "skipped": n.skipped})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "event: activity\nid: %d\ndata: %s\n\n", n.batch[len(n.batch)-1].Seq, data)
	n.batch, n.skipped = nil, 0
	return err
}

// stream sends server-sent events. "activity" is what happened, in batches: {"activity": [...], "skipped": n}; the
// id of a batch is the number of its last activity. "settings" comes first, and whenever something else than calls
// and pushes has changed, such as the clock or a fault: {"epoch": "..."}, which is another one after a reset.
func (s *Sandbox) stream(w http.ResponseWriter, r *http.Request) {
	from, err := after(r)
	if err != nil {
		fail(w, http.StatusBadRequest, "invalid", "after", "want the number of an activity")
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	happened := s.happened(ctx, from)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("X-Accel-Buffering", "no")
	flush := http.NewResponseController(w).Flush
	ticker, beats := time.NewTicker(batchEvery), time.NewTicker(beat)
	defer ticker.Stop()
	defer beats.Stop()
	n := &news{settings: true}
	var rung <-chan struct{}
	n.epoch, rung = s.bell.state()
	if _, err := fmt.Fprint(w, "retry: 1000\n\n"); err != nil || flush() != nil {
		return
	}
	for {
		select {
		case a, ok := <-happened:
			if !ok { // the client or the sandbox is gone
				return
			}
			n.add(a)
			continue
		case <-rung:
			n.epoch, rung = s.bell.state()
			n.settings = true
			continue
		case <-ticker.C:
			err = n.tell(w)
		case <-beats.C:
			_, err = fmt.Fprint(w, ": still here\n\n")
		}
		if err != nil || flush() != nil {
			return
		}
	}
}

// happened sends what happens until the context or the sandbox ends.
func (s *Sandbox) happened(ctx context.Context, from uint64) <-chan activityView {
	out := make(chan activityView)
	go func() {
		defer close(out)
		for a := range s.gateway.Activity(ctx, from) {
			select {
			case out <- s.activityView(a):
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}
