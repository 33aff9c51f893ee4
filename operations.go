package rentcar

import (
	"cmp"
	"fmt"
	"reflect"

	"github.com/fliggy-go/rentcar/internal/api"
	"github.com/fliggy-go/rentcar/internal/top"
)

// An operation is an API of the table with the types of its request and its result.
type operation[Req, Res any] struct{ *api.Operation }

// messages are the types of the request and the result of an API.
type messages struct{ request, result reflect.Type }

// types are the messages of every operation, by API name.
var types = map[string]messages{}

// bind gives an API of the table its types.
func bind[Req, Res any](op *api.Operation) operation[Req, Res] {
	types[op.Method] = messages{reflect.TypeFor[Req](), reflect.TypeFor[Res]()}
	return operation[Req, Res]{op}
}

// operationPlans are the compiled messages of an operation, with the names that
// the client's options correct.
type operationPlans struct {
	param   string
	inner   string
	request *top.Plan
	result  *top.Plan
}

func compilePlans(names map[string]Names) (map[string]*operationPlans, error) {
	plans := make(map[string]*operationPlans, len(types))
	for _, op := range api.All() {
		of, ok := types[op.Method]
		if !ok {
			continue // TestMethodsNameTheirAPI says what is missing
		}
		n := names[op.Method]
		p := &operationPlans{param: cmp.Or(n.Param, op.Param), inner: n.Inner}
		var err error
		if p.request, err = top.RenamedPlan(of.request, n.Request); err != nil {
			return nil, fmt.Errorf("names of %s: request: %w", op.Method, err)
		}
		if p.result, err = top.RenamedPlan(of.result, n.Reply); err != nil {
			return nil, fmt.Errorf("names of %s: reply: %w", op.Method, err)
		}
		plans[op.Method] = p
	}
	return plans, nil
}
