//go:build linux

package secure

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/netpoll"
	"github.com/wsfleet/wsfleet/test/tcptest"
)

// client reads what it gets into got.
type client struct {
	netpoll.Conn
	dialer *Dialer
	secure *Conn
	hello  []byte // to send first
	got    []byte
	opened chan error
	ended  chan error // gets what the stream ended with
}

func (c *client) OnOpen() {
	c.secure = c.dialer.Client(&c.Conn, "localhost", func(err error) {
		c.opened <- err
		if err != nil {
			c.Abort(err)
			return
		}
		if c.hello != nil {
			_ = c.secure.Write(c.hello)
		}
		c.read()
	})
}

func (c *client) OnData(p []byte) {
	c.secure.Feed(p)
	c.read()
}

func (c *client) read() {
	p := make([]byte, 1000)
	for {
		n, err := c.secure.Read(p)
		c.got = append(c.got, p[:n]...)
		if err != nil {
			if !errors.Is(err, ErrWouldBlock) {
				c.Close(err)
			}
			return
		}
	}
}

func (c *client) OnTimer() {}

func (c *client) OnClose(err error) {
	if !c.secure.PeerEnded(err) {
		c.secure.End(err)
	}
	c.ended <- err
}

// certificate is one for localhost, and the pool that it leads to.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// connect makes n connections to a server that serves each with serve, and returns
// once all have their handshake behind them.
func connect(t *testing.T, n int, config *tls.Config, hello []byte, serve func(*tls.Conn)) (*netpoll.Loop, []*client) {
	t.Helper()
	cert, roots := certificate(t)
	config.Certificates = []tls.Certificate{cert}
	addr := tcptest.Serve(t, func(conn net.Conn) { serve(tls.Server(conn, config)) })
	loop, err := netpoll.New(netpoll.Config{})
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = loop.Run()
	}()
	t.Cleanup(func() {
		loop.Stop()
		<-ended
	})
	dialer := NewDialer(loop, roots, false)
	clients := make([]*client, n)
	for i := range clients {
		clients[i] = &client{dialer: dialer, hello: hello, opened: make(chan error, 1), ended: make(chan error, 1)}
		loop.Post(func() {
			if err := loop.Dial(&clients[i].Conn, clients[i], netip.Addr{}, addr); err != nil {
				clients[i].opened <- err
			}
		})
	}
	for _, c := range clients {
		require.NoError(t, <-c.opened)
	}
	return loop, clients
}

func TestStreamsArriveWhole(t *testing.T) {
	for name, version := range map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13} {
		t.Run(name, func(t *testing.T) {
			want := make([]byte, 300_000)
			_, _ = rand.Read(want)
			_, clients := connect(t, 20, &tls.Config{MaxVersion: version}, want[:100_000], func(c *tls.Conn) {
				got := make([]byte, 100_000)
				if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, want[:100_000]) {
					return // the client misses what is to come
				}
				for rest := want; len(rest) > 0; { // records of all sizes
					n := min(len(rest), 1+len(rest)%20_000)
					_, _ = c.Write(rest[:n])
					rest = rest[n:]
				}
				_ = c.CloseWrite()
				_, _ = io.Copy(io.Discard, c)
			})
			for _, c := range clients {
				require.ErrorIs(t, <-c.ended, io.EOF)
				require.True(t, bytes.Equal(want, c.got))
			}
		})
	}
}

func TestWhatComesWithTheHandshakeIsRead(t *testing.T) {
	_, clients := connect(t, 50, &tls.Config{MaxVersion: tls.VersionTLS12}, nil, func(c *tls.Conn) {
		_, _ = c.Write([]byte("first"))
		_ = c.CloseWrite()
		_, _ = io.Copy(io.Discard, c)
	})
	for _, c := range clients {
		require.ErrorIs(t, <-c.ended, io.EOF)
		require.Equal(t, "first", string(c.got))
	}
}

func TestDamagedRecordIsNoEndOfStream(t *testing.T) {
	_, clients := connect(t, 1, &tls.Config{}, nil, func(c *tls.Conn) {
		if c.Handshake() == nil {
			_, _ = c.NetConn().Write([]byte{23, 3, 3, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
			_, _ = io.Copy(io.Discard, c)
		}
	})
	require.ErrorContains(t, <-clients[0].ended, "bad record MAC")
}

// What a client of a held connection takes is paid as often as there are clients. The
// server's side of the connections stays while the clients' is given up.
func TestIdleConnectionIsSmall(t *testing.T) {
	const n = 500
	loop, clients := connect(t, n, &tls.Config{}, []byte("hello"), func(c *tls.Conn) {
		_, _ = io.Copy(c, c)
	})
	answered := func() bool {
		done := make(chan bool, 1)
		loop.Post(func() {
			for _, c := range clients {
				if len(c.got) != len(c.hello) {
					done <- false
					return
				}
			}
			done <- true
		})
		return <-done
	}
	require.Eventually(t, answered, 30*time.Second, 10*time.Millisecond)
	with := heap()
	for _, c := range clients {
		c.secure = &Conn{under: transport{ended: true}}
	}
	each := (with - heap()) / n
	t.Logf("%d bytes a connection", each)
	require.Less(t, each, 12<<10)
	runtime.KeepAlive(clients)
}

// heap returns the bytes that are in use.
func heap() int {
	runtime.GC()
	runtime.GC() // what the first one only marked for finalizers
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
