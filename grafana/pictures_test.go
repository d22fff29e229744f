package grafana_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/grafana/shots"
)

// Every dashboard is drawn from live data, and in time no panel is empty: a query that brings series back whose values
// are no numbers shows nobody anything.
func TestPicturesOfLiveData(t *testing.T) {
	prometheus := startFleet(t)
	files, err := filepath.Glob("dashboards/*.json")
	require.NoError(t, err)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			var empty []string
			for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(time.Second) {
				now := time.Now()
				_, summary, err := shots.Render(t.Context(), prometheus, text, shots.Options{
					Start: now.Add(-time.Minute), End: now, ScrapeInterval: time.Second, Vars: map[string]string{"cluster": "test"},
				})
				require.NoError(t, err)
				if empty = summary.Empty; len(empty) == 0 {
					return
				}
			}
			require.Empty(t, empty, "panels without data")
		})
	}
}

// live lets a client take what comes, heartbeats among it, and has broadcasts published, until the test ends.
func live(t *testing.T, c *websocket.Conn, publish string) {
	t.Helper()
	stop := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		for {
			if _, _, err := c.ReadMessage(); err != nil {
				return // closed below
			}
		}
	})
	running.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(200 * time.Millisecond):
			}
			if answer, err := http.Post(publish, "text/plain", strings.NewReader("hello")); err == nil {
				_, _ = io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
			}
		}
	})
	t.Cleanup(func() {
		close(stop)
		c.Close()
		running.Wait()
	})
}
