//go:build linux

package hub

// replay is what a shard has to send to members who catch up.
type replay struct {
	shard   *Shard
	ready   []*catchUp             // in turn
	paused  map[*Member][]*catchUp // have no room
	running bool                   // run is posted
	run     func()
}

func (r *replay) init(s *Shard) {
	r.shard, r.paused = s, make(map[*Member][]*catchUp)
	r.run = r.work
}

// add gives c a turn.
func (r *replay) add(c *catchUp) {
	if c.gone {
		return
	}
	r.ready = append(r.ready, c)
	r.wake()
}

func (r *replay) wake() {
	if !r.running && len(r.ready) > 0 {
		r.running = true
		r.shard.loop.Post(r.run)
	}
}

// work takes turns for one batch and comes back for the rest after the loop has served
// its connections.
func (r *replay) work() {
	r.running = false
	for budget := deliverBatch; budget > 0 && len(r.ready) > 0; {
		c := r.ready[0]
		r.ready[0] = nil
		r.ready = r.ready[1:]
		budget -= r.shard.step(c, min(budget, stepMessages))
	}
	if len(r.ready) == 0 {
		r.ready = nil
	}
	r.wake()
}

// pause lets c wait until its member has room.
func (r *replay) pause(c *catchUp) {
	m := c.sub.member()
	r.paused[m] = append(r.paused[m], c)
}

// started lets those go on that waited for the start of t.
func (r *replay) started(t *topic) {
	for _, c := range t.catching {
		if c.unstarted {
			c.unstarted = false
			r.add(c)
		}
	}
}

// Drained says that m has room again.
func (s *Shard) Drained(m *Member) {
	paused, has := s.replay.paused[m]
	if !has {
		return
	}
	delete(s.replay.paused, m)
	for _, c := range paused {
		s.replay.add(c)
	}
}

// forget ends what m waits for.
func (r *replay) forget(m *Member) { delete(r.paused, m) }
