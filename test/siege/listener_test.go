//go:build linux

package siege

import (
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// listener is a client that reads a channel's stream and must miss none of its numbers.
type listener struct {
	ws      *websocket.Conn
	channel string
	ended   chan error // why it ended: at best a *websocket.CloseError

	mu   sync.Mutex // guards the following; who holds it keeps the client from reading
	last int64      // number of the last message; 0 if there was none
}

// startListeners starts ten.
func startListeners(t *testing.T, n *node, channel string) []*listener {
	t.Helper()
	listeners := make([]*listener, 10)
	for i := range listeners {
		listeners[i] = startListener(t, n, channel)
	}
	return listeners
}

func startListener(t *testing.T, n *node, channel string) *listener {
	t.Helper()
	dialer := websocket.Dialer{NetDialContext: (&net.Dialer{Control: narrow}).DialContext}
	ws, resp, err := dialer.Dial(n.URL()+"?channel="+channel, nil)
	require.NoError(t, err)
	_ = resp.Body.Close()
	l := &listener{ws: ws, channel: channel, ended: make(chan error, 1)}
	t.Cleanup(func() { _ = ws.Close() })
	go func() { l.ended <- l.read() }()
	return l
}

func (l *listener) read() error {
	for {
		_, payload, err := l.ws.ReadMessage()
		if err != nil {
			return err
		}
		if err := l.take(payload); err != nil {
			return err
		}
	}
}

func (l *listener) take(payload []byte) error {
	i, ok := parseNumbered(l.channel, payload)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !ok: // somebody else's
	case l.last != 0 && i != l.last+1:
		return fmt.Errorf("message %d came after %d", i, l.last)
	default:
		l.last = i
	}
	return nil
}

// at is the number of the last message that came.
func (l *listener) at() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// narrow gives a socket the smallest receive buffer and Ethernet's segment size, so
// that what is not read waits in the node: the kernel sizes the send buffer by the
// segments, and loopback's would make that megabytes.
func narrow(_, _ string, raw syscall.RawConn) error {
	var err error
	if e := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 1)
		if err == nil {
			err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, 1460)
		}
	}); e != nil {
		return e
	}
	return os.NewSyscallError("setsockopt", err)
}
