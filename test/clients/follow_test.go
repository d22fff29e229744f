package clients

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/browser"
	"github.com/wsfleet/wsfleet/test/redistest"
)

// The example of docs/protocol.md is the file that this test runs: a browser follows a
// channel while its node is killed and comes back.
func TestBrowserResumes(t *testing.T) {
	example, err := os.ReadFile("follow.js")
	require.NoError(t, err)
	doc, err := os.ReadFile("../../docs/protocol.md")
	require.NoError(t, err)
	require.Contains(t, string(doc), "```js\n"+string(example)+"```\n", "docs/protocol.md shows test/clients/follow.js")

	redis := redistest.Start(t)
	args := []string{"-broker", redis.URL, "-history-length", "100"}
	other, n := startNode(t, args...), startNode(t, args...)

	lines := make(chan string, 100)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "follow.html") })
	mux.HandleFunc("GET /follow.js", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "follow.js") })
	mux.HandleFunc("POST /line", func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		lines <- string(b)
	})
	page := httptest.NewServer(mux)
	defer page.Close()
	browser.Start(t, fmt.Sprintf("%s/?url=%s", page.URL, url.QueryEscape(strings.Replace(n.ws, "127.0.0.1", "localhost", 1))))
	read := func() string {
		select {
		case line := <-lines:
			return line
		case <-time.After(60 * time.Second):
			return "(nothing within a minute)"
		}
	}
	require.Eventually(t, func() bool { return strings.HasSuffix(redis.CLI(t, "PUBSUB", "NUMSUB", "news"), "1") }, time.Minute, 10*time.Millisecond)
	other.publish(t, "news", "1")
	require.Equal(t, "news: 1", read())
	n.kill()
	for i := 2; i <= 50; i++ {
		other.publish(t, "news", fmt.Sprint(i))
	}
	n.start(t)
	for i := 2; i <= 50; i++ {
		require.Equal(t, fmt.Sprintf("news: %d", i), read())
	}
	other.publish(t, "news", "the\nend")
	require.Equal(t, "news: the\nend", read())

	// Beyond what is kept it is told so, and goes on.
	n.kill()
	for i := range 150 {
		other.publish(t, "news", fmt.Sprint("missed ", i))
	}
	n.start(t)
	require.Contains(t, read(), "news missed: ")
	other.publish(t, "news", "on it goes")
	require.Equal(t, "news: on it goes", read())
}
