//go:build linux

package session_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/session/frame"
)

// begin sends the first half of a large message, and returns the rest.
func begin(p *peer, size int) (rest []byte) {
	message := masked(true, 0, frame.Binary, strings.Repeat("x", size))
	p.send(message[:len(message)/2])
	return message[len(message)/2:]
}

// large is how next describes the echo of such a message.
func large(size int) string { return fmt.Sprintf("binary %q", strings.Repeat("x", size)) }

// Many large messages under way at the same time take no more than the budget, small
// ones pass by them, and all arrive in the end.
func TestLargeMessagesWaitForEachOther(t *testing.T) {
	const peers, size, fit = 40, 200_000, 5
	cfg := defaults()
	cfg.ReceiveMemory = fit*size + size/2
	s := start(t, cfg)
	s.shard.NeverOverdraw()
	peersOpen, rests := make([]*peer, peers), make([][]byte, peers)
	for i := range peersOpen {
		peersOpen[i] = s.open(t)
	}
	for i, p := range peersOpen {
		rests[i] = begin(p, size)
	}
	stats := s.shard.Stats()
	require.Eventually(t, func() bool { return stats.Waiting.Load() == peers-fit }, 10*time.Second, time.Millisecond)
	require.LessOrEqual(t, stats.Receiving.Load(), int64(cfg.ReceiveMemory))

	small := s.open(t)
	small.send(text("small"))
	require.Equal(t, `text "small"`, small.next())

	for i, p := range peersOpen {
		go func() { _, _ = p.Write(rests[i]) }()
	}
	for _, p := range peersOpen {
		require.Equal(t, large(size), p.next())
	}
	require.Zero(t, stats.Waiting.Load())
	require.Zero(t, stats.Receiving.Load())
}

// A sender that stops in mid-message does not hold up the others for good, and one that
// leaves makes room.
func TestStoppedSenderDoesNotBlockTheOthers(t *testing.T) {
	cfg := defaults()
	cfg.ReceiveMemory = 1000
	s := start(t, cfg)
	stopped := s.open(t)
	begin(stopped, 100_000)
	stats := s.shard.Stats()
	require.Eventually(t, func() bool { return stats.Receiving.Load() > 100_000 }, 10*time.Second, time.Millisecond)

	second := s.open(t)
	second.send(begin(second, 100_000))
	require.Equal(t, large(100_000), second.next(), "after a second")

	third := s.open(t)
	rest := begin(third, 100_000)
	require.Eventually(t, func() bool { return stats.Waiting.Load() == 1 }, 10*time.Second, time.Millisecond)
	stopped.Close()
	third.send(rest)
	require.Equal(t, large(100_000), third.next())
	require.Eventually(t, func() bool { return stats.Receiving.Load() == 0 }, 10*time.Second, time.Millisecond, "of the one that left, too")
	require.Zero(t, stats.Waiting.Load())
}

// Silence that is the server's own doing, because it does not read, is no sign of a dead
// peer, and a close from the server still ends the session in an orderly way.
func TestWaitingSessionKeepsItsHeartbeat(t *testing.T) {
	cfg := defaults()
	cfg.ReceiveMemory = 1000
	cfg.HeartbeatInterval, cfg.HeartbeatTimeout = 200*time.Millisecond, 500*time.Millisecond
	s := start(t, cfg)
	for range 4 { // one after the other falls silent, is given up and makes room
		begin(s.open(t), 100_000)
	}
	waits := s.open(t)
	rest := begin(waits, 100_000)
	go func() { _, _ = waits.Write(rest) }()
	for {
		if got := waits.next(); !strings.HasPrefix(got, "ping") {
			require.Equal(t, large(100_000), got)
			break
		}
	}
}

// Who was let to go on has the whole timeout again: what was silent before was this side.
func TestTimeOfWaitingIsNoSilence(t *testing.T) {
	cfg := defaults()
	cfg.ReceiveMemory = 1000
	cfg.HeartbeatInterval, cfg.HeartbeatTimeout = time.Second, 8*time.Second
	s := start(t, cfg)
	s.shard.NeverOverdraw()
	holder := s.open(t)
	begin(holder, 100_000)
	stats := s.shard.Stats()
	require.Eventually(t, func() bool { return stats.Receiving.Load() > 0 }, 10*time.Second, time.Millisecond)
	waits := s.open(t)
	rest := begin(waits, 100_000)
	require.Eventually(t, func() bool { return stats.Waiting.Load() == 1 }, 5*time.Second, time.Millisecond)
	time.Sleep(6500 * time.Millisecond)
	holder.Close()
	require.Eventually(t, func() bool { return stats.Waiting.Load() == 0 }, 10*time.Second, time.Millisecond)
	time.Sleep(3500 * time.Millisecond) // three heartbeats; with the wait it is more than the timeout
	waits.send(rest)
	for {
		if got := waits.next(); !strings.HasPrefix(got, "ping") {
			require.Equal(t, large(100_000), got)
			break
		}
	}
}
