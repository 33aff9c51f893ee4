package storetest

import "github.com/fliggy-go/rentcar/qimen"

func gateAnotherClaims(k *gateKit) {
	m := newMessage("a")
	c := k.new(m, false, "no process has seen it")
	k.beginAt(k.another, m, qimen.ClaimRunning, "another process has claimed it")
	k.abandon(c)
	k.newAt(k.another, m, false, "another process has abandoned it")
	k.begin(m, qimen.ClaimRunning, "another process has claimed it")
}

func gateAnotherReplies(k *gateKit) {
	m := newMessage("a")
	k.finish(k.new(m, false, "no process has seen it"), replyOf("a"))
	k.finishedAt(k.another, m.repeat(), replyOf("a"), "another process has finished it")
}

func gateAnotherSignatures(k *gateKit) {
	m, b := newMessage("a"), newMessage("b")
	c := k.new(m, false, "no process has seen it")
	k.beginAt(k.another, b.signed(m), qimen.ClaimRecut, "the signature belongs to a message that came to another process")
	k.abandon(c)
	k.newAt(k.another, b.signed(m), false, "another process has abandoned the message that had the signature")
	k.begin(m, qimen.ClaimRecut, "the signature belongs to a message that came to another process")
}

func gateAnotherConflicts(k *gateKit) {
	m := newMessage("a")
	k.new(m, false, "no process has seen it")
	k.newAt(k.another, m.with("other"), true, "another process has claimed the key with another digest")
	finished := newMessage("finished")
	k.finish(k.new(finished, false, "no process has seen it"), replyOf("a"))
	k.newAt(k.another, finished.with("other"), true, "another process has finished the key with another digest")
}

// gateAnotherAtOnce has the checks of races once more, spread over two processes.
func gateAnotherAtOnce(k *gateKit) {
	gateAtOnce(k)
	gateConflictAtOnce(k)
	gateSignatureAtOnce(k)
}

func gateLeaseRunsOut(k *gateKit) {
	m := newMessage("a")
	k.new(m, false, "the gate has not seen it")
	c := k.newAgain(m, "a claim whose process died can be claimed again")
	if c.IsConflict {
		k.Errorf("Begin gives IsConflict for a message that was claimed before; want none")
	}
	k.newAgain(m, "a second claim whose process died can be claimed again")
	k.noConflictLater(m, "a claim whose process died is no conflict later")
}

// noConflictLater waits until other contents of a message are none with it.
func (k *gateKit) noConflictLater(m message, why string) {
	k.Helper()
	k.eventually(func(n int) bool {
		m := m.with(name("content", n))
		c, err := k.Begin(k.ctx, m.key, m.digest, m.signature)
		if err != nil || c.State != qimen.ClaimNew {
			k.Fatalf("Begin of another digest gives state %s and the error %v; want new", c.State, err)
		}
		k.abandon(filled(c, m))
		return !c.IsConflict
	}, why)
}

// gateLeaseFinish does not look at the error of the Finish that comes too late: it may say so, or do nothing.
func gateLeaseFinish(k *gateKit) {
	for n := range 3 {
		m := newMessage(name("message", n))
		old := k.new(m, false, "the gate has not seen it")
		k.newAgain(m, "a claim whose process died can be claimed again")
		_ = k.Finish(k.ctx, old, replyOf("old"))
		c, err := k.Begin(k.ctx, m.key, m.digest, m.signature)
		if err != nil || c.State == qimen.ClaimFinished {
			k.Fatalf("Finish of a claim that has run out, while another holds the message, has made its state %s (error %v); "+
				"want it unfinished", c.State, err)
		}
	}
	// Nor does it keep the other from finishing.
	k.eventually(func(n int) bool {
		m := newMessage(name("other", n))
		old := k.new(m, false, "the gate has not seen it")
		c := k.newAgain(m, "a claim whose process died can be claimed again")
		_ = k.Finish(k.ctx, old, replyOf("old"))
		if err := k.Finish(k.ctx, c, replyOf("new")); err != nil {
			return false // it may have run out too
		}
		k.finished(m, replyOf("new"), "Finish gave no error")
		return true
	}, "Finish works for the second claim, after Finish of the first which has run out")
}

func gateLeaseAbandon(k *gateKit) {
	k.eventually(func(n int) bool {
		m := newMessage(name("message", n))
		old := k.new(m, false, "the gate has not seen it")
		k.newAgain(m, "a claim whose process died can be claimed again")
		_ = k.Abandon(k.ctx, old)
		c, err := k.Begin(k.ctx, m.key, m.digest, m.signature)
		if err != nil {
			k.Fatalf("Begin: %v", err)
		}
		return c.State == qimen.ClaimRunning // if not, the second one may have run out too
	}, "a message is still running by its second claim, after Abandon of the first which has run out")
}

func gateLeaseSignature(k *gateKit) {
	m := newMessage("a")
	old := k.new(m, false, "the gate has not seen it")
	k.newAgain(m, "a claim whose process died can be claimed again")
	_ = k.Abandon(k.ctx, old)
	k.begin(newMessage("b").signed(m), qimen.ClaimRecut,
		"the signature belongs to the message, whose first claim has run out and was abandoned then")
}

// gateLeaseIsNotAge measures the time by another claim.
func gateLeaseIsNotAge(k *gateKit) {
	var m message
	k.eventually(func(n int) bool {
		m = newMessage(name("message", n))
		return k.Finish(k.ctx, k.new(m, false, "the gate has not seen it"), replyOf("a")) == nil
	}, "a message is finished before its claim runs out")
	other := newMessage("other")
	k.new(other, false, "the gate has not seen it")
	k.newAgain(other, "a claim whose process died can be claimed again")
	k.begin(newMessage("b").signed(m), qimen.ClaimRecut, "a signature is kept for longer than a claim")
	k.finished(m, replyOf("a"), "a reply is kept for longer than a claim")
}

func gateAgeOfReplies(k *gateKit) {
	m := newMessage("a")
	k.finish(k.new(m, false, "the gate has not seen it"), replyOf("a"))
	c := k.newAgain(m.repeat(), "a reply is forgotten, and the message is new")
	if c.IsConflict {
		k.Errorf("Begin gives IsConflict for a message that was finished before; want none")
	}
	k.finish(c, replyOf("again"))
	k.newAgain(m.repeat(), "the second reply is forgotten too")
}

func gateAgeOfConflicts(k *gateKit) {
	m := newMessage("a")
	k.finish(k.new(m, false, "the gate has not seen it"), replyOf("a"))
	k.noConflictLater(m, "a finished message is forgotten, and no conflict any more")
}

func gateAgeOfSignatures(k *gateKit) {
	m := newMessage("a")
	k.finish(k.new(m, false, "the gate has not seen it"), replyOf("a"))
	k.eventually(func(n int) bool {
		m := newMessage(name("other", n)).signed(m)
		c, err := k.Begin(k.ctx, m.key, m.digest, m.signature)
		if err != nil || c.State != qimen.ClaimNew && c.State != qimen.ClaimRecut {
			k.Fatalf("Begin gives state %s and the error %v; want recut, and new in the end", c.State, err)
		}
		return c.State == qimen.ClaimNew
	}, "a signature is forgotten, and another message may have it")
}
