package ec2sync

import (
	"context"
	"log/slog"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/wsfleet/wsfleet/test/lab/host"
	"github.com/wsfleet/wsfleet/test/lab/network"
	"github.com/wsfleet/wsfleet/test/lab/place"
)

// pollInterval is how often EC2 is asked. An answer for a dozen instances costs moto some 10 ms.
const pollInterval = time.Second

// Fleet holds one host for every running instance.
type Fleet struct {
	Place  place.Place
	Image  string // directory of the hosts' image
	CGroup string // directory for the hosts' control groups
	API    string // address of the AWS API, which hosts reach through a relay
	Cloud  *Cloud
	Switch *network.Switch
	Log    *slog.Logger

	slots chan struct{} // one for each host that may boot at the same time

	mu      sync.Mutex // guards the following
	members map[string]*member
	problem string // why the last poll failed; empty if it did not
}

// Run keeps the hosts in step until ctx ends, then ends them all.
func (f *Fleet) Run(ctx context.Context) error {
	f.mu.Lock()
	f.members = map[string]*member{}
	f.mu.Unlock()
	// A boot is bound by CPU: more at once than cores only makes each of them later.
	f.slots = make(chan struct{}, runtime.NumCPU()+1)
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		f.poll(ctx)
		select {
		case <-ctx.Done():
			f.endAll()
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (f *Fleet) poll(ctx context.Context) {
	ask, cancel := context.WithTimeout(ctx, RequestTimeout)
	defer cancel()
	want, err := f.Cloud.Running(ask)
	if ctx.Err() != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil { // no answer is not an empty answer: the hosts stay
		if f.problem == "" {
			f.Log.Error("cannot read the instances", "error", err)
		}
		f.problem = err.Error()
		return
	}
	f.problem = ""
	used := map[string]bool{}
	for id, inst := range want {
		used[aws.ToString(inst.VpcId)] = true
		if m, ok := f.members[id]; ok {
			m.update(inst)
			continue
		}
		f.Log.Info("instance appeared", "instance", id, "address", inst.Address, "role", inst.Tags["Role"])
		f.members[id] = f.newMember(ctx, inst)
	}
	for id, m := range f.members {
		if _, ok := want[id]; ok {
			continue
		}
		m.set(Ending, "")
		m.end()
		select {
		case <-m.done:
			f.Log.Info("host is gone", "instance", id)
			delete(f.members, id)
		default: // it is still ending
			used[aws.ToString(m.first.VpcId)] = true
		}
	}
	for _, id := range f.Switch.VPCs() {
		if !used[id] {
			if err := f.Switch.RemoveVPC(id); err != nil {
				f.Log.Error("cannot remove the network of a VPC", "vpc", id, "error", err)
			}
		}
	}
}

func (f *Fleet) endAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.members {
		m.end()
	}
	for _, m := range f.members {
		<-m.done
	}
	f.members = map[string]*member{}
}

// Hosts describes all hosts, by role and address. Measuring their memory takes a few milliseconds a host.
func (f *Fleet) Hosts() (hosts []Status, problem string) {
	f.mu.Lock()
	members := make([]*member, 0, len(f.members))
	for _, m := range f.members {
		members = append(members, m)
	}
	problem = f.problem
	f.mu.Unlock()

	for _, m := range members {
		s := m.status()
		s.Usage = host.Use(f.group(s.Instance))
		hosts = append(hosts, s)
	}
	slices.SortFunc(hosts, func(a, b Status) int {
		if c := strings.Compare(a.Role, b.Role); c != 0 {
			return c
		}
		return a.Address.Compare(b.Address)
	})
	return hosts, problem
}

func (f *Fleet) group(instance string) string { return filepath.Join(f.CGroup, instance) }
