package shots

import (
	"fmt"
	"html"
	"html/template"
	"regexp"
	"strings"
)

// text shows a panel of text. Of Markdown it knows headings, lists, paragraphs, and within a line links, bold and code.
func (r *renderer) text(d *drawing) (template.HTML, error) {
	var options struct{ Mode, Content string }
	if err := d.options(&options); err != nil {
		return "", err
	}
	if options.Mode != "" && options.Mode != "markdown" {
		return "", fmt.Errorf("options.mode %q: want markdown", options.Mode)
	}
	content, err := r.vars.expand(options.Content)
	if err != nil {
		return "", err
	}
	return template.HTML(`<div class="markdown">` + markdown(content) + `</div>`), nil
}

var (
	heading  = regexp.MustCompile(`^#{1,6}\s+(.*)$`)
	bullet   = regexp.MustCompile(`^\s*[-*+]\s+(.*)$`)
	numbered = regexp.MustCompile(`^\s*\d+[.)]\s+(.*)$`)

	code = regexp.MustCompile("`([^`]+)`")
	bold = regexp.MustCompile(`\*\*([^*]+)\*\*`)
	link = regexp.MustCompile(`\[([^\]]+)\]\(((?:https?://|/|#)[^)\s]*)\)`)
)

func markdown(content string) string {
	var b strings.Builder
	open := ""
	within := func(tag string) {
		if open == tag {
			return
		}
		if open != "" {
			b.WriteString("</" + open + ">")
		}
		if open = tag; tag != "" {
			b.WriteString("<" + tag + ">")
		}
	}
	for line := range strings.Lines(content) {
		line = strings.TrimRight(line, "\r\n")
		if m := heading.FindStringSubmatch(line); m != nil {
			within("")
			b.WriteString("<h3>" + inline(m[1]) + "</h3>")
		} else if m := bullet.FindStringSubmatch(line); m != nil {
			within("ul")
			b.WriteString("<li>" + inline(m[1]) + "</li>")
		} else if m := numbered.FindStringSubmatch(line); m != nil {
			within("ol")
			b.WriteString("<li>" + inline(m[1]) + "</li>")
		} else if strings.TrimSpace(line) == "" {
			within("")
		} else {
			within("p")
			b.WriteString(inline(line) + "\n")
		}
	}
	within("")
	return b.String()
}

// inline marks up a line, whose own HTML is shown rather than obeyed.
func inline(line string) string {
	line = html.EscapeString(line)
	line = code.ReplaceAllString(line, "<code>$1</code>")
	line = bold.ReplaceAllString(line, "<b>$1</b>")
	return link.ReplaceAllString(line, `<a href="$2">$1</a>`)
}
