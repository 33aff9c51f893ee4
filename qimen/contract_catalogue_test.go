package qimen

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A member is one of the catalogue of what the platform's documents and samples have.
type member struct {
	Name   string
	List   bool
	Fields []member
}

// The types have exactly the members that the catalogue lists, at every depth, in its spelling: listExcloud and
// poundageFee, too.
func TestMerchantCatalogue(t *testing.T) {
	t.Parallel()
	var catalogue struct {
		APIs []struct {
			Name              string
			Request, Response struct{ Fields []member }
		}
	}
	if err := json.Unmarshal(readFile(t, "catalogue/apis.json"), &catalogue); err != nil {
		t.Fatal(err)
	}
	types := map[string][2]reflect.Type{
		RenewalPricesMethod: {reflect.TypeFor[RenewalPricesRequest](), reflect.TypeFor[RenewalPricesReply]()},
		RenewalSubmitMethod: {reflect.TypeFor[RenewalSubmitRequest](), reflect.TypeFor[RenewalSubmitReply]()},
		RenewalCancelMethod: {reflect.TypeFor[RenewalCancelRequest](), reflect.TypeFor[RenewalCancelReply]()},
	}
	own := map[string]bool{"success": true, "retCode": true, "retMessage": true} // written by the package
	for _, api := range catalogue.APIs {
		pair, ok := types[api.Name]
		if !ok {
			continue
		}
		delete(types, api.Name)
		response := slices.DeleteFunc(api.Response.Fields, func(m member) bool { return own[m.Name] })
		if len(response) != len(api.Response.Fields)-len(own) {
			t.Errorf("%s: success, code and message are not in the catalogue's reply", api.Name)
		}
		request := paths(api.Request.Fields, "")
		if api.Name == RenewalCancelMethod {
			request = append(request, "isPressureTest") // inferred: its siblings have it
		}
		for part, want := range map[string][2][]string{
			"request": {request, tagged(pair[0], "")},
			"reply":   {paths(response, ""), tagged(pair[1], "")},
		} {
			slices.Sort(want[0])
			slices.Sort(want[1])
			if diff := cmp.Diff(want[0], want[1]); diff != "" {
				t.Errorf("%s, %s (-catalogue +type):\n%s", api.Name, part, diff)
			}
		}
	}
	if len(types) > 0 {
		t.Errorf("not in the catalogue: %v", types)
	}
}

func paths(members []member, at string) (out []string) {
	for _, m := range members {
		name := at + m.Name
		if m.List {
			name += "[]"
		}
		out = append(append(out, name), paths(m.Fields, name+".")...)
	}
	return out
}

// tagged lists the wire names of a type in the same form.
func tagged(t reflect.Type, at string) (out []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name := memberName(f)
		if name == "" { // the place for unknown members
			continue
		}
		name, inner := at+name, f.Type
		if inner.Kind() == reflect.Slice {
			name, inner = name+"[]", inner.Elem()
		}
		out = append(out, name)
		if isMessage(inner) {
			out = append(out, tagged(inner, name+".")...)
		}
	}
	return out
}

// memberName is the name of a member in a merchant's message: that of a part of package fliggy is in camelCase there.
func memberName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("top"), ",")
	words := strings.Split(name, "_")
	for i := range words[1:] {
		words[i+1] = strings.ToUpper(words[i+1][:1]) + words[i+1][1:]
	}
	return strings.Join(words, "")
}

// isMessage reports whether t is a struct whose fields have tags.
func isMessage(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.NumField() > 0 && t.Field(0).Tag.Get("top") != ""
}
