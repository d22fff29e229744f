// Package svg draws with attributes alone: no style sheet, no script, nothing from elsewhere. So a drawing looks the
// same in a page, in a file of its own, and in a README.
package svg

import (
	"html"
	"math"
	"strconv"
	"strings"
)

// Fonts of every text, the first that the reader has.
const Fonts = `Inter, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif`

// Canvas is a drawing in the making. Lengths are CSS pixels.
type Canvas struct {
	Width, Height float64
	body          strings.Builder
	definitions   strings.Builder
}

// New returns an empty drawing.
func New(width, height float64) *Canvas { return &Canvas{Width: width, Height: height} }

// Attr is an attribute of an element: name and value.
type Attr [2]string

// A names an attribute with a text.
func A(name, value string) Attr { return Attr{name, value} }

// N names an attribute with a number.
func N(name string, value float64) Attr { return Attr{name, Number(value)} }

// Number writes a length to a tenth of a pixel.
func Number(x float64) string {
	return strconv.FormatFloat(math.Round(x*10)/10+0, 'f', -1, 64)
}

// Element draws an element without content.
func (c *Canvas) Element(name string, attrs ...Attr) { c.element(&c.body, name, "", attrs) }

// Titled draws an element that tells what it is when pointed at.
func (c *Canvas) Titled(title, name string, attrs ...Attr) {
	c.element(&c.body, name, "<title>"+html.EscapeString(title)+"</title>", attrs)
}

func (c *Canvas) element(b *strings.Builder, name, content string, attrs []Attr) {
	b.WriteString("<" + name)
	for _, a := range attrs {
		b.WriteString(" " + a[0] + `="` + html.EscapeString(a[1]) + `"`)
	}
	if content == "" {
		b.WriteString("/>")
		return
	}
	b.WriteString(">" + content + "</" + name + ">")
}

// Rect fills a rectangle.
func (c *Canvas) Rect(x, y, width, height float64, fill string, attrs ...Attr) {
	c.Element("rect", append([]Attr{N("x", x), N("y", y), N("width", max(width, 0)), N("height", max(height, 0)), A("fill", fill)}, attrs...)...)
}

// Line strokes a line.
func (c *Canvas) Line(x1, y1, x2, y2 float64, stroke string, attrs ...Attr) {
	c.Element("line", append([]Attr{N("x1", x1), N("y1", y1), N("x2", x2), N("y2", y2), A("stroke", stroke)}, attrs...)...)
}

// Anchor is which part of a text its place is.
type Anchor string

// The anchors.
const (
	Start  Anchor = "start"
	Middle Anchor = "middle"
	End    Anchor = "end"
)

// Text writes a line of text on the baseline y.
func (c *Canvas) Text(x, y float64, text string, size float64, fill string, anchor Anchor, attrs ...Attr) {
	attrs = append([]Attr{N("x", x), N("y", y), N("font-size", size), A("fill", fill), A("text-anchor", string(anchor))}, attrs...)
	c.element(&c.body, "text", html.EscapeString(text), attrs)
}

// Group draws in a group that has attributes.
func (c *Canvas) Group(draw func(), attrs ...Attr) {
	c.body.WriteString("<g")
	for _, a := range attrs {
		c.body.WriteString(" " + a[0] + `="` + html.EscapeString(a[1]) + `"`)
	}
	c.body.WriteString(">")
	draw()
	c.body.WriteString("</g>")
}

// Clip limits what is drawn to a rectangle. id must be unique in the page.
func (c *Canvas) Clip(id string, x, y, width, height float64, draw func()) {
	c.definitions.WriteString(`<clipPath id="` + html.EscapeString(id) + `">`)
	c.element(&c.definitions, "rect", "", []Attr{N("x", x), N("y", y), N("width", max(width, 0)), N("height", max(height, 0))})
	c.definitions.WriteString("</clipPath>")
	c.Group(draw, A("clip-path", "url(#"+id+")"))
}

// String is the whole drawing. The label tells those who cannot see it what it shows.
func (c *Canvas) String(label string) string {
	w, h := Number(c.Width), Number(c.Height)
	head := `<svg xmlns="http://www.w3.org/2000/svg" width="` + w + `" height="` + h + `" viewBox="0 0 ` + w + ` ` + h +
		`" role="img" aria-label="` + html.EscapeString(label) + `" font-family="` + html.EscapeString(Fonts) + `">`
	if c.definitions.Len() > 0 {
		head += "<defs>" + c.definitions.String() + "</defs>"
	}
	return head + c.body.String() + "</svg>"
}
