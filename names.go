package rentcar

import "fmt"

// Names correct what this package believes to be the names of an API on the
// wire. Members are named as their tags name them, which are the names of the
// documentation of each field; members of inner messages are dotted
// ("price_info.quantity").
type Names struct {
	Param   string            // the parameter that wraps the request
	Request map[string]string // members of the request: believed name to real name
	Inner   string            // the member of the reply that holds its members, where there is one
	Reply   map[string]string // members of the reply: believed name to real name
}

// WithNames corrects the names of one API, for requests and replies that are
// documented as inferred: whoever has the platform's page need not wait for a
// release.
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
		if _, ok := operationByName(method); !ok {
			return fmt.Errorf("names: no type for method %q: use Call, which takes any name", method)
		}
		if _, ok := c.names[method]; ok {
			return fmt.Errorf("names: given twice for %s: put all names into one option", method)
		}
		c.names[method] = names
		return nil
	}
}
