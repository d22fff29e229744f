//go:build linux

package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// dialAs opens a connection with a request header, from a local address, and says
// first before its request. It returns the status, and the connection if that is
// 101.
func (n *testNode) dialAs(from, first string, header http.Header) (*websocket.Conn, *http.Response) {
	n.t.Helper()
	d := websocket.Dialer{NetDial: func(network, addr string) (net.Conn, error) {
		c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).Dial(network, addr)
		if err == nil && first != "" {
			_, err = io.WriteString(c, first)
		}
		return c, err
	}}
	c, resp, err := d.Dial(n.ws, header)
	if err == nil {
		n.t.Cleanup(func() { c.Close() })
		require.NoError(n.t, c.SetReadDeadline(time.Now().Add(20*time.Second)))
	}
	require.NotNil(n.t, resp, "%v", err)
	return c, resp
}

func (n *testNode) rejected(why string) float64 {
	n.t.Helper()
	return n.metric(fmt.Sprintf("wsnode_handshakes_rejected_total{reason=%q}", why))
}

func forwarded(client string) http.Header { return http.Header{"X-Forwarded-For": {client}} }

func writeKey(t *testing.T, file string) ed25519.PrivateKey {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKIXPublicKey(public)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600))
	return private
}

func token(t *testing.T, key ed25519.PrivateKey, life time.Duration) string {
	t.Helper()
	s, err := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.MapClaims{"exp": time.Now().Add(life).Unix()}).SignedString(key)
	require.NoError(t, err)
	return s
}

func TestTokenIsRequired(t *testing.T) {
	file := filepath.Join(t.TempDir(), "2026.pem")
	key := writeKey(t, file)
	n := startNode(t, "-jwt-keys", file)
	good := token(t, key, time.Hour)

	_, resp := n.dialAs("127.0.0.1", "", nil)
	require.Equal(t, http.StatusUnauthorized, resp.StatusCode)
	require.Equal(t, `Bearer realm="wsnode"`, resp.Header.Get("WWW-Authenticate"))
	_, resp = n.dialAs("127.0.0.1", "", http.Header{"Authorization": {"Bearer " + token(t, key, -time.Minute)}})
	require.Equal(t, http.StatusUnauthorized, resp.StatusCode)
	require.Contains(t, resp.Header.Get("WWW-Authenticate"), "the token has expired")
	require.EqualValues(t, 1, n.rejected("token_missing"))
	require.EqualValues(t, 1, n.rejected("token_invalid"))

	c, resp := n.dialAs("127.0.0.1", "", http.Header{"Authorization": {"Bearer " + good}})
	require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
	require.NoError(t, c.WriteMessage(websocket.TextMessage, []byte("hi")))
	require.Equal(t, "Server received: hi", receive(t, c))
	n.dial("?channel=a&access_token=" + good)
	c, resp = n.dialAs("127.0.0.1", "", http.Header{"Sec-WebSocket-Protocol": {"bearer, " + good}})
	require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
	require.Equal(t, "bearer", c.Subprotocol())
}

func TestTokenExpiryClosesTheConnection(t *testing.T) {
	file := filepath.Join(t.TempDir(), "2026.pem")
	key := writeKey(t, file)
	n := startNode(t, "-jwt-keys", file)
	c := n.dial("?access_token=" + token(t, key, 3*time.Second))
	_, _, err := c.ReadMessage()
	var closed *websocket.CloseError
	require.ErrorAs(t, err, &closed)
	require.Equal(t, websocket.ClosePolicyViolation, closed.Code)
	require.Equal(t, "token expired", closed.Text)
	require.Eventually(t, func() bool { return n.metric(`wsnode_closed_total{reason="token_expired"}`) == 1 }, 10*time.Second, 5*time.Millisecond)
}

func TestKeysAreReadAgainOnHangup(t *testing.T) {
	file := filepath.Join(t.TempDir(), "2026.pem")
	old := writeKey(t, file)
	n := startNode(t, "-jwt-keys", file)
	status := func(key ed25519.PrivateKey) int {
		_, resp := n.dialAs("127.0.0.1", "", http.Header{"Authorization": {"Bearer " + token(t, key, time.Hour)}})
		return resp.StatusCode
	}
	require.Equal(t, http.StatusSwitchingProtocols, status(old))

	require.NoError(t, os.WriteFile(file, []byte("too short"), 0o600))
	hangup := func() { require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGHUP)) }
	hangup()
	require.Eventually(t, func() bool { return n.metric("wsnode_token_key_reload_errors_total") == 1 }, 10*time.Second, 5*time.Millisecond)
	require.Contains(t, n.log.String(), file)
	require.Equal(t, http.StatusSwitchingProtocols, status(old), "the keys stay")

	fresh := writeKey(t, file)
	hangup()
	require.Eventually(t, func() bool { return status(fresh) == http.StatusSwitchingProtocols }, 10*time.Second, 5*time.Millisecond)
	require.Equal(t, http.StatusUnauthorized, status(old))
	require.EqualValues(t, 1, n.metric("wsnode_token_keys"))
}

func TestConnectionsPerAddress(t *testing.T) {
	n := startNode(t, "-max-connections-per-address", "2")
	first, _ := n.dialAs("127.0.0.2", "", nil)
	n.dialAs("127.0.0.2", "", nil)
	_, resp := n.dialAs("127.0.0.2", "", forwarded("198.51.100.1"))
	require.Equal(t, http.StatusTooManyRequests, resp.StatusCode, "X-Forwarded-For of a stranger means nothing")
	require.NotEmpty(t, resp.Header.Get("Retry-After"))
	require.EqualValues(t, 1, n.rejected("address_connections"))
	_, resp = n.dialAs("127.0.0.3", "", nil)
	require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
	require.EqualValues(t, 2, n.metric("wsnode_client_addresses"))

	first.Close()
	require.Eventually(t, func() bool {
		_, resp := n.dialAs("127.0.0.2", "", nil)
		return resp.StatusCode == http.StatusSwitchingProtocols
	}, 10*time.Second, 5*time.Millisecond, "one has left")
}

// Who says nothing gets no more than who says something.
func TestSilentConnectionsOfOneAddress(t *testing.T) {
	n := startNode(t, "-max-connections-per-address", "5")
	for range 50 {
		c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP("127.0.0.2")}}).Dial("tcp", strings.Trim(n.ws, "ws:/"))
		require.NoError(t, err)
		t.Cleanup(func() { c.Close() })
	}
	require.Eventually(t, func() bool { return n.rejected("address_connections") == 50-5-8 }, 10*time.Second, 5*time.Millisecond)
	require.EqualValues(t, 5+8, n.metric("wsnode_sockets"))
	n.dial("")
}

func TestHandshakesPerAddress(t *testing.T) {
	n := startNode(t, "-handshakes-per-address", "3", "-retry-after", "2s")
	statuses := map[int]int{}
	for range 10 {
		_, resp := n.dialAs("127.0.0.2", "", nil)
		statuses[resp.StatusCode]++
		if resp.StatusCode != http.StatusSwitchingProtocols {
			require.NotEqual(t, "", resp.Header.Get("Retry-After"))
		}
	}
	require.GreaterOrEqual(t, statuses[http.StatusSwitchingProtocols], 3)
	require.NotZero(t, statuses[http.StatusTooManyRequests])
	require.EqualValues(t, statuses[http.StatusTooManyRequests], n.rejected("address_rate"))
	_, resp := n.dialAs("127.0.0.3", "", nil)
	require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
}

func TestAcceptRate(t *testing.T) {
	n := startNode(t, "-accept-rate", "5", "-retry-after", "1s")
	refused, far := 0, 0
	for i := range 60 {
		_, resp := n.dialAs(fmt.Sprintf("127.0.0.%d", 2+i%10), "", nil)
		if resp.StatusCode == http.StatusSwitchingProtocols {
			continue
		}
		require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
		refused++
		seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
		require.NoError(t, err)
		require.Positive(t, seconds)
		far = max(far, seconds)
	}
	require.NotZero(t, refused)
	require.EqualValues(t, refused, n.rejected("rate"))
	require.GreaterOrEqual(t, far, refused/5/2, "the more are refused, the further they are spread")
}

func TestForwardedForFromATrustedProxy(t *testing.T) {
	n := startNode(t, "-max-connections-per-address", "1", "-trusted-proxies", "127.0.0.9,127.0.1.0/24")
	for _, step := range []struct {
		from, client string
		status       int
	}{
		{"127.0.0.9", "198.51.100.1", 101},
		{"127.0.0.9", "198.51.100.2", 101},
		{"127.0.0.9", "198.51.100.1", 429},
		{"127.0.1.77", "203.0.113.1, 198.51.100.2, 127.0.0.9", 429},
		{"127.0.1.77", "unknown", 400},
		{"127.0.0.9", "", 101}, // the proxies themselves are not limited
		{"127.0.0.9", "", 101},
		{"127.0.0.2", "198.51.100.1", 101}, // not its word counts, but its address
		{"127.0.0.2", "198.51.100.3", 429},
	} {
		_, resp := n.dialAs(step.from, "", forwarded(step.client))
		require.Equal(t, step.status, resp.StatusCode, "%v", step)
	}
}

func TestProxyProtocol(t *testing.T) {
	n := startNode(t, "-max-connections-per-address", "1", "-trusted-proxies", "127.0.0.9", "-proxy-protocol")
	line := func(client string) string { return "PROXY TCP4 " + client + " 192.0.2.1 4711 8765\r\n" }
	v2 := "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc6\x33\x64\x02\xc0\x00\x02\x01\x12\x67\x22\x3d" // 198.51.100.2
	for _, step := range []struct {
		from, first string
		status      int
	}{
		{"127.0.0.9", line("198.51.100.1"), 101},
		{"127.0.0.9", line("198.51.100.1"), 429},
		{"127.0.0.9", v2, 101},
		{"127.0.0.9", v2, 429},
		{"127.0.0.9", line("198.51.100.2"), 429},
		{"127.0.0.9", "PROXY UNKNOWN\r\n", 101},
		{"127.0.0.2", line("198.51.100.7"), 400}, // of a stranger it is no request
		{"127.0.0.2", "", 101},
	} {
		_, resp := n.dialAs(step.from, step.first, forwarded("198.51.100.99"))
		require.Equal(t, step.status, resp.StatusCode, "%v", step)
	}
	for i, first := range []string{"GET / HTTP/1.1\r\nHost: h\r\n\r\n", "PROXY TCP4 nonsense\r\n"} {
		c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP("127.0.0.9")}}).Dial("tcp", strings.Trim(n.ws, "ws:/"))
		require.NoError(t, err)
		defer c.Close()
		_, err = io.WriteString(c, first)
		require.NoError(t, err)
		_, err = io.ReadAll(c)
		if err != nil {
			require.ErrorIs(t, err, syscall.ECONNRESET)
		}
		require.EqualValues(t, i+1, n.rejected("proxy_header"))
	}
}

func TestOriginPatterns(t *testing.T) {
	n := startNode(t, "-origins", "https://app.example, https://*.example.com")
	for origin, status := range map[string]int{
		"https://app.example": 101, "https://a.example.com": 101, "https://example.com": 403, "https://evil.example": 403,
	} {
		_, resp := n.dialAs("127.0.0.1", "", http.Header{"Origin": {origin}})
		require.Equal(t, status, resp.StatusCode, origin)
	}
}

func TestAccessErrorsNameTheValue(t *testing.T) {
	dir := t.TempDir()
	short := filepath.Join(dir, "short")
	require.NoError(t, os.WriteFile(short, []byte("hunter2"), 0o600))
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-jwt-keys", "/does/not/exist"}, `-jwt-keys "/does/not/exist": no such file`},
		{[]string{"-jwt-keys", short}, `-jwt-keys "` + short + `": a secret of 7 bytes`},
		{[]string{"-jwt-audience", "chat"}, `-jwt-audience "chat"`},
		{[]string{"-jwt-issuer", "me"}, `-jwt-issuer "me"`},
		{[]string{"-trusted-proxies", "10.0.0.0/8,balancer"}, `-trusted-proxies "balancer"`},
		{[]string{"-proxy-protocol"}, "-proxy-protocol true: name the balancers in -trusted-proxies"},
		{[]string{"-max-connections-per-address", "-1"}, "-max-connections-per-address -1: want 0 to"},
		{[]string{"-handshakes-per-address", "1000001"}, "-handshakes-per-address 1000001: want 0 to 1000000"},
		{[]string{"-accept-rate", "-5"}, "-accept-rate -5: want 0 to"},
		{[]string{"-origins", "https://ok.example,app.example"}, `-origins "app.example": want scheme://host`},
	} {
		err := runNode(t.Context(), append([]string{"-listen", "127.0.0.1:0", "-admin", "127.0.0.1:0"}, c.args...), noEnv, io.Discard)
		require.ErrorContains(t, err, c.want)
		require.NotContains(t, err.Error(), "\n", "one line")
	}
}

func TestListFlags(t *testing.T) {
	env := map[string]string{"WSNODE_TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.1", "WSNODE_JWT_KEYS": "old"}
	cfg, err := ParseConfig([]string{"-jwt-keys", "a,b", "-jwt-keys", "c"}, func(k string) (string, bool) { v, ok := env[k]; return v, ok }, io.Discard)
	require.NoError(t, err)
	require.Equal(t, []string{"10.0.0.0/8", "192.0.2.1"}, cfg.Access.TrustedProxies)
	require.Equal(t, []string{"a", "b", "c"}, cfg.Access.JWTKeys, "flags beat the environment")
}
