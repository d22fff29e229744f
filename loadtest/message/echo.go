// Package message is the text that wsload sends and recognises: echo requests and
// broadcasts. Both carry the id of their run, so that runs on one server do not
// take each other's messages for their own.
package message

import (
	"bytes"
	"strconv"
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
	run      string
	seed     uint64
	requests []template
	reply    template
	fixed    map[string]struct{} // the answers that name no run
}

// NewEcho reads the templates. size is that of a request, in bytes; it may turn out
// larger for a template's sake. The templates of requests are taken in turn by their number; none means "{{.}}". In one
// {{.}} stands for text that no other request of the run has; in reply it stands
// for the whole request, and {{.Unique}} for that text alone.
func NewEcho(run string, seed uint64, size int, requests []string, reply string) (*Echo, error) {
	e := &Echo{run: run, seed: seed, fixed: map[string]struct{}{}}
	var err error
	if e.reply, err = parseReply(reply); err != nil {
		return nil, &TemplateError{Text: reply, Reply: true, Problem: err}
	}
	if len(requests) == 0 {
		requests = []string{dot}
	}
	for _, text := range requests {
		t, err := parseRequest(text, size)
		if err == nil && t.part == nothing && e.reply.part == unique {
			err = errNothingUnique
		}
		if err != nil {
			return nil, &TemplateError{Text: text, Problem: err}
		}
		e.requests = append(e.requests, t)
		if t.part == nothing {
			e.fixed[e.reply.prefix+t.prefix+e.reply.suffix] = struct{}{}
		}
	}
	return e, nil
}

// AppendRequest appends the n-th request of a connection.
func (e *Echo) AppendRequest(dst []byte, connection, n uint64) []byte {
	t := e.request(n)
	dst = append(dst, t.prefix...)
	if t.part == unique {
		dst = e.appendUnique(dst, t.room, connection, n)
	}
	return append(dst, t.suffix...)
}

// AppendReply appends the answer that the n-th request must get.
func (e *Echo) AppendReply(dst []byte, connection, n uint64) []byte {
	dst = append(dst, e.reply.prefix...)
	if e.reply.part == unique {
		dst = e.appendUnique(dst, e.request(n).room, connection, n)
	} else {
		dst = e.AppendRequest(dst, connection, n)
	}
	return append(dst, e.reply.suffix...)
}

func (e *Echo) request(n uint64) *template {
	return &e.requests[n%uint64(len(e.requests))]
}

// appendUnique appends a readable head, then padding that differs from connection
// to connection.
func (e *Echo) appendUnique(dst []byte, size int, connection, n uint64) []byte {
	start := len(dst)
	dst = append(dst, echoPrefix...)
	dst = append(dst, e.run...)
	dst = append(dst, ' ')
	dst = strconv.AppendUint(dst, connection, 10)
	dst = append(dst, ' ')
	dst = strconv.AppendUint(dst, n, 10)
	dst = append(dst, ' ')
	state := Mix(e.seed ^ Mix(connection) ^ n<<48)
	for i := 0; len(dst)-start < size; i++ {
		if i%10 == 0 {
			state = Mix(state)
		}
		dst = append(dst, padding[state>>(i%10*6)&63])
	}
	return dst
}

// Resembles reports whether p, which is not the answer want, is meant as one:
// damaged, cut, or another connection's. Anything else is somebody else's message.
func (e *Echo) Resembles(p, want []byte) bool {
	return len(p) == len(want) || e.Mentions(p) ||
		e.reply.prefix != "" && bytes.HasPrefix(p, []byte(e.reply.prefix))
}

// Mentions reports whether p carries an echo request of this run, or is an answer
// to one of those that name no run.
func (e *Echo) Mentions(p []byte) bool {
	if _, ok := e.fixed[string(p)]; ok {
		return true
	}
	_, after, found := bytes.Cut(p, []byte(echoPrefix))
	return found && bytes.HasPrefix(after, []byte(e.run))
}

// Earlier reports whether p carries a request of this run and connection with a
// number below n: an answer that is late, or one more to what was answered.
func (e *Echo) Earlier(p []byte, connection, n uint64) bool {
	_, after, _ := bytes.Cut(p, []byte(echoPrefix))
	fields := bytes.SplitN(after, []byte{' '}, 4)
	if len(fields) < 4 || string(fields[0]) != e.run {
		return false
	}
	c, err1 := strconv.ParseUint(string(fields[1]), 10, 64)
	number, err2 := strconv.ParseUint(string(fields[2]), 10, 64)
	return err1 == nil && err2 == nil && c == connection && number < n
}

// Mix spreads x over 64 bits (the finaliser of splitmix64): equal inputs give
// equal outputs, near ones unlike outputs.
func Mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
