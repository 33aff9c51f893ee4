package qimen

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"weak"

	"pgregory.net/rapid"
)

func TestMemoryGateConfig(t *testing.T) {
	t.Parallel()
	const errAge = "qimen: MemoryGateConfig.Age: must not be negative"
	const errSize = "qimen: MemoryGateConfig.Size: must be at least 2, or 0 for the default"
	for name, c := range map[string]struct {
		config MemoryGateConfig
		err    string
	}{
		"negative age": {MemoryGateConfig{Age: -time.Hour}, errAge},
		"size 1":       {MemoryGateConfig{Size: 1}, errSize},
		"size -1":      {MemoryGateConfig{Size: -1}, errSize},
		"both":         {MemoryGateConfig{Age: -1, Size: -1}, errAge + "\n" + errSize},
	} {
		if g, err := NewMemoryGate(c.config); err == nil || err.Error() != c.err || g != nil {
			t.Errorf("%s: %v, %v", name, g, err)
		}
	}
	g, err := NewMemoryGate(MemoryGateConfig{})
	if err != nil || g.age != 24*time.Hour || g.size != 100_000 || g.now == nil {
		t.Errorf("%v, %v", g, err)
	}
}

// A handler takes no gate that forgets while a recorded push still passes.
func TestHandlerGateAge(t *testing.T) {
	t.Parallel()
	gate := func(age time.Duration) *MemoryGate {
		g, err := NewMemoryGate(MemoryGateConfig{Age: age})
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	for _, c := range []struct {
		opts []Option
		err  string
	}{
		{[]Option{WithGate(gate(20 * time.Minute))}, ""},
		{
			[]Option{WithGate(gate(20*time.Minute - 1))},
			"qimen: WithGate: it forgets after 19m59.999999999s: use at least 20m0s, twice the window, since a push can be " +
				"repeated that long",
		},
		{[]Option{WithGate(gate(time.Hour)), WithWindow(31 * time.Minute)}, "twice the window"},
		{[]Option{WithWindow(31 * time.Minute), WithGate(gate(time.Hour))}, "twice the window"},
		{[]Option{WithWindow(30 * time.Minute), WithGate(gate(time.Hour))}, ""},
		{[]Option{WithWindow(240 * time.Hour)}, ""}, // the default grows with the window
		{[]Option{WithWindow(240 * time.Hour), WithoutGate()}, ""},
		{[]Option{WithGate(&stubGate{})}, ""}, // its age is its own affair
		{[]Option{WithGate(nil)}, "WithGate: the gate is nil: use WithoutGate to have none"},
	} {
		var f office
		_, err := NewHandler(testSecrets, append(f.options(), c.opts...)...)
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%v, want %q", err, c.err)
		}
	}
	var f office
	h := f.handler(t, WithWindow(240*time.Hour))
	if g := h.gate.(*MemoryGate); g.age != 480*time.Hour || !g.now().Equal(testNow) {
		t.Errorf("%v", g)
	}
	if h := f.handler(t, WithoutGate()); h.gate != nil {
		t.Errorf("%v", h.gate)
	}
}

// Without a gate every push runs, and is named all the same.
func TestHandlerWithoutGate(t *testing.T) {
	t.Parallel()
	var f office
	h := f.handler(t, WithoutGate())
	for method, body := range actingBodies {
		p, before := pushOf(t, method, body), f.count()
		for range 3 {
			h.Handle(t.Context(), p)
		}
		if f.count() != before+3 || f.runs[before].Key == "" || f.runs[before].Key != f.runs[before+2].Key ||
			f.last().IsRepeat || f.last().Reason != ReasonAccepted {
			t.Errorf("%s: %d runs, observed %+v", method, f.count()-before, f.last())
		}
	}
}

// fill finishes n messages, and gives one of the stored bodies.
func fill(t *testing.T, g *MemoryGate, from, n int) {
	t.Helper()
	for i := from; i < from+n; i++ {
		c, err := g.Begin(t.Context(), "key "+strconv.Itoa(i), "digest", "")
		if err != nil || c.State != ClaimNew {
			t.Fatalf("%d: %+v, %v", i, c, err)
		}
		if err := g.Finish(t.Context(), c, Reply{Status: 200, Body: bytes.Repeat([]byte("x"), 1000)}); err != nil {
			t.Fatal(err)
		}
	}
}

// What is too old leaves the memory, with the maps that held it.
func TestMemoryGateGivesBack(t *testing.T) {
	t.Parallel()
	now := testNow
	g, err := NewMemoryGate(MemoryGateConfig{Age: time.Hour, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, g, 0, 5000)
	if g.Len() != 5000 {
		t.Fatalf("%d replies", g.Len())
	}
	body := weak.Make(&g.replies.young["key 7"][0].reply.Body[0])
	now = now.Add(time.Hour + 1) // still there, but for nobody
	if c, err := g.Begin(t.Context(), "key 7", "digest", ""); err != nil || c.State != ClaimNew {
		t.Fatalf("%+v, %v", c, err)
	}
	now = now.Add(time.Hour + 1)
	if g.Len() != 0 || len(g.replies.old) != 0 || len(g.replies.young) != 0 || len(g.running) != 1 {
		t.Errorf("%d replies, %d and %d keys, %d running", g.Len(), len(g.replies.young), len(g.replies.old), len(g.running))
	}
	for range 3 {
		runtime.GC()
	}
	if body.Value() != nil {
		t.Error("a reply is still held")
	}
	if err := g.Abandon(t.Context(), Claim{Key: "key 7", Digest: "digest"}); err != nil || len(g.running) != 0 {
		t.Errorf("%v, %d running", err, len(g.running))
	}
}

// With more than its size the gate forgets the oldest, half of it at most.
func TestMemoryGateSize(t *testing.T) {
	t.Parallel()
	for _, age := range []time.Duration{time.Hour, math.MaxInt64} {
		g, err := NewMemoryGate(MemoryGateConfig{Size: 100, Age: age, Now: fixedClock})
		if err != nil {
			t.Fatal(err)
		}
		most := 0
		for n := 1; n <= 1000; n++ {
			fill(t, g, n, 1)
			most = max(most, g.Len())
			if c, _ := g.Begin(t.Context(), "key "+strconv.Itoa(max(1, n-49)), "digest", ""); c.State != ClaimFinished {
				t.Fatalf("age %v: the last but 49 is forgotten after %d", age, n)
			}
		}
		if most > 100 || most < 50 {
			t.Errorf("%d replies at most", most)
		}
		if c, _ := g.Begin(t.Context(), "key 1", "digest", ""); c.State != ClaimNew {
			t.Errorf("the first is still there: %+v", c)
		}
	}
}

// A clock that is set back, or jumps ahead and back, loses no claim and holds no more than the size.
func TestMemoryGateClockSetBack(t *testing.T) {
	t.Parallel()
	now := testNow
	g, err := NewMemoryGate(MemoryGateConfig{Size: 10, Age: time.Hour, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	running, _ := g.Begin(t.Context(), "running", "digest", "")
	fill(t, g, 0, 1)
	for i, at := range []time.Duration{-2 * time.Hour, 30 * 24 * time.Hour, 0, math.MinInt64, math.MaxInt64, -time.Hour} {
		now = testNow.Add(at)
		if i == 0 {
			if c, _ := g.Begin(t.Context(), "key 0", "digest", ""); c.State != ClaimFinished {
				t.Errorf("set back, it forgets: %+v", c)
			}
		}
		if c, _ := g.Begin(t.Context(), "running", "digest", ""); c.State != ClaimRunning {
			t.Errorf("%v: %+v", at, c)
		}
		fill(t, g, 100*(i+1), 20)
		if g.Len() > 10 {
			t.Errorf("%v: %d replies", at, g.Len())
		}
	}
	if err := g.Finish(t.Context(), running, Reply{Status: 200}); err != nil {
		t.Fatal(err)
	}
	if c, _ := g.Begin(t.Context(), "running", "digest", ""); c.State != ClaimFinished {
		t.Errorf("%+v", c)
	}
}

// Whoever holds a copy of a reply cannot change what repeats get.
func TestStoredReplyIsKept(t *testing.T) {
	t.Parallel()
	for method, body := range actingBodies {
		var f office
		h := f.handler(t)
		p := pushOf(t, method, body)
		first := h.Handle(t.Context(), p)
		want := string(first.Body)
		clear(first.Body)
		for range 3 {
			r := h.Handle(t.Context(), p)
			if string(r.Body) != want {
				t.Fatalf("%s: %q, want %s", method, r.Body, want)
			}
			clear(r.Body)
		}
		if string(
			DefaultReplies()[ReasonAccepted].Body,
		) != bodyAccepted || string(h.replies[ReasonAccepted].Body) != bodyAccepted {
			t.Errorf("%s: the table has changed", method)
		}
	}
}

// No printer reaches what the gate holds, nor races with those who use it.
func TestMemoryGatePrints(t *testing.T) {
	t.Parallel()
	g, err := NewMemoryGate(MemoryGateConfig{Size: 50})
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for w := range 4 {
		wait.Go(func() {
			for i := range 200 {
				c, err := g.Begin(context.Background(), fmt.Sprintf("m4rk3d-%d", (i+w)%60), "m4rk3d", "")
				if err == nil && c.State == ClaimNew {
					err = g.Finish(context.Background(), c, Reply{Status: 200, Body: []byte("m4rk3d")})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	var text string
	for range 20 {
		text += printed(g)
	}
	wait.Wait()
	text += printed(g)
	if strings.Contains(text, "m4rk3d") || strings.Contains(text, fmt.Sprintf("%x", "m4rk3d")) || !strings.Contains(
		text, "MemoryGate(up to 50 replies for 24h0m0s)",
	) {
		t.Errorf("%s", text)
	}
	if got := fmt.Sprintf("%#v", g); got != g.String() {
		t.Errorf("%s", got)
	}
}

// Any number of users at once: of each message one at a time is claimed.
func TestMemoryGateConcurrent(t *testing.T) {
	t.Parallel()
	const messages, users, rounds = 5, 8, 300
	g, err := NewMemoryGate(MemoryGateConfig{Size: 4, Age: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	held := map[string]bool{}
	hold := func(key string, is bool) {
		mu.Lock()
		defer mu.Unlock()
		if held[key] == is {
			t.Errorf("%s is claimed twice", key)
		}
		held[key] = is
	}
	var wait sync.WaitGroup
	for u := range users {
		wait.Go(func() {
			for i := range rounds {
				key := fmt.Sprint("key ", (i*7+u)%messages)
				c, err := g.Begin(context.Background(), key, "digest", "")
				if err != nil || c.State != ClaimNew {
					continue
				}
				hold(key, true)
				hold(key, false)
				if i%3 == 0 {
					_ = g.Abandon(context.Background(), c)
				} else {
					_ = g.Finish(context.Background(), c, Reply{Status: 200})
				}
			}
		})
	}
	wait.Wait()
	if len(g.running) != 0 || g.Len() > 4 {
		t.Errorf("%d running, %d replies", len(g.running), g.Len())
	}
}

// Signatures are remembered as long and as many as replies are: the age and the size of the gate hold for both. (It was
// 50,000 at least, whatever the gate was told.)
func TestMemoryGateSignatures(t *testing.T) {
	t.Parallel()
	now := testNow
	gate := func(t *testing.T, config MemoryGateConfig) *MemoryGate {
		config.Now = func() time.Time { return now }
		g, err := NewMemoryGate(config)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	state := func(g *MemoryGate, digest, signature string) ClaimState {
		c, err := g.Begin(t.Context(), "key of "+signature, digest, signature)
		if err != nil || c.Signature != signature {
			t.Fatalf("%+v, %v", c, err)
		}
		return c.State
	}
	for _, size := range []int{2, 10, 1000, 60_000} {
		g := gate(t, MemoryGateConfig{Size: size})
		for n := range size + size/2 {
			if got := state(g, "one", strconv.Itoa(n)); got != ClaimNew {
				t.Fatalf("size %d: %d is %v", size, n, got)
			}
			if got := state(g, "other", strconv.Itoa(max(0, n-size/2+1))); got != ClaimRecut {
				t.Fatalf("size %d: after %d others: %v", size, size/2-1, got)
			}
		}
		if n := len(g.signed.young) + len(g.signed.old); n > size {
			t.Errorf("size %d: %d signatures", size, n)
		}
	}
	g := gate(t, MemoryGateConfig{Age: time.Hour})
	if got := state(g, "one", "a"); got != ClaimNew {
		t.Errorf("%v", got)
	}
	now = now.Add(time.Hour)
	if got := state(g, "other", "a"); got != ClaimRecut {
		t.Errorf("within its age: %v", got)
	}
	now = now.Add(2*time.Hour + 2)
	if got := state(g, "other", "a"); got != ClaimNew {
		t.Errorf("a signature is remembered for good: %v", got)
	}
	now = now.Add(3 * time.Hour)
	if g.Len(); len(g.signed.young)+len(g.signed.old) != 0 {
		t.Error("memory is kept")
	}
}

// Abandon forgets a signature, unless the claim has none any more.
func TestMemoryGateAbandonsSignatures(t *testing.T) {
	t.Parallel()
	g, err := NewMemoryGate(MemoryGateConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		keep bool
		want ClaimState
	}{{true, ClaimRecut}, {false, ClaimNew}} {
		sign := fmt.Sprint(c.keep)
		claim, _ := g.Begin(t.Context(), "key", "one "+sign, sign)
		if c.keep {
			claim.Signature = ""
		}
		if err := g.Abandon(t.Context(), claim); err != nil {
			t.Fatal(err)
		}
		if again, _ := g.Begin(t.Context(), "key", "other "+sign, sign); again.State != c.want {
			t.Errorf("keep %t: %v", c.keep, again.State)
		}
	}
}

// A gateModel is a MemoryGate that forgets nothing: what is finished, in order, and what runs. What the gate has to
// know is what is young enough and among the last half of its size; what it may know is all that is young enough.
type gateModel struct {
	gate     *MemoryGate
	age      time.Duration
	size     int
	now      time.Time
	running  map[gateMessage]Claim
	finished []modelReply
	replies  int
}

type gateMessage struct{ key, digest string }

type modelReply struct {
	gateMessage
	body string
	at   time.Time
}

func (m *gateModel) draw(t *rapid.T) gateMessage {
	of := rapid.SampledFrom([]string{"a", "b", "c"})
	return gateMessage{"key " + of.Draw(t, "key"), "digest " + of.Draw(t, "digest")}
}

// known returns what a gate must and may know: the reply of a message that is finished, and whether another message has
// its key.
func (m *gateModel) known(of gateMessage) (body string, must, may, mustConflict, mayConflict bool) {
	for i, f := range m.finished {
		isYoung := m.now.Sub(f.at) <= m.age
		isLate := len(m.finished)-i <= m.size/2
		switch {
		case f.key != of.key || !isYoung:
		case f.digest == of.digest:
			body, must, may = f.body, isLate, true // the last one counts
		default:
			mayConflict = true
			mustConflict = mustConflict || isLate
		}
	}
	for r := range m.running {
		if r.key == of.key && r.digest != of.digest {
			mustConflict, mayConflict = true, true
		}
	}
	return body, must, may, mustConflict, mayConflict
}

func (m *gateModel) begin(t *rapid.T) {
	of := m.draw(t)
	c, err := m.gate.Begin(context.Background(), of.key, of.digest, "")
	if err != nil || c.Key != of.key || c.Digest != of.digest || c.Token != "" {
		t.Fatalf("%+v, %v", c, err)
	}
	body, must, may, mustConflict, mayConflict := m.known(of)
	_, isRunning := m.running[of]
	switch c.State {
	case ClaimRunning:
		if !isRunning || c.IsConflict {
			t.Fatalf("%v runs: %+v", of, c)
		}
	case ClaimFinished:
		if isRunning || !may || string(c.Reply.Body) != body || c.IsConflict {
			t.Fatalf("%v is finished: %+v, want %q", of, c, body)
		}
		clear(c.Reply.Body) // the gate's own stays
	case ClaimNew:
		if isRunning || must || c.IsConflict && !mayConflict || !c.IsConflict && mustConflict {
			t.Fatalf("%v is new: %+v, conflict must %v, may %v", of, c, mustConflict, mayConflict)
		}
		m.running[of] = c
	default:
		t.Fatalf("%+v", c)
	}
}

// one draws a running message.
func (m *gateModel) one(t *rapid.T) (Claim, bool) {
	if len(m.running) == 0 {
		return Claim{}, false
	}
	of := rapid.Custom(m.draw).Filter(func(of gateMessage) bool { _, ok := m.running[of]; return ok }).Draw(t, "running")
	c := m.running[of]
	delete(m.running, of)
	return c, true
}

func (m *gateModel) finish(t *rapid.T) {
	c, ok := m.one(t)
	if !ok {
		return
	}
	m.replies++
	body := fmt.Sprint("reply ", m.replies)
	reply := Reply{Status: http.StatusOK, ContentType: "text/plain", Body: []byte(body)}
	if err := m.gate.Finish(context.Background(), c, reply); err != nil {
		t.Fatal(err)
	}
	clear(reply.Body) // the gate's own stays
	m.finished = append(m.finished, modelReply{gateMessage{c.Key, c.Digest}, body, m.now})
}

func (m *gateModel) abandon(t *rapid.T) {
	if c, ok := m.one(t); ok {
		if err := m.gate.Abandon(context.Background(), c); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMemoryGateModel compares the gate with one that forgets nothing.
func TestMemoryGateModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := &gateModel{
			age:     time.Duration(rapid.IntRange(1, 20).Draw(t, "age")),
			size:    rapid.IntRange(2, 12).Draw(t, "size"),
			now:     testNow,
			running: map[gateMessage]Claim{},
		}
		gate, err := NewMemoryGate(MemoryGateConfig{Age: m.age, Size: m.size, Now: func() time.Time { return m.now }})
		if err != nil {
			t.Fatal(err)
		}
		m.gate = gate
		t.Repeat(map[string]func(*rapid.T){
			"begin":   m.begin,
			"begin 2": m.begin,
			"finish":  m.finish,
			"abandon": m.abandon,
			"wait":    func(t *rapid.T) { m.now = m.now.Add(time.Duration(rapid.IntRange(0, 25).Draw(t, "wait"))) },
			"":        m.check,
		})
		m.now = m.now.Add(2*m.age + 2)
		if m.gate.Len() != 0 || len(m.gate.replies.old)+len(m.gate.replies.young) != 0 {
			t.Fatalf("%d replies are kept for good", m.gate.Len())
		}
	})
}

func (m *gateModel) check(t *rapid.T) {
	must := 0
	for i, f := range m.finished {
		if m.now.Sub(f.at) <= m.age && len(m.finished)-i <= m.size/2 {
			must++
		}
	}
	running := 0
	for _, digests := range m.gate.running {
		running += len(digests)
	}
	if n := m.gate.Len(); n < must || n > m.size || running != len(m.running) {
		t.Fatalf("%d replies are kept, want %d to %d; %d run, want %d", n, must, m.size, running, len(m.running))
	}
}
