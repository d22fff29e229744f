//go:build linux

package siege

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// watchPeak samples the node's resident memory until peak is called, which returns
// the highest seen, in bytes.
func watchPeak(t *testing.T, n *node) (peak func() float64) {
	t.Helper()
	var highest float64
	stop, stopped := make(chan struct{}), make(chan struct{})
	end := sync.OnceFunc(func() { close(stop) })
	t.Cleanup(func() { end(); <-stopped })
	go func() {
		defer close(stopped)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			highest = max(highest, n.Resident())
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	return func() float64 {
		end()
		<-stopped
		return highest
	}
}

func mebibytes(n float64) string { return fmt.Sprintf("%.1f MiB", n/(1<<20)) }
