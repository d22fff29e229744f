package broker

import (
	"maps"
	"sync"
)

// interest is a set of channels that changes while links keep up with it. Each entry has
// the number of the subscription, so that one that ended and came back is told from one
// that stayed.
type interest struct {
	mu       sync.Mutex // guards the following
	channels map[string]uint64
	changed  chan struct{} // holds one token when channels changed
}

func newInterest() *interest {
	return &interest{channels: make(map[string]uint64), changed: make(chan struct{}, 1)}
}

// add and remove change the set.
func (s *interest) add(channel string, number uint64) {
	s.mu.Lock()
	s.channels[channel] = number
	s.mu.Unlock()
	s.tell()
}

func (s *interest) remove(channel string) {
	s.mu.Lock()
	delete(s.channels, channel)
	s.mu.Unlock()
	s.tell()
}

func (s *interest) tell() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// number returns that of the channel's subscription, 0 if it isn't in the set.
func (s *interest) number(channel string) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.channels[channel]
}

// all returns a copy of the set.
func (s *interest) all() map[string]uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.channels)
}

// difference returns which channels of a are not in b, or there under another number.
func difference(a, b map[string]uint64) []string {
	var only []string
	for channel, number := range a {
		if b[channel] != number {
			only = append(only, channel)
		}
	}
	return only
}
