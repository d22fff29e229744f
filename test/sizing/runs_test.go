package sizing

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// What the model says of runs that were measured as a whole, rather than of the parts that it is made of.

// A million connections through HAProxy, all parts on one machine, took about 22 KiB each: the model, which leaves out
// what a process takes without connections (220 of them there), must come within a tenth below.
func TestMemoryOfAMillionOnOneMachine(t *testing.T) {
	f := sized(t, nil)
	measured := cell(t, prototype, "", "", "the same: memory of everything a connection")
	model := f.Value("node_kib") + f.Value("edge_kib") + f.Value("generator_kib")
	assert.InDelta(t, measured, model, measured/10)
	assert.Less(t, model, measured)
}

// The nodes' CPU in the run of 300,000 clients: connecting, an echo and a delivery each, and a ping a minute. The model
// counts no closing, and bench.md has more messages for each wake-up than sixteen processes on two cores; what is
// measured must fit into the half of each core that is left free.
func TestCPUOfACrowd(t *testing.T) {
	const clients, rate, heartbeat = 300_000, 4000, 60 // make crowd, loadtest/crowd_test.go
	run := cell(t, crowd, "", "", "time of the run")
	held := clients * (run - clients/rate/2) // seconds of connections
	model := (clients*(figure(t, "wsnode_connect")+figure(t, "wsnode_echo")+figure(t, "wsnode_delivery")) +
		held/heartbeat*figure(t, "wsnode_heartbeat")) / 1e6
	nodes := secondNumber(t, crowd, "CPU of wsload, of the nodes")
	assert.GreaterOrEqual(t, nodes, model)
	assert.LessOrEqual(t, nodes, model/Default().CPUUse)
}

// The most deliveries a second that held, node and client on the same two cores.
func TestDeliveriesThatHold(t *testing.T) {
	measured := cell(t, sustained, "", "deliveries/s", "wsnode, 2 loops")
	model := 2e6 / (figure(t, "wsnode_delivery") + figure(t, "wsload_delivery"))
	assert.InEpsilon(t, measured, model, 0.15)
}

// Deliveries of one channel through Redis, a core of the node: batches make them cheaper than the model says.
func TestDeliveriesOfOneChannel(t *testing.T) {
	measured := cell(t, "docs/results/broker.md", "", "deliveries/s a core of the node", "1", "off")
	model := 1e6 / figure(t, "wsnode_delivery")
	assert.InEpsilon(t, measured, model, 0.4)
	assert.Less(t, model, measured)
}

// The lab's fleet for a million on one machine has ten addresses on each of two load generators before two edges
// (test/cluster/size.go); the model comes to the same from the same hosts.
func TestAddressesAreThoseOfTheLab(t *testing.T) {
	f := sized(t, func(in *Input) {
		in.NodeConnections, in.EdgeConnections, in.GeneratorConnections = 1e6, 1e6, 500_000
		in.Heartbeat, in.Return = 2*time.Minute, 5*time.Minute // ansible/scenarios/million.yml
		in.NodeType, in.EdgeType = "c7g.4xlarge", "c7g.4xlarge"
	})
	assert.Equal(t, 2.0, f.Value("edges"))
	assert.Equal(t, 2.0, f.Value("generators"))
	assert.Equal(t, 10.0, f.Value("addresses"))
}
