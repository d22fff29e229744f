package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"unicode/utf8"

	"github.com/wsfleet/wsfleet/loadtest/message"
)

// DefaultMessage is nothing but the unique text.
const DefaultMessage = "{{.}}"

// maxMessageFile bounds Echo.MessageFile, in bytes: every worker gets a copy.
const maxMessageFile = 4 << 20

// Templates returns those of the messages.
func (e *Echo) Templates() []string {
	if e.MessageFile == "" && e.Message != "" {
		return []string{e.Message}
	}
	list := make([]string, len(e.Messages))
	for i, m := range e.Messages {
		list[i] = string(m)
	}
	return list
}

// ReadMessages reads MessageFile if there is one. An error names the file and the
// line.
func (e *Echo) ReadMessages() error {
	if e.MessageFile == "" {
		return nil
	}
	b, err := os.ReadFile(e.MessageFile)
	if err != nil {
		return err
	}
	if len(b) > maxMessageFile {
		return fmt.Errorf("%q: %d bytes, want at most %d", e.MessageFile, len(b), maxMessageFile)
	}
	lines := bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n"))
	for i, line := range lines {
		lines[i] = bytes.TrimSuffix(line, []byte("\r"))
		if _, problem := e.judge(string(lines[i])); problem != "" {
			return fmt.Errorf("%s:%d: %q: %s", e.MessageFile, i+1, cut(string(lines[i])), problem)
		}
	}
	e.Messages = lines
	return nil
}

// judge says what is wrong with a message's template, and whether it is rather the
// reply's.
func (e *Echo) judge(m string) (inReply bool, problem string) {
	switch {
	case m == "":
		return false, "want a message"
	case len(m) > maxMessage:
		return false, fmt.Sprintf("want at most %d bytes", maxMessage)
	case !e.Binary && !utf8.ValidString(m):
		return false, "it is not UTF-8, which only a binary message may be"
	}
	_, err := message.NewEcho("", 0, e.Size, []string{m}, e.Reply)
	var template *message.TemplateError
	if errors.As(err, &template) {
		return template.Reply, template.Problem.Error()
	}
	return false, ""
}

// cut keeps an error readable.
func cut(s string) string {
	const most = 60
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

func (v *validator) messages(key string, e Echo) {
	if e.MessageFile != "" && e.Message != DefaultMessage {
		v.fail(key+"message_file", e.MessageFile, "{phases.echo.message} is given too")
	}
	inReply, problem := e.judge(e.Message)
	switch {
	case inReply:
		v.fail(key+"reply", e.Reply, problem)
	case problem != "" && e.MessageFile == "":
		v.fail(key+"message", cut(e.Message), problem)
	}
}
