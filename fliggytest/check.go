package fliggytest

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
)

// maxSkew is how far a timestamp may be from the gateway's clock.
const maxSkew = 10 * time.Minute

// gatewayError is what an error_response says.
func gatewayError(code, msg, subCode, subMsg string) *rentcar.GatewayError {
	return &rentcar.GatewayError{Code: code, Msg: msg, SubCode: subCode, SubMsg: subMsg}
}

var versionForm = regexp.MustCompile(`^[0-9]+\.[0-9]+$`)

// checks are what the gateway looks at before it lets a request through, in this
// order. A check returns nil or what the gateway answers.
var checks = []func(*Gateway, *Request) *rentcar.GatewayError{
	checkHTTPMethod, checkMethod, checkAppKey, checkTimestamp, checkVersion, checkFormat, checkSignature, checkSession,
	checkTarget,
}

func (g *Gateway) check(r *Request) error {
	for _, check := range checks {
		if err := check(g, r); err != nil {
			return err
		}
	}
	return nil
}

// checkHTTPMethod admits GET too, but for files.
func checkHTTPMethod(_ *Gateway, r *Request) *rentcar.GatewayError {
	if r.HTTPMethod != http.MethodPost && (r.HTTPMethod != http.MethodGet || r.hasFile) {
		return gatewayError("9", "Http Action Not Allowed", "", "")
	}
	return nil
}

func checkMethod(g *Gateway, r *Request) *rentcar.GatewayError {
	switch {
	case r.Method == "":
		return gatewayError("21", "Missing method", "", "")
	case g.handler(r.Method) == nil && (r.Qimen || g.operations[r.Method] == nil):
		return gatewayError("22", "Invalid method", "", "")
	}
	return nil
}

func checkAppKey(g *Gateway, r *Request) *rentcar.GatewayError {
	switch r.Protocol["app_key"] {
	case "":
		return gatewayError("28", "Missing app key", "", "")
	case g.appKey:
		return nil
	}
	return gatewayError("29", "Invalid app Key", "isv.appkey-not-exists", "")
}

func checkTimestamp(_ *Gateway, r *Request) *rentcar.GatewayError {
	text := r.Protocol["timestamp"]
	if text == "" {
		return gatewayError("30", "Missing timestamp", "", "")
	}
	if t, err := parseTimestamp(text); err != nil || r.wireTime.Sub(t).Abs() > maxSkew {
		return gatewayError("31", "Invalid timestamp", "", "")
	}
	return nil
}

// parseTimestamp reads a timestamp in one of the forms that clients send.
func parseTimestamp(text string) (time.Time, error) {
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil { // so the official Python client
		return time.UnixMilli(ms), nil
	}
	return time.ParseInLocation(time.DateTime, text, fliggy.Zone())
}

func checkVersion(_ *Gateway, r *Request) *rentcar.GatewayError {
	switch v := r.Protocol["v"]; {
	case v == "" && r.Qimen: // the Java client of 2017 sends none there
		return nil
	case v == "":
		return gatewayError("32", "Missing version", "", "")
	case !versionForm.MatchString(v):
		return gatewayError("33", "Invalid version", "", "")
	case v != "2.0":
		return gatewayError("34", "Unsupported version", "", "")
	}
	return nil
}

func checkFormat(_ *Gateway, r *Request) *rentcar.GatewayError {
	if !slices.Contains([]string{"", "json", "xml", "json2", "xml2"}, r.Protocol["format"]) {
		return gatewayError("23", "Invalid format", "", "")
	}
	return nil
}

func checkSignature(_ *Gateway, r *Request) *rentcar.GatewayError {
	switch r.Signature {
	case SignatureValid:
		return nil
	case SignatureMissing:
		return gatewayError("24", "Missing signature", "", "")
	}
	return gatewayError("25", "Invalid signature", "", "")
}

func checkSession(g *Gateway, r *Request) *rentcar.GatewayError {
	want, got := g.session(), r.Protocol["session"]
	switch {
	case want == "" || got == want:
		return nil
	case got == "":
		return gatewayError("26", "Missing session", "", "")
	}
	return gatewayError("27", "Invalid session", "invalid-sessionkey", "")
}

func checkTarget(_ *Gateway, r *Request) *rentcar.GatewayError {
	if r.Qimen && r.Protocol["target_app_key"] == "" {
		return missingArgument("target_app_key")
	}
	return nil
}

func missingArgument(name string) *rentcar.GatewayError {
	return gatewayError("40", "Missing required arguments:"+name, "", "")
}

func invalidArgument(name string) *rentcar.GatewayError {
	return gatewayError("41", "Invalid arguments:"+name, "", "")
}

// serviceError is what the gateway answers when the service behind it failed.
func serviceError(subCode, subMsg string) *rentcar.GatewayError {
	return gatewayError("15", "Remote service error", subCode, subMsg)
}
