package acceptance

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/qimen"
)

// A brokenGate fails where it is told to, with the user's own words.
type brokenGate struct{ begin, finish, abandon error }

func (g brokenGate) Begin(_ context.Context, key, digest, _ string) (qimen.Claim, error) {
	return qimen.Claim{Key: key, Digest: digest, State: qimen.ClaimNew}, g.begin
}
func (g brokenGate) Finish(context.Context, qimen.Claim, qimen.Reply) error { return g.finish }
func (g brokenGate) Abandon(context.Context, qimen.Claim) error             { return g.abandon }

// gateRows are repeats and conflicts, and gates that fail; and clients that are turned
// away.
func gateRows() []leakRow {
	yes := serving(func(context.Context) error { return nil })
	handle := func(s *leakStage, h *qimen.Handler, bodies ...string) []any {
		var values []any
		for _, body := range bodies {
			reply := h.Handle(s.t.Context(), s.push(qimen.DefaultEventMethod, leakJSON, body))
			values = append(values, string(reply.Body))
		}
		for _, o := range s.observed() {
			if o, ok := o.(qimen.Observation); ok {
				values = append(values, string(o.Reason))
			}
		}
		return values
	}
	over := func(s *leakStage, h *qimen.Handler, forwarded string) []any {
		p := s.push(qimen.DefaultEventMethod, leakJSON, merchantBody(""))
		r := httptest.NewRequestWithContext(s.t.Context(), http.MethodPost, "/?"+p.RawQuery, bytes.NewReader(p.Body))
		r.Header = p.Header
		r.Header.Set("X-Forwarded-For", forwarded)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return []any{w.Body.String()}
	}
	rows := []leakRow{{
		name:   "gate, repeats and conflicts",
		covers: []string{"qimen.WithGate", "qimen.NewMemoryGate", "qimen.MemoryGate.MarshalJSON"},
		want:   string(qimen.ReasonAccepted),
		run: func(t *testing.T, s *leakStage) []any {
			gate, err := qimen.NewMemoryGate(qimen.MemoryGateConfig{Age: time.Hour, Size: 10, Now: leakTime})
			if err != nil {
				t.Fatal(err)
			}
			h := leakHandler(s, append(slices.Clone(yes), qimen.WithGate(gate))...)
			values := handle(s, h, merchantBody(""), merchantBody(""), merchantBody(`,"note":`+jsonText(markMail.text)))
			text, err := gate.MarshalJSON()
			return append(append(values, all(err)...), string(text), gate, h)
		},
	}, {
		name:   "gate, claims",
		covers: []string{"qimen.MemoryGate.Begin", "qimen.MemoryGate.Finish", "qimen.MemoryGate.Abandon"}, want: "finished",
		run: func(t *testing.T, _ *leakStage) []any {
			gate, err := qimen.NewMemoryGate(qimen.MemoryGateConfig{})
			if err != nil {
				t.Fatal(err)
			}
			claim, err := gate.Begin(t.Context(), "k", "d", "")
			again := errors.Join(
				gate.Finish(t.Context(), claim, qimen.Reply{Status: 200, Body: []byte("the reply is what the user has made")}),
				gate.Abandon(t.Context(), claim),
			)
			repeat, failed := gate.Begin(t.Context(), "k", "d", "")
			return append(all(err, again, failed), repeat.State.String(), claim, repeat, gate)
		},
	}, {
		name: "gate that cannot ask", covers: []string{"qimen.WithGate"}, want: string(qimen.ReasonGateFailed),
		mayLog: leakReasons{markCard: whyOwn},
		run: func(_ *testing.T, s *leakStage) []any {
			return handle(
				s, leakHandler(s, append(slices.Clone(yes), qimen.WithGate(brokenGate{begin: errQuoting}))...), merchantBody(""),
			)
		},
	}, {
		name: "gate that cannot keep", covers: []string{"qimen.WithGate"}, want: string(qimen.ReasonAccepted),
		mayLog: leakReasons{markCard: whyOwn},
		run: func(_ *testing.T, s *leakStage) []any {
			return handle(
				s, leakHandler(s, append(slices.Clone(yes), qimen.WithGate(brokenGate{finish: errQuoting}))...), merchantBody(""),
			)
		},
	}, {
		name: "gate that cannot forget", covers: []string{"qimen.WithGate"}, want: string(qimen.ReasonHandlerError),
		mayLog: leakReasons{markCard: whyOwn},
		run: func(_ *testing.T, s *leakStage) []any {
			no := serving(func(context.Context) error { return errUser })
			return handle(s, leakHandler(s, append(no, qimen.WithGate(brokenGate{abandon: errQuoting}))...), merchantBody(""))
		},
	}, {
		name: "no gate", covers: []string{"qimen.WithoutGate"}, want: string(qimen.ReasonAccepted),
		run: func(_ *testing.T, s *leakStage) []any {
			return handle(
				s, leakHandler(s, append(slices.Clone(yes), qimen.WithoutGate())...), merchantBody(""), merchantBody(""),
			)
		},
	}, {
		name: "forbidden clients", covers: []string{"qimen.WithAllowedClients", "qimen.WithTrustedProxies"},
		want: "sign-check-failure",
		run: func(_ *testing.T, s *leakStage) []any {
			own := append(
				slices.Clone(yes), qimen.WithAllowedClients("198.51.100.0/24"),
				qimen.WithTrustedProxies("X-Forwarded-For", "192.0.2.0/24"),
			)
			h := leakHandler(s, own...)
			return append(
				append(over(s, h, "203.0.113.9"), over(s, h, markPush.text)...), over(s, h, markName.text+", 203.0.113.9")...,
			)
		},
	}, {
		name: "headers that are too large", covers: []string{"qimen.WithHeaderLimit"}, want: "sign-check-failure",
		run: func(_ *testing.T, s *leakStage) []any {
			return over(s, leakHandler(s, append(slices.Clone(yes), qimen.WithHeaderLimit(8))...), markPush.text)
		},
	}}
	return append(rows, leakRow{
		name: "NewMemoryGate", covers: []string{"qimen.NewMemoryGate"}, want: "qimen: MemoryGateConfig.Size",
		run: func(*testing.T, *leakStage) []any {
			config := qimen.MemoryGateConfig{Size: 1, Now: leakTime}
			return append(all(second(qimen.NewMemoryGate(config))), config)
		},
	})
}

// inboxRows are events that could not be stored, and stored ones that fail.
func inboxRows() []leakRow {
	// handled pushes an event into an inbox and gives how its first attempt went.
	handled := func(s *leakStage, change func(*durable.Item), opts ...qimen.Option) (values []any) {
		ctx, stop := context.WithTimeout(s.t.Context(), time.Minute)
		defer stop()
		store := &changedStore{durable.NewMemoryStore(), change}
		inbox, err := durable.NewInbox(store, durable.Config{
			Logger: s.logger(),
			Observer: func(_ context.Context, r durable.Observation) {
				s.observe(r)
				values = append(values, r.Err)
				stop()
			},
		})
		if err != nil {
			s.t.Fatal(err)
		}
		h := leakHandler(s, append(opts, qimen.WithStore(inbox.Add))...)
		reply := h.Handle(ctx, s.push(qimen.DefaultEventMethod, leakJSON, merchantBody("")))
		if err := inbox.Run(ctx, h); !errors.Is(err, context.Canceled) {
			s.t.Error(err)
		}
		for _, p := range store.Parked(durable.InboxQueue) {
			s.observe(p)
		}
		return append(values, string(reply.Body), inbox, *inbox)
	}
	asStored := func(*durable.Item) {}
	return []leakRow{{
		name: "inbox that cannot be made", covers: []string{"durable.NewInbox", "durable.Inbox.Add", "durable.Inbox.Run"},
		want: "Config.Workers",
		run: func(t *testing.T, s *leakStage) []any {
			inbox, err := durable.NewInbox(durable.NewMemoryStore(), durable.Config{})
			if err != nil {
				t.Fatal(err)
			}
			return all(second(durable.NewInbox(nil, durable.Config{})),
				second(durable.NewInbox(durable.NewMemoryStore(), durable.Config{Workers: -1})),
				inbox.Run(t.Context(), nil), inbox.Add(t.Context(), nil), inbox.Add(
					t.Context(), &qimen.Delivery{Push: s.push(qimen.DefaultEventMethod, leakJSON, "")},
				))
		},
	}, {
		name: "inbox, store that fails", covers: []string{"durable.Inbox.Add", "qimen.WithStore"},
		want: string(qimen.ReasonNotStored),
		run: func(t *testing.T, s *leakStage) []any {
			inbox, err := durable.NewInbox(brokenStore{}, durable.Config{})
			if err != nil {
				t.Fatal(err)
			}
			reply := leakHandler(s, append(serving(quoting), qimen.WithStore(inbox.Add))...).Handle(
				t.Context(), s.push(qimen.DefaultEventMethod, leakJSON, merchantBody("")),
			)
			o, _ := s.observed()[0].(qimen.Observation)
			return []any{string(reply.Body), string(o.Reason)}
		},
	}, {
		name: "inbox, user's error", covers: []string{"durable.Inbox.Run", "qimen.Handler.Work"}, want: "in vain",
		may: leakReasons{markCard: whyOwn}, mayLog: leakReasons{markCard: whyOwn},
		run: func(_ *testing.T, s *leakStage) []any { return handled(s, asStored, serving(quoting)...) },
	}, {
		name: "inbox, refusal", covers: []string{"durable.Inbox.Run", "qimen.Handler.Work"}, want: "refused: 7: no car",
		run: func(_ *testing.T, s *leakStage) []any {
			return handled(s, asStored, serving(func(context.Context) error { return qimen.Refuse("7", "no car") })...)
		},
	}, {
		name: "inbox, stored event that cannot be read", covers: []string{"durable.Inbox.Run", "qimen.Handler.Work"},
		want: "cannot be read",
		run: func(_ *testing.T, s *leakStage) []any {
			return handled(s, func(i *durable.Item) { i.Data = i.Data[:len(i.Data)/2] }, serving(quoting)...)
		},
	}, {
		name: "inbox, stored event of another form", covers: []string{"durable.Inbox.Run", "qimen.Handler.Work"},
		want: "cannot be read",
		run: func(_ *testing.T, s *leakStage) []any {
			return handled(s, func(i *durable.Item) {
				i.Data = []byte(`{"header":` + jsonText(markPush.text) + `,"body":` + jsonText(markPush.text) + `}`)
			}, serving(quoting)...)
		},
	}}
}

// A changedStore stores something else.
type changedStore struct {
	*durable.MemoryStore
	change func(*durable.Item)
}

func (s *changedStore) Add(ctx context.Context, item *durable.Item) (*durable.Item, error) {
	other := *item
	s.change(&other)
	return s.MemoryStore.Add(ctx, &other)
}
