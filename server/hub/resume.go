//go:build linux

package hub

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/wsfleet/wsfleet/server/position"
)

const (
	// stepMessages is how many messages one member is sent before others have
	// their turn.
	stepMessages = 32
	// retryMin and retryMax bound the wait before history is asked again after an
	// error; half of it is random.
	retryMin = 100 * time.Millisecond
	retryMax = 5 * time.Second
)

// Resumer is a Subscriber that says where in a channel it is.
type Resumer interface {
	Subscriber
	// Joined says that what is delivered from now on comes after at. err is nil if
	// that is the position asked for, else it says why it could not be. It may come
	// again, with an error, if the member is too slow for what is kept.
	Joined(channel string, at position.Position, err error)
	// Room reports whether Deliver and Joined may be called for what was missed.
	// Once it was false, Shard.Drained says that it no longer is.
	Room() bool
}

// catchUp is a subscription whose member still lacks what was published before. It
// becomes a plain one, at a place in the tail where nothing is missing.
type catchUp struct {
	topic     *topic
	sub       Resumer
	since     position.Position // the member has everything up to here
	fromNow   bool              // it wants nothing of what was
	tooOld    error             // why it gets nothing of what was, though it wanted it
	told      bool              // Joined has been called
	gone      bool              // the member has left
	unstarted bool              // it waits for the start of topic
	joined    uint64            // number of the first message that was not there yet when it subscribed
	placed    bool              // next is valid
	next      uint64            // number of the message in the tail that follows on since

	page    []*Message        // from history, not yet sent
	until   position.Position // what was asked for
	paged   bool              // it has had a page
	backoff time.Duration
}

// Resume lets sub listen to channel and sends it what was published after since, all
// of it, in order and each once; the zero position is from now on. It reports false
// if sub listens to channel already.
func (s *Shard) Resume(channel string, since position.Position, sub Resumer) bool {
	t := s.topicOf(channel)
	if _, has := sub.member().find(t); has {
		return false
	}
	sub.member().add(seat{t, catchingUp})
	t.common.members.Add(1)
	s.tails.expire(t, time.Now())
	s.begin(&catchUp{topic: t, sub: sub, since: since, fromNow: since.IsZero(), joined: t.end()})
	return true
}

// FallBehind turns the subscription of sub, who has no room for m, into one that
// catches up from m on, if m is still in the tail. m is not delivered then.
func (s *Shard) FallBehind(sub Resumer, m *Message) bool {
	t, member := s.topics[m.Channel], sub.member()
	n, has := member.find(t)
	if !has || m.Position.IsZero() || member.at(n).index == catchingUp {
		return false
	}
	i, kept := t.index(m.Position)
	if !kept {
		return false
	}
	number := t.first + uint64(i)
	s.hub.stats.FellBehind.Add(1)
	s.unseat(member.at(n), &catchUp{topic: t, sub: sub, since: t.before(number), joined: number, placed: true, next: number})
	return true
}

// resumeAll makes those of subs who can be resumed catch up from since on, which they
// have had. number is that of the message that came next. A job is under way: nobody
// changes places.
func (s *Shard) resumeAll(subs []subscription, since position.Position, number uint64) {
	for _, sub := range subs {
		if sub.resumer {
			st := sub.sub.member().at(sub.seat)
			s.unseat(st, &catchUp{topic: st.topic, sub: sub.sub.(Resumer), since: since, joined: number})
		}
	}
}

// unseat turns a subscription into c.
func (s *Shard) unseat(st *seat, c *catchUp) {
	index := st.index
	st.index = catchingUp
	c.topic.empty(index)
	c.told = true
	s.begin(c)
}

func (s *Shard) begin(c *catchUp) {
	t := c.topic
	if t.catching == nil {
		t.catching = make(map[*Member]*catchUp)
	}
	t.catching[c.sub.member()] = c
	s.hub.stats.CatchingUp.Add(1)
	s.replay.add(c)
}

// endCatchUp takes the catchUp of m out.
func (t *topic) endCatchUp(m *Member) *catchUp {
	c := t.catching[m]
	delete(t.catching, m)
	t.shard.hub.stats.CatchingUp.Add(-1)
	return c
}

// step carries c on, for limit messages at the most, and returns how many it were, or 1
// for anything else. It leaves c where something will take it up again.
func (s *Shard) step(c *catchUp, limit int) (cost int) {
	for cost < limit {
		cost++
		switch t := c.topic; {
		case c.gone:
			return cost
		case !t.started:
			c.unstarted = true // replay.started goes on
			return cost
		case !c.sub.Room():
			s.replay.pause(c)
			return cost
		case c.fromNow:
			at := t.last
			s.live(c)
			c.sub.Joined(t.channel, at, c.tooOld)
			return cost
		case len(c.page) > 0:
			if s.tell(c); !c.gone {
				c.sendPage()
			}
		case !c.find():
			s.hub.fetcher.ask(s, c)
			return cost
		default:
			if s.tell(c); !c.gone && !c.sendTail() {
				s.live(c)
				return cost
			}
		}
	}
	s.replay.add(c)
	return cost
}

// tell says once that everything after since will come.
func (s *Shard) tell(c *catchUp) {
	if c.told {
		return
	}
	c.told = true
	if c.paged {
		s.hub.stats.FromHistory.Add(1)
	} else {
		s.hub.stats.FromTail.Add(1)
	}
	c.sub.Joined(c.topic.channel, c.since, nil)
}

// find looks for the place in the tail that follows on since.
func (c *catchUp) find() bool {
	if !c.placed || c.next < c.topic.first {
		c.next, c.placed = c.topic.after(c.since)
	}
	return c.placed
}

// sendTail sends the next message of the tail, if there is one.
func (c *catchUp) sendTail() bool {
	t := c.topic
	if c.next == t.end() {
		return false
	}
	m := t.messages[c.next-t.first]
	c.next++
	switch {
	case !m.Position.IsZero():
		c.since = m.Position
	case c.next <= c.joined:
		return true // not of history, and from before it came: it may have had it
	}
	c.sub.Deliver(m)
	return true
}

func (c *catchUp) sendPage() {
	m := c.page[0]
	c.page[0], c.page = nil, c.page[1:]
	if !m.Position.IsZero() {
		c.since = m.Position
	}
	c.placed = false
	c.sub.Deliver(m)
}

// live makes c a subscription like any other. It has all that is in the tail.
func (s *Shard) live(c *catchUp) {
	t, m := c.topic, c.sub.member()
	t.endCatchUp(m)
	n, _ := m.find(t)
	m.at(n).index = int32(len(t.subs))
	t.subs = append(t.subs, subscription{c.sub, n, true})
}

// fetched takes what came from history.
func (s *Shard) fetched(c *catchUp, page Page, err error) {
	if c.gone {
		return
	}
	switch {
	case page.TooOld != nil:
		s.hub.stats.TooOld.Add(1)
		c.fromNow, c.tooOld = true, page.TooOld
	case err != nil, len(page.Messages) == 0 && page.More:
		s.retry(c)
		return
	case len(page.Messages) > 0:
	case !c.until.IsZero():
		c.since = c.until
	case c.topic.last.IsZero(): // nothing has ever been published
		c.placed, c.next = true, c.topic.end()
	}
	c.page = slices.Clone(page.Messages) // the page is shared
	c.paged, c.backoff = true, 0
	s.replay.add(c)
}

// retry asks again after a while.
func (s *Shard) retry(c *catchUp) {
	c.backoff = min(max(retryMin, 2*c.backoff), retryMax)
	time.AfterFunc(c.backoff/2+rand.N(c.backoff/2), func() {
		s.loop.Post(func() { s.replay.add(c) })
	})
}
