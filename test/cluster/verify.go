package cluster

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/report"
)

const (
	// rampRate is how many connections a second all generators open together:
	// two cores that carry the whole fleet do some thousands.
	rampRate = 2000
	// broadcasts that each generator publishes.
	broadcasts = 5
	// holdTime is how long the connections stay for Prometheus to see them: some
	// scrapes of every node, which the lab's scenario makes every 5 s.
	holdTime = 25 * time.Second
	// scrapeTime bounds the wait for Prometheus' agreement.
	scrapeTime = 20 * time.Second
	// verifyTime bounds the whole verification.
	verifyTime = 5 * time.Minute
)

// Verification is what the generators proved, added up, and what Prometheus saw
// meanwhile.
type Verification struct {
	Planned, Connected, Echoed             int
	DeliveriesPlanned, Delivered           int
	Lost, Duplicated, Reordered, Corrupted int
	Nodes                                  int // that held connections
	PrometheusConnections                  float64
	EchoP99                                time.Duration // of the slowest generator
}

// Verify opens connections from every load generator host through all edges,
// checks each echo and broadcast, and asks Prometheus while they are held.
func (f *Fleet) Verify(ctx context.Context) (v Verification, err error) {
	err = f.step(fmt.Sprintf("verify: %d connections through %s", f.Connections, f.edge()), func() error {
		ctx, cancel := context.WithTimeoutCause(ctx, verifyTime, errors.New("not done after "+verifyTime.String()))
		defer cancel()
		if err := f.findHosts(ctx); err != nil {
			return err
		}
		if err := f.waitForTargets(ctx); err != nil {
			return err
		}
		generators, err := f.startGenerators(ctx)
		if err != nil {
			return err
		}
		if err := f.askPrometheus(ctx, generators, &v); err != nil {
			cancel() // ends the generators
			return errors.Join(append(waitAll(generators), err)...)
		}
		f.say("Prometheus agrees: %.0f connections on %d nodes", v.PrometheusConnections, v.Nodes)
		if err := errors.Join(waitAll(generators)...); err != nil {
			return err
		}
		for _, g := range generators {
			v.add(g.report)
		}
		f.say("%d of %d connected, %d echoed, %d of %d deliveries", v.Connected, v.Planned, v.Echoed, v.Delivered, v.DeliveriesPlanned)
		return nil
	})
	return v, err
}

func (v *Verification) add(r report.Report) {
	v.Planned += int(r.Planned)
	v.Connected += int(r.Connected)
	v.Echoed += int(r.Echo.OK)
	v.DeliveriesPlanned += int(r.Planned) * broadcasts
	v.Delivered += int(r.Broadcast.Delivered)
	v.Lost += int(r.Broadcast.Lost)
	v.Duplicated += int(r.Broadcast.Duplicated)
	v.Reordered += int(r.Broadcast.Reordered)
	v.Corrupted += int(r.Broadcast.Corrupted + r.Echo.Corrupted)
	v.EchoP99 = max(v.EchoP99, time.Duration(r.Echo.P99*float64(time.Second)))
}

// waitForTargets waits until Prometheus has found and scraped every node and edge
// host and no node holds connections any more.
func (f *Fleet) waitForTargets(ctx context.Context) error {
	for job, role := range map[string]string{"wsnode": "node", f.Balancer: "edge"} {
		hosts := float64(len(f.role(role)))
		if err := f.until(ctx, fmt.Sprintf(`count(count by (host) (up{job=%q} == 1))`, job), hosts, time.Minute); err != nil {
			return err
		}
	}
	return f.until(ctx, "sum(wsnode_connections)", 0, time.Minute)
}

// askPrometheus compares its count once all generators hold their connections.
func (f *Fleet) askPrometheus(ctx context.Context, generators []*generator, v *Verification) (err error) {
	for _, g := range generators {
		select {
		case <-g.holding:
		case <-g.done:
			return fmt.Errorf("%s ended before it held its connections", g.host.Address)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	f.say("all generators hold their connections")
	if err := f.until(ctx, "sum(wsnode_connections)", float64(f.Connections), scrapeTime); err != nil {
		return err
	}
	if v.PrometheusConnections, err = f.sum(ctx, "sum(wsnode_connections)"); err != nil {
		return err
	}
	nodes, err := f.sum(ctx, "count(sum by (host) (wsnode_connections) > 0)")
	v.Nodes = int(nodes)
	return err
}

// generator is a wsload that runs on a load generator host.
type generator struct {
	host    Host
	holding chan struct{} // closed when it holds its connections
	done    chan struct{} // closed when it has ended; the following is set then
	report  report.Report
	err     error
}

// startGenerators shares the connections out over the load generator hosts.
func (f *Fleet) startGenerators(ctx context.Context) ([]*generator, error) {
	hosts, redis, edges := f.role("loadgen"), f.role("redis"), f.role("edge")
	if len(hosts) == 0 || len(redis) == 0 || len(edges) == 0 {
		return nil, fmt.Errorf("the fleet has %d loadgen, %d redis and %d edge hosts: want one of each at least", len(hosts), len(redis), len(edges))
	}
	var show sync.Mutex
	var list []*generator
	for i, h := range hosts {
		share := f.Connections / len(hosts)
		if i < f.Connections%len(hosts) {
			share++
		}
		args := []string{
			"wsload", "-a", fmt.Sprint(share), "-c", fmt.Sprint(rampRate / len(hosts)),
			"-broadcasts", fmt.Sprint(broadcasts), "-publish", "redis://" + redis[0].Address + ":6379/0?channel=broadcast",
			"-hold", holdTime.String(), "-json", "/tmp/wsload.json",
		}
		for _, e := range edges {
			args = append(args, "ws://"+e.Address+":8765/")
		}
		g := &generator{host: h, holding: make(chan struct{}), done: make(chan struct{})}
		log, err := f.logFile("wsload-" + h.Address)
		if err != nil {
			return nil, err
		}
		go func() {
			defer close(g.done)
			defer log.Close()
			g.err = g.run(ctx, f, args, log, &show)
		}()
		list = append(list, g)
	}
	return list, nil
}

// waitAll waits for all generators and returns what went wrong.
func waitAll(generators []*generator) []error {
	var errs []error
	for _, g := range generators {
		<-g.done
		if g.err != nil {
			errs = append(errs, fmt.Errorf("load generator %s: %w", g.host.Address, g.err))
		}
	}
	return errs
}

// run starts wsload over SSH, follows its lines, and fetches its report.
func (g *generator) run(ctx context.Context, f *Fleet, args []string, log io.Writer, show *sync.Mutex) error {
	cmd := f.ssh(ctx, g.host, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	tail := &tailWriter{}
	cmd.Stderr = tail
	// If this side ends first, wsload does by itself: its run is bounded.
	if err := cmd.Start(); err != nil {
		return err
	}
	for lines := bufio.NewScanner(io.TeeReader(out, log)); lines.Scan(); {
		line := lines.Text()
		fmt.Fprintln(tail, line)
		if phase, ok := strings.CutPrefix(line, "phase: "); ok {
			show.Lock()
			f.say("%s: %s", g.host.Address, phase)
			show.Unlock()
			if strings.HasPrefix(phase, "hold ") {
				close(g.holding)
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("wsload: %w\n%s", err, tail)
	}
	raw, err := f.ssh(ctx, g.host, "cat", "/tmp/wsload.json").Output()
	if err != nil {
		return fmt.Errorf("fetch the report: %w", err)
	}
	return json.Unmarshal(raw, &g.report)
}

// ssh builds the command that runs args on a host.
func (f *Fleet) ssh(ctx context.Context, h Host, args ...string) *exec.Cmd {
	options := []string{
		"-i", filepath.Join(f.Home, ".lab", "key"), "-o", "StrictHostKeyChecking=accept-new",
		"-o", "UserKnownHostsFile=" + filepath.Join(f.Home, ".lab", "known_hosts"), "-o", "HostKeyAlias=" + h.ID,
		"-o", "LogLevel=ERROR", "-o", "BatchMode=yes",
	}
	cmd := exec.CommandContext(ctx, "ssh", append(append(options, "admin@"+h.Address), args...)...)
	cmd.Env = os.Environ()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = killDelay
	return cmd
}
