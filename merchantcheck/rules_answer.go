package merchantcheck

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"time"
)

// badSignatureReply is the reply that the platform prescribes for a bad signature.
const badSignatureReply = `{"success":"false","retMessage":"Illegal request","retCode":"sign-check-failure"}`

// faultMembers are members by which a gateway, not a merchant, says that a call failed.
var faultMembers = []string{"error_response", "errorResponse", "sub_code", "flag"}

func checkEndpoint(x *trial) ([]finding, error) {
	switch {
	case x.alive:
		return nil, nil
	case !x.dead:
		return nil, errNoReply
	}
	got := "no reply of the merchant's: " + x.status() + x.summary()
	if x.res.Err != nil && x.res.Status == 0 {
		got = "it cannot be reached: " + x.unread
	}
	return []finding{{expected: "a reply of the merchant's: a JSON object that says success", got: got}}, nil
}

func checkShape(x *trial) ([]finding, error) {
	found := func(member, expected, got string, doubtful bool) ([]finding, error) {
		return []finding{{member, expected, got, doubtful}}, nil
	}
	if x.res.Err != nil {
		return found("", "an answer", x.unread, false)
	}
	if x.res.Status != http.StatusOK {
		return found("", "HTTP status 200", fmt.Sprintf("HTTP status %d with %s", x.res.Status, x.summary()), false)
	}
	if x.unread != "" {
		return found("", "a JSON object", x.unread, false)
	}
	for _, name := range faultMembers {
		if n := x.reply.member(name); n.set() && !x.yes && !x.no {
			return found(name, "success, retCode and retMessage", n.show()+": the form of a gateway's fault", false)
		}
	}
	switch {
	case !x.yes && !x.no:
		return found("success", "true or false", x.summary(), false)
	case x.no && x.kind&askPrices != 0: // the others have rules for a no
		return found("success", "true", x.summary(), x.optional)
	}
	return nil, nil
}

var errNoReply = errors.New("no reply says yes or no")

// checkNo finds fault with a no.
func checkNo(x *trial, expected string, doubtful bool) ([]finding, error) {
	switch {
	case x.no:
		return []finding{{"success", expected, x.status() + x.summary(), doubtful}}, nil
	case !x.regular():
		return nil, errNoReply
	}
	return nil, nil
}

func checkQuotedTotal(x *trial) ([]finding, error) {
	return checkNo(x, "true: "+yuan(x.total)+" is the total of the quote", x.optional)
}

func checkCancelReply(x *trial) ([]finding, error) { return checkNo(x, "true", false) }

// checkCancelRepeat. What a repeat is to get is not documented.
func checkCancelRepeat(x *trial) ([]finding, error) {
	return checkNo(x, "true, as the first time", true)
}

func checkSubmitReply(x *trial) ([]finding, error) {
	var found []finding
	if id := x.reply.member("outOrderId"); !id.set() {
		found = append(found, finding{member: id.path, expected: "your id of the renewal order", got: id.show()})
	}
	if id := x.reply.member("outOrderId"); id.set() && id.text() == x.outOrderID {
		found = append(found, finding{id.path, "the id of the new order", id.show() + ", the id of the rental", true})
	}
	created := x.reply.member("createdTime")
	if t, err := time.Parse(time.DateTime, created.text()); err != nil || t.Format(time.DateTime) != created.text() {
		found = append(found, finding{
			member: created.path, expected: "a time of the form yyyy-MM-dd HH:mm:ss", got: created.show(),
		})
	}
	return found, nil
}

// checkSubmitRepeat. What a repeat is to get is not documented, but to book twice
// what was paid once is wrong in any case.
func checkSubmitRepeat(x *trial) ([]finding, error) {
	if x.no || !x.regular() {
		return checkNo(x, "true and the outOrderId of the first time", true)
	}
	first, again := x.earlier.reply.member("outOrderId"), x.reply.member("outOrderId")
	switch {
	case !x.earlier.regular() || !first.set():
		return nil, errors.New("the first submit gave no outOrderId to compare with")
	case first.text() != again.text():
		return []finding{{member: again.path, expected: first.show() + ", as the first time", got: again.show()}}, nil
	}
	return nil, nil
}

// checkUntraded compares the answers to two submits that differ in all but the trade
// number, which neither has. Whether a merchant may insist on one is not documented.
func checkUntraded(x *trial) ([]finding, error) {
	first, second := x.earlier.reply.member("outOrderId"), x.reply.member("outOrderId")
	switch {
	case x.no || x.earlier.no:
		return nil, errors.New("a submit without a trade number was refused")
	case !x.regular() || !x.earlier.regular() || !first.set() || !second.set():
		return nil, errors.New("a submit was not answered with an outOrderId")
	case first.text() == second.text():
		return []finding{{
			member: second.path, expected: "an id of its own", got: second.show() + ", the id of the first order",
		}}, nil
	}
	return nil, nil
}

var prescribedReply, _ = parseNode([]byte(badSignatureReply)) // a constant that parses

// saysBadSignature reports whether the answer is the reply to a bad signature.
func saysBadSignature(x *trial) bool {
	return x.unread == "" && reflect.DeepEqual(x.reply.value, prescribedReply.value)
}

// checkSignatureTaken finds fault where a correctly signed request is taken for a
// forged one. Another no may be about the signature, or not.
func checkSignatureTaken(x *trial) ([]finding, error) {
	switch {
	case x.regular():
		return nil, nil
	case !saysBadSignature(x):
		return nil, errors.New("only a reply that says yes shows that the signature was taken")
	}
	return []finding{{
		expected: "a reply to the query: it is signed with the app key and secret of this run", got: x.summary(),
	}}, nil
}

func checkForged(x *trial) ([]finding, error) {
	f := finding{expected: badSignatureReply, got: x.status() + x.summary()}
	if saysBadSignature(x) {
		if x.res.Status == http.StatusOK {
			return nil, nil
		}
		// Which status goes with the reply is not documented; both are in use.
		f.expected, f.doubtful = "HTTP status 200", x.res.Status == http.StatusBadRequest
	}
	return []finding{f}, nil
}

// checkUnknownApp. That the two replies are the same is the custom, not a
// documented rule: another clear no is doubtful only.
func checkUnknownApp(x *trial) ([]finding, error) {
	before := x.earlier
	same := x.res.Status == before.res.Status &&
		(bytes.Equal(x.res.Body, before.res.Body) || x.unread == "" && reflect.DeepEqual(x.reply.value, before.reply.value))
	switch {
	case before.res.Err != nil:
		return nil, errors.New("there is no answer to a bad signature to compare with")
	case same && x.no:
		return nil, nil
	case same && !x.yes:
		return nil, errNoReply // the rule bad-signature says so
	}
	expected := "the reply to a bad signature: " + before.status() + before.summary()
	if !before.no {
		expected = badSignatureReply
	}
	doubtful := x.no && x.res.Status < http.StatusInternalServerError
	return []finding{{expected: expected, got: x.status() + x.summary(), doubtful: doubtful}}, nil
}

// checkFailing wants a clear no.
func checkFailing(x *trial) ([]finding, error) {
	switch {
	case !x.no:
		return []finding{{expected: "a JSON object with success false", got: x.status() + x.summary()}}, nil
	case x.res.Status != http.StatusOK:
		return []finding{{expected: "HTTP status 200", got: fmt.Sprintf("HTTP status %d", x.res.Status), doubtful: true}}, nil
	}
	return nil, nil
}

// checkUnknownOrder. The samples show no failure, so that code and message are
// only likely.
func checkUnknownOrder(x *trial) ([]finding, error) {
	found, err := checkFailing(x)
	if !x.no {
		return found, err
	}
	for _, name := range []string{"retCode", "retMessage"} {
		if n := x.reply.member(name); !n.set() {
			found = append(found, finding{member: name, expected: "what is wrong", got: n.show(), doubtful: true})
		}
	}
	return found, err
}
