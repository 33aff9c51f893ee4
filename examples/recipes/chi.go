package recipes

import (
	"net/http"

	"github.com/go-chi/chi/v5"
)

// Chi serves pushes at /fliggy. Middleware that reads bodies belongs to a group of your own routes: that of Use runs
// before every route.
func Chi(fliggy http.Handler, yours ...func(http.Handler) http.Handler) *chi.Mux {
	router := chi.NewRouter()
	router.Handle("/fliggy", fliggy)
	router.Group(func(api chi.Router) { api.Use(yours...) })
	return router
}
