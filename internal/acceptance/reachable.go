package acceptance

import (
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"unsafe"
)

// Reachable walks over a value as far as reflection gets, unexported fields included. It returns the paths to texts
// that hold a marker, and no more than a few of them.
func Reachable(v any, markers ...string) (found []string) {
	seen := map[[2]any]bool{}
	var walk func(path string, v reflect.Value)
	walk = func(path string, v reflect.Value) {
		if !v.IsValid() || len(found) > 3 || len(path) > 1000 {
			return
		}
		if v.CanAddr() {
			key := [2]any{v.UnsafeAddr(), v.Type()}
			if seen[key] {
				return
			}
			seen[key] = true
			address := unsafe.Pointer(v.UnsafeAddr()) //nolint:gosec // reads unexported fields; only tests call this
			v = reflect.NewAt(v.Type(), address).Elem()
		}
		text := ""
		switch v.Kind() {
		case reflect.Pointer, reflect.Interface:
			walk(path, v.Elem())
		case reflect.Struct:
			if !v.CanAddr() {
				to := reflect.New(v.Type()).Elem()
				to.Set(v)
				v = to
			}
			for i := range v.NumField() {
				walk(path+"."+v.Type().Field(i).Name, v.Field(i))
			}
		case reflect.Map:
			for k, e := range v.Seq2() {
				walk(path+"[key]", k)
				walk(path+"[]", e)
			}
		case reflect.Slice, reflect.Array:
			if v.Type().Elem().Kind() == reflect.Uint8 && v.Kind() == reflect.Slice {
				text = string(v.Bytes())
				break
			}
			for i := range v.Len() {
				walk(path+"[]", v.Index(i))
			}
		case reflect.String:
			text = v.String()
		}
		for _, m := range markers {
			if text != "" && (strings.Contains(text, m) || strings.Contains(text, url.QueryEscape(m))) {
				found = append(found, fmt.Sprintf("%T%s holds %q", v.Interface(), path, m))
			}
		}
	}
	walk("", reflect.ValueOf(v))
	return found
}
