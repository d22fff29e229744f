package broker

import (
	"crypto/rand"
	"strconv"
	"strings"
	"time"

	"github.com/wsfleet/wsfleet/server/position"
)

// linger is how long a channel's position outlives its last message, as in the library.
const linger = time.Hour

// store keeps the history of channels as the library in Redis does. It is not safe for
// concurrent use.
type store struct {
	bounds  History
	name    string // begins the epochs of this process
	epochs  uint64
	logs    map[string]*log
	forgetN int // as many logs are looked through for what can be forgotten
}

// log is the history of one channel, in one epoch: it lives as long as the process.
type log struct {
	epoch    string
	offset   uint64 // of the last message
	at       time.Time
	messages []kept
}

// kept is a message of a log. Those of one log have consecutive offsets.
type kept struct {
	payload []byte
	at      time.Time
}

func newStore(bounds History) *store {
	return &store{bounds: bounds, name: strings.ToLower(rand.Text()[:12]), logs: make(map[string]*log), forgetN: 1000}
}

// log returns that of the channel.
func (s *store) log(channel string) *log {
	l := s.logs[channel]
	if l == nil {
		if len(s.logs) >= s.forgetN {
			s.forget(time.Now())
		}
		s.epochs++
		l = &log{epoch: s.name + "-" + strconv.FormatUint(s.epochs, 36), at: time.Now()}
		s.logs[channel] = l
	}
	return l
}

// forget drops the logs that nobody has used for long, unless history is kept for ever.
func (s *store) forget(now time.Time) {
	if s.bounds.Length == 0 || s.bounds.Age > 0 {
		for channel, l := range s.logs {
			if now.Sub(l.at) > s.bounds.Age+linger {
				delete(s.logs, channel)
			}
		}
	}
	s.forgetN = max(1000, 2*len(s.logs))
}

// header returns that of the message with this offset.
func (l *log) header(offset uint64) header {
	return header{Position: position.Position{Epoch: l.epoch, Offset: offset}, start: 1}
}

// anchor returns where the channel stands, and keeps it from being forgotten.
func (s *store) anchor(channel string) header {
	l := s.log(channel)
	l.at = time.Now()
	return l.header(l.offset)
}

// add appends a message. It returns it as it comes from a server.
func (s *store) add(channel string, payload []byte) (header, []byte) {
	l := s.log(channel)
	l.offset++
	l.at = time.Now()
	h := l.header(l.offset)
	wire := appendWire(nil, h, l.at.UnixMilli(), payload)
	if s.bounds.Length > 0 {
		l.messages = append(l.messages, kept{wire[len(wire)-len(payload):], l.at})
		s.trim(l, l.at)
	}
	return h, wire
}

// trim drops what is too much or too old.
func (s *store) trim(l *log, now time.Time) {
	n := max(0, len(l.messages)-s.bounds.Length)
	for s.bounds.Age > 0 && n < len(l.messages) && now.Sub(l.messages[n].at) > s.bounds.Age {
		n++
	}
	clear(l.messages[:n])
	l.messages = l.messages[n:]
}

// read returns at most limit messages after since.
func (s *store) read(channel string, since position.Position, limit int) page {
	l := s.logs[channel]
	if l == nil {
		return page{old: true}
	}
	s.trim(l, time.Now())
	p := page{anchor: l.header(l.offset)}
	first := l.offset - uint64(len(l.messages)) + 1
	from := since.Offset + 1
	if since.Epoch != l.epoch || from < first || since.Offset > l.offset {
		p.old, from = true, first
	}
	size := 0
	for offset := from; offset <= l.offset; offset++ {
		if len(p.messages) == limit || size >= pageBytes {
			p.more = true
			break
		}
		payload := l.messages[offset-first].payload
		size += len(payload)
		p.messages = append(p.messages, stored{l.header(offset), payload})
	}
	return p
}
