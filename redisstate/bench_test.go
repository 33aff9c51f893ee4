package redisstate_test

import (
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/qimen"
	"github.com/fliggy-go/rentcar/redisstate"
)

// BenchmarkGate has Begin and Finish of new messages beside a bare SET NX of the same size.
func BenchmarkGate(b *testing.B) {
	client := server(b)
	prefix := freshPrefix(b)
	g := newGate(b, client, redisstate.GateConfig{App: "1", Age: time.Minute, Config: redisstate.Config{Prefix: prefix}})
	var n atomic.Int64
	for _, parallel := range []int{1, 4, 32} { // for each processor
		run := func(name string, f func(id string) error) {
			b.Run(name+" "+strconv.Itoa(parallel), func(b *testing.B) {
				b.SetParallelism(parallel)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := f(strconv.FormatInt(n.Add(1), 10)); err != nil {
							b.Error(err)
						}
					}
				})
			})
		}
		run("SetNX", func(id string) error {
			return client.SetNX(b.Context(), prefix+":n:"+id, "0123456789abcdef0123456789abcdef", time.Minute).Err()
		})
		run("Begin", func(id string) error {
			_, err := g.Begin(b.Context(), "event/"+id, "0123456789abcdef0123456789abcdef", "s"+id)
			return err
		})
		run("Begin and Finish", func(id string) error {
			c, err := g.Begin(b.Context(), "event/"+id, "0123456789abcdef0123456789abcdef", "s"+id)
			if err != nil {
				return err
			}
			return g.Finish(b.Context(), c, qimen.Reply{Status: 200, Body: []byte(`{"success":true}`)})
		})
	}
}
