package fliggytest

import "reflect"

// snapshot returns a copy of v that shares no list, map or pointer with it.
func snapshot[T any](v T) T {
	own(reflect.ValueOf(&v).Elem())
	return v
}

func snapshots[T any](list []T) []T {
	out := make([]T, len(list))
	for i := range list {
		out[i] = snapshot(list[i])
	}
	return out
}

// copies is snapshots of what is pointed to.
func copies[T any](list []*T) []T {
	out := make([]T, len(list))
	for i, v := range list {
		out[i] = snapshot(*v)
	}
	return out
}

// own replaces what v shares with the value it was copied from. Unexported fields
// stay: the types here have none that is ever written to.
func own(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() {
				own(f)
			}
		}
	case reflect.Slice:
		if v.IsNil() {
			return
		}
		fresh := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(fresh, v)
		for i := range fresh.Len() {
			own(fresh.Index(i))
		}
		v.Set(fresh)
	case reflect.Map:
		if v.IsNil() {
			return
		}
		fresh := reflect.MakeMapWithSize(v.Type(), v.Len())
		for it := v.MapRange(); it.Next(); {
			value := reflect.New(v.Type().Elem()).Elem()
			value.Set(it.Value())
			own(value)
			fresh.SetMapIndex(it.Key(), value)
		}
		v.Set(fresh)
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		fresh := reflect.New(v.Type().Elem())
		fresh.Elem().Set(v.Elem())
		own(fresh.Elem())
		v.Set(fresh)
	}
}
