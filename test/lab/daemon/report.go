// Package daemon is the process that a lab is: moto's server and the hosts live and die with it. The other commands
// ask it through a socket.
package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/wsfleet/wsfleet/test/lab/ec2sync"
	"github.com/wsfleet/wsfleet/test/lab/machine"
	"github.com/wsfleet/wsfleet/test/lab/moto"
	"github.com/wsfleet/wsfleet/test/lab/place"
	"github.com/wsfleet/wsfleet/test/lab/proc"
)

// Report is what a lab tells about itself.
type Report struct {
	Daemon  proc.Identity     `json:"daemon"`
	Project string            `json:"project"`
	Started time.Time         `json:"started"`
	API     string            `json:"api"`
	MotoPID int               `json:"moto_pid"`
	Moto    moto.Installation `json:"moto"`
	Image   string            `json:"image"`
	Problem string            `json:"problem,omitempty"`
	Hosts   []ec2sync.Status  `json:"hosts"`
}

// Count is the number of hosts in the state.
func (r Report) Count(s ec2sync.State) int {
	n := 0
	for _, h := range r.Hosts {
		if h.State == s {
			n++
		}
	}
	return n
}

// Record is what is known of a daemon without asking it: enough to end it and to clean up after it.
type Record struct {
	Daemon  proc.Identity `json:"daemon"`
	Project string        `json:"project"`
	CGroup  string        `json:"cgroup"`
}

// askTimeout is far more than an answer takes: it measures the memory of every process of the lab.
const askTimeout = 30 * time.Second

// ErrDown means that no daemon runs.
var ErrDown = errors.New("the lab is not up")

// RecordFile is where a daemon leaves its record.
func RecordFile(p place.Place) string { return filepath.Join(p.Run, "daemon.json") }

// KernelRecord is where the machine's kernel parameters are kept, for all labs.
func KernelRecord(p place.Place) machine.Record {
	return machine.Record{Dir: place.Kernel, Lab: p.Name, Here: place.Exists}
}

// lastWordsFile is where a daemon that failed says why.
func lastWordsFile(p place.Place) string { return filepath.Join(p.Run, "failed") }

// Find returns the record of the lab's daemon, whether or not it still lives.
func Find(p place.Place) (Record, bool, error) {
	var r Record
	err := proc.Load(RecordFile(p), &r)
	if errors.Is(err, fs.ErrNotExist) {
		return r, false, nil
	}
	return r, err == nil, err
}

// Ask asks the daemon.
func Ask(ctx context.Context, p place.Place) (Report, error) {
	var report Report
	client := http.Client{Timeout: askTimeout, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", p.Socket())
		},
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://lab/report", nil)
	if err != nil {
		return report, err
	}
	resp, err := client.Do(req)
	if errors.Is(err, fs.ErrPermission) {
		return report, fmt.Errorf("only root may ask the lab: %w", err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return report, fmt.Errorf("the lab's daemon does not answer: %w", err)
	}
	if err != nil {
		if words := LastWords(p); words != "" {
			return report, fmt.Errorf("%w: it ended: %s", ErrDown, words)
		}
		return report, ErrDown
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return report, fmt.Errorf("the lab answers %s", resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(&report); err != nil {
		return report, fmt.Errorf("the lab's answer: %w", err)
	}
	return report, nil
}
