//go:build linux

package siege

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// stream publishes numbered messages on a channel, at POST /publish.
type stream struct {
	published atomic.Int64 // number of the last one that the node has taken
	cancel    context.CancelFunc
	ended     chan struct{}
}

// startStream publishes a message of that many bytes every so often, until end or
// until the node does not take one.
func startStream(t *testing.T, n *node, channel string, size int, every time.Duration) *stream {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s := &stream{cancel: cancel, ended: make(chan struct{})}
	t.Cleanup(s.end)
	go func() {
		defer close(s.ended)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for i := int64(1); publish(ctx, n, channel, numbered(channel, i, size)) == nil; i++ {
			s.published.Store(i)
			<-tick.C
		}
	}()
	return s
}

func (s *stream) end() {
	s.cancel()
	<-s.ended
}

// publish waits as long as ctx lets it: the node may stand still.
func publish(ctx context.Context, n *node, channel string, payload []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.Admin+"/publish?channel="+channel, bytes.NewReader(payload))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("publish: %s", resp.Status)
	}
	return nil
}

func numbered(channel string, i int64, size int) []byte {
	return fmt.Appendf(nil, "%-*s", size, fmt.Sprintf("siege %s %d", channel, i))
}

// parseNumbered reports whether a message is of a channel's stream, and its number.
func parseNumbered(channel string, payload []byte) (i int64, ok bool) {
	n, err := fmt.Sscanf(string(payload), "siege "+channel+" %d", &i)
	return i, n == 1 && err == nil
}
