package rentcar

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/fliggy-go/rentcar/internal/api"
	"github.com/fliggy-go/rentcar/internal/top"
)

// Methods returns the names of the APIs that this package has types for, sorted.
func Methods() []string {
	var names []string
	for _, op := range api.All() {
		names = append(names, op.Method)
	}
	slices.Sort(names)
	return names
}

// Names correct the names that this package uses for an API on the wire. Members are named by their tags, which the
// documentation of each field quotes; members of inner messages are dotted ("price_info.quantity").
type Names struct {
	Param   string            // the parameter that wraps the request
	Request map[string]string // members of the request: believed name to real name
	Inner   string            // the member of the reply that holds its members, where there is one
	Reply   map[string]string // members of the reply: believed name to real name
}

// WithNames corrects the names of one API. It is for names that are documented as inferred and prove to be wrong.
//
//	rentcar.WithNames("alitrip.rentcar.btb.renewal.submit", rentcar.Names{
//		Param: "rent_car_b2b_submit_renewal_order_req",
//		Reply: map[string]string{"renewal_order_id": "fliggy_renewal_order_id"},
//	})
//
// A method without a type in this package, or a name that is no member of it, is
// an error of NewClient.
func WithNames(method string, names Names) Option {
	return func(c *config) error {
		if api.ByMethod(method) == nil {
			return fmt.Errorf("names: no type for method %q: use Call, which takes any name", method)
		}
		if _, ok := c.names[method]; ok {
			return fmt.Errorf("names: given twice for %s: put all names into one option", method)
		}
		if err := names.check(); err != nil {
			return fmt.Errorf("names of %s: %w", method, err)
		}
		c.names[method] = names
		return nil
	}
}

// check reports the first name that cannot be one.
func (n *Names) check() error {
	if n.Param != "" && top.IsBlank(n.Param) || n.Inner != "" && top.IsBlank(n.Inner) {
		return errors.New("a name is white space only")
	}
	if isProtocolParam(n.Param) {
		return fmt.Errorf("%s is a parameter of the protocol", n.Param)
	}
	for _, corrected := range []map[string]string{n.Request, n.Reply} {
		for believed, name := range corrected {
			if top.IsBlank(name) {
				return fmt.Errorf("the real name of %q is empty", believed)
			}
			if name == "-" {
				return fmt.Errorf("%q cannot be left out", believed)
			}
		}
	}
	return nil
}

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
