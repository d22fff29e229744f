package cluster

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// Write puts the record into the folder of the report: as JSON, and as a page with the table.
func (r *Record) Write(f *Fleet) error {
	if err := os.MkdirAll(r.Files, 0o755); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(r.Files, "record.json"), raw, 0o644); err != nil {
		return err
	}
	page := filepath.Join(r.Files, "README.md")
	f.say("the report: %s", page)
	return os.WriteFile(page, []byte(r.page()), 0o644)
}

// perConnection is what a connection takes of this machine's memory at a stage, in KiB, all parts counted.
func (r *Record) perConnection(s Stage) float64 {
	return kib(s.Memory.Used-r.Empty.Used) / max(s.Load, 1)
}

// socketKiB is the kernel's memory of one socket at a stage, in KiB: what its objects take beyond those of the idle fleet.
func (r *Record) socketKiB(s Stage) float64 {
	return kib(s.Memory.Slab-r.Idle.Slab) / max(s.Load, 1) / socketsPerConnection
}

// nodeSide is what a connection takes on the node's side, in KiB: the node's socket, and all of the nodes' processes.
func (r *Record) nodeSide(s Stage) float64 {
	return r.socketKiB(s) + kib(s.Memory.Programs["wsnode"])/max(s.Load, 1)
}

// socketsPerConnection are the client's, the balancer's two, and the node's.
const socketsPerConnection = 4

func (r *Record) stage(name string) Stage {
	for _, s := range r.Stages {
		if s.Name == name {
			return s
		}
	}
	return Stage{}
}

func kib(bytes int64) float64 { return float64(bytes) / (1 << 10) }

func gib(bytes int64) float64 { return float64(bytes) / (1 << 30) }
