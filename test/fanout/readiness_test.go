//go:build linux

package fanout

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wsfleet/wsfleet/test/nodetest"
)

// readiness is what nodes say of theirs, from watchReadiness to end.
type readiness struct {
	notReady time.Duration // for which at least one of them said that it is not ready
	said     []string      // why, each text once

	end func()
}

// watchReadiness asks again and again. A node that says nothing has died, or stands
// still.
func watchReadiness(t *testing.T, nodes []*nodetest.Node) *readiness {
	t.Helper()
	const every = 20 * time.Millisecond
	r := &readiness{}
	stop, ended := make(chan struct{}), make(chan struct{})
	r.end = sync.OnceFunc(func() {
		close(stop)
		<-ended
	})
	t.Cleanup(r.end)
	go func() {
		defer close(ended)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for last := time.Now(); ; {
			ready := true
			for _, n := range nodes {
				ready = r.ask(n) && ready
			}
			now := time.Now()
			if !ready {
				r.notReady += now.Sub(last)
			}
			last = now
			select {
			case <-tick.C:
			case <-stop:
				return
			}
		}
	}()
	return r
}

// ask reports whether a node doesn't say that it is not ready.
func (r *readiness) ask(n *nodetest.Node) bool {
	resp, err := n.HTTP.Get(n.Admin + "/readyz")
	if err != nil {
		return true
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable {
		return true
	}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	if text := strings.TrimSpace(string(body)); !slices.Contains(r.said, text) {
		r.said = append(r.said, text)
	}
	return false
}
