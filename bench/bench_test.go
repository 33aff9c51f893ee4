package bench

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/bench/internal/work"
)

func billJSON(tb testing.TB, lines int) string {
	text, err := json.Marshal(billOf(work.Bill(lines)))
	must(tb, err)
	return string(text)
}

// BenchmarkSign signs twelve parameters, one of them 1 KB of JSON, with MD5.
func BenchmarkSign(b *testing.B) {
	params := work.SignedParams(billJSON(b, 2))
	run(b, "ours", func() (any, error) {
		_, err := rentcar.Sign(rentcar.MD5, work.Secret, params, nil)
		return nil, err
	})
	run(b, "std", func() (any, error) {
		signMD5(work.Secret, params)
		return nil, nil
	})
}

// BenchmarkBuild is the way of a request of 1 KB of JSON, a bill of two lines, from the
// call until a round tripper has read it. Allocations and bytes are of the whole call.
func BenchmarkBuild(b *testing.B) {
	gateway := work.NewGateway(work.DoneJSON)
	var begun time.Time
	var read time.Duration
	gateway.Read = func() { read += time.Since(begun) }
	bill := work.Bill(2)
	for _, c := range contestants(b, gateway, rentcar.SimplifiedJSON) {
		notify := c.notify(bill)
		b.Run("impl="+c.name, func(b *testing.B) {
			b.ReportAllocs()
			read = 0
			for b.Loop() {
				begun = time.Now()
				if _, err := notify(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(read.Nanoseconds())/float64(b.N), "ns/op")
		})
	}
}

// BenchmarkSmall is renewal.checkcancel, the whole call.
func BenchmarkSmall(b *testing.B) {
	request, gateway := work.CheckCancel(), work.NewGateway(work.CheckCancelJSON)
	all := append(contestants(b, gateway, rentcar.SimplifiedJSON), observed(b, gateway, rentcar.SimplifiedJSON))
	for _, c := range all {
		run(b, c.name, func() (any, error) { return c.checkCancel(request) })
	}
}

// BenchmarkOrderJSON is order.query with a reply of 4 KB.
func BenchmarkOrderJSON(b *testing.B) {
	request := work.OrderQuery()
	for _, c := range contestants(b, work.NewGateway(work.OrderJSON), rentcar.SimplifiedJSON) {
		run(b, c.name, func() (any, error) { return c.orderQuery(request) })
	}
}

// BenchmarkOrderXML is the same order as XML.
func BenchmarkOrderXML(b *testing.B) {
	request := work.OrderQuery()
	for _, c := range contestants(b, work.NewGateway(work.OrderXML), rentcar.XML) {
		run(b, c.name, func() (any, error) { return c.orderQuery(request) })
	}
}

// BenchmarkGeneric is the order as JSON through Client.Call, with the peers' own structs.
func BenchmarkGeneric(b *testing.B) {
	request := work.OrderQuery()
	for _, c := range contestants(b, work.NewGateway(work.OrderJSON), rentcar.SimplifiedJSON) {
		run(b, c.name, func() (any, error) { return c.generic(request) })
	}
}

// BenchmarkBill is bill.notify with ever more lines.
func BenchmarkBill(b *testing.B) {
	for _, lines := range []int{10, 100, 1_000, 10_000} {
		b.Run(fmt.Sprintf("lines=%d", lines), func(b *testing.B) {
			bill := work.Bill(lines)
			for _, c := range contestants(b, work.NewGateway(work.DoneJSON), rentcar.SimplifiedJSON) {
				run(b, c.name, c.notify(bill))
			}
		})
	}
}

// BenchmarkPush verifies event 142, parses it and hands it to a function. Each push is
// new to its receiver.
func BenchmarkPush(b *testing.B) {
	for _, r := range receivers(b) {
		receive(b, r, r.pushes, r.handle)
	}
}

// BenchmarkPushWithoutGate is the same without the gate that lets a message through once.
func BenchmarkPushWithoutGate(b *testing.B) {
	for _, r := range ungated(b) {
		receive(b, r, r.pushes, r.handle)
	}
}

// BenchmarkPushHTTP is BenchmarkPush with a request to read and a reply to write.
func BenchmarkPushHTTP(b *testing.B) {
	for _, r := range receivers(b) {
		receive(b, r, deliveries(r.pushes), func(d *delivery) error { return d.to(r.serve) })
	}
}

func receive[T any](b *testing.B, r *receiver, pushes []T, handle func(T) error) {
	b.Run("impl="+r.name, func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if i%len(pushes) == 0 {
				r.forget()
			}
			if err := handle(pushes[i%len(pushes)]); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkPushAgain is the same push again and again, which the SDK answers without
// its function.
func BenchmarkPushAgain(b *testing.B) {
	for _, r := range receivers(b) {
		run(b, r.name, func() (any, error) { return nil, r.handle(r.pushes[0]) })
	}
}

// BenchmarkNewClient makes a client.
func BenchmarkNewClient(b *testing.B) {
	hc := &http.Client{Transport: work.NewGateway(nil)}
	run(b, "ours", func() (any, error) {
		return rentcar.NewClient(work.AppKey, work.Secret, rentcar.WithHTTPClient(hc))
	})
}

func run(b *testing.B, name string, call func() (any, error)) {
	b.Run("impl="+name, func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := call(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
