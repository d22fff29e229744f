package broker

// slot returns where a channel is missed.
func (f *feed) slot(channel string) int {
	if f.sharded {
		return slotOf(channel)
	}
	return 0
}

// holds reports whether the channel should be subscribed: if it isn't any more, the server
// did that by itself.
func (f *feed) holds(channel string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.sent[channel]
	return r.number != 0 && r.pending == 0
}

// leave follows the news that a slot has left the server: whatever was subscribed of it
// isn't any more, and all its messages have been read.
func (f *feed) leave(slot int) {
	f.mu.Lock()
	f.left = append(f.left, slot)
	delete(f.missing, slot)
	f.mu.Unlock()
	f.verified(nil)
	f.revoked(slot)
}

// strike takes off told what the server no longer has, so that it is told again should
// the slot come back.
func (f *feed) strike(told map[string]uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.left) == 0 {
		return
	}
	left := make(map[int]bool)
	for _, slot := range f.left {
		left[slot] = true
	}
	f.left = nil
	for channel := range told {
		if left[slotOf(channel)] {
			delete(told, channel)
			delete(f.sent, channel)
		}
	}
}
