package bench

import (
	"crypto/md5"
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

// BenchmarkSign signs twelve parameters, one of them 1 KB of JSON, with MD5. hash-alone
// is MD5 of the text that they make, which nobody can do without.
func BenchmarkSign(b *testing.B) {
	params := work.SignedParams(billJSON(b, 2))
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := rentcar.Sign(rentcar.MD5, work.Secret, params, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("std", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			signMD5(work.Secret, params)
		}
	})
	text := []byte(work.Secret + rentcar.SignBase(params, nil) + work.Secret)
	b.Run("hash-alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			md5.Sum(text)
		}
	})
}

// BenchmarkBuild is the way of a request of 1 KB of JSON, a bill of two lines, from
// the call until its query and form are made: build-ns/op. read-ns/op is until a round
// tripper has read it, with what net/http and resty do on the way. The other figures
// are of the whole call.
func BenchmarkBuild(b *testing.B) {
	gateway := work.NewGateway(work.DoneJSON)
	var begun time.Time
	var built, read time.Duration
	gateway.Read = func() { read += time.Since(begun) }
	bill := work.Bill(2)
	for _, c := range builders(b, gateway, rentcar.SimplifiedJSON, func() { built += time.Since(begun) }) {
		notify := c.notify(bill)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			built, read = 0, 0
			for b.Loop() {
				begun = time.Now()
				if _, err := notify(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(built.Nanoseconds())/float64(b.N), "build-ns/op")
			b.ReportMetric(float64(read.Nanoseconds())/float64(b.N), "read-ns/op")
		})
	}
}

// BenchmarkSmall is renewal.checkcancel, the whole call.
func BenchmarkSmall(b *testing.B) {
	request := work.CheckCancel()
	for _, c := range contestants(b, work.NewGateway(work.CheckCancelJSON), rentcar.SimplifiedJSON) {
		run(b, c.name, func() (any, error) { return c.checkCancel(request) })
	}
}

// BenchmarkLarge is order.query with a reply of 4 KB.
func BenchmarkLarge(b *testing.B) {
	request := work.OrderQuery()
	for _, c := range contestants(b, work.NewGateway(work.OrderJSON), rentcar.SimplifiedJSON) {
		run(b, c.name, func() (any, error) { return c.orderQuery(request) })
	}
}

// BenchmarkLargeXML is the same order as XML.
func BenchmarkLargeXML(b *testing.B) {
	request := work.OrderQuery()
	for _, c := range contestants(b, work.NewGateway(work.OrderXML), rentcar.XML) {
		run(b, c.name, func() (any, error) { return c.orderQuery(request) })
	}
}

// BenchmarkBill is bill.notify with 10,000 lines.
func BenchmarkBill(b *testing.B) {
	bill := work.Bill(10_000)
	for _, c := range contestants(b, work.NewGateway(work.DoneJSON), rentcar.SimplifiedJSON) {
		run(b, c.name, c.notify(bill))
	}
}

// BenchmarkGrowth is bill.notify with ever more lines.
func BenchmarkGrowth(b *testing.B) {
	for _, lines := range []int{10, 100, 1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("lines=%d", lines), func(b *testing.B) {
			ours := contestants(b, work.NewGateway(work.DoneJSON), rentcar.SimplifiedJSON)[0]
			run(b, ours.name, ours.notify(work.Bill(lines)))
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

// BenchmarkPushHTTP is the same with a request to read and a reply to write.
func BenchmarkPushHTTP(b *testing.B) {
	for _, r := range receivers(b) {
		receive(b, r, deliveries(r.pushes), func(d *delivery) error { return d.to(r.serve) })
	}
}

func receive[T any](b *testing.B, r *receiver, pushes []T, handle func(T) error) {
	b.Run(r.name, func(b *testing.B) {
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
	for _, r := range receivers(b)[:3] {
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
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := call(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
