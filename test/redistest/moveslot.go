package redistest

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// MoveSlot moves the slot of key, with all that is in it, to another primary.
func (c *Cluster) MoveSlot(t testing.TB, key string) (from, to *Server) {
	t.Helper()
	slot := strconv.Itoa(c.slot(t, key))
	from = c.Primary(t, key)
	others := slices.DeleteFunc(slices.Clone(c.Servers), func(s *Server) bool {
		return s == from || !s.Running() || !s.isPrimary(t.Context())
	})
	if len(others) == 0 {
		t.Fatalf("no other primary than %s runs", from.Addr)
	}
	to = others[0]
	do := func(s *Server, args ...any) any {
		reply, err := s.Client.Do(t.Context(), args...).Result()
		if err != nil {
			t.Fatalf("%s: %v: %v", s.Addr, args, err)
		}
		return reply
	}
	do(to, "CLUSTER", "SETSLOT", slot, "IMPORTING", c.id(from))
	do(from, "CLUSTER", "SETSLOT", slot, "MIGRATING", c.id(to))
	host, port, _ := strings.Cut(to.Addr, ":")
	for {
		keys := do(from, "CLUSTER", "GETKEYSINSLOT", slot, 100).([]any)
		if len(keys) == 0 {
			break
		}
		args := []any{"MIGRATE", host, port, "", 0, 10000}
		if from.setup.Password != "" {
			args = append(args, "AUTH", from.setup.Password)
		}
		do(from, append(append(args, "KEYS"), keys...)...)
	}
	// The new holder is told first, or for a moment nobody would hold the slot.
	for _, server := range append([]*Server{to, from}, others[1:]...) {
		do(server, "CLUSTER", "SETSLOT", slot, "NODE", c.id(to))
	}
	c.awaitHealth(t)
	return from, to
}
