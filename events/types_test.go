package events_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/events"
)

func decimal(n int) string { return strconv.Itoa(n) }

func TestTypeNames(t *testing.T) {
	t.Parallel()
	for typ, want := range map[events.Type]string{
		10: "10 order cancelled", 11: "11 order cancellation failed",
		103: "103 renewal accepted", 104: "104 renewal rejected",
		141: "141 fee refund requested", 142: "142 renewal fee refund requested",
		210: "210 refund in progress", 220: "220 refund refused", 230: "230 refund paid",
		260: "260 fee refund succeeded", 261: "261 fee refund failed",
		270: "270 renewal fee refund succeeded", 271: "271 renewal fee refund failed",
	} {
		if typ.String() != want || !typ.Known() || fmt.Sprint(typ) != want {
			t.Errorf("%d: %q, known %t", int(typ), typ, typ.Known())
		}
	}
	for _, typ := range []events.Type{0, -1, 4, 130, 131, 132, 140, 150, 999999999} {
		if typ.String() != decimal(int(typ)) || typ.Known() {
			t.Errorf("%d: %q, known %t", int(typ), typ, typ.Known())
		}
	}
	// In JSON a type is its number.
	if text, err := json.Marshal(events.TypeRenewalAccepted); err != nil || string(text) != "103" {
		t.Errorf("JSON %s, %v", text, err)
	}
}

// Known reports true for exactly the types that the catalogue names.
func TestTypeCatalogue(t *testing.T) {
	t.Parallel()
	for _, e := range readCatalogue(t).Events {
		documented := string(e.Sample) != "null" && e.Type != 4 // 4: meaning not given
		if e.Type.Known() != documented {
			t.Errorf("%v: known %t, in the catalogue with a meaning %t", e.Type, e.Type.Known(), documented)
		}
		if strings.TrimSpace(e.Type.String()) == "" {
			t.Errorf("%d has no text", int(e.Type))
		}
	}
}
