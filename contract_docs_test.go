package rentcar

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/internal/api"
)

// source is the parsed library code of this package.
func source(t testing.TB) map[string]*ast.File { return packageSource(t, ".", "rentcar") }

func packageSource(t testing.TB, folder, name string) map[string]*ast.File {
	t.Helper()
	library := func(f fs.FileInfo) bool { return !strings.HasSuffix(f.Name(), "_test.go") }
	//nolint:staticcheck // no build tags here, and types are not needed
	pkgs, err := parser.ParseDir(token.NewFileSet(), folder, library, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return pkgs[name].Files
}

// A documented name is an exported name and what its comments say. wire is the name of a field in its tag.
type documented struct{ name, text, wire string }

func text(groups ...*ast.CommentGroup) string {
	out := ""
	for _, g := range groups {
		out += g.Text()
	}
	return out
}

// exported lists all exported names: functions, methods, types, fields, constants
// and variables, methods and fields as "Type.Name".
func exported(t testing.TB) []documented { return exportedIn(source(t)) }

func exportedIn(files map[string]*ast.File) []documented {
	var out []documented
	for _, file := range files {
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				name := d.Name.Name
				if d.Recv != nil {
					receiver := receiverName(d)
					if !ast.IsExported(receiver) {
						continue
					}
					name = receiver + "." + name
				}
				if d.Name.IsExported() {
					out = append(out, documented{name: name, text: text(d.Doc)})
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					out = append(out, specNames(d, s)...)
				}
			}
		}
	}
	return out
}

func receiverName(d *ast.FuncDecl) string {
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	name, ok := typ.(*ast.Ident)
	if !ok { // of a generic type
		return ""
	}
	return name.Name
}

func specNames(d *ast.GenDecl, s ast.Spec) []documented {
	var out []documented
	single := d.Lparen == token.NoPos // the comment of a group speaks of no single name
	switch s := s.(type) {
	case *ast.ValueSpec:
		doc := text(s.Doc, s.Comment)
		if single {
			doc += text(d.Doc)
		}
		for _, n := range s.Names {
			if n.IsExported() {
				out = append(out, documented{name: n.Name, text: doc})
			}
		}
	case *ast.TypeSpec:
		if !s.Name.IsExported() {
			return nil
		}
		doc := text(s.Doc, s.Comment)
		if single {
			doc += text(d.Doc)
		}
		out = append(out, documented{name: s.Name.Name, text: doc})
		if st, ok := s.Type.(*ast.StructType); ok {
			for _, f := range st.Fields.List {
				for _, n := range f.Names {
					if n.IsExported() {
						name, doc := s.Name.Name+"."+n.Name, text(f.Doc, f.Comment)
						out = append(out, documented{name: name, text: doc, wire: wireName(f)})
					}
				}
			}
		}
	}
	return out
}

// wireName returns the name in the tag of a field, empty without one.
func wireName(f *ast.Field) string {
	if f.Tag == nil {
		return ""
	}
	tag := reflect.StructTag(strings.Trim(f.Tag.Value, "`"))
	name, _, _ := strings.Cut(cmp.Or(tag.Get("top"), tag.Get("json")), ",")
	return name
}

func TestEveryPublicNameIsDocumented(t *testing.T) {
	t.Parallel()
	names := exported(t)
	if len(names) < 300 {
		t.Errorf("only %d exported names found", len(names))
	}
	for _, d := range names {
		if strings.TrimSpace(d.text) == "" {
			t.Errorf("%s has no doc comment", d.name)
		}
	}
}

// A message that crosses the wire says where it is documented.
func TestEveryMessageNamesItsSource(t *testing.T) {
	t.Parallel()
	docs := docsByName(t)
	for method, of := range types {
		for _, typ := range []reflect.Type{of.request, of.result} {
			if !strings.Contains(docs[typ.Name()], "Source: ") {
				t.Errorf("%s does not name its source", typ.Name())
			}
		}
		if !strings.Contains(docs[of.request.Name()], method) {
			t.Errorf("%s does not name %s", of.request.Name(), method)
		}
	}
}

func docsByName(t testing.TB) map[string]string {
	docs := map[string]string{}
	for _, d := range append(exportedIn(packageSource(t, "fliggy", "fliggy")), exported(t)...) {
		docs[d.name] = d.text
	}
	return docs
}

func TestInferredMembersSaySo(t *testing.T) {
	t.Parallel()
	docs := docsByName(t)
	word := regexp.MustCompile(`\bInferred\b`)
	for _, f := range compareAll(t) {
		doc := docs[f.owner.Name()+"."+f.field.Name]
		if f.owner == reflect.TypeFor[Status]() {
			// Shared by APIs whose reply is documented: the reply's own type says it.
			doc = docs[f.outer.Name()]
			word := regexp.MustCompile(`(?i)\binferred\b`)
			if !word.MatchString(doc) {
				t.Errorf("%s: the comment of %s does not say that its names are inferred", f.method, f.outer.Name())
			}
			continue
		}
		if !word.MatchString(doc) {
			t.Errorf(
				"%s: %s.%s (%s) is inferred, and its comment does not say so: %q", f.method, f.owner.Name(), f.field.Name, f.name,
				doc,
			)
		}
	}
}

// apiMethods are the methods of the client's services, such as "Orders.Query", and the
// API that the comment of each names.
func apiMethods(t testing.TB) map[string]string {
	t.Helper()
	services := map[string]string{}
	for i := range reflect.TypeFor[Client]().NumField() {
		f := reflect.TypeFor[Client]().Field(i)
		if f.IsExported() {
			services[f.Type.Elem().Name()] = f.Name
		}
	}
	line := regexp.MustCompile(`(?m)^API: ([a-z.]+[a-z])[.;]`)
	methods := map[string]string{}
	for _, d := range exported(t) {
		receiver, name, ok := strings.Cut(d.name, ".")
		if !ok || services[receiver] == "" || name == "NewRequest" { // which sends nothing
			continue
		}
		m := line.FindStringSubmatch(d.text)
		if m == nil {
			t.Errorf("the comment of %s does not end in a line such as %q", d.name, "API: "+api.OrderQuery.Method+".")
			continue
		}
		methods[services[receiver]+"."+name] = m[1]
	}
	return methods
}

// TestMethodsNameTheirAPI holds the methods of the services to the table: every API has
// types and a method.
func TestMethodsNameTheirAPI(t *testing.T) {
	t.Parallel()
	called := map[string]bool{}
	for name, method := range apiMethods(t) {
		called[method] = true
		if api.ByMethod(method) == nil {
			t.Errorf("the comment of %s names %s, which has no row in internal/api/api.go", name, method)
		}
	}
	for _, op := range api.All() {
		if _, ok := types[op.Method]; !ok {
			t.Errorf("%s has no types: declare them in a file of the root, with a variable that binds them to the row, "+
				"such as opOrderQuery in order.go", op.Method)
		}
		if !called[op.Method] {
			t.Errorf("no method calls %s: add one to a service, such as OrderService.Query in order.go", op.Method)
		}
	}
}

// TestDependabot: the list of modules in .github/dependabot.yml is that of the repository.
func TestDependabot(t *testing.T) {
	t.Parallel()
	config := readFile(t, ".github", "dependabot.yml")
	list, _, _ := strings.Cut(config[strings.Index(config, "directories:"):], "schedule:")
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if filepath.Base(path) == "go.mod" {
			dir := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), ".")
			if !strings.Contains(list, "- /"+dir+"\n") {
				t.Errorf(".github/dependabot.yml lacks the module in /%s", dir)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
