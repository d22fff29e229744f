package cluster

import (
	"fmt"
	"maps"
)

// Size is the shape of a fleet for very many connections on one machine: hosts, and what each is to hold. How many
// processes a host then runs is Ansible's to compute, from the open-file limit that the host really has.
type Size struct {
	Connections int // that the load generators open
	Nodes       int // node hosts
	Edges       int
	Generators  int
	Addresses   int // of each generator

	NodeCapacity int // connections of one node host
	EdgeCapacity int // of one edge host
}

const (
	// connectionsPerHost is what a host of each role is given. More hosts cost some 10 MiB each; more processes on
	// one host run out of the ports that are kept for them (35 for nodes, 128 for statistics of edges).
	connectionsPerHost = 550_000
	// connectionsPerPair is how many connections one address opens to one port quickly: half the ports, less some.
	connectionsPerPair = 25_000
	// spare is how many connections more the nodes can hold than there are to be: room for the clients of one
	// process of 19,000 that dies, and for balancers that see only their own share of the load.
	spare = 0.05
)

// SizeFor returns the fleet for so many connections.
func SizeFor(connections int) Size {
	hosts := max(2, divUp(connections, connectionsPerHost)) // one edge or node is no fleet
	s := Size{Connections: connections, Nodes: hosts, Edges: hosts, Generators: hosts}
	s.NodeCapacity = divUp(connections+max(20_000, int(float64(connections)*spare)), hosts)
	s.EdgeCapacity = divUp(connections, hosts)
	s.Addresses = divUp(connections, connectionsPerPair*s.Edges*s.Generators)
	return s
}

// direct returns the fleet for as many connections without a balancer: the one edge that a fleet has stays empty, and every
// process of the nodes is a port of its own to connect to.
func (s Size) direct() Size {
	s.Edges, s.EdgeCapacity, s.Addresses = 1, 1000, 1
	return s
}

// Fit makes the fleet one of that size.
func (f *Fleet) Fit(s Size) {
	f.Connections = s.Connections
	f.Terraform = merged(f.Terraform, s.terraform())
	f.Ansible = merged(f.Ansible, s.ansible())
}

// merged returns a with what b has in place of its own.
func merged(a, b map[string]any) map[string]any {
	c := maps.Clone(b)
	for k, v := range a {
		if _, both := c[k]; !both {
			c[k] = v
		}
	}
	return c
}

func divUp(a, b int) int { return (a + b - 1) / b }

// terraform returns the variables of the root module that differ from the scenario's.
func (s Size) terraform() map[string]any {
	return map[string]any{
		"node": map[string]any{"count": s.Nodes, "max": 2 * s.Nodes},
		"edge": map[string]any{"count": s.Edges, "max": 2 * s.Edges},
		// The type is only a name in the lab, but one of so many addresses that Terraform lets the generators have theirs.
		"loadgen": map[string]any{"count": s.Generators, "addresses": s.Addresses, "instance_type": "c6i.4xlarge"},
	}
}

// ansible returns the variables of the playbook that differ from the lab's.
func (s Size) ansible() map[string]any {
	return map[string]any{"wsnode_capacity": s.NodeCapacity, "edge_capacity": s.EdgeCapacity}
}

func (s Size) String() string {
	return fmt.Sprintf("%d node hosts, %d edges, %d load generators of %d addresses", s.Nodes, s.Edges, s.Generators, s.Addresses)
}
