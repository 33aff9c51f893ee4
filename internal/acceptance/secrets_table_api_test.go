package acceptance

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// leakExempt are the names that no row has to drive, with the reason.
var leakExempt = map[string]string{}

// The table cannot miss a part of the API that can fail: every exported function and
// method that returns an error, or a value with one inside, or an option that may be
// refused, is driven by a row. What a row names exists.
func TestSecretsTableIsComplete(t *testing.T) {
	t.Parallel()
	driven := map[string]bool{}
	for _, row := range leakTable() {
		if len(row.covers) == 0 {
			t.Errorf("row %q drives nothing", row.name)
		}
		for _, name := range row.covers {
			driven[name] = true
		}
	}
	api := map[string]bool{}
	for _, dir := range []string{".", "durable", "events", "fliggy", "fliggytest", "merchantcheck", "pricing", "qimen"} {
		maps.Copy(api, exportedAPI(t, dir))
	}
	if len(api) < 150 {
		t.Errorf("only %d names are found", len(api))
	}
	for _, name := range slices.Sorted(maps.Keys(api)) {
		if !driven[name] && leakExempt[name] == "" {
			t.Errorf("%s can fail, and no row of the table drives it", name)
		}
		if driven[name] && leakExempt[name] != "" {
			t.Errorf("%s is driven: take it off the exemptions", name)
		}
	}
	for _, name := range append(slices.Sorted(maps.Keys(driven)), slices.Sorted(maps.Keys(leakExempt))...) {
		if !api[name] {
			t.Errorf("%s is named, and there is no such function that can fail", name)
		}
	}
}

// exportedAPI lists what of a package can fail, as "qimen.NewHandler" and
// "qimen.Delivery.CheckTime".
func exportedAPI(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files := packageFiles(t, dir)
	fails := map[string]bool{"error": true} // names of types that are an error or hold one
	for again := true; again; {             // until no further type is found
		again = false
		for _, spec := range typesOf(files) {
			if !fails[spec.Name.Name] && holdsError(spec.Type, fails) {
				fails[spec.Name.Name], again = true, true
			}
		}
	}
	fails["CallOption"] = true // its problems are told by the call
	names := map[string]bool{}
	for _, file := range files {
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || !f.Name.IsExported() || f.Type.Results == nil {
				continue
			}
			name := file.Name.Name + "."
			if f.Recv != nil {
				receiver := typeName(f.Recv.List[0].Type)
				if !ast.IsExported(receiver) {
					continue
				}
				name += receiver + "."
			}
			if f.Name.Name == "Unwrap" || f.Name.Name == "Error" { // what it gives is in errorTree
				continue
			}
			for _, result := range f.Type.Results.List {
				typ := result.Type
				if seq, ok := typ.(*ast.IndexListExpr); ok { // iter.Seq2[T, error]
					typ = seq.Indices[len(seq.Indices)-1]
				}
				if fails[typeName(typ)] {
					names[name+f.Name.Name] = true
				}
			}
		}
	}
	return names
}

func packageFiles(t *testing.T, dir string) []*ast.File {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "..", dir, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: %v, %v", dir, paths, fs.ErrNotExist)
	}
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

func typesOf(files []*ast.File) (specs []*ast.TypeSpec) {
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				specs = append(specs, spec)
			}
			return true
		})
	}
	return specs
}

// holdsError reports whether a type is a function that returns an error, or a struct
// with an exported field that is one. An error type itself is no such struct.
func holdsError(t ast.Expr, fails map[string]bool) bool {
	switch t := t.(type) {
	case *ast.FuncType:
		return t.Results != nil && slices.ContainsFunc(
			t.Results.List, func(f *ast.Field) bool { return typeName(f.Type) == "error" },
		)
	case *ast.StructType:
		return slices.ContainsFunc(t.Fields.List, func(f *ast.Field) bool {
			exported := len(f.Names) == 0 || slices.ContainsFunc(f.Names, func(id *ast.Ident) bool { return id.IsExported() })
			return exported && fails[typeName(f.Type)]
		})
	}
	return false
}

// typeName is the name of a type, of a pointer to one, or of a generic one.
func typeName(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.Ident:
		return t.Name
	case *ast.StarExpr:
		return typeName(t.X)
	case *ast.ArrayType:
		return typeName(t.Elt)
	case *ast.IndexExpr:
		return typeName(t.X)
	}
	return ""
}
