package qimen

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
)

// The texts of findings.
const (
	ruleMissing  = "is missing"
	ruleNegative = "must not be negative"
	rulePeriod   = "must be after carUseTime"
)

// The members that every reply has, as in the guide's sample for each method.
var (
	pricesStatus = statusMembers(`null`, `null`)
	submitStatus = statusMembers(`""`, `""`)
	cancelStatus = statusMembers(`200`, `""`)
)

func statusMembers(code, message string) []top.Member {
	return []top.Member{
		{Name: "success", Value: json.RawMessage(`true`)},
		{Name: "retCode", Value: json.RawMessage(code)},
		{Name: "retMessage", Value: json.RawMessage(message)},
	}
}

// mustPlan returns the plan of a message type of this package. A test covers them all.
func mustPlan[T any]() *top.Plan {
	plan, err := top.PlanFor(reflect.TypeFor[T]())
	if err != nil {
		panic("qimen: " + err.Error())
	}
	return plan
}

// writeMessage encodes a message with additional members.
func writeMessage[T any](message *T, members []top.Member) ([]byte, error) {
	body, err := mustPlan[T]().AppendJSON(nil, message, top.EncodeOptions{Members: members})
	if err != nil {
		return nil, fmt.Errorf("qimen: %w", err)
	}
	return body, nil
}

// readMessage decodes a JSON object, or an XML document with any root. If that fails, message is unchanged.
func readMessage[T any](data []byte, message *T) error {
	var fresh T
	read := mustPlan[T]().DecodeJSON
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	if bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("<")) {
		read = mustPlan[T]().DecodeXML
	}
	if err := read(data, &fresh); err != nil {
		return fmt.Errorf("qimen: %w", err)
	}
	*message = fresh
	return nil
}

// withParams adds parameters to a JSON object: those that are members of T and missing in the object, since simple
// members may arrive in the query. Anything but a JSON object is returned unchanged. The error names a member that has
// another value as a parameter.
func withParams[T any](data []byte, params map[string]string) ([]byte, error) {
	plan := mustPlan[T]()
	var names []string
	for name, value := range params {
		if plan.Knows(name) && !protocolParams[name] && !top.IsBlank(value) {
			names = append(names, name)
		}
	}
	object := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\uFEFF")), " \t\r\n")
	if len(names) == 0 || !bytes.HasPrefix(object, []byte("{")) {
		return data, nil
	}
	body, err := top.ParseJSON(string(object))
	if err != nil {
		return data, nil // readMessage reports the error
	}
	out := bytes.NewBufferString("{")
	slices.Sort(names)
	for _, name := range names {
		member := body.Get(name)
		if member.Kind() == top.None {
			writeJSONString(out, name)
			out.WriteByte(':')
			writeJSONString(out, params[name])
			out.WriteByte(',')
			continue
		}
		if member.Text() != params[name] {
			return nil, fmt.Errorf("qimen: %s: the values in the body and in the parameter differ", name)
		}
	}
	if out.Len() == 1 {
		return data, nil
	}
	if body.IsEmpty() {
		return append(bytes.TrimSuffix(out.Bytes(), []byte(",")), '}'), nil
	}
	return append(out.Bytes(), object[1:]...), nil
}

// readReply decodes a reply; extra is the map of its unknown members.
func readReply[T any](data []byte, reply *T, extra *map[string]json.RawMessage) error {
	var status struct {
		Success bool   `top:"success,required"`
		Code    string `top:"retCode"`
		Message string `top:"retMessage"`
	}
	if err := readMessage(data, &status); err != nil {
		return err
	}
	if !status.Success {
		return &Refusal{Code: status.Code, Message: status.Message}
	}
	if err := readMessage(data, reply); err != nil {
		return err
	}
	for _, m := range pricesStatus {
		delete(*extra, m.Name)
	}
	if len(*extra) == 0 {
		*extra = nil
	}
	return nil
}

// checkFields returns the problems that follow from the tags of a message.
func checkFields[T any](message *T) fliggy.Problems { return mustPlan[T]().Check(message) }

func checkMessage[T any](method string, message *T) error { return checkFields(message).Err(method) }

// errNoID refuses a request without any id of an order.
var errNoID = errors.New("qimen: orderId, outOrderId: one of them is required")

func checkIDs(orderID fliggy.ID, outOrderID string) (ps fliggy.Problems) {
	checkText(&ps, "orderId", string(orderID))
	checkText(&ps, "outOrderId", outOrderID)
	return ps
}

// isMissing reports whether text is blank, or the "null" that the platform writes for missing data.
func isMissing(text string) bool { return top.IsBlank(text) || text == "null" }

func checkText(ps *fliggy.Problems, field, text string) {
	if isMissing(text) {
		ps.Add(field, ruleMissing)
	}
}

func checkTime(ps *fliggy.Problems, field string, t fliggy.Time) {
	if !t.IsSet() {
		ps.Add(field, ruleMissing)
	}
}

func checkPeriod(ps *fliggy.Problems, from, to fliggy.Time) {
	checkTime(ps, "carUseTime", from)
	checkTime(ps, "carReturnTime", to)
	if from.IsSet() && to.IsSet() && !to.After(from.Time) {
		ps.Add("carReturnTime", rulePeriod)
	}
}
