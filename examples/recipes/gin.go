package recipes

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// Gin serves pushes at /fliggy. Middleware that reads bodies comes afterwards, for your own routes only.
func Gin(fliggy http.Handler, yours ...gin.HandlerFunc) *gin.Engine {
	router := gin.New()
	router.Any("/fliggy", gin.WrapH(fliggy))
	router.Use(yours...)
	return router
}
