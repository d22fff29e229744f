//go:build linux

package hub

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/netpoll"
)

type listener struct {
	Member
	got       []string
	onDeliver func()
}

func (l *listener) Deliver(m *Message) {
	l.got = append(l.got, string(m.Payload))
	if l.onDeliver != nil {
		l.onDeliver()
	}
}

func text(channel, s string) *Message { return &Message{Channel: channel, Payload: []byte(s)} }

// node is a hub with running loops.
type node struct {
	*Hub
	loops []*netpoll.Loop
}

func newNode(t *testing.T, loops int, cfg Config) *node {
	t.Helper()
	n := &node{Hub: New(cfg)}
	for range loops {
		l, err := netpoll.New(netpoll.Config{})
		require.NoError(t, err)
		n.loops = append(n.loops, l)
		n.NewShard(l)
		done := make(chan error, 1)
		go func() { done <- l.Run() }()
		t.Cleanup(func() { l.Stop(); require.NoError(t, <-done) })
	}
	return n
}

func (n *node) on(i int, f func(s *Shard)) {
	done := make(chan struct{})
	n.loops[i].Post(func() { f(n.shards[i]); close(done) })
	<-done
}

// settle waits until every loop has delivered all that was published.
func (n *node) settle() {
	for i := range n.loops {
		for busy := true; busy; {
			n.on(i, func(s *Shard) { busy = s.busy() })
		}
	}
}

func TestPublishReachesEverySubscriberOnceInOrder(t *testing.T) {
	n := newNode(t, 3, Config{})
	const each, messages = 2 * deliverBatch, 20
	all := make([][]*listener, len(n.loops))
	for i := range n.loops {
		n.on(i, func(s *Shard) {
			for range each {
				l := &listener{}
				all[i] = append(all[i], l)
				s.Subscribe("a", l)
				s.Subscribe("a", l)
			}
		})
	}
	var want []string
	for m := range messages {
		want = append(want, fmt.Sprint(m))
		n.Publish(text("a", fmt.Sprint(m)))
		n.Publish(text("b", "nobody listens"))
	}
	n.settle()
	for i := range all {
		for _, l := range all[i] {
			require.Equal(t, want, l.got)
		}
	}
}

func TestFirstAndLastAreToldOncePerNode(t *testing.T) {
	var told []string
	n := newNode(t, 2, Config{
		First: func(c string) { told = append(told, "+"+c) },
		Last:  func(c string) { told = append(told, "-"+c) },
	})
	a, b := &listener{}, &listener{}
	n.on(0, func(s *Shard) { s.Subscribe("x", a); s.Subscribe("y", a) })
	n.on(1, func(s *Shard) { s.Subscribe("x", b) })
	n.on(0, func(s *Shard) { s.Leave(&a.Member) })
	n.on(1, func(s *Shard) { s.Leave(&b.Member) })
	require.Equal(t, []string{"+x", "+y", "-y", "-x"}, told)
	n.on(0, func(s *Shard) { require.Zero(t, s.Channels()) })
}

// A subscriber may leave, and make others leave, while a frame is on its way.
func TestLeaveDuringDelivery(t *testing.T) {
	n := newNode(t, 1, Config{})
	var all []*listener
	n.on(0, func(s *Shard) {
		for range 10 {
			l := &listener{}
			all = append(all, l)
			s.Subscribe("a", l)
		}
		all[3].onDeliver = func() {
			s.Leave(&all[3].Member)
			s.Leave(&all[0].Member)
			s.Leave(&all[9].Member)
		}
	})
	n.Publish(text("a", "1"))
	n.Publish(text("a", "2"))
	n.settle()
	for i, l := range all {
		switch i {
		case 0, 3:
			require.Equal(t, []string{"1"}, l.got, "subscriber %d", i)
		case 9:
			require.Empty(t, l.got, "it left before its turn")
		default:
			require.Equal(t, []string{"1", "2"}, l.got, "subscriber %d", i)
		}
	}
}

// Random joins, leaves and messages against a plain model of who should have what.
func TestAgainstModel(t *testing.T) {
	n := newNode(t, 1, Config{})
	rng := rand.New(rand.NewPCG(3, 4))
	channels := []string{"a", "b", "c"}
	type model struct {
		*listener
		in   map[string]bool
		want []string
	}
	people := make([]*model, 300)
	for i := range people {
		people[i] = &model{listener: &listener{}, in: map[string]bool{}}
	}
	for step := range 3000 {
		p := people[rng.IntN(len(people))]
		c := channels[rng.IntN(len(channels))]
		n.on(0, func(s *Shard) {
			switch rng.IntN(3) {
			case 0:
				s.Subscribe(c, p.listener)
				p.in[c] = true
			case 1:
				s.Leave(&p.Member)
				clear(p.in)
			case 2:
				body := fmt.Sprint(step)
				n.Publish(text(c, body))
				for _, q := range people {
					if q.in[c] {
						q.want = append(q.want, body)
					}
				}
			}
		})
		n.settle()
	}
	for i, p := range people {
		require.Equal(t, p.want, p.got, "person %d", i)
	}
}

// busy reports whether anything is on its way on the loop of s.
func (s *Shard) busy() bool {
	s.inMu.Lock()
	defer s.inMu.Unlock()
	return len(s.inbox) > 0 || len(s.jobs) > 0
}
