//go:build linux

package main

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/wsfleet/wsfleet/loadtest/report"
	"github.com/wsfleet/wsfleet/test/tcptest"
)

// rawTarget serves every connection with serve, and closes it then. It returns
// host:port, with the host's name.
func rawTarget(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	addr := tcptest.Serve(t, func(conn net.Conn) {
		_ = conn.SetDeadline(time.Now().Add(60 * time.Second))
		serve(conn)
	})
	return "localhost:" + strconv.Itoa(int(addr.Port()))
}

// ask reads the handshake's request and sends answer, in which ACCEPT stands for the
// accept value that belongs to the request.
func ask(conn net.Conn, answer string) error {
	request, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return err
	}
	sum := sha1.Sum([]byte(request.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	_, err = io.WriteString(conn, strings.Replace(answer, "ACCEPT", base64.StdEncoding.EncodeToString(sum[:]), 1))
	return err
}

const (
	upgraded = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	accepted = upgraded + "Sec-WebSocket-Accept: ACCEPT\r\n"
)

// answering is a server that reads the request, answers and waits.
func answering(answer string) func(net.Conn) {
	return func(conn net.Conn) {
		if ask(conn, answer) == nil {
			_, _ = io.Copy(io.Discard, conn)
		}
	}
}

// reset makes the end of conn a reset.
func reset(conn net.Conn) { _ = conn.(*net.TCPConn).SetLinger(0) }

// untilClose reads on an open connection until the client's close frame.
func untilClose(conn net.Conn) {
	p := make([]byte, 100)
	for {
		n, err := conn.Read(p)
		if err != nil || bytes.Contains(p[:n], []byte{0x88}) {
			return
		}
	}
}

// fullTarget is a listener that takes no more connections: the kernel drops what
// comes.
func fullTarget(t *testing.T) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = unix.Close(fd) })
	require.NoError(t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, unix.Listen(fd, 0))
	name, err := unix.Getsockname(fd)
	require.NoError(t, err)
	addr := "localhost:" + strconv.Itoa(name.(*unix.SockaddrInet4).Port)
	conn, err := net.Dial("tcp4", addr)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return addr
}

// Every way to fail has its class, is counted as often as it happens, and the first
// are kept in full.
func TestFailuresByClass(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	secured := func(change func(*x509.Certificate), more func(*tls.Config)) func(net.Conn) {
		config := &tls.Config{Certificates: []tls.Certificate{ca.issue(t, change)}}
		if more != nil {
			more(config)
		}
		return func(conn net.Conn) {
			_ = conn.SetReadDeadline(time.Now().Add(60 * time.Second))
			answering(accepted + "\r\n")(tls.Server(conn, config))
		}
	}
	stale := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }
	elsewhere := func(c *x509.Certificate) { c.DNSNames = []string{"elsewhere.example"} }
	const (
		brief = "-timeout=500ms"
		hold  = "-hold=1s"
	)
	for _, c := range []struct {
		class  string // failures.…, closed.… or close_failures.…
		sample string // is in the samples
		scheme string
		serve  func(net.Conn)
		args   []string
	}{
		{"failures.dial.timeout", "no answer in time", "ws", nil, []string{brief}},
		{"failures.handshake.timeout", "no answer in time", "ws", func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }, []string{brief}},
		{"failures.handshake.eof", "closed the connection without an answer", "ws", func(conn net.Conn) { _ = ask(conn, "") }, nil},
		{"failures.handshake.reset", "connection reset by peer", "ws", func(conn net.Conn) { _ = ask(conn, ""); reset(conn) }, nil},
		{"failures.handshake.http_403", `HTTP/1.1 403 Forbidden: "not you"`, "ws", answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 7\r\n\r\nnot you"), nil},
		{"failures.handshake.http_200", "HTTP/1.1 200 OK", "ws", answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), nil},
		{"failures.handshake.bad_accept", "Sec-WebSocket-Accept is missing or wrong", "ws", answering(upgraded + "Sec-WebSocket-Accept: xACCEPT\r\n\r\n"), nil},
		{"failures.handshake.bad_answer", "lacks Connection: Upgrade", "ws", answering(strings.Replace(accepted, "Connection: Upgrade\r\n", "", 1) + "\r\n"), nil},
		{"failures.handshake.bad_subprotocol", "names no subprotocol, want chat", "ws", answering(accepted + "\r\n"), []string{"-subprotocol", "chat"}},
		{"failures.handshake.bad_subprotocol", "Sec-WebSocket-Protocol: news was not asked for", "ws", answering(accepted + "Sec-WebSocket-Protocol: news\r\n\r\n"), nil},
		{"failures.handshake.not_http", `not an HTTP/1.1 answer: "SSH-2.0-OpenSSH_9.2"`, "ws", answering("SSH-2.0-OpenSSH_9.2\r\n\r\n"), nil},
		{"failures.handshake.too_large", "larger than 8192 bytes", "ws", answering(upgraded + "X: " + strings.Repeat("x", 9000)), nil},

		{"failures.handshake.tls_unknown_ca", "certificate signed by unknown authority", "wss", secured(nil, nil), []string{"-ca", newAuthority(t).file}},
		{"failures.handshake.tls_wrong_name", "certificate is valid for elsewhere.example, not localhost", "wss", secured(elsewhere, nil), []string{"-ca", ca.file}},
		{"failures.handshake.tls_expired", "certificate has expired", "wss", secured(stale, nil), []string{"-ca", ca.file}},
		{"failures.handshake.tls_alert", "remote error: tls: protocol version not supported", "wss", secured(nil, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS11 }), []string{"-ca", ca.file}},
		// TLS 1.3 lets the client through before the server has looked at its certificate.
		{"failures.handshake.tls_alert", "remote error: tls: certificate required", "wss", secured(nil, func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert }), []string{"-ca", ca.file}},
		{"failures.handshake.not_tls", "first record does not look like a TLS handshake", "wss", func(conn net.Conn) {
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
		}, nil},
		{"failures.handshake.eof", "closed the connection without an answer", "wss", func(conn net.Conn) { _, _ = conn.Read(make([]byte, 4096)) }, nil},
		{"failures.handshake.reset", "connection reset by peer", "wss", func(conn net.Conn) { _, _ = conn.Read(make([]byte, 100)); reset(conn) }, nil},
		{"failures.handshake.timeout", "no answer in time", "wss", func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }, []string{brief}},

		{"closed.code_4001", "close frame 4001 enough", "ws", answering(accepted + "\r\n\x88\x08\x0f\xa1enough"), []string{hold}},
		{"closed.eof", "closed the connection without a close frame", "ws", func(conn net.Conn) { _ = ask(conn, accepted+"\r\n") }, []string{hold}},
		{"closed.reset", "connection reset by peer", "ws", func(conn net.Conn) { _ = ask(conn, accepted+"\r\n"); reset(conn) }, []string{hold}},
		{"closed.protocol_error", "opcode is reserved", "ws", answering(accepted + "\r\n\x83\x00"), []string{hold}},
		{"closed.tls_failed", "bad record MAC", "wss", func(conn net.Conn) {
			s := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{ca.issue(t, nil)}})
			if ask(s, accepted+"\r\n") == nil {
				time.Sleep(50 * time.Millisecond)
				_, _ = conn.Write(append([]byte{23, 3, 3, 0, 20}, make([]byte, 20)...))
				_, _ = io.Copy(io.Discard, conn)
			}
		}, []string{"-ca", ca.file, hold}},
		{"close_failures.eof", "closed the connection without a close frame", "ws", func(conn net.Conn) { _ = ask(conn, accepted+"\r\n"); untilClose(conn) }, nil},
		{"close_failures.reset", "connection reset by peer", "ws", func(conn net.Conn) { _ = ask(conn, accepted+"\r\n"); untilClose(conn); reset(conn) }, nil},
		{"close_failures.timeout", "no answer in time", "ws", answering(accepted + "\r\n"), nil},
	} {
		t.Run(c.class+" "+c.scheme, func(t *testing.T) {
			t.Parallel()
			target := ""
			if c.serve == nil {
				target = fullTarget(t)
			} else {
				target = rawTarget(t, c.serve)
			}
			const n = 8
			args := append([]string{"-a", strconv.Itoa(n), "-c", "100", "-w", "1", "-echo=false"}, c.args...)
			r := load(t, append(args, c.scheme+"://"+target)...)
			group, class, _ := strings.Cut(c.class, ".")
			groups := map[string]report.Classes{"failures": r.report.Failures, "closed": r.report.Closed, "close_failures": r.report.CloseFailures}
			for name, got := range groups {
				if name == group {
					require.Equal(t, report.Classes{class: n}, got)
				} else {
					require.Empty(t, got, name)
				}
			}
			require.Len(t, r.report.Samples, report.SamplesPerClass)
			for _, s := range r.report.Samples {
				require.Contains(t, s.Error, c.sample)
				require.Equal(t, c.scheme+"://"+target, s.Target)
			}
		})
	}
}
