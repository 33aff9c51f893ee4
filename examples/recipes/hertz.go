package recipes

import (
	"net/http"

	"github.com/cloudwego/hertz/pkg/app/server"
	"github.com/cloudwego/hertz/pkg/common/adaptor"
)

// Hertz serves pushes at /fliggy of a router. By default hertz reads the whole body first, in the limits of its
// WithReadTimeout and WithMaxRequestBodySize. With WithStreamBody nothing in front may read the body.
func Hertz(router *server.Hertz, fliggy http.Handler) {
	router.Any("/fliggy", adaptor.HertzHandler(fliggy))
}
