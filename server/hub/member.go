//go:build linux

package hub

// Subscriber gets the messages of its channels, on its loop. It embeds its Member.
type Subscriber interface {
	// Deliver must not block.
	Deliver(m *Message)
	member() *Member
}

// Member is a subscriber's part in the hub, embedded in it. The zero value listens
// to nothing.
type Member struct {
	first seat   // most members have one channel
	more  *seats // the others
}

// seat is one member's place among the subscribers of a topic.
type seat struct {
	topic *topic
	index int32 // in topic.subs, or catchingUp
}

// catchingUp is the index of a member that is in topic.catching instead.
const catchingUp = -1

// seats are those of a member with more than one channel.
type seats struct {
	list    []seat
	byTopic map[*topic]int32 // number of the seat; nil while there are few
}

// fewSeats is how many are found faster without a map.
const fewSeats = 16

func (m *Member) member() *Member { return m }

// Channels returns how many channels the member is subscribed to.
func (m *Member) Channels() int {
	switch {
	case m.first.topic == nil:
		return 0
	case m.more == nil:
		return 1
	}
	return 1 + len(m.more.list)
}

// Channel returns the i-th channel that the member subscribed to, "" if there are
// not as many. Once it has left one, the last has that one's place.
func (m *Member) Channel(i int) string {
	if i >= m.Channels() {
		return ""
	}
	return m.at(int32(i)).topic.channel
}

// at returns the seat of that number.
func (m *Member) at(n int32) *seat {
	if n == 0 {
		return &m.first
	}
	return &m.more.list[n-1]
}

// find returns the number of the seat in t.
func (m *Member) find(t *topic) (n int32, ok bool) {
	switch {
	case t == nil:
		return 0, false
	case m.first.topic == t:
		return 0, true
	case m.more == nil:
		return 0, false
	case m.more.byTopic != nil:
		n, ok = m.more.byTopic[t]
		return n, ok
	}
	for i := range m.more.list {
		if m.more.list[i].topic == t {
			return int32(i + 1), true
		}
	}
	return 0, false
}

// add takes a seat and returns its number.
func (m *Member) add(st seat) int32 {
	if m.first.topic == nil {
		m.first = st
		return 0
	}
	if m.more == nil {
		m.more = &seats{}
	}
	more := m.more
	more.list = append(more.list, st)
	n := int32(len(more.list))
	switch {
	case more.byTopic != nil:
		more.byTopic[st.topic] = n
	case n > fewSeats:
		more.byTopic = make(map[*topic]int32, 2*n)
		for i := range more.list {
			more.byTopic[more.list[i].topic] = int32(i + 1)
		}
	}
	return n
}

// remove gives the seat of that number to the last one.
func (m *Member) remove(n int32) {
	if m.more == nil {
		m.first = seat{}
		return
	}
	more := m.more
	last := int32(len(more.list))
	gone, moved := *m.at(n), *m.at(last)
	more.list[last-1] = seat{}
	more.list = more.list[:last-1]
	delete(more.byTopic, gone.topic)
	if n != last {
		*m.at(n) = moved
		if moved.index != catchingUp {
			moved.topic.subs[moved.index].seat = n
		}
		switch {
		case n == 0:
			delete(more.byTopic, moved.topic)
		case more.byTopic != nil:
			more.byTopic[moved.topic] = n
		}
	}
	if len(more.list) == 0 {
		m.more = nil
	}
}
