package message

import (
	"errors"
	"fmt"
	"strings"
)

// part is what the mark in a template stands for.
type part uint8

const (
	nothing part = iota // there is none
	whole               // the request
	unique              // what no other request has
)

// template is a text with at most one mark, {{.}} or {{.Unique}}, behind prefix.
type template struct {
	prefix, suffix string
	part           part
	room           int // for the unique text of a request, in bytes
}

const (
	dot       = "{{.}}"
	dotUnique = "{{.Unique}}"
)

var (
	errNothingUnique = errors.New("want the unique text once, as " + dot + ": the reply asks for it")
	errReply         = errors.New("want the message once, as " + dot + ", or what is unique in it, as " + dotUnique)
	errRequest       = errors.New("want the unique text at most once, as " + dot)
)

// TemplateError says which template can't be used.
type TemplateError struct {
	Text    string
	Reply   bool // it is the reply, not a request
	Problem error
}

func (e *TemplateError) Error() string { return fmt.Sprintf("%q: %v", e.Text, e.Problem) }

// Unwrap returns the problem.
func (e *TemplateError) Unwrap() error { return e.Problem }

func parseReply(s string) (template, error) {
	if strings.Count(s, dot)+strings.Count(s, dotUnique) != 1 {
		return template{}, errReply
	}
	if prefix, suffix, ok := strings.Cut(s, dot); ok {
		return template{prefix: prefix, suffix: suffix, part: whole}, nil
	}
	prefix, suffix, _ := strings.Cut(s, dotUnique)
	return template{prefix: prefix, suffix: suffix, part: unique}, nil
}

// parseRequest reads the template of requests that have size bytes, or more if they
// must.
func parseRequest(s string, size int) (template, error) {
	prefix, suffix, ok := strings.Cut(s, dot)
	switch {
	case !ok:
		return template{prefix: s}, nil
	case strings.Contains(suffix, dot):
		return template{}, errRequest
	}
	room := max(size-len(prefix)-len(suffix), MinEchoSize)
	return template{prefix: prefix, suffix: suffix, part: unique, room: room}, nil
}
