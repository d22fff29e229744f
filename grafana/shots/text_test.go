package shots

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMarkdown(t *testing.T) {
	for text, want := range map[string]string{
		"# Title\nline\nmore\n\nnext": "<h3>Title</h3><p>line\nmore\n</p><p>next\n</p>",
		"- a\n* b\n1. c":              "<ul><li>a</li><li>b</li></ul><ol><li>c</li></ol>",
		"`x<y` and **bold**":          "<p><code>x&lt;y</code> and <b>bold</b>\n</p>",
		"[a](https://b/?c=d&e=f)":     `<p><a href="https://b/?c=d&amp;e=f">a</a>` + "\n</p>",
		"[a](javascript:alert(1))":    "<p>[a](javascript:alert(1))\n</p>",
		`<img onerror="x">`:           "<p>&lt;img onerror=&#34;x&#34;&gt;\n</p>",
		`[a](https://b" onclick="x)`:  "<p>[a](https://b&#34; onclick=&#34;x)\n</p>",
	} {
		assert.Equal(t, want, markdown(text), text)
	}
}
