//go:build linux

package hub

// censusStep is how many channels are counted under the lock of the hub at once: some
// 50 us, in which loops may wait for it.
const censusStep = 1000

// Channels returns how many channels this node has.
func (h *Hub) Channels() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.channels)
}

// Census returns how many subscriptions each channel has on this node, those without
// any left out. Channels that come or go meanwhile may be missing or not. Safe from any
// goroutine.
func (h *Hub) Census() map[string]int64 {
	counts := make(map[string]int64, h.Channels())
	// From the end: a channel that leaves gives its place to the last one, which has
	// been counted then.
	for end := -1; end != 0; {
		end = h.countBefore(end, counts)
	}
	return counts
}

// countBefore counts the channels of one step, up to end, and returns where it began. An
// end of -1 is all there are.
func (h *Hub) countBefore(end int, counts map[string]int64) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if end < 0 || end > len(h.census) {
		end = len(h.census)
	}
	start := max(0, end-censusStep)
	for _, c := range h.census[start:end] {
		if n := c.members.Load(); n > 0 {
			counts[c.name] = n
		}
	}
	return start
}

func (h *Hub) addChannel(name string) *channel {
	c := &channel{name: name, number: len(h.census)}
	h.channels[name] = c
	h.census = append(h.census, c)
	return c
}

func (h *Hub) removeChannel(c *channel) {
	delete(h.channels, c.name)
	last := len(h.census) - 1
	h.census[c.number] = h.census[last]
	h.census[c.number].number = c.number
	h.census[last] = nil
	h.census = h.census[:last]
}
