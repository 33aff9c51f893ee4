package sandbox

import (
	"embed"
	"io/fs"
	"net/http"
)

//go:embed console
var assets embed.FS

// console serves the page and what it needs.
func console() http.Handler {
	files, err := fs.Sub(assets, "console")
	if err != nil { // the folder is embedded
		panic(err)
	}
	return http.FileServerFS(files)
}
