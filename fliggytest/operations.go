package fliggytest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/internal/api"
	"github.com/fliggy-go/rentcar/internal/top"
)

// An operation is one API that the gateway serves by itself.
type operation struct {
	*api.Operation
	param       string // the parameter that wraps the request, by the names given
	inner       string // the member of the reply that holds its members, if any
	requestType reflect.Type
	resultType  reflect.Type
	requestPlan *top.Plan
	resultPlan  *top.Plan
	refusalPlan *top.Plan
	execute     func(s *state, m moment, req any) (any, error)
}

const methodSubmit = "alitrip.rentcar.btb.renewal.submit"

// served are the APIs that a gateway serves by itself. Each file puts its own in.
var served []operation

// A moment is when and by which call something happens.
type moment struct {
	now time.Time
	id  string // request id
}

// serve puts an API of the table into served.
func serve[Req, Res any](op *api.Operation, execute func(*state, moment, *Req) (*Res, error)) {
	served = append(served, operation{
		Operation: op, requestType: reflect.TypeFor[Req](), resultType: reflect.TypeFor[Res](),
		execute: func(s *state, m moment, req any) (any, error) {
			res, err := execute(s, m, req.(*Req))
			if err != nil {
				return nil, err // not a nil *Res in an interface
			}
			return res, nil
		},
	})
}

// compileOperations prepares all operations, with the names that the options correct. Where names fit nothing the error
// says so, and they count for nothing.
func compileOperations(names map[string]rentcar.Names) (map[string]*operation, error) {
	ops := map[string]*operation{}
	var problems []error
	for _, op := range served {
		problems = append(problems, op.compile(rentcar.Names{}))
		if n, ok := names[op.Method]; ok {
			if err := op.compile(n); err != nil {
				problems = append(problems, fmt.Errorf("fliggytest: names of %s: %w", op.Method, err))
			}
		}
		ops[op.Method] = &op
	}
	for _, method := range slices.Sorted(maps.Keys(names)) {
		if ops[method] == nil {
			problems = append(problems, fmt.Errorf("fliggytest: names: the gateway does not serve %q by itself", method))
		}
	}
	return ops, errors.Join(problems...)
}

func (op *operation) compile(n rentcar.Names) error {
	request, err := top.RenamedPlan(op.requestType, n.Request)
	if err != nil {
		return fmt.Errorf("request: %w", err)
	}
	result, err := top.RenamedPlan(op.resultType, n.Reply)
	if err != nil {
		return fmt.Errorf("reply: %w", err)
	}
	refused := reflect.TypeFor[refusal]()
	if strings.HasPrefix(op.Method, agencyPrefix) {
		refused = reflect.TypeFor[agencyRefusal]()
	}
	plain, err := top.PlanFor(refused)
	if err != nil {
		return err
	}
	own := maps.Clone(n.Reply)
	maps.DeleteFunc(own, func(name, _ string) bool { return !plain.Knows(name) })
	refusals, err := top.RenamedPlan(refused, own)
	if err != nil {
		return err
	}
	op.requestPlan, op.resultPlan, op.refusalPlan = request, result, refusals
	op.param, op.inner = cmp.Or(n.Param, op.Param), n.Inner
	return nil
}

// decode reads the request of the operation. An argument that is missing or no
// JSON object is the gateway's to refuse, a member that is wrong the service's.
func (op *operation) decode(r *Request) (any, error) {
	if strings.TrimSpace(string(r.argument)) == "" {
		return nil, missingArgument(op.param)
	}
	if !json.Valid(r.argument) || strings.TrimSpace(string(r.argument))[0] != '{' {
		return nil, invalidArgument(op.param)
	}
	req := reflect.New(op.requestType).Interface()
	err := op.requestPlan.DecodeJSON(r.argument, req)
	if err == nil {
		return req, nil
	}
	subCode, subMsg := "isv.invalid-parameter", "非法参数: "+err.Error()
	if member := (*top.Error)(nil); errors.As(err, &member) {
		if member.Rule == "missing" {
			subCode, subMsg = "isv.missing-parameter", "缺少参数"
		}
		if member.Path != "" {
			subCode += ":" + member.Path
		}
	}
	return nil, serviceError(subCode, subMsg)
}
