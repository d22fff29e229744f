// Package message is the text that wsload sends and recognises: echo requests and
// broadcasts. Both carry the id of their run, so that runs on one server do not
// take each other's messages for their own.
package message

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
)

const (
	echoPrefix = "wsload echo "
	// MinEchoSize has room for the prefix, a run's id and the largest numbers,
	// in bytes.
	MinEchoSize = 64
	// RunIDLength is the length of a run's id, in hexadecimal digits.
	RunIDLength = 16

	padding = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"
)

// Echo makes the echo requests of a run and recognises their answers. Requests
// follow from the seed and the connection's number, so none has to be kept.
type Echo struct {
	Run   string
	Seed  uint64
	Size  int // of a request, in bytes
	Reply Template
}

// AppendRequest appends the n-th request of a connection: readable head, then
// padding that differs from connection to connection.
func (e *Echo) AppendRequest(dst []byte, connection, n uint64) []byte {
	start := len(dst)
	dst = append(dst, echoPrefix...)
	dst = append(dst, e.Run...)
	dst = append(dst, ' ')
	dst = strconv.AppendUint(dst, connection, 10)
	dst = append(dst, ' ')
	dst = strconv.AppendUint(dst, n, 10)
	dst = append(dst, ' ')
	state := Mix(e.Seed ^ Mix(connection) ^ n<<48)
	for i := 0; len(dst)-start < e.Size; i++ {
		if i%10 == 0 {
			state = Mix(state)
		}
		dst = append(dst, padding[state>>(i%10*6)&63])
	}
	return dst
}

// AppendReply appends the answer that the n-th request must get.
func (e *Echo) AppendReply(dst []byte, connection, n uint64) []byte {
	dst = append(dst, e.Reply.prefix...)
	dst = e.AppendRequest(dst, connection, n)
	return append(dst, e.Reply.suffix...)
}

// Resembles reports whether p, which is not the answer want, is meant as one:
// damaged, cut, or another connection's. Anything else is somebody else's message.
func (e *Echo) Resembles(p, want []byte) bool {
	return len(p) == len(want) || e.Mentions(p) ||
		e.Reply.prefix != "" && bytes.HasPrefix(p, []byte(e.Reply.prefix))
}

// Mentions reports whether p carries an echo request of this run.
func (e *Echo) Mentions(p []byte) bool {
	_, after, found := bytes.Cut(p, []byte(echoPrefix))
	return found && bytes.HasPrefix(after, []byte(e.Run))
}

// Mix spreads x over 64 bits (the finaliser of splitmix64): equal inputs give
// equal outputs, near ones unlike outputs.
func Mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Template says how a server answers a message, which stands as {{.}}.
type Template struct{ prefix, suffix string }

const placeholder = "{{.}}"

// ParseTemplate reads a template such as "Server received: {{.}}".
func ParseTemplate(s string) (Template, error) {
	if strings.Count(s, placeholder) != 1 {
		return Template{}, errors.New("want the message once, as " + placeholder)
	}
	prefix, suffix, _ := strings.Cut(s, placeholder)
	return Template{prefix, suffix}, nil
}
