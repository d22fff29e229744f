package shots_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/grafana/shots"
	"github.com/wsfleet/wsfleet/test/browser"
)

// misplaced lists the texts that leave their panel or lie over another text, and panels that lie over another.
func misplaced(tab *browser.Tab) string {
	return tab.Eval(`(() => {
	const found = [];
	const over = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0.5 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2.5;
	const boxes = [...document.querySelectorAll('section, body > svg')].map(e => ({e, title: e.getAttribute('aria-label'), box: e.getBoundingClientRect()}));
	boxes.forEach((a, i) => boxes.slice(i + 1).forEach(b => { if (over(a.box, b.box)) found.push(a.title + ' lies over ' + b.title); }));
	for (const {e, title, box} of boxes) {
		const texts = [];
		for (const walker = document.createTreeWalker(e, NodeFilter.SHOW_TEXT); walker.nextNode();) {
			const node = walker.currentNode;
			if (!node.data.trim() || node.parentElement.tagName === 'title') continue;
			const range = document.createRange();
			range.selectNodeContents(node);
			texts.push({text: node.data.trim(), box: range.getBoundingClientRect()});
		}
		texts.forEach((a, i) => {
			if (a.box.left < box.left || a.box.right > box.right || a.box.top < box.top || a.box.bottom > box.bottom)
				found.push(title + ': "' + a.text + '" leaves the panel');
			texts.slice(i + 1).forEach(b => { if (over(a.box, b.box)) found.push(title + ': "' + a.text + '" lies over "' + b.text + '"'); });
		});
	}
	return found.join('\n');
})()`)
}

// What looks for misplaced texts finds them.
func TestMisplaced(t *testing.T) {
	svg, err := shots.Chart{Title: "c", Series: []shots.Series{steps(100)}}.SVG()
	require.NoError(t, err)
	tab := show(t, []byte("<!doctype html><link rel=icon href=data:,><title>t</title>"+string(svg)))
	require.Empty(t, misplaced(tab))
	tab.Eval("document.querySelectorAll('.time')[1].setAttribute('x', document.querySelectorAll('.time')[0].getAttribute('x'))")
	assert.Contains(t, misplaced(tab), "lies over")
	tab.Eval("document.querySelector('.tick').setAttribute('x', 2)")
	assert.Contains(t, misplaced(tab), "leaves the panel")
}

// The widths that texts are laid out by are those that a browser gives them, in the widest of the fonts.
func TestWidth(t *testing.T) {
	tab := show(t, []byte(`<!doctype html><title>t</title><svg xmlns="http://www.w3.org/2000/svg"><text id="t" font-size="100" font-family="DejaVu Sans"></text></svg>`))
	for c := '!'; c <= '~'; c++ {
		got := tab.Eval(`(() => { const e = document.getElementById("t"); e.textContent = String.fromCharCode(` + itoa(int(c)) + `); return Math.round(e.getComputedTextLength()) })()`)
		assert.InDelta(t, svgWidth(string(c)), atof(t, got), 1, "%c", c)
	}
}
