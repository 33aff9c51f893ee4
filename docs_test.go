package rentcar

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// source is the parsed library code of this package.
func source(t testing.TB) map[string]*ast.File {
	t.Helper()
	library := func(f fs.FileInfo) bool { return !strings.HasSuffix(f.Name(), "_test.go") }
	pkgs, err := parser.ParseDir(token.NewFileSet(), ".", library, parser.ParseComments) //nolint:staticcheck // no build tags here, and types are not needed
	if err != nil {
		t.Fatal(err)
	}
	return pkgs["rentcar"].Files
}

// A documented name is an exported name and what its comments say.
type documented struct{ name, text string }

func text(groups ...*ast.CommentGroup) string {
	out := ""
	for _, g := range groups {
		out += g.Text()
	}
	return out
}

// exported lists all exported names: functions, methods, types, fields, constants
// and variables, methods and fields as "Type.Name".
func exported(t testing.TB) []documented {
	t.Helper()
	var out []documented
	for _, file := range source(t) {
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
					out = append(out, documented{name, text(d.Doc)})
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
	return typ.(*ast.Ident).Name
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
				out = append(out, documented{n.Name, doc})
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
		out = append(out, documented{s.Name.Name, doc})
		if st, ok := s.Type.(*ast.StructType); ok {
			for _, f := range st.Fields.List {
				for _, n := range f.Names {
					if n.IsExported() {
						out = append(out, documented{s.Name.Name + "." + n.Name, text(f.Doc, f.Comment)})
					}
				}
			}
		}
	}
	return out
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
	for _, op := range operations {
		for _, typ := range []reflect.Type{op.request, op.result} {
			if !strings.Contains(docs[typ.Name()], "Source: ") {
				t.Errorf("%s does not name its source", typ.Name())
			}
		}
		if !strings.Contains(docs[op.request.Name()], op.method) {
			t.Errorf("%s does not name %s", op.request.Name(), op.method)
		}
	}
}

func docsByName(t testing.TB) map[string]string {
	docs := map[string]string{}
	for _, d := range exported(t) {
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
			t.Errorf("%s: %s.%s (%s) is inferred, and its comment does not say so: %q", f.method, f.owner.Name(), f.field.Name, f.name, doc)
		}
	}
}

// The comment of every method that calls an API names the API, and all APIs have
// a method.
func TestMethodsNameTheirAPI(t *testing.T) {
	t.Parallel()
	line := regexp.MustCompile(`(?m)^API: ([a-z.]+[a-z])[.;]`)
	named := map[string][]string{}
	for _, file := range source(t) {
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil || !f.Name.IsExported() || !strings.HasSuffix(receiverName(f), "Service") {
				continue
			}
			name := receiverName(f) + "." + f.Name.Name
			m := line.FindStringSubmatch(f.Doc.Text())
			if m == nil {
				t.Errorf("the comment of %s names no API", name)
				continue
			}
			named[m[1]] = append(named[m[1]], name)
		}
	}
	want := map[string][]string{
		"alitrip.rentcar.btb.renewaldetail.query":   {"RenewalService.Quote"},
		"alitrip.rentcar.btb.renewal.submit":        {"RenewalService.Submit"},
		"alitrip.rentcar.btb.renewal.checkcancel":   {"RenewalService.CheckCancel", "RenewalService.Settle"},
		"alitrip.rentcar.btb.renewal.order.cancel":  {"RenewalService.Cancel"},
		"alitrip.rentcar.btb.order.query":           {"OrderService.Query"},
		"alitrip.rentcar.btb.order.cancelcheck":     {"OrderService.CheckCancel"},
		"alitrip.rentcar.btb.bill.notify":           {"BillService.Notify", "BillService.NotifyAll"},
		"alitrip.rentcar.btb.distribution.callback": {"CallbackService.Send"},
		"alitrip.rentcar.zzc.callback.order.create": {"AgencyService.CreateOrder"},
		"alitrip.rentcar.zzc.callback.order.update": {"AgencyService.UpdateOrder"},
	}
	for _, names := range named {
		slices.Sort(names)
	}
	diff(t, "APIs named by methods", want, named)
	for _, op := range operations {
		if named[op.method] == nil {
			t.Errorf("no method calls %s", op.method)
		}
	}
}
