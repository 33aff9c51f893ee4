package events_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/google/go-cmp/cmp"
)

// Each member of the catalogue has a field of the right type, and the data has no other members.
func TestCatalogueFields(t *testing.T) {
	t.Parallel()
	listed := readCatalogue(t)
	for typ, message := range map[events.Type]any{
		103: events.RenewalAccepted{}, 104: events.RenewalRejected{}, 141: events.FeeRefund{}, 142: events.RenewalFeeRefund{},
	} {
		want := map[string]string{}
		for _, f := range listed.entry(t, typ).Fields {
			want[f.Name] = goType(t, f)
		}
		if diff := cmp.Diff(want, tags(reflect.TypeOf(message))); diff != "" {
			t.Errorf("%v (-catalogue +%T):\n%s", typ, message, diff)
		}
	}
	// All callbacks share one type for their data.
	want := map[string]string{}
	for _, e := range listed.Events {
		if e.Direction == "distributor_to_fliggy" {
			for _, f := range e.Fields {
				want[f.Name] = goType(t, f)
			}
		}
	}
	if diff := cmp.Diff(want, tags(reflect.TypeFor[events.CallbackData]())); diff != "" {
		t.Errorf("callbacks (-catalogue +CallbackData):\n%s", diff)
	}
}

// goType maps type and unit of the catalogue to the Go type and the options of the tag.
func goType(t *testing.T, f catalogueField) string {
	t.Helper()
	switch {
	case f.Name == "refundType" && f.Type == "Integer":
		return reflect.TypeFor[fliggy.RefundType]().String()
	case f.Name == "canceller" && f.Type == "String":
		return reflect.TypeFor[fliggy.Canceller]().String()
	case f.Type == "Long":
		return reflect.TypeFor[fliggy.ID]().String() + ",number"
	case f.Type == "Date":
		return reflect.TypeFor[fliggy.Time]().String()
	case f.Type == "String" && strings.HasPrefix(f.Unit, "CNY yuan"):
		return reflect.TypeFor[fliggy.Yuan]().String()
	case f.Type == "String" && f.Unit == "":
		return "string"
	}
	t.Fatalf("no Go type for %+v", f)
	return ""
}

// tags lists the members of a message: name to type and options.
func tags(t reflect.Type) map[string]string {
	all := map[string]string{}
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("top"), ",")
		if len(f.Index) > 1 && t.FieldByIndex(
			f.Index[:1],
		).Type == reflect.TypeFor[events.Envelope]() || name == "" || name == "-" {
			continue
		}
		all[name] = strings.TrimSuffix(f.Type.String()+","+options, ",")
	}
	return all
}

// Every exported name is documented, and what the catalogue infers says so.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	var files []*ast.File
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), ".go") && !strings.HasSuffix(entry.Name(), "_test.go") {
			file, err := parser.ParseFile(set, entry.Name(), nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
	}
	pkg, err := doc.NewFromFiles(set, files, "github.com/fliggy-go/rentcar/events")
	if err != nil {
		t.Fatal(err)
	}
	texts := docTexts(pkg)
	if len(texts) < 80 {
		t.Errorf("only %d exported names found", len(texts))
	}
	for name, text := range texts {
		if strings.TrimSpace(text) == "" {
			t.Errorf("%s is not documented", name)
		}
	}
	inferred := []string{"Envelope.TraceID", "Envelope.Exts", "FeeRefund"}
	listed := readCatalogue(t)
	for typ, owner := range map[events.Type]string{
		103: "RenewalAccepted", 104: "RenewalRejected", 142: "RenewalFeeRefund",
		260: "CallbackData", 261: "CallbackData", 270: "CallbackData", 271: "CallbackData",
	} {
		for _, f := range listed.entry(t, typ).Fields {
			if f.Confidence == "inferred" {
				inferred = append(inferred, owner+"."+strings.ToUpper(f.Name[:1])+f.Name[1:])
			}
		}
	}
	for _, name := range inferred {
		if !strings.Contains(texts[name], "Inferred") {
			t.Errorf("%s is inferred and does not say so: %q", name, texts[name])
		}
	}
	if len(inferred) < 8 {
		t.Errorf("only %q is inferred", inferred)
	}
}

// docTexts returns the comment of every exported name, fields included.
func docTexts(pkg *doc.Package) map[string]string {
	texts := map[string]string{"package": pkg.Doc}
	values := func(list []*doc.Value) {
		for _, v := range list {
			for _, spec := range v.Decl.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					if name.IsExported() {
						texts[name.Name] = spec.(*ast.ValueSpec).Doc.Text() + spec.(*ast.ValueSpec).Comment.Text()
					}
				}
			}
		}
	}
	functions := func(owner string, list []*doc.Func) {
		for _, f := range list {
			texts[owner+f.Name] = f.Doc
		}
	}
	values(pkg.Consts)
	values(pkg.Vars)
	functions("", pkg.Funcs)
	for _, typ := range pkg.Types {
		texts[typ.Name] = typ.Doc
		values(typ.Consts)
		values(typ.Vars)
		functions("", typ.Funcs)
		functions(typ.Name+".", typ.Methods)
		for _, spec := range typ.Decl.Specs {
			var fields *ast.FieldList
			switch of := spec.(*ast.TypeSpec).Type.(type) {
			case *ast.StructType:
				fields = of.Fields
			case *ast.InterfaceType:
				fields = of.Methods
			default:
				continue
			}
			for _, f := range fields.List {
				for _, name := range f.Names {
					if name.IsExported() {
						texts[typ.Name+"."+name.Name] = f.Doc.Text() + f.Comment.Text()
					}
				}
			}
		}
	}
	return texts
}
