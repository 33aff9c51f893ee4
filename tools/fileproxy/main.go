// Command fileproxy packs the modules of this repository that others install, as they lie in the working tree, into a
// folder that the go command takes as a module proxy:
//
//	go -C tools run ./fileproxy -version v0.1.0 -o DIR ..
//	GOPROXY=file://DIR go get github.com/fliggy-go/rentcar@v0.1.0
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

func main() {
	version := flag.String("version", "", "version of all modules, such as v0.1.0")
	out := flag.String("o", "", "folder of the proxy")
	flag.Parse()
	if err := run(*version, *out, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "fileproxy:", err)
		os.Exit(1)
	}
}

// run packs every module under root that is installed.
func run(version, out, root string) error {
	if version == "" || out == "" || root == "" {
		return errors.New("usage: fileproxy -version v0.1.0 -o DIR ROOT")
	}
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && isLeftOut(root, path):
			return filepath.SkipDir
		case d.IsDir() || d.Name() != "go.mod":
			return nil
		}
		return pack(version, out, path)
	})
}

// isLeftOut reports whether nobody installs what is in a folder.
func isLeftOut(root, path string) bool {
	name, err := filepath.Rel(root, path)
	if err != nil || strings.HasPrefix(filepath.Base(name), ".") {
		return true
	}
	switch name {
	case "bench", "tools", "examples", filepath.Join("cmd", "fliggy", "browsertest"):
		return true
	}
	return filepath.Base(name) == "testdata"
}

// pack writes the list, the info, the go.mod and the zip of one module.
func pack(version, out, gomod string) error {
	text, err := os.ReadFile(gomod)
	if err != nil {
		return err
	}
	file, err := modfile.Parse(gomod, text, nil)
	if err != nil {
		return err
	}
	if len(file.Replace) > 0 {
		return fmt.Errorf("%s has a replace: go install would refuse the module", gomod)
	}
	m := module.Version{Path: file.Module.Mod.Path, Version: version}
	if err := module.Check(m.Path, m.Version); err != nil {
		return err
	}
	dir := filepath.Join(out, filepath.FromSlash(m.Path), "@v")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	info, err := json.Marshal(struct {
		Version string
		Time    time.Time
	}{version, time.Now().UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"list": []byte(version + "\n"), version + ".info": info, version + ".mod": text,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return err
		}
	}
	archive, err := os.Create(filepath.Join(dir, version+".zip"))
	if err != nil {
		return err
	}
	if err := errors.Join(zip.CreateFromDir(archive, m, filepath.Dir(gomod)), archive.Close()); err != nil {
		return err
	}
	fmt.Println(m)
	return nil
}
