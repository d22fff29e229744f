package redistest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	// slots is how many a Redis Cluster has.
	slots = 16384
	// primaries is how many share them at the start; each has one replica.
	primaries = 3
)

// Cluster is a Redis Cluster of three primaries, each with a replica.
type Cluster struct {
	URL     string    // redis+cluster://host:port,…, or rediss
	CAFile  string    // "" without TLS
	Servers []*Server // the first three begin as primaries, the others as their replicas
	ids     []string  // what the cluster calls them
}

// StartCluster runs a cluster of six servers until the test ends. It returns once
// it takes writes and every replica is in step.
func (s Setup) StartCluster(t testing.TB) *Cluster {
	t.Helper()
	certs := s.certificates(t)
	c := &Cluster{}
	var addrs []string
	for range 2 * primaries {
		server := s.server(t, certs, "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf",
			"--cluster-announce-ip", "127.0.0.1", "--cluster-node-timeout", strconv.Itoa(downAfter),
			"--cluster-replica-validity-factor", "0", "--cluster-allow-replica-migration", "no")
		c.Servers, c.ids = append(c.Servers, server), append(c.ids, randomID())
		addrs = append(addrs, server.Addr)
	}
	c.CAFile = c.Servers[0].CAFile
	scheme, _, _ := strings.Cut(c.Servers[0].URL, ":")
	c.URL = fmt.Sprintf("%s+cluster://%s", scheme, strings.Join(addrs, ","))
	c.introduce(t)
	for _, server := range c.Servers {
		server.launch(t)
	}
	for _, server := range c.Servers {
		server.await(t)
	}
	c.awaitHealth(t)
	return c
}

// introduce writes the file in which each member keeps what it knows of the others:
// the cluster need not be made step by step, each waiting for gossip.
func (c *Cluster) introduce(t testing.TB) {
	t.Helper()
	for i, self := range c.Servers {
		var lines []string
		for j, server := range c.Servers {
			flags, primary, held := "master", "-", fmt.Sprintf(" %d-%d", slots*j/primaries, slots*(j+1)/primaries-1)
			if j >= primaries {
				flags, primary, held = "slave", c.ids[j-primaries], ""
			}
			if i == j {
				flags = "myself," + flags
			}
			lines = append(lines, fmt.Sprintf("%s %s@%d %s %s 0 0 %d connected%s",
				c.ids[j], server.Addr, server.bus, flags, primary, j%primaries+1, held))
		}
		lines = append(lines, fmt.Sprintf("vars currentEpoch %d lastVoteEpoch 0", primaries))
		file := filepath.Join(self.dir, "nodes.conf")
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// awaitHealth returns once all members that run see a whole cluster, agree on who
// holds which slot, and each replica that runs is in step.
func (c *Cluster) awaitHealth(t testing.TB) {
	t.Helper()
	eventually(t, "the cluster is whole and of one mind", func(ctx context.Context) bool {
		var layout []holding
		for _, server := range c.Servers {
			if !server.Running() {
				continue
			}
			info, err := server.Client.ClusterInfo(ctx).Result()
			if err != nil || !strings.Contains(info, "cluster_state:ok") {
				return false
			}
			mine := server.layout(ctx)
			if layout == nil {
				layout = mine
			}
			if mine == nil || !slices.Equal(mine, layout) {
				return false
			}
			replication := server.replication(ctx)
			if replication["role"] == "slave" && replication["master_link_status"] != "up" {
				return false
			}
		}
		return true
	}, c.Servers...)
}

// holding is a range of slots and the primary that has them.
type holding struct {
	first, last int
	addr        string
}

// layout is who holds which slots as this member sees it.
func (s *Server) layout(ctx context.Context) (all []holding) {
	text, err := s.Client.ClusterNodes(ctx).Result()
	if err != nil {
		return nil
	}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line) // id ip:port@bus,… flags primary ping pong epoch link slots…
		addr, _, _ := strings.Cut(fields[1], "@")
		for _, held := range fields[min(8, len(fields)):] {
			first, last, isRange := strings.Cut(held, "-")
			if !isRange {
				last = first
			}
			h := holding{addr: addr}
			var errFirst, errLast error
			h.first, errFirst = strconv.Atoi(first)
			h.last, errLast = strconv.Atoi(last)
			if errFirst == nil && errLast == nil { // not one on its way: [93-<-id]
				all = append(all, h)
			}
		}
	}
	slices.SortFunc(all, func(a, b holding) int { return a.first - b.first })
	return all
}

// Primary is the server that holds the slot of key.
func (c *Cluster) Primary(t testing.TB, key string) *Server {
	t.Helper()
	slot := c.slot(t, key)
	var primary *Server
	eventually(t, fmt.Sprintf("somebody holds slot %d", slot), func(ctx context.Context) bool {
		for _, h := range c.any(t).layout(ctx) {
			if h.first <= slot && slot <= h.last {
				primary = serverAt(c.Servers, h.addr)
			}
		}
		return primary != nil
	}, c.Servers...)
	return primary
}

// Shard is the primary that holds the slot of key, and its replicas.
func (c *Cluster) Shard(t testing.TB, key string) []*Server {
	t.Helper()
	primary := c.Primary(t, key)
	shard := []*Server{primary}
	for _, server := range c.Servers {
		if server != primary && server.Running() && server.replication(t.Context())["master_port"] == portOf(primary.Addr) {
			shard = append(shard, server)
		}
	}
	return shard
}

// Failover kills the primary that holds key and returns, once a replica has taken its
// place in everybody's eyes, both.
func (c *Cluster) Failover(t testing.TB, key string) (killed, promoted *Server) {
	t.Helper()
	killed = c.Primary(t, key)
	killed.Kill()
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(20 * time.Millisecond) {
		if promoted = c.Primary(t, key); promoted != killed {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("no replica replaces %s within %v", killed.Addr, startTimeout)
		}
	}
	c.awaitHealth(t)
	return killed, promoted
}

// Rejoin starts a server that was killed, as a replica of the primary that replaced it,
// and returns once it could replace that in turn.
func (c *Cluster) Rejoin(t testing.TB, killed, promoted *Server) {
	t.Helper()
	killed.Restart(t)
	c.awaitHealth(t)
	promoted.AwaitReplicas(t, 1)
}

// slot is where key is kept.
func (c *Cluster) slot(t testing.TB, key string) int {
	t.Helper()
	slot, err := c.any(t).Client.ClusterKeySlot(t.Context(), key).Result()
	if err != nil {
		t.Fatal(err)
	}
	return int(slot)
}

// any is a member that runs.
func (c *Cluster) any(t testing.TB) *Server {
	t.Helper()
	for _, server := range c.Servers {
		if server.Running() {
			return server
		}
	}
	t.Fatal("no member of the cluster runs")
	return nil
}

func (c *Cluster) id(server *Server) string {
	for i, s := range c.Servers {
		if s == server {
			return c.ids[i]
		}
	}
	return ""
}

func portOf(addr string) string {
	_, port, _ := strings.Cut(addr, ":")
	return port
}
