package redistest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	// sentinelName is what the Sentinels call the primary they watch.
	sentinelName = "main"
	// downAfter is for how many milliseconds a server must be silent to be
	// replaced: short for a short test, long enough for a busy machine.
	downAfter = 2000
	// downStagger is by how many the second and third Sentinel are later to believe it.
	// One is enough to begin; if all began at once each would vote for itself, and
	// they would wait for long before the next try.
	downStagger = 1000
)

// Sentinel is a primary and its replica, watched by three Sentinels.
type Sentinel struct {
	URL       string // redis+sentinel://host:port,host:port,host:port/main, or rediss
	CAFile    string // "" without TLS
	Servers   []*Server
	Sentinels []*Server
}

// StartSentinel runs a primary, its replica and three Sentinels until the test ends.
// It returns once the replica is in step and the Sentinels could replace the primary.
func (s Setup) StartSentinel(t testing.TB) *Sentinel {
	t.Helper()
	certs := s.certificates(t)
	primary := s.server(t, certs)
	replica := s.server(t, certs)
	replica.primary = primary
	all := &Sentinel{CAFile: primary.CAFile, Servers: []*Server{primary, replica}}
	var ids, addrs []string
	for range 3 {
		sentinel := s.address(t, certs)
		all.Sentinels = append(all.Sentinels, sentinel)
		ids, addrs = append(ids, randomID()), append(addrs, sentinel.Addr)
	}
	for i, sentinel := range all.Sentinels {
		s.configureSentinel(t, all, i, ids)
		sentinel.args = append([]string{filepath.Join(sentinel.dir, "sentinel.conf"), "--sentinel"}, sentinel.args...)
	}
	for _, server := range append(all.Servers, all.Sentinels...) {
		server.launch(t)
	}
	for _, server := range append(all.Servers, all.Sentinels...) {
		server.await(t)
	}
	scheme, _, _ := strings.Cut(primary.URL, ":")
	all.URL = fmt.Sprintf("%s+sentinel://%s/%s", scheme, strings.Join(addrs, ","), sentinelName)
	all.awaitReplacement(t)
	return all
}

// configureSentinel writes the file of one Sentinel. They know each other and the
// replica from the start, rather than hear of them within ten seconds.
func (s Setup) configureSentinel(t testing.TB, all *Sentinel, i int, ids []string) {
	t.Helper()
	lines := []string{
		"dir " + all.Sentinels[i].dir,
		"sentinel myid " + ids[i],
		fmt.Sprintf("sentinel monitor %s %s 1", sentinelName, all.Servers[0].endpoint()),
		fmt.Sprintf("sentinel down-after-milliseconds %s %d", sentinelName, downAfter+i*downStagger),
		fmt.Sprintf("sentinel failover-timeout %s 5000", sentinelName),
		fmt.Sprintf("sentinel known-replica %s %s", sentinelName, all.Servers[1].endpoint()),
	}
	for j, other := range all.Sentinels {
		if j != i {
			lines = append(lines, fmt.Sprintf("sentinel known-sentinel %s %s %s", sentinelName, other.endpoint(), ids[j]))
		}
	}
	if s.Password != "" {
		lines = append(lines, "requirepass "+s.Password, "sentinel sentinel-pass "+s.Password,
			fmt.Sprintf("sentinel auth-pass %s %s", sentinelName, s.Password))
	}
	file := filepath.Join(all.Sentinels[i].dir, "sentinel.conf")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// awaitReplacement returns once the replica has what the primary has, and each
// Sentinel sees it as fit to take over and enough other Sentinels to agree.
func (s *Sentinel) awaitReplacement(t testing.TB) {
	t.Helper()
	s.Primary(t).AwaitReplicas(t, 1)
	for _, sentinel := range s.Sentinels {
		if !sentinel.Running() {
			continue
		}
		eventually(t, "Sentinel "+sentinel.Addr+" is able to replace the primary", func(ctx context.Context) bool {
			if sentinel.Client.Do(ctx, "SENTINEL", "CKQUORUM", sentinelName).Err() != nil {
				return false
			}
			replicas, err := sentinel.Client.Do(ctx, "SENTINEL", "REPLICAS", sentinelName).Slice()
			if err != nil || len(replicas) != 1 {
				return false
			}
			state := pairs(replicas[0])
			return state["flags"] == "slave" && state["master-link-status"] == "ok"
		}, append(s.Servers, sentinel)...)
	}
}

// Primary is the server that the Sentinels name as such.
func (s *Sentinel) Primary(t testing.TB) *Server {
	t.Helper()
	var primary *Server
	eventually(t, "the Sentinels name one primary", func(ctx context.Context) bool {
		primary = nil
		for _, sentinel := range s.Sentinels {
			if !sentinel.Running() {
				continue
			}
			addr, err := sentinel.Client.Do(ctx, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", sentinelName).StringSlice()
			if err != nil || len(addr) != 2 {
				return false
			}
			named := serverAt(s.Servers, net.JoinHostPort(addr[0], addr[1]))
			if named == nil || (primary != nil && named != primary) {
				return false
			}
			primary = named
		}
		return primary != nil
	}, s.Sentinels...)
	return primary
}

// Failover kills the primary and returns, once another has taken its place, both.
func (s *Sentinel) Failover(t testing.TB) (killed, promoted *Server) {
	t.Helper()
	killed = s.Primary(t)
	killed.Kill()
	eventually(t, "the Sentinels replace the primary", func(ctx context.Context) bool {
		promoted = s.Primary(t)
		return promoted != killed && promoted.isPrimary(ctx)
	}, append(s.Sentinels, s.Servers...)...)
	return killed, promoted
}

// Rejoin starts a server that was killed, as the replica of the primary, and returns once
// it could replace that in turn.
func (s *Sentinel) Rejoin(t testing.TB, killed *Server) {
	t.Helper()
	killed.primary = s.Primary(t)
	killed.Restart(t)
	s.awaitReplacement(t)
}

// pairs reads a list of names and values.
func pairs(reply any) map[string]string {
	list, _ := reply.([]any)
	m := make(map[string]string)
	for i := 0; i+1 < len(list); i += 2 {
		m[fmt.Sprint(list[i])] = fmt.Sprint(list[i+1])
	}
	return m
}

func serverAt(servers []*Server, addr string) *Server {
	for _, s := range servers {
		if s.Addr == addr {
			return s
		}
	}
	return nil
}

// randomID is what Redis calls a process by: 40 hexadecimal digits.
func randomID() string {
	id := make([]byte, 20)
	_, _ = rand.Read(id) // never fails
	return hex.EncodeToString(id)
}
