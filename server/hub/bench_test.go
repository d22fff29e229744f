//go:build linux

package hub

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/netpoll"
)

type counter struct {
	Member
	n int
}

func (c *counter) Deliver(*Message) { c.n++ }

func BenchmarkPublishToDeliver(b *testing.B) {
	for _, subscribers := range []int{1, 100, 10000} {
		b.Run(fmt.Sprint(subscribers), func(b *testing.B) {
			h := New(Config{})
			l, err := netpoll.New(netpoll.Config{})
			require.NoError(b, err)
			s := h.NewShard(l)
			done := make(chan error, 1)
			go func() { done <- l.Run() }()
			on := func(f func()) {
				c := make(chan struct{})
				l.Post(func() { f(); close(c) })
				<-c
			}
			on(func() {
				for range subscribers {
					s.Subscribe("a", &counter{})
				}
			})
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				h.Publish(&Message{Channel: "a"})
				if i%1024 == 1023 {
					on(func() {})
				}
			}
			for busy := true; busy; {
				on(func() { busy = len(s.jobs) > 0 })
			}
			b.StopTimer()
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(subscribers), "ns/delivery")
			l.Stop()
			require.NoError(b, <-done)
		})
	}
}
