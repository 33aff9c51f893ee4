package storetest

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/fliggy-go/rentcar/qimen"
)

func gateNew(k *gateKit) {
	for _, id := range []string{"a", "A", "a ", "b"} {
		k.new(newMessage(id), false, "the gate has not seen it")
	}
}

func gateRunning(k *gateKit) {
	m := newMessage("a")
	k.new(m, false, "the gate has not seen it")
	for range 2 {
		k.begin(m, qimen.ClaimRunning, "it is claimed")
		k.begin(m.repeat(), qimen.ClaimRunning, "it is claimed, and signed anew")
	}
}

func gateFinished(k *gateKit) {
	a, b := newMessage("a"), newMessage("b")
	k.finish(k.new(a, false, "the gate has not seen it"), replyOf("a"))
	k.finish(k.new(b, false, "the gate has not seen it"), replyOf("b"))
	for range 2 {
		k.finished(a, replyOf("a"), "it is finished")
		k.finished(b.repeat(), replyOf("b"), "it is finished")
	}
}

func gateReplies(k *gateKit) {
	odd := make([]byte, 0, 512)
	for c := range 256 {
		odd = append(odd, byte(c), byte(255-c))
	}
	for id, reply := range map[string]qimen.Reply{
		"no body": {Status: 204},
		"empty":   {Status: 200, ContentType: "text/plain", Body: []byte{}},
		"zero":    {Status: 200, ContentType: "text/plain", Body: []byte{0}},
		"odd":     {Status: 599, ContentType: "application/octet-stream", Body: odd},
		"text": {
			Status: 500, ContentType: `text/plain; charset="gbk"`, Body: []byte("取车 'a' \"b\" \\ \r\n %s ? $1 ;-- <&>"),
		},
		"not UTF-8": {Status: 200, ContentType: "text/plain;charset=gbk", Body: []byte("a\xff\xfe")},
		"big":       {Status: 200, ContentType: "text/plain", Body: bytes.Repeat([]byte("0123456789abcdef"), 1<<16)},
	} {
		m := newMessage(id)
		k.finish(k.new(m, false, "the gate has not seen it"), reply)
		k.finished(m, reply, id)
	}
}

func gateReplyTaken(k *gateKit) {
	m, reply := newMessage("a"), replyOf("a")
	k.finish(k.new(m, false, "the gate has not seen it"), reply)
	copy(reply.Body, "XXXXXXXX")
	k.finished(m, replyOf("a"), "what the caller of Finish did to its reply later changes nothing")
}

func gateReplyGiven(k *gateKit) {
	m := newMessage("a")
	k.finish(k.new(m, false, "the gate has not seen it"), replyOf("a"))
	copy(k.finished(m, replyOf("a"), "it is finished").Reply.Body, "XXXXXXXX")
	k.finished(m, replyOf("a"), "what the caller of Begin did to the reply changes nothing")
}

func gateAbandoned(k *gateKit) {
	a, b := newMessage("a"), newMessage("b")
	c := k.new(a, false, "the gate has not seen it")
	other := k.new(b, false, "the gate has not seen it")
	for range 3 {
		k.abandon(c)
		c = k.new(a.repeat(), false, "it was abandoned")
		k.begin(a, qimen.ClaimRunning, "it is claimed again")
		k.begin(b, qimen.ClaimRunning, "another message was abandoned")
	}
	k.finish(c, replyOf("a"))
	k.finish(other, replyOf("b"))
	k.finished(a, replyOf("a"), "it is finished in the end")
}

func gateConflictRunning(k *gateKit) {
	m := newMessage("a")
	k.new(m, false, "the gate has not seen it")
	k.new(m.with("other"), true, "the key is claimed with another digest")
	k.new(m.with("third"), true, "the key is claimed with two other digests")
	k.begin(m, qimen.ClaimRunning, "a claim of another digest leaves it")
}

func gateConflictFinished(k *gateKit) {
	m, other := newMessage("a"), newMessage("a").with("other")
	k.finish(k.new(m, false, "the gate has not seen it"), replyOf("a"))
	k.finish(k.new(other, true, "the key is finished with another digest"), replyOf("other"))
	k.finished(m, replyOf("a"), "it has its own reply")
	k.finished(other, replyOf("other"), "it has its own reply")
	k.new(m.with("third"), true, "the key is finished with two other digests")
}

func gateConflictAbandoned(k *gateKit) {
	m := newMessage("a")
	k.abandon(k.new(m, false, "the gate has not seen it"))
	k.new(m.with("other"), false, "the message with another digest was abandoned, and forgotten")
}

func gateConflictsApart(k *gateKit) {
	m, other := newMessage("a"), newMessage("a").with("other")
	first := k.new(m, false, "the gate has not seen it")
	k.abandon(k.new(other, true, "the key is claimed with another digest"))
	k.begin(m, qimen.ClaimRunning, "the message with another digest was abandoned, and not this one")
	second := k.new(other, true, "the key is claimed with another digest")
	k.finish(first, replyOf("a"))
	k.begin(other, qimen.ClaimRunning, "the message with another digest is finished, and not this one")
	k.abandon(second)
	k.finished(m, replyOf("a"), "the message with another digest was abandoned, and not this one")
}

func gateRecut(k *gateKit) {
	m := newMessage("a")
	k.new(m, false, "the gate has not seen it")
	for range 2 {
		k.begin(newMessage("b").signed(m), qimen.ClaimRecut, "the signature belongs to a message with another key")
		k.begin(m.with("other").signed(m), qimen.ClaimRecut, "the signature belongs to a message with another digest")
		both := newMessage("c")
		both.digest = m.digest
		k.begin(both.signed(m), qimen.ClaimRecut, "the signature belongs to a message with another key and this digest")
	}
}

func gateRecutClaimsNothing(k *gateKit) {
	m, b, other := newMessage("a"), newMessage("b"), newMessage("a").with("other")
	c := k.new(m, false, "the gate has not seen it")
	k.begin(b.signed(m), qimen.ClaimRecut, "the signature belongs to another message")
	k.begin(other.signed(m), qimen.ClaimRecut, "the signature belongs to another message")
	k.new(b, false, "the message that was recut was not claimed")
	k.abandon(c)
	k.new(m, false, "the message that was recut was not claimed, and is no conflict")
}

func gateRecutFinished(k *gateKit) {
	m, b := newMessage("a"), newMessage("b")
	k.finish(k.new(m, false, "the gate has not seen it"), replyOf("a"))
	k.begin(b.signed(m), qimen.ClaimRecut, "the signature belongs to a message that is finished")
	k.finished(m.repeat(), replyOf("a"), "it is finished")
	k.begin(b.signed(m.repeat()), qimen.ClaimRecut, "the signature belongs to a repeat of another message")
}

func gateSameSignature(k *gateKit) {
	m := newMessage("a")
	c := k.new(m, false, "the gate has not seen it")
	k.begin(m, qimen.ClaimRunning, "the signature is its own")
	k.abandon(c)
	c = k.new(m, false, "it was abandoned, and the signature is its own")
	k.finish(c, replyOf("a"))
	k.finished(m, replyOf("a"), "the signature is its own")
	k.begin(newMessage("b").signed(m), qimen.ClaimRecut, "the signature belongs to another message")
	k.finished(m, replyOf("a"), "the signature is still its own")
}

func gateAbandonFrees(k *gateKit) {
	m, kept := newMessage("a"), newMessage("kept")
	k.new(kept, false, "the gate has not seen it")
	k.abandon(k.new(m, false, "the gate has not seen it"))
	k.new(newMessage("b").signed(m), false, "the message that had the signature was abandoned")
	k.begin(m, qimen.ClaimRecut, "the signature belongs to another message now")
	k.begin(newMessage("c").signed(kept), qimen.ClaimRecut, "the signature of another message was not forgotten")
}

func gateAbandonKeeps(k *gateKit) {
	m := newMessage("a")
	c := k.new(m, false, "the gate has not seen it")
	c.Signature = ""
	k.abandon(c)
	k.begin(newMessage("b").signed(m), qimen.ClaimRecut, "Abandon without the signature does not forget it")
	k.new(m, false, "it was abandoned, and has its signature")
}

func gateNoSignature(k *gateKit) {
	a, b := newMessage("a"), newMessage("b")
	a.signature, b.signature = "", ""
	c := k.new(a, false, "no signature belongs to nobody")
	k.finish(k.new(b, false, "no signature belongs to nobody"), replyOf("b"))
	k.begin(a, qimen.ClaimRunning, "it is claimed")
	k.abandon(c)
	k.new(a, false, "it was abandoned")
	k.finished(b, replyOf("b"), "it is finished")
}

// gateNames has keys of any length and bytes, and digests and signatures of any length.
func gateNames(k *gateKit) {
	var every strings.Builder
	for c := range 256 {
		every.WriteByte(byte(c))
	}
	long := strings.Repeat("x", 4999)
	keys := []string{
		"", "\x00", every.String(), long, long + "x", long + "y", "a", "A", "a ", "á", "%", "_", "*", "a\x00", "a\xff", "{a}",
	}
	hex := []string{"0", "00", strings.Repeat("0", 64), strings.Repeat("0", 300), strings.Repeat("0", 299) + "1"}
	var all []message
	for _, key := range keys {
		all = append(all, message{key, digest(nil), digest([]byte(key))})
	}
	for _, d := range hex {
		all = append(all, message{"digests/" + d, d, digest([]byte("d" + d))}, message{"signatures/" + d, digest(nil), d})
	}
	// Those run together when joined.
	all = append(all, message{"join", "abcd", digest([]byte("1"))}, message{"joinab", "cd", digest([]byte("2"))},
		message{"join/ab", "cd", digest([]byte("3"))}, message{"join:ab", "cd", digest([]byte("4"))})
	for i, m := range all {
		k.finish(k.new(m, false, "the gate has not seen it"), replyOf(name("message", i)))
	}
	for i, m := range all {
		k.finished(m, replyOf(name("message", i)), "it has its own reply")
		k.begin(newMessage("other").signed(m), qimen.ClaimRecut, "the signature belongs to another message")
	}
	m := newMessage("of many digests")
	for i, d := range hex {
		m.digest, m.signature = d, digest([]byte(name("signature", i)))
		k.new(m, i > 0, "the key has as many digests as were tried")
	}
}

func gateAtOnce(k *gateKit) {
	for n := range 5 {
		m := newMessage(name("message", n))
		list := slices.Repeat([]message{m}, 100)
		for i := range list[:50] {
			list[i] = m.repeat()
		}
		if _, count := k.states(list); count[qimen.ClaimNew] != 1 || count[qimen.ClaimRunning] != len(list)-1 {
			k.Errorf("%d concurrent calls of Begin with one message give %d times new and %d times running; want new once, "+
				"and running for all others", len(list), count[qimen.ClaimNew], count[qimen.ClaimRunning])
		}
	}
}

func gateConflictAtOnce(k *gateKit) {
	for n := range 20 {
		m := newMessage(name("conflict", n))
		list := []message{m, m.with("second")}
		for more := range n {
			list = append(list, m.with(name("content", more)))
		}
		claims, count := k.states(list)
		conflicts := 0
		for _, c := range claims {
			if c.IsConflict {
				conflicts++
			}
		}
		if count[qimen.ClaimNew] != len(list) || conflicts != len(list)-1 {
			k.Fatalf("%d concurrent calls of Begin with as many digests of one key give %d times new and %d conflicts; "+
				"want all new, and a conflict for all but that which came first", len(list), count[qimen.ClaimNew], conflicts)
		}
	}
}

func gateSignatureAtOnce(k *gateKit) {
	for n := range 20 {
		m := newMessage(name("signed", n))
		list := []message{m, newMessage(name("other", n)).signed(m), m.with("third").signed(m)}
		if _, count := k.states(list); count[qimen.ClaimNew] != 1 || count[qimen.ClaimRecut] != 2 {
			k.Fatalf("%d messages with one signature at once give %d times new and %d times recut; want new once, and recut "+
				"for the others", len(list), count[qimen.ClaimNew], count[qimen.ClaimRecut])
		}
	}
}

// gateRepeatsAtOnce abandons a message again and again while its repeats come.
func gateRepeatsAtOnce(k *gateKit) {
	const callers, rounds = 8, 10
	m := newMessage("a")
	atOnce(callers, func(caller int) {
		for range rounds {
			m := m
			if caller%2 == 0 {
				m = m.repeat()
			}
			c, err := k.Begin(k.ctx, m.key, m.digest, m.signature)
			if err != nil {
				k.Errorf("Begin beside others of the same message: %v", err)
				return
			}
			if c.State != qimen.ClaimNew {
				continue
			}
			if err := k.Abandon(k.ctx, filled(c, m)); err != nil {
				k.Errorf("Abandon beside repeats of the message: %v", err)
			}
		}
	})
	k.new(m, false, "it was abandoned by all")
}

func gateMessagesAtOnce(k *gateKit) {
	const callers, rounds = 16, 10
	atOnce(callers, func(caller int) {
		for n := range rounds {
			m := newMessage(name(name("message", caller), n))
			c, err := k.Begin(k.ctx, m.key, m.digest, m.signature)
			if err != nil || c.State != qimen.ClaimNew || c.IsConflict {
				k.Errorf("Begin of a new message beside others gives state %s, IsConflict %v and the error %v; want new",
					c.State, c.IsConflict, err)
				continue
			}
			c = filled(c, m)
			if n%2 == 0 {
				err = k.Finish(k.ctx, c, replyOf(m.key))
			} else {
				err = k.Abandon(k.ctx, c)
			}
			if err != nil {
				k.Errorf("the end of a claim beside others: %v", err)
			}
		}
	})
	for caller := range callers {
		for n := range rounds {
			m := newMessage(name(name("message", caller), n))
			if n%2 == 0 {
				k.finished(m, replyOf(m.key), "it is finished")
			} else {
				k.new(m, false, "it was abandoned")
			}
		}
	}
}

// gateContextOver lets a gate do its work or fail, but not both.
func gateContextOver(k *gateKit) {
	over, cancel := context.WithCancel(k.ctx)
	cancel()
	m := newMessage("a")
	c, err := k.Begin(over, m.key, m.digest, m.signature)
	switch {
	case err != nil:
		k.new(newMessage("b").signed(m), false, "Begin gave an error, so that the signature belongs to nobody")
		k.new(m.with("other"), false, "Begin gave an error, and has claimed nothing")
	case c.State != qimen.ClaimNew:
		k.Errorf("Begin whose context is over gives state %s and no error; want an error, or new", c.State)
	default:
		k.begin(m, qimen.ClaimRunning, "Begin gave no error, though its context is over, and has claimed it")
	}
	m = newMessage("finished")
	if err := k.Finish(over, k.new(m, false, "the gate has not seen it"), replyOf("a")); err == nil {
		k.finished(m, replyOf("a"), "Finish gave no error, though its context is over")
	}
	m = newMessage("abandoned")
	if err := k.Abandon(over, k.new(m, false, "the gate has not seen it")); err == nil {
		k.new(m, false, "Abandon gave no error, though its context is over")
	}
}
