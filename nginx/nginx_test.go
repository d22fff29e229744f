package nginx_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/ansible/edgetest"
	"github.com/wsfleet/wsfleet/test/nodetest"
)

func TestMain(m *testing.M) { os.Exit(nodetest.Main(m, func() error { return nil })) }

// Nginx with its health checks must do what HAProxy does by itself.
func TestNginx(t *testing.T) {
	edgetest.Run(t, func(t *testing.T, edge edgetest.Edge) string {
		addr, _ := edgetest.Nginx(t, edge)
		return addr
	})
}

// The exporter reads this page. It must count in layer 4, too, where no request is seen.
func TestNginxCountsItsConnections(t *testing.T) {
	for _, layer := range edgetest.Layers {
		t.Run(fmt.Sprint("layer ", layer), func(t *testing.T) {
			node := edgetest.StartNode(t, "node-0", layer)
			addr, stats := edgetest.Nginx(t, edgetest.Edge{Layer: layer, Nodes: []edgetest.Vars{node.Vars()}})
			for range 5 {
				c, _, err := websocket.DefaultDialer.Dial("ws://"+addr, nil)
				require.NoError(t, err)
				defer c.Close()
			}
			// The one that asks counts, too.
			require.EventuallyWithT(t, func(t *assert.CollectT) {
				answer, err := http.Get("http://" + stats + "/stub_status")
				require.NoError(t, err)
				defer answer.Body.Close()
				page, err := io.ReadAll(answer.Body)
				require.NoError(t, err)
				assert.Contains(t, string(page), "Active connections: 6 ")
			}, 10*time.Second, 100*time.Millisecond)
		})
	}
}
