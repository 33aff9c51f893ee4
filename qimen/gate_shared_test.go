package qimen

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// Two apps that push the same message each have their own run and their own reply.
func TestGateApps(t *testing.T) {
	t.Parallel()
	for method, body := range actingBodies {
		var f office
		h, err := NewHandler(Secrets{"1": {"one"}, "2": {"two"}}, f.options()...)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			for app, secret := range map[string]string{"1": "one", "2": "two"} {
				query := strings.Replace(queryFor(method), testApp, app, 1)
				if r := h.Handle(t.Context(), mustSign(t, newPush(query, jsonType, body), secret)); r.Status != 200 {
					t.Errorf("%s: %d", app, r.Status)
				}
			}
		}
		if f.count() != 2 || f.runs[0].Key == f.runs[1].Key || f.runs[1].IsConflict {
			t.Errorf("%s: %+v", method, f.runs)
		}
	}
}

// Secrets are replaced by swapping the handler while messages arrive, each several
// times at once: with one gate every message runs once.
func TestGateSharedByHandlers(t *testing.T) {
	t.Parallel()
	const messages, copies = 100, 6
	var f office
	gate, err := NewMemoryGate()
	if err != nil {
		t.Fatal(err)
	}
	var current atomic.Pointer[Handler]
	swap := func(secrets ...string) {
		h, err := NewHandler(Secrets{testApp: secrets}, append(f.options(), WithGate(gate))...)
		if err != nil {
			t.Error(err)
		}
		current.Store(h)
	}
	swap("old")
	var wait sync.WaitGroup
	var accepted atomic.Int64
	for i := range messages {
		if i == messages/3 {
			swap("new", "old")
		}
		body := strings.Replace(event103, "3187983531024266527", strconv.Itoa(1000+i), 1)
		for c := range copies {
			secret := "old"
			if i >= messages/3 && c%2 == 1 {
				secret = "new"
			}
			p := mustSign(t, newPush(eventQuery, jsonType, body), secret)
			wait.Go(func() {
				for r := current.Load().Handle(context.Background(), p); ; r = current.Load().Handle(context.Background(), p) {
					if r.Status == http.StatusOK && string(r.Body) == bodyAccepted {
						accepted.Add(1)
						return
					}
					if r.Status != http.StatusServiceUnavailable {
						t.Errorf("%d %s", r.Status, r.Body)
						return
					}
				}
			})
		}
	}
	wait.Wait()
	keys := map[string]bool{}
	for _, r := range f.runs {
		keys[r.Key] = true
	}
	if f.count() != messages || len(keys) != messages || accepted.Load() != messages*copies {
		t.Errorf("%d runs of %d messages, %d replies", f.count(), len(keys), accepted.Load())
	}
}
