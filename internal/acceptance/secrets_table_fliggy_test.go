package acceptance

import (
	"encoding"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/fliggy-go/rentcar/fliggy"
)

const whyQuoted = "the scalars quote at most 40 characters of their input, and say so (package fliggy)"

// maxQuote is how many characters an error of package fliggy may quote.
const maxQuote = 40

func quotesInput(markers ...leakMarker) leakReasons {
	may := leakReasons{}
	for _, m := range markers {
		may[m] = whyQuoted
	}
	return may
}

// scalarTypes are all types of package fliggy that read and write themselves.
var scalarTypes = []any{
	new(fliggy.AddedServiceCode), new(fliggy.AgencyOrderStatus), new(fliggy.BillBizType), new(fliggy.Canceller),
	new(fliggy.CarType), new(fliggy.Channel),
	new(fliggy.CoordinateSource), new(fliggy.Date), new(fliggy.Decimal), new(fliggy.DoorServiceType), new(fliggy.Exts),
	new(fliggy.Fen), new(fliggy.Flag), new(fliggy.ID),
	new(fliggy.FuelType), new(fliggy.LicenseType), new(fliggy.LocalTime), new(fliggy.OrderServiceType),
	new(fliggy.OutputType), new(fliggy.PayModel), new(fliggy.PayStatus),
	new(fliggy.PayType), new(fliggy.PlaceType), new(fliggy.PositionType), new(fliggy.RefundType), new(fliggy.Secret),
	new(fliggy.ServiceType),
	new(fliggy.StoreType), new(fliggy.Time), new(fliggy.TradeType), new(fliggy.Transmission), new(fliggy.Yuan),
}

// unwritable are values that have no text.
var unwritable = []any{
	fliggy.ID(long40(markBody.text) + "\xff"), fliggy.Exts(long40(markBody.text) + "\xff"),
	fliggy.YuanOf(decimal.New(4711081523424299107, 60)), fliggy.DecimalOf(decimal.New(4711081523424299107, 60)),
	fliggy.At(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)),
	fliggy.LocalTimeOf(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)),
	fliggy.DateOf(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)), fliggy.FenOf(-1), fliggy.NewSecret(markSecret.text),
}

// long40 is a text whose first 40 characters end before its last marker begins.
func long40(text string) string { return text + strings.Repeat("-", maxQuote) + markReply.text }

// bounded fails where an error shows more of a long input than is allowed. It keeps
// one of those that say the same.
func bounded(t *testing.T, errs []error) []any {
	t.Helper()
	byText := map[string]error{}
	for _, err := range errs {
		if err == nil {
			continue
		}
		byText[err.Error()] = err
		// and the rule behind it
		if _, quoted, ok := strings.Cut(err.Error(), `"`); ok && utf8.RuneCountInString(quoted) > maxQuote+80 {
			t.Errorf("too long: %v", err)
		}
	}
	return all(slices.Collect(maps.Values(byText))...)
}

func vocabularyRows() []leakRow {
	inputs := []string{long40(markBody.text), markPhone.text + "x", strings.Repeat("9", 300) + markReply.text}
	read := leakRow{
		name: "fliggy, reading", want: "fliggy: ", may: quotesInput(markBody, markPhone),
		run: func(t *testing.T, _ *leakStage) []any {
			var errs []error
			for _, to := range scalarTypes {
				for _, in := range append(inputs, long40(markBody.text)+"\xff") {
					if u, ok := to.(encoding.TextUnmarshaler); ok {
						errs = append(errs, u.UnmarshalText([]byte(in)))
					}
					if u, ok := to.(json.Unmarshaler); ok {
						for _, raw := range []string{
							jsonText(in), in, `{"` + in + `":1}`, `["` + in + `"]`, `"` + in, "9" + in, "true " + in,
						} {
							errs = append(errs, u.UnmarshalJSON([]byte(raw)))
						}
					}
				}
			}
			return bounded(t, errs)
		},
	}
	write := leakRow{
		name: "fliggy, writing", want: "fliggy: ", may: quotesInput(markBody, markDigits),
		covers: []string{"fliggy.Yuan.Cmp", "fliggy.Decimal.Cmp"},
		run: func(t *testing.T, _ *leakStage) []any {
			errs := []error{
				second(fliggy.MustYuan(markDigits.text).Cmp(fliggy.Yuan{})),
				second(fliggy.MustDecimal(markDigits.text).Cmp(fliggy.Decimal{})),
			}
			for _, v := range unwritable {
				if m, ok := v.(encoding.TextMarshaler); ok {
					errs = append(errs, second(m.MarshalText()))
				}
				if m, ok := v.(encoding.TextAppender); ok {
					errs = append(errs, second(m.AppendText(nil)))
				}
				if m, ok := v.(json.Marshaler); ok {
					errs = append(errs, second(m.MarshalJSON()))
				}
				if m, ok := v.(interface {
					AppendLayout([]byte, string) ([]byte, error)
				}); ok {
					errs = append(errs, second(m.AppendLayout(nil, "2006")))
				}
			}
			return bounded(t, errs)
		},
	}
	for _, v := range append(scalarTypes, unwritable...) {
		to := reflect.TypeOf(v)
		name := to.String()
		if to.Kind() == reflect.Pointer {
			name = to.Elem().String()
		}
		for _, row := range []*leakRow{&read, &write} {
			for _, method := range []string{
				"UnmarshalText", "UnmarshalJSON", "MarshalText", "AppendText", "MarshalJSON", "AppendLayout",
			} {
				reads := strings.HasPrefix(method, "Un")
				if _, ok := to.MethodByName(method); ok && reads == (row == &read) && reads == (to.Kind() == reflect.Pointer) {
					row.covers = append(row.covers, name+"."+method)
				}
			}
		}
	}
	parse := leakRow{
		name: "fliggy, parsing", want: "fliggy: ", may: quotesInput(markBody, markPhone),
		covers: []string{"fliggy.ParseDecimal", "fliggy.ParseTime", "fliggy.ParseYuan"},
		run: func(t *testing.T, _ *leakStage) []any {
			var errs []error
			for _, in := range inputs {
				errs = append(errs, second(fliggy.ParseDecimal(in)), second(fliggy.ParseTime(in)), second(fliggy.ParseYuan(in)))
			}
			return bounded(t, errs)
		},
	}
	return []leakRow{read, write, parse, {
		name: "fliggy.Yuan.Fen", covers: []string{"fliggy.Yuan.Fen"}, want: "fen", may: quotesInput(markDigits),
		run: func(*testing.T, *leakStage) []any {
			return all(second(fliggy.MustYuan(markDigits.text+".001").Fen()), second(fliggy.MustYuan(markDigits.text).Fen()))
		},
	}, {
		name: "fliggy.Exts", covers: []string{"fliggy.Exts.Decode", "fliggy.Exts.Map"}, want: "extension data",
		may: quotesInput(markBody),
		run: func(t *testing.T, _ *leakStage) []any {
			var errs []error
			for _, in := range []string{
				long40(markBody.text), `{"x":"` + markReply.text, `{"x":` + strings.Repeat(markDigits.text, 5) + `}`,
				`{"x":"` + markReply.text + `"}`,
				`{"x":["` + markReply.text + `"]}`,
			} {
				var to struct {
					X int `json:"x"`
				}
				errs = append(errs, fliggy.Exts(in).Decode(&to), second(fliggy.Exts(in).Map()))
			}
			return bounded(t, errs)
		},
	}, {
		name: "fliggy.Problems.Err", covers: []string{"fliggy.Problems.Err"}, want: "not valid",
		run: errOf(func() error {
			var ps fliggy.Problems
			ps.Add("driver.name", "is missing")
			return ps.In("list[0]").Err("x.y")
		}),
	}}
}
