//go:build linux

package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/wsfleet/wsfleet/loadtest/engine"
	"github.com/wsfleet/wsfleet/loadtest/message"
	"github.com/wsfleet/wsfleet/loadtest/source"
)

const (
	// reservedFiles are a worker's descriptors that are no connections:
	// standard streams, epoll, eventfd, what the runtime opens.
	reservedFiles = 64
	maxWorkers    = 4096
	// perCore is from how many connections on a further core is put to use.
	perCore = 10_000
)

// plan is everything that is known before the first connection.
type plan struct {
	cfg        Config
	run        string
	workers    int
	note       string // on what differs from what was asked
	engine     engine.Config
	publishers []publisher
}

// newPlan finds out whether the run can be made: addresses, ports, open files.
func newPlan(ctx context.Context, cfg Config) (*plan, error) {
	p := &plan{cfg: cfg, run: randomID()}
	for p.cfg.Seed == 0 {
		p.cfg.Seed = randomSeed()
	}
	var err error
	if p.workers, p.note, err = workersFor(cfg); err != nil {
		return nil, err
	}
	targets, err := resolveTargets(ctx, cfg)
	if err != nil {
		return nil, err
	}
	password, err := readPassword(cfg.PublishPasswordFile)
	if err != nil {
		return nil, err
	}
	for _, u := range cfg.Publish {
		pub, err := newPublisher(u, password)
		if err != nil {
			return nil, fmt.Errorf("-publish %q: %w", u, err)
		}
		p.publishers = append(p.publishers, pub)
	}
	p.engine = engine.Config{
		Run: p.run, Seed: p.cfg.Seed, Total: cfg.Connections, Stride: p.workers,
		Targets: targets, Rate: cfg.Rate, Timeout: cfg.Timeout,
		EchoRate: cfg.EchoRate, EchoSize: cfg.EchoSize, EchoReply: cfg.EchoReply,
		Broadcasts: uint32(cfg.Broadcasts), CloseRate: cfg.CloseRate, Abort: cfg.Close == "abort",
	}
	return p, nil
}

// share is the part of worker i. Connections are dealt out in turn, so that the
// shares' schedules together are the even one of the run.
func (p *plan) share(i int) engine.Config {
	c := p.engine
	c.Offset = i
	return c
}

func randomID() string {
	var b [message.RunIDLength / 2]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

func randomSeed() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return binary.LittleEndian.Uint64(b[:])
}

func readPassword(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("-publish-password-file: %w", err)
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

// workersFor returns how many processes hold the connections under the open-file
// limit.
func workersFor(cfg Config) (workers int, note string, err error) {
	var lim unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &lim); err != nil {
		return 0, "", fmt.Errorf("read the open-file limit: %w", err)
	}
	if max, err := fileMax(); err == nil && int64(cfg.Connections) > max {
		return 0, "", fmt.Errorf("-a %d: the system allows %d open files in all (fs.file-max)", cfg.Connections, max)
	}
	return countWorkers(cfg, int(min(lim.Cur, 1<<30)))
}

func countWorkers(cfg Config, fileLimit int) (workers int, note string, err error) {
	each := fileLimit - reservedFiles
	if each < 1 {
		return 0, "", fmt.Errorf("the open-file limit %d leaves none for connections: raise it (ulimit -n) above %d", fileLimit, reservedFiles)
	}
	needed := (cfg.Connections + each - 1) / each
	if needed > maxWorkers {
		return 0, "", fmt.Errorf("-a %d: the open-file limit %d demands %d workers, at most %d are possible; raise it (ulimit -n)",
			cfg.Connections, fileLimit, needed, maxWorkers)
	}
	switch {
	case cfg.Workers >= needed:
		return min(cfg.Workers, cfg.Connections), "", nil
	case cfg.Workers > 0:
		note = fmt.Sprintf("-w %d: starting %d workers, because the open-file limit %d allows each %d connections",
			cfg.Workers, needed, fileLimit, each)
		return needed, note, nil
	}
	return max(needed, min(runtime.NumCPU(), (cfg.Connections+perCore-1)/perCore)), "", nil
}

func fileMax() (int64, error) {
	b, err := os.ReadFile("/proc/sys/fs/file-max")
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
}

// resolveTargets returns every address of every target, with its sources.
func resolveTargets(ctx context.Context, cfg Config) ([]engine.Target, error) {
	var targets []engine.Target
	for _, text := range cfg.Targets {
		u, err := parseTarget(text)
		if err != nil {
			return nil, fmt.Errorf("target %q: %w", text, err)
		}
		addrs, err := resolve(ctx, u)
		if err != nil {
			return nil, fmt.Errorf("target %q: %w", text, err)
		}
		for _, addr := range addrs {
			targets = append(targets, engine.Target{URL: text, Addr: addr, Host: u.Host, Path: u.RequestURI()})
		}
	}
	perAddress := map[netip.AddrPort]int{} // the same one may have been given twice
	for i := range targets {
		perAddress[targets[i].Addr] += (cfg.Connections - i + len(targets) - 1) / len(targets)
	}
	for i := range targets {
		t := &targets[i]
		var err error
		if t.Sources, err = source.Spread(cfg.Source, t.Addr, perAddress[t.Addr]); err != nil {
			return nil, fmt.Errorf("-source %s: %w", cfg.Source, err)
		}
	}
	return targets, nil
}

func parseTarget(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("want ws://host:port/path")
	case u.Scheme == "wss":
		return nil, errors.New("wss (TLS) is not supported, want ws://host:port/path")
	case u.Scheme != "ws" || u.Hostname() == "" || u.Fragment != "" || u.User != nil:
		return nil, errors.New("want ws://host:port/path")
	}
	return u, nil
}

// resolve returns the IPv4 addresses of the URL's host, or those of IPv6 if it
// has no others.
func resolve(ctx context.Context, u *url.URL) ([]netip.AddrPort, error) {
	port := uint64(80)
	if text := u.Port(); text != "" {
		var err error
		if port, err = strconv.ParseUint(text, 10, 16); err != nil || port == 0 {
			return nil, fmt.Errorf("port %s: want 1 to 65535", text)
		}
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return nil, fmt.Errorf("resolve %s: %w", u.Hostname(), err)
	}
	var v4, v6 []netip.AddrPort
	for _, addr := range found {
		if addr = addr.Unmap(); addr.Is4() {
			v4 = append(v4, netip.AddrPortFrom(addr, uint16(port)))
		} else {
			v6 = append(v6, netip.AddrPortFrom(addr, uint16(port)))
		}
	}
	if len(v4) == 0 {
		v4 = v6
	}
	slices.SortFunc(v4, netip.AddrPort.Compare)
	return slices.Compact(v4), nil
}
