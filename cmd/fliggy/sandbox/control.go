package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// Prefix is the path of the control API, with its version.
const Prefix = "/control/v1"

// maxBody bounds what a request to the control API may bring.
const maxBody = 1 << 20

// routes is the one table of what is served.
func (s *Sandbox) routes() http.Handler {
	control := http.NewServeMux()
	for pattern, serve := range map[string]func(r *http.Request) (any, error){
		"GET /state":                 s.getState,
		"GET /activity":              s.getActivity,
		"GET /calls":                 s.getCalls,
		"GET /calls/{id}":            s.getCall,
		"GET /refused":               s.getRefused,
		"GET /pushes":                s.getPushes,
		"GET /pushes/{id}":           s.getPush,
		"POST /pushes/{id}/resend":   s.resend,
		"GET /orders":                s.getOrders,
		"POST /orders":               s.addOrders,
		"POST /orders/{id}/refund":   s.refund,
		"GET /renewals":              s.getRenewals,
		"POST /renewals/{id}/accept": s.accept,
		"POST /renewals/{id}/reject": s.reject,
		"POST /renewals/{id}/refund": s.refund,
		"GET /bills":                 s.getBills,
		"GET /callbacks":             s.getCallbacks,
		"GET /agency-orders":         s.getAgencyOrders,
		"POST /events":               s.pushEvent,
		"GET /faults":                s.getFaults,
		"POST /faults":               s.addFault,
		"DELETE /faults":             s.clearFaults,
		"DELETE /faults/{id}":        s.removeFault,
		"GET /clock":                 s.getClock,
		"PUT /clock":                 s.setClock,
		"GET /scenario":              s.getScenario,
		"PUT /scenario":              s.setScenario,
		"GET /push-to":               s.getPushTo,
		"PUT /push-to":               s.setPushTo,
		"POST /merchant/check":       s.checkMerchant,
		"POST /reset":                s.postReset,
	} {
		method, path, _ := strings.Cut(pattern, " ")
		control.HandleFunc(method+" "+Prefix+path, answer(serve))
	}
	control.HandleFunc("GET "+Prefix+"/stream", s.stream)
	control.HandleFunc(Prefix+"/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, http.StatusNotFound, "not_found", "",
			"the control API has no "+r.Method+" "+r.URL.Path+": see docs/sandbox.md")
	})
	control.HandleFunc("GET /ready", answer(s.ready))
	control.Handle("/", console())
	m := http.NewServeMux()
	gateway := s.gateway.Handler()
	for _, path := range []string{"/router/", "/top/router/"} {
		m.Handle(path, gateway)
	}
	m.Handle("/", s.guard(control))
	return m
}

// An invalid is a member of a request that makes no sense.
type invalid struct{ field, rule string }

func (e *invalid) Error() string { return e.field + ": " + e.rule }

// A missing is something that there is not.
type missing struct{ what, id string }

func (e *missing) Error() string { return fmt.Sprintf("there is no %s %q", e.what, e.id) }

// A conflict is what cannot be done now.
type conflict struct{ err error }

func (e *conflict) Error() string { return strings.TrimPrefix(e.err.Error(), "fliggytest: ") }

// answer serves a function whose result is JSON.
func answer(serve func(r *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		result, err := serve(r)
		var (
			wrong  *invalid
			none   *missing
			cannot *conflict
		)
		switch {
		case err == nil:
			reply(w, http.StatusOK, result)
		case errors.As(err, &none):
			fail(w, http.StatusNotFound, "not_found", "", none.Error())
		case errors.As(err, &cannot):
			fail(w, http.StatusConflict, "conflict", "", cannot.Error())
		case errors.As(err, new(*http.MaxBytesError)):
			fail(w, http.StatusRequestEntityTooLarge, "too_large", "", "the body: want 1 MiB at most")
		case errors.As(err, &wrong):
			fail(w, http.StatusBadRequest, "invalid", wrong.field, wrong.rule)
		default:
			fail(w, http.StatusBadRequest, "invalid", "", err.Error())
		}
	}
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v) // the client may be gone
}

// fail answers with an error: a code for programs, the member that it is about, and a sentence.
func fail(w http.ResponseWriter, status int, code, field, message string) {
	body := map[string]string{"code": code, "message": message}
	if field != "" {
		body["field"] = field
	}
	reply(w, status, map[string]any{"error": body})
}

// decode reads the JSON of a request into out. An empty body is an empty object.
func decode(r *http.Request, out any) error {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("the body: %w", err)
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil
	}
	wrong := decodeStrictly(data, out)
	if wrong == nil {
		return nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return &invalid{"", "the body: want one JSON object: " + strings.TrimPrefix(err.Error(), "json: ")}
	}
	for _, name := range slices.Sorted(maps.Keys(members)) { // which is it?
		member, err := json.Marshal(map[string]json.RawMessage{name: members[name]})
		if err == nil {
			err = decodeStrictly(member, out)
		}
		if err != nil {
			return &invalid{name, ruleOf(err)}
		}
	}
	return &invalid{"", "the body: " + ruleOf(wrong)}
}

// decodeStrictly is json.Unmarshal that refuses unknown members.
func decodeStrictly(data []byte, out any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(out); err != nil {
		return err
	}
	if d.More() {
		return errors.New("want one JSON object")
	}
	return nil
}

// ruleOf says what a member of JSON must be.
func ruleOf(err error) string {
	var kind *json.UnmarshalTypeError
	if !errors.As(err, &kind) {
		text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "json: "), "fliggy: ")
		if strings.HasPrefix(text, "unknown field") {
			return "there is no such member"
		}
		return text
	}
	want := "an object"
	switch kind.Type.Kind() {
	case reflect.Bool:
		want = "true or false"
	case reflect.String:
		want = "a text"
	case reflect.Slice:
		want = "a list of texts"
	case reflect.Int:
		want = "a whole number"
	case reflect.Float64:
		want = "a number"
	}
	return "want " + want + ", got JSON's " + kind.Value
}

func (s *Sandbox) ready(*http.Request) (any, error) {
	return map[string]any{
		"ready": true, "console": s.config.Origin + "/", "control": s.config.Origin + Prefix,
		"top": s.gateway.URL(), "qimen": s.gateway.QimenURL(), "app_key": s.gateway.AppKey(), "version": s.config.Version,
	}, nil
}

func (s *Sandbox) getClock(*http.Request) (any, error) { return s.clockView(), nil }

// setClock moves the clock: {"now": "2026-12-01 10:00:00", "stopped": true}; {} for the real time.
func (s *Sandbox) setClock(r *http.Request) (any, error) {
	var to struct {
		Now     fliggy.Time `json:"now"`
		Advance float64     `json:"advance_seconds"`
		Stopped bool        `json:"stopped"`
	}
	if err := decode(r, &to); err != nil {
		return nil, err
	}
	switch {
	case to.Now.IsSet() && to.Advance != 0:
		return nil, &invalid{"advance_seconds", "goes without now"}
	case to.Now.IsSet() && !isInRange(to.Now.Time):
		return nil, &invalid{"now", clockRule}
	case to.Now.IsSet():
		s.clock.set(to.Now.Time, to.Stopped)
	case to.Advance != 0:
		const most = 10 * 366 * 24 * 3600
		if to.Advance < -most || to.Advance > most {
			return nil, &invalid{"advance_seconds", "want ten years at most"}
		}
		at := s.clock.now().Add(time.Duration(to.Advance * float64(time.Second)))
		if !isInRange(at) {
			return nil, &invalid{"advance_seconds", clockRule}
		}
		s.clock.set(at, to.Stopped)
	case to.Stopped:
		s.clock.set(s.clock.now(), true)
	default:
		s.clock.reset()
	}
	s.bell.ring(false)
	return s.clockView(), nil
}

// clockRule bounds the clock: the sandbox adds to its times.
const clockRule = "the clock goes from the year 2000 to 2199"

func isInRange(t time.Time) bool { return t.Year() >= 2000 && t.Year() < 2200 }

func (s *Sandbox) getScenario(*http.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return map[string]any{"scenario": s.scenario, "scenarios": Scenarios}, nil
}

func (s *Sandbox) setScenario(r *http.Request) (any, error) {
	var to struct {
		Scenario Scenario `json:"scenario"`
	}
	if err := decode(r, &to); err != nil {
		return nil, err
	}
	if to.Scenario == "" {
		return nil, &invalid{"scenario", "missing: want accepted, rejected, slow or never"}
	}
	if err := s.play(to.Scenario); err != nil {
		return nil, err
	}
	return s.getScenario(r)
}

func (s *Sandbox) getPushTo(*http.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return map[string]any{"push_to": s.pushTo}, nil
}

func (s *Sandbox) setPushTo(r *http.Request) (any, error) {
	var to struct {
		PushTo *string `json:"push_to"`
	}
	if err := decode(r, &to); err != nil {
		return nil, err
	}
	if to.PushTo == nil {
		return nil, &invalid{"push_to", "missing: want the URL of an endpoint, or an empty text for nowhere"}
	}
	if err := s.aim(*to.PushTo); err != nil {
		return nil, err
	}
	return s.getPushTo(r)
}

func (s *Sandbox) postReset(r *http.Request) (any, error) {
	if err := decode(r, &struct{}{}); err != nil {
		return nil, err
	}
	s.reset()
	return s.getState(r)
}

// addOrders puts in orders, as a seed file has them: all of them, or none.
func (s *Sandbox) addOrders(r *http.Request) (any, error) {
	orders, err := fliggytest.ReadOrders(r.Body)
	if errors.As(err, new(*http.MaxBytesError)) {
		return nil, err
	}
	if err != nil {
		return nil, &invalid{"orders", strings.TrimPrefix(err.Error(), "fliggytest: ")}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := checkOutOrderIDs(orders, s.gateway.Orders()); err != nil {
		return nil, &conflict{err}
	}
	ids := make([]fliggy.ID, len(orders))
	for i, o := range orders {
		ids[i] = s.gateway.AddOrder(o)
	}
	return map[string]any{"order_ids": ids}, nil
}

// checkOutOrderIDs returns an error for a new order with an out_order_id that another order keeps. An order with the
// order_id of one that is there replaces it.
func checkOutOrderIDs(added, held []fliggytest.Order) error {
	replaced := map[fliggy.ID]bool{}
	for _, o := range added {
		replaced[o.OrderID] = true
	}
	owner := map[string]fliggy.ID{}
	for _, o := range held {
		if !replaced[o.OrderID] {
			owner[o.OutOrderID] = o.OrderID
		}
	}
	for i, o := range added {
		if id, ok := owner[o.OutOrderID]; ok {
			return fmt.Errorf("orders[%d].out_order_id: order %s has this id: give its order_id to replace it", i, id)
		}
	}
	return nil
}
