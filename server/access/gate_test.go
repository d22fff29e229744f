package access

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// peer is the other end of a connection that there is not.
type peer struct {
	addr  netip.Addr
	asked int
	err   error
}

func (p *peer) RemoteAddr() (netip.AddrPort, error) {
	p.asked++
	return netip.AddrPortFrom(p.addr, 4711), p.err
}

// The address is a system call: it is asked for only if something depends on it.
func TestAddressIsAskedForOnlyIfNeeded(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for name, c := range map[string]struct {
		cfg   Config
		asked int
	}{
		"no limits":      {Config{HandshakeRate: 100, TrustedProxies: proxies}, 0},
		"connections":    {Config{ConnectionsPerAddress: 1}, 1},
		"handshakes":     {Config{HandshakesPerAddress: 1}, 1},
		"PROXY protocol": {Config{ProxyProtocol: true, TrustedProxies: proxies}, 1},
	} {
		p := &peer{addr: addr("192.0.2.1")}
		_, err := New(c.cfg).Arrive(p)
		require.NoError(t, err)
		require.Equal(t, c.asked, p.asked, name)
	}
	gone := errors.New("not connected")
	_, err := New(Config{ConnectionsPerAddress: 1}).Arrive(&peer{err: gone})
	require.ErrorIs(t, err, gone)
}

// One address that storms must not use up what is there for the others.
func TestOneAddressLeavesTheRateToOthers(t *testing.T) {
	g := New(Config{HandshakesPerAddress: 1, HandshakeRate: 10, RetryAfter: time.Second})
	now := time.Now()
	g.now = func() time.Time { return now }
	try := func(a string) error {
		hold, err := g.Arrive(&peer{addr: addr(a)})
		require.NoError(t, err)
		hold, _, err = g.Admit(hold, httptest.NewRequest(http.MethodGet, "/", nil))
		g.Leave(hold)
		return err
	}
	require.NoError(t, try("192.0.2.1"))
	for range 100 {
		var refusal *Refusal
		require.ErrorAs(t, try("192.0.2.1"), &refusal)
		require.Equal(t, CauseAddressRate, refusal.Cause)
		require.Greater(t, refusal.RetryAfter, 2*time.Second-1)
		require.Less(t, refusal.RetryAfter, 3*time.Second)
	}
	require.NoError(t, try("192.0.2.2"))
}

func TestGateFromManyLoops(t *testing.T) {
	g := New(Config{ConnectionsPerAddress: 3, HandshakesPerAddress: 1e6, HandshakeRate: 1e6})
	var wg sync.WaitGroup
	for loop := range 8 {
		wg.Go(func() {
			var holds []Hold
			for i := range 2000 {
				hold, err := g.Arrive(&peer{addr: nth((i + loop) % 20)})
				if err != nil {
					continue
				}
				hold, _, _ = g.Admit(hold, httptest.NewRequest(http.MethodGet, "/", nil))
				if holds = append(holds, hold); len(holds) > 5 {
					g.Leave(holds[0])
					holds = holds[1:]
				}
			}
			for _, h := range holds {
				g.Leave(h)
			}
		})
	}
	wg.Wait()
	for i := range 20 { // every place is free again
		for range 3 {
			hold, err := g.Arrive(&peer{addr: nth(i)})
			require.NoError(t, err)
			_, _, err = g.Admit(hold, httptest.NewRequest(http.MethodGet, "/", nil))
			require.NoError(t, err)
		}
	}
}

func BenchmarkAdmit(b *testing.B) {
	for name, cfg := range map[string]Config{
		"nothing": {},
		"limits":  {ConnectionsPerAddress: 1 << 20, HandshakesPerAddress: 1e6, HandshakeRate: 1e6},
	} {
		b.Run(name, func(b *testing.B) {
			g := New(cfg)
			now := time.Now()
			g.now = func() time.Time { now = now.Add(time.Millisecond); return now }
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			p := &peer{addr: addr("192.0.2.1")}
			for b.Loop() {
				hold, err := g.Arrive(p)
				if err == nil {
					hold, _, err = g.Admit(hold, r)
				}
				if err != nil {
					b.Fatal(err)
				}
				g.Leave(hold)
			}
		})
	}
}
