package shots

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/wsfleet/wsfleet/grafana/shots/chromium"
)

// PNG shows a page, given as HTML, in a headless Chromium with a window so many pixels wide, and returns a picture of
// all of it.
func PNG(ctx context.Context, html []byte, width int) ([]byte, error) {
	dir, err := os.MkdirTemp("", "shots")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "page.html")
	if err := os.WriteFile(file, html, 0o600); err != nil {
		return nil, err
	}
	browser, err := chromium.Start("about:blank")
	if err != nil {
		return nil, err
	}
	defer browser.Close()
	page, err := browser.Page(ctx)
	if err != nil {
		return nil, err
	}
	defer page.Close()
	return picture(ctx, page, "file://"+file, width)
}

func picture(ctx context.Context, page *chromium.Page, url string, width int) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, chromium.AnswerTimeout)
	defer cancel()
	if err := page.Call(ctx, "Page.enable", nil, nil); err != nil {
		return nil, err
	}
	if err := page.Call(ctx, "Page.navigate", map[string]any{"url": url}, nil); err != nil {
		return nil, err
	}
	const there = "document.readyState === 'complete' && location.href !== 'about:blank'"
	for {
		var answer struct{ Result struct{ Value bool } }
		if err := page.Call(ctx, "Runtime.evaluate", map[string]any{"expression": there}, &answer); err != nil {
			return nil, err
		}
		if answer.Result.Value {
			return page.Screenshot(ctx, width)
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
