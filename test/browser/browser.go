// Package browser drives a headless Chromium in tests, over the DevTools protocol.
package browser

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/grafana/shots/chromium"
)

// Start opens a URL in a browser without a window until the test ends.
func Start(t *testing.T, url string) { start(t, url) }

func start(t *testing.T, url string) *chromium.Browser {
	t.Helper()
	b, err := chromium.Start(url)
	require.NoError(t, err)
	t.Cleanup(func() {
		if output := b.Close(); t.Failed() {
			t.Logf("chromium: %s", output)
		}
	})
	return b
}

// Tab is a browser's tab.
type Tab struct {
	t    *testing.T
	page *chromium.Page
	// Requests are the URLs that the page has asked for, Complaints what its
	// console and the browser had to say about it.
	Requests, Complaints []string
}

// Open shows a URL in a browser of its own until the test ends.
func Open(t *testing.T, url string) *Tab {
	t.Helper()
	page, err := start(t, "about:blank").Page(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { page.Close() })
	tab := &Tab{t: t, page: page}
	page.Event = tab.note
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		tab.Call(domain+".enable", nil)
	}
	tab.Call("Page.navigate", map[string]any{"url": url})
	tab.Until("document.readyState === 'complete' && location.href !== 'about:blank'")
	return tab
}

// Call calls a method of the DevTools protocol.
func (p *Tab) Call(method string, params map[string]any) json.RawMessage {
	p.t.Helper()
	var result json.RawMessage
	require.NoError(p.t, p.page.Call(p.t.Context(), method, params, &result))
	return result
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
	for until := time.Now().Add(chromium.AnswerTimeout); !done(); time.Sleep(20 * time.Millisecond) {
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
	picture, err := p.page.Screenshot(p.t.Context(), width)
	require.NoError(p.t, err)
	return picture
}
