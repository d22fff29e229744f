package broker

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// pushMax is the longest string of a server that is taken for one: Redis' own limit.
const pushMax = 512 << 20

// push is what a server sends to a connection that subscribes.
type push struct {
	kind    string // message, smessage, subscribe, ssubscribe, unsubscribe, sunsubscribe or pong
	channel string
	payload []byte // of a message; the caller's to keep
}

// kinds has those of push, so that reading one allocates nothing.
var kinds = map[string]string{}

func init() {
	for _, k := range []string{"message", "smessage", "subscribe", "ssubscribe", "unsubscribe", "sunsubscribe", "pong"} {
		kinds[k] = k
	}
}

var errGarbage = errors.New("the server does not speak Redis' protocol")

// serverError is an error that the server sent.
type serverError string

func (e serverError) Error() string { return string(e) }

// pushReader reads what Redis sends in Pub/Sub mode of RESP 2. go-redis does so too, but
// it panics at what is not Redis, and reconnects by itself in the midst of a read.
type pushReader struct {
	r       *bufio.Reader
	channel string // the last one: messages mostly come in runs
	scratch []byte
}

// next returns the next push. An error ends the connection, except a serverError.
func (p *pushReader) next() (push, error) {
	line, err := p.line()
	if err != nil {
		return push{}, err
	}
	switch line[0] {
	case '+': // PONG and OK, outside of Pub/Sub mode
		return push{kind: "pong"}, nil
	case '-':
		return push{}, serverError(line[1:])
	case '*':
	default:
		return push{}, fmt.Errorf("%w: %.40q", errGarbage, line)
	}
	if n := string(line[1:]); n != "3" && n != "2" {
		return push{}, fmt.Errorf("%w: %.40q", errGarbage, line)
	}
	short := line[1] == '2'
	name, err := p.text(p.scratch[:0])
	if err != nil {
		return push{}, err
	}
	p.scratch = name
	kind, ok := kinds[string(name)]
	if !ok || short != (kind == "pong") {
		return push{}, fmt.Errorf("%w: %.40q", errGarbage, name)
	}
	channel, err := p.text(p.scratch[:0])
	if err != nil {
		return push{}, err
	}
	p.scratch = channel
	if short {
		return push{kind: kind}, nil
	}
	if p.channel != string(channel) {
		p.channel = string(channel)
	}
	m := push{kind: kind, channel: p.channel}
	if kind == "message" || kind == "smessage" {
		m.payload, err = p.text(nil)
		return m, err
	}
	if line, err = p.line(); err == nil && line[0] != ':' {
		err = fmt.Errorf("%w: %.40q", errGarbage, line)
	}
	return m, err
}

// line returns the next line without its end, never empty; it is valid until the next read.
func (p *pushReader) line() ([]byte, error) {
	line, err := p.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, fmt.Errorf("%w: %.40q", errGarbage, line)
	}
	if err != nil {
		return nil, err
	}
	if len(line) < 3 || line[len(line)-2] != '\r' {
		return nil, fmt.Errorf("%w: %.40q", errGarbage, line)
	}
	return line[:len(line)-2], nil
}

// text appends a bulk string to b. A null one, as UNSUBSCRIBE may name, is empty.
func (p *pushReader) text(b []byte) ([]byte, error) {
	line, err := p.line()
	if err != nil {
		return b, err
	}
	n, err := strconv.Atoi(string(line[1:]))
	if line[0] != '$' || err != nil || n < -1 || n > pushMax {
		return b, fmt.Errorf("%w: %.40q", errGarbage, line)
	}
	if n == -1 {
		return b, nil
	}
	// What is announced is believed as it arrives.
	for n += 2; n > 0; {
		chunk := min(n, 1<<20)
		at := len(b)
		b = append(b, make([]byte, chunk)...)
		if _, err := io.ReadFull(p.r, b[at:]); err != nil {
			return b, err
		}
		n -= chunk
	}
	if string(b[len(b)-2:]) != "\r\n" {
		return b, fmt.Errorf("%w: %.40q", errGarbage, b)
	}
	return b[:len(b)-2], nil
}
