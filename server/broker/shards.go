package broker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// askTimeout bounds how long one member is asked who holds which slot.
const askTimeout = 2 * time.Second

// shards knows which primary of a cluster holds which slot, and has a client of each.
// go-redis' own client of a cluster knows it too, but sends commands again whose outcome it
// doesn't know: that is harmless for questions, and would double messages.
type shards struct {
	options redis.UniversalOptions // Addrs are who is asked first
	stale   chan struct{}          // holds one token when something is not where it was thought to be

	mu      sync.Mutex // guards the following
	owners  []string   // by slot; "" if nobody knows
	clients map[string]*redis.Client
}

func newShards(options redis.UniversalOptions) *shards {
	return &shards{
		options: options, stale: make(chan struct{}, 1), owners: make([]string, slots), clients: make(map[string]*redis.Client),
	}
}

// refresh asks the members, one after the other and beginning with first (any, if that is
// ""), until one tells who holds which slot.
func (s *shards) refresh(ctx context.Context, first string) error {
	s.mu.Lock()
	known := slices.Collect(maps.Keys(s.clients))
	s.mu.Unlock()
	rand.Shuffle(len(known), func(i, j int) { known[i], known[j] = known[j], known[i] })
	if first != "" {
		known = append([]string{first}, known...)
	}
	err := errors.New("no address")
	for _, addr := range append(known, s.options.Addrs...) {
		var ranges []redis.ClusterSlot
		ask, cancel := context.WithTimeout(ctx, askTimeout)
		// Its successor, CLUSTER SHARDS, leaves it to the client which port is that of TLS.
		ranges, err = s.client(addr).ClusterSlots(ask).Result() //nolint:staticcheck // see above
		cancel()
		if err == nil {
			s.set(addr, ranges)
			return nil
		}
		if ctx.Err() != nil {
			break
		}
	}
	return fmt.Errorf("ask who holds which slot: %w", err)
}

// set takes over what the member at addr said.
func (s *shards) set(addr string, ranges []redis.ClusterSlot) {
	owners := make([]string, slots)
	members := map[string]bool{addr: true}
	for _, r := range ranges {
		for i, node := range r.Nodes {
			if node.Addr = absolute(node.Addr, addr); i == 0 {
				for slot := max(r.Start, 0); slot <= min(r.End, slots-1); slot++ {
					owners[slot] = node.Addr
				}
			}
			members[node.Addr] = true
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owners = owners
	for addr, client := range s.clients {
		if !members[addr] {
			client.Close()
			delete(s.clients, addr)
		}
	}
}

// absolute completes an address without host: that of the member who said it.
func absolute(addr, from string) string {
	if port, ok := strings.CutPrefix(addr, ":"); ok {
		host, _, _ := net.SplitHostPort(from)
		return net.JoinHostPort(host, port)
	}
	return addr
}

// owner returns the address of the primary that holds a slot, "" if nobody is known to.
func (s *shards) owner(slot int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.owners[slot]
}

// primaries returns the addresses of those that hold slots.
func (s *shards) primaries() map[string]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string]bool)
	for _, addr := range s.owners {
		if addr != "" {
			all[addr] = true
		}
	}
	return all
}

// move notes that a member said a slot is at addr.
func (s *shards) move(slot int, addr string) {
	s.mu.Lock()
	s.owners[slot] = addr
	s.mu.Unlock()
	s.doubt()
}

// doubt asks for a refresh.
func (s *shards) doubt() {
	select {
	case s.stale <- struct{}{}:
	default:
	}
}

// client returns one of the member at addr; it belongs to s.
func (s *shards) client(addr string) *redis.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.clients[addr]
	if c == nil {
		options := s.options
		options.Addrs = []string{addr}
		c = redis.NewClient(options.Simple())
		s.clients[addr] = c
	}
	return c
}

// close ends all clients.
func (s *shards) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.clients {
		c.Close()
	}
	clear(s.clients)
}

// redirection is what a member says who does not hold a slot, or no longer all of it.
type redirection struct {
	slot int
	addr string
	ask  bool // only for this command: the slot is on its way
}

// redirected reads an error of the member at from.
func redirected(err error, from string) (r redirection, ok bool) {
	if err == nil {
		return r, false
	}
	fields := strings.Fields(err.Error()) // MOVED 3999 127.0.0.1:6381
	if len(fields) != 3 || fields[0] != "MOVED" && fields[0] != "ASK" {
		return r, false
	}
	slot, bad := strconv.Atoi(fields[1])
	return redirection{slot, absolute(fields[2], from), fields[0] == "ASK"}, bad == nil && slot >= 0 && slot < slots
}
