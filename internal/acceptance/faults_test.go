package acceptance

import (
	"net/http"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// gatewayFault answers with an error_response.
func gatewayFault(code, msg, subCode, subMsg string) fliggytest.Fault {
	return fliggytest.Failed(&rentcar.GatewayError{Code: code, Msg: msg, SubCode: subCode, SubMsg: subMsg})
}

// serviceFault says that the service behind the gateway failed.
func serviceFault(subCode, subMsg string) fliggytest.Fault {
	return gatewayFault("15", "Remote service error", subCode, subMsg)
}

// refused answers with a reply whose success flag is false.
func refused(code, message string) fliggytest.Fault {
	return fliggytest.Failed(&rentcar.BusinessError{Code: code, Message: message})
}

// htmlPage is an answer of a proxy, or of a captive portal.
func htmlPage() fliggytest.Fault {
	return fliggytest.RawBody(
		http.StatusOK, "text/html;charset=UTF-8", []byte("<!DOCTYPE html><html><body>200 OK</body></html>\n"),
	)
}
