package qimen

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A gateModel is a MemoryGate that forgets nothing: what is finished, in order, and
// what runs. What the gate has to know is what is young enough and among the last
// half of its size; what it may know is all that is young enough.
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

// known tells what a gate must and may know: the reply of a message that is finished,
// and whether another message has its key.
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
		gate, err := NewMemoryGate(GateAge(m.age), GateSize(m.size), GateClock(func() time.Time { return m.now }))
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
