//go:build linux

package secure

import "sync"

// maxHandshake bounds what may wait for a handshake's turn, in bytes: a flight of the
// largest certificates that crypto/tls takes (256 KiB), and then some.
const maxHandshake = 512 << 10

// handshake is what the loop and the goroutine of a handshake share.
type handshake struct {
	turns   chan struct{}
	arrived sync.Cond
	mu      sync.Mutex // guards the following
	in      []byte
	err     error // after in
}

func newHandshake(turns chan struct{}) *handshake {
	h := &handshake{turns: turns}
	h.arrived.L = &h.mu
	return h
}

func (h *handshake) takeTurn() { h.turns <- struct{}{} }

func (h *handshake) endTurn() { <-h.turns }

// read waits for bytes; others have their turn meanwhile.
func (h *handshake) read(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.in) == 0 && h.err == nil {
		h.endTurn()
		for len(h.in) == 0 && h.err == nil {
			h.arrived.Wait()
		}
		// The loop must not wait for mu while this waits for its turn.
		h.mu.Unlock()
		h.takeTurn()
		h.mu.Lock()
	}
	if len(h.in) == 0 {
		return 0, h.err
	}
	n := copy(p, h.in)
	h.in = h.in[n:]
	return n, nil
}

func (h *handshake) feed(p []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.in)+len(p) > maxHandshake {
		h.in, h.err = nil, errTooMuch
	}
	if h.err == nil {
		h.in = append(h.in, p...)
	}
	h.arrived.Signal()
}

func (h *handshake) end(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err == nil {
		h.err = err
	}
	h.arrived.Signal()
}

// left returns what came behind the handshake.
func (h *handshake) left() []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.in
}
