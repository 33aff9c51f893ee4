package qimen

import (
	"encoding/json"
	"testing"
)

// Every reason has a row, and no row but the accepted one says success.
func TestDefaultReplies(t *testing.T) {
	t.Parallel()
	rows := DefaultReplies()
	if err := rows.check(); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 20 {
		t.Errorf("%d rows", len(rows))
	}
	for reason, reply := range rows {
		var body struct {
			Success any
			Code    *string `json:"retCode"`
			Message *string `json:"retMessage"`
		}
		if reply.Render != nil {
			reply.Body = reply.Render("x", "y")
		}
		if err := json.Unmarshal(reply.Body, &body); err != nil || body.Code == nil || body.Message == nil {
			t.Errorf("%s: %s: %v", reason, reply.Body, err)
		}
		if (body.Success == true) != (reason == ReasonAccepted) {
			t.Errorf("%s: success is %v", reason, body.Success)
		}
	}
	rows[ReasonAccepted].Body[0] = 'x'
	if DefaultReplies()[ReasonAccepted].Body[0] != '{' {
		t.Error("the tables share their bodies")
	}
}
