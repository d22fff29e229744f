// Package chromium drives a headless Chromium over the DevTools protocol.
package chromium

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
)

// AnswerTimeout is how long the browser may take for anything.
const AnswerTimeout = time.Minute

// Browser is a running Chromium with a profile of its own.
type Browser struct {
	cmd     *exec.Cmd
	profile string
	output  bytes.Buffer // of the process; to be read when that has ended
}

// Start opens a URL in a browser without a window. It runs until Close.
func Start(url string) (*Browser, error) {
	profile, err := os.MkdirTemp("", "chromium")
	if err != nil {
		return nil, err
	}
	b := &Browser{profile: profile}
	b.cmd = exec.Command("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
		"--hide-scrollbars", "--user-data-dir="+profile, "--remote-debugging-port=0", url)
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	b.cmd.Stdout, b.cmd.Stderr = &b.output, &b.output
	if err := b.cmd.Start(); err != nil {
		_ = os.RemoveAll(profile)
		return nil, fmt.Errorf("chromium is not installed (make deps): %w", err)
	}
	return b, nil
}

// Close ends the browser and all of its processes, and returns what it wrote.
func (b *Browser) Close() string {
	_ = syscall.Kill(-b.cmd.Process.Pid, syscall.SIGKILL)
	_ = b.cmd.Wait() // it was killed
	_ = os.RemoveAll(b.profile)
	return b.output.String()
}

// Page connects to the browser's tab once the browser is up.
func (b *Browser) Page(ctx context.Context) (*Page, error) {
	ctx, cancel := context.WithTimeout(ctx, AnswerTimeout)
	defer cancel()
	for {
		debugger := b.debugger(ctx)
		if debugger != "" {
			conn, _, err := websocket.DefaultDialer.DialContext(ctx, debugger, nil)
			if err != nil {
				return nil, fmt.Errorf("chromium: %s: %w", debugger, err)
			}
			return &Page{conn: conn}, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("chromium does not start: %w", context.Cause(ctx))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// debugger returns the address of the tab's debugger, "" until there is one.
func (b *Browser) debugger(ctx context.Context) string {
	port, err := os.ReadFile(filepath.Join(b.profile, "DevToolsActivePort"))
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(port), "\n")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:"+line+"/json/list", nil)
	if err != nil {
		return ""
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
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

// Page is a browser's tab. It is used by one goroutine.
type Page struct {
	conn *websocket.Conn
	id   int
	// Event, if set, gets the events that arrive while an answer is awaited.
	Event func(method string, params json.RawMessage)
}

// Close disconnects from the tab.
func (p *Page) Close() error { return p.conn.Close() }

// Call calls a method of the DevTools protocol and decodes its result into one, unless that is nil. The end of ctx
// makes the connection useless.
func (p *Page) Call(ctx context.Context, method string, params map[string]any, result any) error {
	if err := p.call(ctx, method, params, result); err != nil {
		return fmt.Errorf("chromium: %s: %w", method, err)
	}
	return nil
}

func (p *Page) call(ctx context.Context, method string, params map[string]any, result any) error {
	stop := context.AfterFunc(ctx, func() { _ = p.conn.SetReadDeadline(time.Now()) })
	defer stop()
	if err := p.conn.SetReadDeadline(time.Now().Add(AnswerTimeout)); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	p.id++
	if err := p.conn.WriteJSON(map[string]any{"id": p.id, "method": method, "params": params}); err != nil {
		return err
	}
	for {
		var m struct {
			ID            int
			Method        string
			Params        json.RawMessage
			Result, Error json.RawMessage
		}
		if err := p.conn.ReadJSON(&m); err != nil {
			return errors.Join(err, context.Cause(ctx))
		}
		switch {
		case m.ID == 0:
			if p.Event != nil {
				p.Event(m.Method, m.Params)
			}
		case m.ID == p.id && len(m.Error) > 0:
			return errors.New(string(m.Error))
		case m.ID == p.id && result == nil:
			return nil
		case m.ID == p.id:
			return json.Unmarshal(m.Result, result)
		}
	}
}

// Screenshot returns a PNG of the whole page, laid out in a window so many CSS pixels wide.
func (p *Page) Screenshot(ctx context.Context, width int) ([]byte, error) {
	err := p.Call(ctx, "Emulation.setDeviceMetricsOverride",
		map[string]any{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false}, nil)
	if err != nil {
		return nil, err
	}
	var size struct{ Result struct{ Value float64 } }
	const height = "document.documentElement.getBoundingClientRect().height"
	if err := p.Call(ctx, "Runtime.evaluate", map[string]any{"expression": height}, &size); err != nil {
		return nil, err
	}
	clip := map[string]any{"x": 0, "y": 0, "width": width, "height": math.Ceil(size.Result.Value), "scale": 1}
	var answer struct{ Data []byte }
	err = p.Call(ctx, "Page.captureScreenshot", map[string]any{"captureBeyondViewport": true, "clip": clip}, &answer)
	return answer.Data, err
}
