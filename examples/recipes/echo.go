package recipes

import (
	"net/http"

	"github.com/labstack/echo/v5"
)

// Echo serves pushes at /fliggy. Middleware that reads bodies belongs to a group of your own routes: that of Use runs
// before every route.
func Echo(fliggy http.Handler, yours ...echo.MiddlewareFunc) *echo.Echo {
	router := echo.New()
	router.Any("/fliggy", echo.WrapHandler(fliggy))
	router.Group("/api", yours...)
	return router
}
