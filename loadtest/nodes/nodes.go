// Package nodes watches the servers of a run by their Prometheus metrics: memory,
// CPU and connections. A scrape that fails leaves a gap, never an error.
package nodes

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/report"
)

const (
	// shortest is the time between two scrapes of a node.
	shortest = time.Second
	// perSecond is how many scrapes there are of all nodes together: each costs
	// both sides a millisecond or two, which is to be seen in what is measured.
	perSecond = 10
	// timeout bounds one scrape.
	timeout = time.Second
)

// Watch scrapes a list of nodes until its context ends.
type Watch struct {
	client *http.Client
	every  time.Duration
	nodes  []*node
	done   sync.WaitGroup
}

// node is what is known of one. mu guards all but the address.
type node struct {
	mu    sync.Mutex
	sum   report.Node
	use   *report.NodeUse // nil after a scrape that failed
	since time.Time       // of use
	cpu   *float64        // counter at the last scrape that succeeded
	cpuAt time.Time
}

// New returns a watch over the nodes with metrics at the URLs. It begins with
// Start.
func New(urls []string) (*Watch, error) {
	w := &Watch{
		client: &http.Client{Timeout: timeout, Transport: &http.Transport{}},
		every:  max(shortest, time.Duration(len(urls))*time.Second/perSecond),
	}
	for _, text := range urls {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
			return nil, fmt.Errorf("%q: want http://host:port/metrics", text)
		}
		w.nodes = append(w.nodes, &node{sum: report.Node{URL: text}})
	}
	return w, nil
}

// Start begins to scrape. The nodes' turns are spread over the interval.
func (w *Watch) Start(ctx context.Context) {
	for i, n := range w.nodes {
		w.done.Go(func() {
			wait := time.NewTimer(w.every * time.Duration(i) / time.Duration(len(w.nodes)))
			defer wait.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-wait.C:
				}
				began := time.Now()
				w.scrape(ctx, n)
				wait.Reset(w.every - min(time.Since(began), w.every))
			}
		})
	}
}

// Wait returns when all scraping has ended after the context has.
func (w *Watch) Wait() {
	w.done.Wait()
	w.client.CloseIdleConnections()
}

// Latest returns what each node used at its last scrape, nil for one that could
// not be scraped, or not for a while.
func (w *Watch) Latest() []*report.NodeUse {
	var all []*report.NodeUse
	for _, n := range w.nodes {
		n.mu.Lock()
		if time.Since(n.since) > 2*w.every+timeout {
			n.use = nil
		}
		all = append(all, n.use)
		n.mu.Unlock()
	}
	return all
}

// Report returns what each node used over the whole run.
func (w *Watch) Report() []report.Node {
	var all []report.Node
	for _, n := range w.nodes {
		n.mu.Lock()
		all = append(all, n.sum)
		n.mu.Unlock()
	}
	return all
}

func (w *Watch) scrape(ctx context.Context, n *node) {
	got, err := fetch(ctx, w.client, n.sum.URL)
	if ctx.Err() != nil {
		return // the run is over: no failure of the node's
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sum.Scrapes++
	if err != nil {
		n.use = nil
		n.sum.ScrapesFailed++
		n.sum.Error = unwrapURL(err).Error()
		return
	}
	n.take(got, time.Now())
}

// take notes a scrape that succeeded at now.
func (n *node) take(got values, now time.Time) {
	n.since = now
	n.use = &report.NodeUse{MemoryBytes: got.memory, Connections: got.connections}
	if got.memory != nil {
		if n.sum.MemoryStart == 0 {
			n.sum.MemoryStart = *got.memory
		}
		n.sum.MemoryMax = max(n.sum.MemoryMax, *got.memory)
	}
	if got.connections != nil {
		n.sum.Connections = max(n.sum.Connections, *got.connections)
	}
	if got.cpu == nil {
		return
	}
	if n.cpu != nil {
		used := *got.cpu - *n.cpu
		if used < 0 { // the node has been restarted, its counter too
			used = *got.cpu
		}
		n.sum.CPUSeconds += used
		cores := used / max(now.Sub(n.cpuAt).Seconds(), 1e-3)
		n.use.CPU = &cores
	}
	n.cpu, n.cpuAt = got.cpu, now
}

// unwrapURL takes the URL off an HTTP client's error: it stands beside it.
func unwrapURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
