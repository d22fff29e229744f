package cluster

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"gopkg.in/yaml.v3"

	"github.com/wsfleet/wsfleet/loadtest/report"
	"github.com/wsfleet/wsfleet/loadtest/scenario"
)

// Load is a run of wsload over all load generator hosts, led from here, whose figures can be read while it runs.
type Load struct {
	Files string // the folder with its scenario, output and reports

	metrics string        // URL
	done    chan struct{} // closed when it has ended; err is set then
	err     error

	mu      sync.Mutex    // guards the following
	phases  []string      // entered so far, the ramp first
	entered chan struct{} // closed and replaced at each
}

// loadMetrics is where the leader serves its figures.
const loadMetrics = "127.0.0.1:9101"

// targets are where clients connect: the edges, or without a balancer every process of every node.
func (f *Fleet) targets(ctx context.Context, direct bool) (urls []string, err error) {
	if !direct {
		for _, e := range f.role("edge") {
			urls = append(urls, "ws://"+e.Address+":8765/")
		}
		return urls, nil
	}
	for _, h := range f.role("node") {
		n, err := f.processes(ctx, "wsnode", h)
		if err != nil {
			return nil, err
		}
		for i := range n {
			urls = append(urls, fmt.Sprintf("ws://%s:%d/", h.Address, 8765+10*i))
		}
	}
	return urls, nil
}

// StartLoad begins a run of s from the agents on the load generator hosts. It ends with ctx, or by itself.
func (f *Fleet) StartLoad(ctx context.Context, s scenario.Scenario, files string) (*Load, error) {
	var agents []string
	for _, g := range f.role("loadgen") {
		agents = append(agents, g.Address)
	}
	text, err := yaml.Marshal(s)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(files, 0o755); err != nil {
		return nil, err
	}
	l := &Load{Files: files, metrics: "http://" + loadMetrics + "/metrics", done: make(chan struct{}), entered: make(chan struct{})}
	if err := os.WriteFile(l.file("scenario.yaml"), text, 0o644); err != nil {
		return nil, err
	}
	log, err := os.Create(l.file("wsload.log"))
	if err != nil {
		return nil, err
	}
	out, in := io.Pipe()
	go l.follow(out)
	go func() {
		defer close(l.done)
		defer log.Close()
		defer in.Close()
		l.err = f.exec(ctx, io.MultiWriter(log, in), f.Root, filepath.Join(f.Root, "bin", "wsload"), "run",
			"-agents", strings.Join(agents, ","), "-agent-token-file", f.agentToken(), "-metrics", loadMetrics,
			"-json", l.file("report.json"), "-html", l.file("report.html"), l.file("scenario.yaml"))
	}()
	return l, nil
}

// agentToken is the file with what the leader must tell the agents.
func (f *Fleet) agentToken() string { return filepath.Join(f.Home, ".lab", "agent-token") }

// WithAgents makes the load generators run agents, which one leader can join to one load.
func (f *Fleet) WithAgents() error {
	if err := os.WriteFile(f.agentToken(), []byte(rand.Text()), 0o600); err != nil {
		return err
	}
	f.Ansible = merged(f.Ansible, map[string]any{"wsload_agent_token_file": f.agentToken()})
	return nil
}

func (l *Load) file(name string) string { return filepath.Join(l.Files, name) }

// follow notes the phases that the leader enters.
func (l *Load) follow(out io.Reader) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		phase, ok := strings.CutPrefix(lines.Text(), "phase: ")
		if !ok {
			continue
		}
		l.mu.Lock()
		l.phases = append(l.phases, phase)
		close(l.entered)
		l.entered = make(chan struct{})
		l.mu.Unlock()
	}
	_, _ = io.Copy(io.Discard, out) // a line too long for the scanner must not stop the leader
}

// Enter waits until phase n of the scenario has begun; 0 is the ramp, the one after the last the closing.
func (l *Load) Enter(ctx context.Context, n int) error {
	for {
		l.mu.Lock()
		begun, entered := len(l.phases) > n, l.entered
		l.mu.Unlock()
		if begun {
			return nil
		}
		select {
		case <-entered:
		case <-l.done:
			return errors.Join(fmt.Errorf("wsload ended before its phase %d", n), l.err)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Wait returns what the run found, once it has ended.
func (l *Load) Wait(ctx context.Context) (r report.Report, err error) {
	select {
	case <-l.done:
	case <-ctx.Done():
		return r, context.Cause(ctx)
	}
	raw, err := os.ReadFile(l.file("report.json"))
	if err != nil {
		return r, errors.Join(l.err, err)
	}
	return r, json.Unmarshal(raw, &r)
}

// Figures are the metrics of a program by name, each summed over its labels.
type Figures map[string]float64

// Figures reads what the run has counted so far.
func (l *Load) Figures(ctx context.Context) (Figures, error) { return scrape(ctx, l.metrics) }

// scrape reads the metrics at url.
func scrape(ctx context.Context, url string) (Figures, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	f := Figures{}
	for name, family := range families {
		for _, m := range family.Metric {
			f[name] += valueOf(m)
		}
	}
	return f, nil
}

func valueOf(m *dto.Metric) float64 {
	switch {
	case m.Gauge != nil:
		return m.Gauge.GetValue()
	case m.Counter != nil:
		return m.Counter.GetValue()
	case m.Untyped != nil:
		return m.Untyped.GetValue()
	case m.Histogram != nil:
		return float64(m.Histogram.GetSampleCount())
	}
	return 0
}
