package top

import (
	"reflect"
	"testing"
)

// A list that must be there counts once, a list that may be left out as often as it comes:
// the last one.
func TestXMLListTwice(t *testing.T) {
	t.Parallel()
	type required struct {
		List []int `top:"list,required"`
	}
	type optional struct {
		List []int `top:"list"`
	}
	const doc = `<x><list><n>1</n></list><list><n>2</n></list></x>`
	var r required
	plan, err := PlanFor(reflect.TypeFor[required]())
	if err != nil {
		t.Fatal(err)
	}
	if err := plan.DecodeXML([]byte(doc), &r); err == nil || err.Error() != "top: list: "+ruleTwice && err.Error() != "list: "+ruleTwice {
		t.Errorf("%v, %v", r, err)
	}
	var o optional
	if plan, err = PlanFor(reflect.TypeFor[optional]()); err != nil {
		t.Fatal(err)
	}
	if err := plan.DecodeXML([]byte(doc), &o); err != nil || !reflect.DeepEqual(o.List, []int{2}) {
		t.Errorf("%v, %v", o, err)
	}
}
