package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar"
)

// callCmd is "fliggy call".
type callCmd struct {
	Method       string        `arg:"" help:"API name, such as alitrip.rentcar.btb.order.query."`
	Param        []string      `help:"Parameter of the call." short:"p" sep:"none" placeholder:"NAME=VALUE"`
	Data         string        `help:"JSON of the request: as it is, @FILE, or @- for stdin." short:"d" placeholder:"JSON|@FILE"`
	Qimen        bool          `help:"Call the Qimen gateway; --data is the body."`
	TargetAppKey string        `help:"With --qimen: app key of the provider. Default: that of the profile." placeholder:"KEY"`
	ReadOnly     bool          `help:"The method changes nothing: no reply leaves no doubt about what it did."`
	SignMethod   string        `help:"How it is signed." enum:"hmac-sha256,hmac,md5" default:"hmac-sha256"`
	Raw          bool          `help:"Print the reply byte for byte, and nothing else."`
	DryRun       bool          `help:"Show what would be sent and the text that is signed, and send nothing."`
	Timeout      time.Duration `help:"How long it may take." default:"30s"`
}

// wrappers are the parameters that take the request of the methods that have one.
var wrappers = map[string]string{
	"alitrip.rentcar.btb.bill.notify":                    "rent_car_b2b_distribution_bill_req",
	"alitrip.rentcar.btb.city.query":                     "rent_car_b2b_city_info_req",
	"alitrip.rentcar.btb.distribution.callback":          "rent_car_b2b_distribution_callback_req",
	"alitrip.rentcar.btb.order.cancelcheck":              "rent_car_b2b_check_cancel_order_req",
	"alitrip.rentcar.btb.order.check":                    "rent_car_b2b_check_order_req",
	"alitrip.rentcar.btb.order.query":                    "rent_car_b2b_query_order_req",
	"alitrip.rentcar.btb.price.query":                    "rent_car_b2b_product_list_req",
	"alitrip.rentcar.btb.renewal.checkcancel":            "rent_car_b2b_renewal_check_cancel_order_req",
	"alitrip.rentcar.btb.renewal.order.cancel":           "rent_car_b2b_renewal_cancel_order_req",
	"alitrip.rentcar.btb.renewal.submit":                 "rent_car_b2b_renewal_submit_order_req",
	"alitrip.rentcar.btb.renewaldetail.query":            "rent_car_b2b_renewal_detail_req",
	"alitrip.rentcar.btb.vehicle.query":                  "rent_car_b2b_vehicle_info_req",
	"alitrip.rentcar.commodity.store.rule.change.notify": "store_rule_info_list",
	"alitrip.rentcar.zzc.callback.order.create":          "rentcar_create_order_callback",
	"alitrip.rentcar.zzc.callback.order.update":          "rent_car_order_update_callback",
}

// hasChannel reports whether the request of a method with a wrapper has a channel_id.
func hasChannel(method string) bool { return strings.HasPrefix(method, "alitrip.rentcar.btb.") }

// A called is the result of the command as JSON.
type called struct {
	Method     string          `json:"method"`
	Outcome    string          `json:"outcome"` // succeeded, refused, rejected, not sent, unknown
	RequestID  string          `json:"request_id"`
	HTTPStatus int             `json:"http_status"`
	DurationMS int64           `json:"duration_ms"`
	Reply      json.RawMessage `json:"reply"` // null where it is not JSON
	Text       string          `json:"text,omitempty"`
	Error      *callError      `json:"error,omitempty"`
}

// A callError says why a call failed.
type callError struct {
	Code       string  `json:"code,omitempty"`
	SubCode    string  `json:"sub_code,omitempty"`
	Message    string  `json:"message"`
	Advice     string  `json:"advice,omitempty"` // what to do
	RetryAfter float64 `json:"retry_after_seconds,omitempty"`
}

// Run calls the method.
func (c *callCmd) Run(e *env) error {
	request, err := c.request(e)
	if err != nil {
		return usage(err)
	}
	var seen rentcar.Observation
	opts := []rentcar.Option{
		rentcar.WithSignMethod(rentcar.SignMethod(c.SignMethod)),
		rentcar.WithObserver(func(_ context.Context, o rentcar.Observation) {
			if !o.Done {
				seen = o
			}
		}),
	}
	if c.DryRun {
		return c.dryRun(e, request, opts)
	}
	client, err := e.client(opts...)
	if err != nil {
		return err
	}
	var raw rentcar.RawReply
	start := e.now()
	err = c.send(e.ctx, client, request, &raw)
	if invalid := notSent(err); invalid != nil {
		return invalid
	}
	status := statusOf(e.ctx, err)
	out := called{
		Method: c.Method, Outcome: rentcar.OutcomeOf(err).String(), RequestID: seen.RequestID, HTTPStatus: seen.HTTPStatus,
		DurationMS: e.now().Sub(start).Milliseconds(), Reply: jsonOrNull(raw.Body),
	}
	if string(out.Reply) == "null" {
		out.Text = string(raw.Body)
	}
	switch refusal := refusalIn(raw.Body); {
	case err != nil:
		out.Error = explainError(err)
	case refusal != nil:
		out.Outcome, out.Error, status = "refused", refusal, statusNo
	}
	if err := c.show(e, &out, raw.Body); err != nil || status == statusDone {
		return err
	}
	return &exit{status, nil}
}

// notSent returns the error of a call that is wrong itself, and nil for any other.
func notSent(err error) error {
	if status := statusOf(context.Background(), err); err != nil && status == statusUsage {
		return usage(errors.New(strings.TrimPrefix(err.Error(), "rentcar: ")))
	}
	return nil
}

// A callRequest is what the flags say.
type callRequest struct {
	params rentcar.Params
	qimen  *rentcar.QimenRequest // nil for TOP
}

// request reads parameters and data.
func (c *callCmd) request(e *env) (*callRequest, error) {
	r := &callRequest{params: rentcar.Params{}}
	for _, p := range c.Param {
		name, value, ok := strings.Cut(p, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("-p %q: want NAME=VALUE", p)
		}
		if _, ok := r.params[name]; ok {
			return nil, fmt.Errorf("-p %s is given twice", name)
		}
		r.params[name] = value
	}
	data, err := c.data(e)
	if err != nil {
		return nil, err
	}
	if c.Qimen {
		r.qimen = &rentcar.QimenRequest{TargetAppKey: cmp.Or(c.TargetAppKey, e.profile.AppKey), Params: r.params}
		if data != nil {
			r.qimen.JSON = data
		}
		return r, nil
	}
	if c.TargetAppKey != "" {
		return nil, errors.New("--target-app-key is for --qimen")
	}
	wrapper := wrappers[c.Method]
	if data == nil && (wrapper == "" || len(c.Param) > 0) {
		return r, nil
	}
	members := map[string]json.RawMessage{}
	if wrapper != "" {
		members[wrapper] = c.withChannel(data, e.profile.Channel)
	} else if err := json.Unmarshal(data, &members); err != nil {
		return nil, errors.New("--data: want a JSON object, whose members become the parameters of this method")
	}
	for name, value := range members {
		if _, ok := r.params[name]; ok {
			return nil, fmt.Errorf("the parameter %s is given twice, by -p and by --data", name)
		}
		var text string
		if json.Unmarshal(value, &text) == nil {
			r.params[name] = text
		} else {
			r.params[name] = value
		}
	}
	return r, nil
}

// withChannel puts the profile's channel into a request that has none, as the SDK does.
func (c *callCmd) withChannel(data json.RawMessage, channel string) json.RawMessage {
	if data == nil {
		data = json.RawMessage("{}")
	}
	var members map[string]json.RawMessage
	if channel == "" || !hasChannel(c.Method) || json.Unmarshal(data, &members) != nil || members["channel_id"] != nil {
		return data
	}
	name, _ := json.Marshal(channel) // a text
	head := `{"channel_id":` + string(name)
	if len(members) > 0 {
		head += ","
	}
	return append(json.RawMessage(head), bytes.TrimSpace(data)[1:]...)
}

// data reads --data. It returns nil for none.
func (c *callCmd) data(e *env) (json.RawMessage, error) {
	if c.Data == "" {
		return nil, nil
	}
	data, err := e.argument("--data", c.Data)
	if err != nil {
		return nil, err
	}
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\ufeff")))
	if _, err := parseJSON(data); err != nil {
		return nil, fmt.Errorf("--data is not JSON: %w", err)
	}
	return data, nil
}

// send makes the call. It is sent once: who is there to see an error can decide.
func (c *callCmd) send(ctx context.Context, client *rentcar.Client, r *callRequest, raw *rentcar.RawReply) error {
	opts := []rentcar.CallOption{
		rentcar.CallAttempts(1), rentcar.CallTimeout(c.Timeout), rentcar.CallRawReply(raw),
	}
	if c.ReadOnly {
		opts = append(opts, rentcar.CallReadOnly())
	}
	var reply rentcar.Raw
	if r.qimen != nil {
		return client.CallQimen(ctx, c.Method, r.qimen, &reply, opts...)
	}
	return client.Call(ctx, c.Method, r.params, &reply, opts...)
}

// show prints the reply, and beside it what is not of the reply.
func (c *callCmd) show(e *env, out *called, body []byte) error {
	if c.Raw {
		_, err := e.stdout.Write(body)
		c.note(e, out)
		return err
	}
	return e.print(out, func() {
		switch {
		case len(body) == 0:
		case !e.isTerminal:
			e.printf("%s", body)
		case out.Text != "":
			e.printf("%s", oneLine(out.Text, 10_000))
		default:
			var indented bytes.Buffer
			_ = json.Indent(&indented, out.Reply, "", "  ") // it is valid
			e.printf("%s", indented.Bytes())
		}
		c.note(e, out)
	})
}

// note says on stderr how the call went.
func (c *callCmd) note(e *env, out *called) {
	hue := green
	if out.Error != nil {
		hue = red
	}
	line := fmt.Sprintf("%s in %d ms", e.paintErr(hue, out.Outcome), out.DurationMS)
	if out.HTTPStatus != 0 {
		line += fmt.Sprintf(", HTTP %d", out.HTTPStatus)
	}
	if out.RequestID != "" {
		line += ", request id " + oneLine(out.RequestID, 256)
	}
	e.note("%s", line)
	if f := out.Error; f != nil {
		e.note("%s", oneLine(f.Message, 1000))
		if f.Advice != "" {
			e.note("%s", f.Advice)
		}
	}
}

// refusalIn looks for a success flag that says no: Call itself knows no method's flag.
func refusalIn(body []byte) *callError {
	var reply map[string]json.RawMessage
	if json.Unmarshal(body, &reply) != nil {
		return nil
	}
	inner := reply
	if len(reply) == 1 { // wrapped in response or name_of_the_method_response
		for _, value := range reply {
			inner = nil // so that the members of reply stay out
			if json.Unmarshal(value, &inner) != nil {
				inner = reply
			}
		}
	}
	for _, names := range [][3]string{
		{"successful", "ret_code", "ret_msg"}, {"success", "retCode", "retMessage"},
		{"success", "biz_error_code", "biz_error_msg"},
	} {
		if flag := plain(inner[names[0]]); flag != "false" {
			continue
		}
		code, message := plain(inner[names[1]]), plain(inner[names[2]])
		if code == "" && message == "" && names[1] == "retCode" {
			continue
		}
		return &callError{
			Code: code, Message: strings.TrimSpace("the reply says no: " + code + " " + message),
			Advice: "It was not carried out: the business refuses it.",
		}
	}
	return nil
}

// plain is a JSON text without its quotes, and any other value as it is; empty for null.
func plain(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}

// explainError says what is known of an error, and what to do about it.
func explainError(err error) *callError {
	out := &callError{Message: strings.TrimPrefix(err.Error(), "rentcar: "), Advice: advice(err)}
	var gateway *rentcar.GatewayError
	if errors.As(err, &gateway) {
		out.Code, out.SubCode = gateway.Code, gateway.SubCode
	}
	if wait, ok := rentcar.RetryAfter(err); ok {
		out.RetryAfter = wait.Seconds()
	}
	return out
}

// advice says what to do about an error.
func advice(err error) string {
	var gateway *rentcar.GatewayError
	_ = errors.As(err, &gateway)
	done := "It was not carried out. "
	switch {
	case errors.Is(err, rentcar.ErrOutcomeUnknown):
		return "It may have been carried out, or not. Find out before you send it again."
	case rentcar.OutcomeOf(err) == rentcar.OutcomeUnknown:
		done = "The method changes nothing, so it can be sent again. "
	}
	switch {
	case gateway != nil && gateway.Code == "25":
		return done + "Is the secret that of this app? --dry-run shows the text that is signed."
	case gateway != nil && gateway.Code == "31":
		return done + "Is the clock of this machine right?"
	case gateway != nil && gateway.Code == "22":
		return done + "Is the name of the method right, and does this gateway serve it?"
	case errors.Is(err, rentcar.ErrRateLimited):
		return done + "Flow control: wait, and send it again."
	case errors.Is(err, rentcar.ErrUnauthorized):
		return done + "Check app key, app secret and session of the profile."
	case errors.Is(err, rentcar.ErrForbidden):
		return done + "The app lacks the permission, or this address is not on its list."
	case gateway != nil && rentcar.IsFinal(err):
		return done + "Change what the request says."
	case errors.As(err, new(*rentcar.TransportError)):
		return done + "Is the gateway running, and its address right?"
	}
	return strings.TrimSpace(done)
}
