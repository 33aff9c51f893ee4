package rentcar

import (
	"context"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
)

// Personal data and tokens of a request are sent and never shown.
func TestAgencyRequestsShowNoPersonalData(t *testing.T) {
	t.Parallel()
	driver := AgencyDriver{DriverName: markerBody, MobilePhone: markerBody, Email: markerBody, DriverIDCard: markerBody, DrivingLicense: markerBody}
	req := AgencyCreateOrderRequest{AgentOrderNo: "1", AuthToken: fliggy.NewSecret(markerSession), Driver: driver}
	for name, v := range map[string]any{"driver": driver, "pointer to a driver": &driver, "request": req, "pointer to a request": &req, "list": []AgencyCreateOrderRequest{req}} {
		checkHidden(t, name, v, markerSession)
		for how, text := range renderings(t, v) {
			if strings.Contains(text, markerBody) {
				t.Errorf("%s: %s shows the driver: %s", name, how, text)
			}
		}
	}
	c, g := clientFor(t, replyJSON(`{"biz_success":true}`))
	if _, err := c.Agency.CreateOrder(context.Background(), &req); err != nil {
		t.Fatal(err)
	}
	sent := g.last(t).form(t)[opAgencyCreateOrder.Param]
	if strings.Count(sent, markerBody) != 5 || !strings.Contains(sent, `"auth_token":"session marker+\/="`) {
		t.Errorf("the request is not sent whole: %s", sent)
	}
}
