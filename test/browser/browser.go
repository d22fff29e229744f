// Package browser drives a headless Chromium in tests, over the DevTools protocol.
package browser

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// answerTimeout is how long the browser may take for anything.
const answerTimeout = time.Minute

// Start opens a URL in a browser without a window until the test ends.
func Start(t *testing.T, url string) { start(t, t.TempDir(), url) }

func start(t *testing.T, profile, url string) {
	t.Helper()
	cmd := exec.Command("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
		"--hide-scrollbars", "--user-data-dir="+profile, "--remote-debugging-port=0", url)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	require.NoError(t, cmd.Start(), "chromium is not installed: make deps")
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("chromium: %s", output.String())
		}
	})
}

// Tab is a browser's tab.
type Tab struct {
	t    *testing.T
	conn *websocket.Conn
	id   int
	// Requests are the URLs that the page has asked for, Complaints what its
	// console and the browser had to say about it.
	Requests, Complaints []string
}

// Open shows a URL in a browser of its own until the test ends.
func Open(t *testing.T, url string) *Tab {
	t.Helper()
	profile := t.TempDir()
	start(t, profile, "about:blank")
	var debugger string
	require.Eventually(t, func() bool {
		debugger = debuggerOf(profile)
		return debugger != ""
	}, answerTimeout, 50*time.Millisecond)
	conn, _, err := websocket.DefaultDialer.Dial(debugger, nil)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	tab := &Tab{t: t, conn: conn}
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		tab.Call(domain+".enable", nil)
	}
	tab.Call("Page.navigate", map[string]any{"url": url})
	tab.Until("document.readyState === 'complete' && location.href !== 'about:blank'")
	return tab
}

// debuggerOf returns the address of the tab's debugger once the browser is up.
func debuggerOf(profile string) string {
	port, err := os.ReadFile(filepath.Join(profile, "DevToolsActivePort"))
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(port), "\n")
	resp, err := http.Get("http://127.0.0.1:" + line + "/json/list")
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	var targets []struct{ Type, WebSocketDebuggerURL string }
	if json.NewDecoder(resp.Body).Decode(&targets) != nil {
		return ""
	}
	for _, target := range targets {
		if target.Type == "page" {
			return target.WebSocketDebuggerURL
		}
	}
	return ""
}

// Call calls a method of the DevTools protocol.
func (p *Tab) Call(method string, params map[string]any) json.RawMessage {
	p.t.Helper()
	p.id++
	require.NoError(p.t, p.conn.SetReadDeadline(time.Now().Add(answerTimeout)))
	require.NoError(p.t, p.conn.WriteJSON(map[string]any{"id": p.id, "method": method, "params": params}))
	for {
		var m struct {
			ID            int
			Method        string
			Params        json.RawMessage
			Result, Error json.RawMessage
		}
		require.NoError(p.t, p.conn.ReadJSON(&m))
		if m.ID == p.id {
			require.Empty(p.t, m.Error, "%s: %s", method, m.Error)
			return m.Result
		}
		p.note(m.Method, m.Params)
	}
}

// note keeps what the test may ask about.
func (p *Tab) note(method string, params json.RawMessage) {
	switch method {
	case "Network.requestWillBeSent":
		var e struct{ Request struct{ URL string } }
		require.NoError(p.t, json.Unmarshal(params, &e))
		p.Requests = append(p.Requests, e.Request.URL)
	case "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded":
		p.Complaints = append(p.Complaints, string(params))
	}
}

// Eval runs an expression in the page and returns its value as text.
func (p *Tab) Eval(expression string) string {
	p.t.Helper()
	var answer struct {
		Result           struct{ Value string }
		ExceptionDetails json.RawMessage
	}
	require.NoError(p.t, json.Unmarshal(p.Call("Runtime.evaluate", map[string]any{"expression": "String(" + expression + ")"}), &answer))
	require.Empty(p.t, answer.ExceptionDetails, "%s", answer.ExceptionDetails)
	return answer.Result.Value
}

// Until waits until an expression is true.
func (p *Tab) Until(expression string) {
	p.t.Helper()
	p.wait(func() bool { return p.Eval(expression) == "true" }, expression)
}

// Shows waits until the element has the text.
func (p *Tab) Shows(id, text string) {
	p.t.Helper()
	element := fmt.Sprintf("document.getElementById(%q)?.textContent", id)
	p.wait(func() bool { return strings.Contains(p.Eval(element), text) }, fmt.Sprintf("%q in the element %q", text, id))
}

func (p *Tab) wait(done func() bool, what string) {
	p.t.Helper()
	for until := time.Now().Add(answerTimeout); !done(); time.Sleep(20 * time.Millisecond) {
		require.True(p.t, time.Now().Before(until), "the page does not get there: %s\n%s", what, p.Eval("document.body.innerText"))
	}
}

// Submit types into an input and sends its form.
func (p *Tab) Submit(id, text string) {
	p.t.Helper()
	p.Eval(fmt.Sprintf("(i => { i.value = %q; i.form.requestSubmit() })(document.getElementById(%q))", text, id))
}

// Screenshot returns a PNG of the whole page, laid out in a window so many CSS
// pixels wide.
func (p *Tab) Screenshot(width int) []byte {
	p.t.Helper()
	p.Call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false})
	var answer struct{ Data []byte }
	require.NoError(p.t, json.Unmarshal(p.Call("Page.captureScreenshot", map[string]any{"captureBeyondViewport": true}), &answer))
	return answer.Data
}
