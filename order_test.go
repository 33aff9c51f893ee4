package rentcar

import (
	"context"
	"testing"
)

func TestSupportsRenewal(t *testing.T) {
	t.Parallel()
	for order, want := range map[string]bool{
		`{"service_type":["1","2","3"]}`: true, `{"service_type":["3"]}`: true, `{"service_type":[3]}`: true, `{"service_type":{"string":["1","3"]}}`: true,
		`{"service_type":{"string":"3"}}`: true, `{"service_type":"[\"3\"]"}`: true, `{"service_type":[" 3"]}`: false,
		`{"service_type":["1","2"]}`: false, `{"service_type":[]}`: false, `{"service_type":{}}`: false, `{"service_type":null}`: false,
		`{"service_type":["33","13","03"]}`: false, `{}`: false, `null`: false, `{"service_type":[null,"9"]}`: false,
	} {
		c, _ := clientFor(t, replyJSON(`{"successful":true,"order_info":`+order+`}`))
		res, err := queryOrder(context.Background(), c)
		if err != nil || res.SupportsRenewal() != want {
			t.Errorf("%s: %v, %v; want %v", order, res, err, want)
		}
	}
}
