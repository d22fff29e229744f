package cluster

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	test_structure "github.com/gruntwork-io/terratest/modules/test-structure"
	"github.com/stretchr/testify/require"
)

var (
	millionConnections = flag.Int("million", 0, "connections of TestMillion; 0 leaves it out")
	millionRate        = flag.Float64("million-rate", 5500, "connections a second of its ramp")
	millionBalancer    = flag.String("million-balancer", "haproxy", "haproxy, nginx, or none for the direct path")
	millionLayer       = flag.Int("million-layer", 7, "of the balancer, 7 or 4")
	millionHold        = flag.Duration("million-hold", 10*time.Minute, "how long they are held with nothing but heartbeats")
	millionOut         = flag.String("million-out", "", "folder of its report")
)

// millionFault is what a fault gets to be over: its clients come back within ten seconds, and two broadcasts to a million of them
// keep two cores busy for most of a minute.
const millionFault = 90 * time.Second

// TestMillion carries very many connections end to end on this machine, verifies every delivery, and breaks things on
// purpose under full load: make million.
func TestMillion(t *testing.T) {
	if *millionConnections == 0 {
		t.Skip("takes the whole machine for most of an hour: make million")
	}
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	home := filepath.Join(os.TempDir(), "wsfleet-million")
	f := &Fleet{Root: root, Home: home, Lab: "mil", Port: 5002, Balancer: *millionBalancer, Layer: *millionLayer,
		Terraform: inNetwork("10.82.0.0/16"), Scenarios: []string{"million"}, Out: os.Stdout}
	size := SizeFor(*millionConnections)
	m := Million{Connections: *millionConnections, Rate: *millionRate, Hold: *millionHold, Broadcasts: 3, Gap: 40 * time.Second, Files: *millionOut}
	switch f.Balancer {
	case "none":
		size, m.Direct, f.Balancer = size.direct(), true, Balancers[0]
	case "haproxy": // whose processes the faults kill and reload
		m.Fault = millionFault
	}
	f.Fit(size)
	require.NoError(t, os.MkdirAll(home, 0o755))
	if m.Files == "" {
		m.Files = filepath.Join(t.TempDir(), "report")
	}
	before, err := measureMemory()
	require.NoError(t, err)
	record := &Record{Million: m, Size: size, Edge: f.edge(), Command: os.Getenv("COMMAND"), Began: time.Now(), Empty: before}
	if m.Direct {
		record.Edge = "no balancer"
	}

	ctx := interruptible(t)
	defer test_structure.RunTestStage(t, "destroy", func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
		defer cancel()
		if f.env != nil {
			if err := f.Destroy(ctx, t); err != nil {
				t.Errorf("destroy: %v", err)
			}
		}
		require.NoError(t, f.StopLab(ctx))
		requireNothingLeft(t, f)
		require.NoError(t, os.RemoveAll(home))
		record.After, err = measureMemory()
		require.NoError(t, err)
		require.NoError(t, record.Write(f))
	})
	test_structure.RunTestStage(t, "apply", func() {
		require.NoError(t, f.StartLab(ctx))
		require.NoError(t, f.WithAgents())
		require.NoError(t, f.Apply(ctx, t))
		require.NoError(t, f.WaitForHosts(ctx))
		_, err := f.Configure(ctx)
		require.NoError(t, err)
		require.NoError(t, f.findHosts(ctx))
		require.NoError(t, f.waitForTargets(ctx))
	})
	test_structure.RunTestStage(t, "carry", func() {
		require.NoError(t, f.Carry(ctx, m, record))
		record.verify(t)
	})
}

// fullHold is how long a hold must be for every connection to be pinged twice: the interval of the scenario is four minutes.
const fullHold = 10 * time.Minute

// verify holds what was found against what was promised.
func (r *Record) verify(t *testing.T) {
	t.Helper()
	load := r.Report
	require.EqualValues(t, r.Million.Connections, load.Connected)
	require.Zero(t, load.Failed)
	require.EqualValues(t, r.Million.Connections, load.Echo.OK)
	require.Zero(t, r.ClosedInHold, "connections closed in the hold")
	if r.Million.Hold >= fullHold {
		require.GreaterOrEqual(t, r.PingsInHold, 2*r.Million.Connections, "pings answered in the hold")
	}
	require.Positive(t, load.Broadcast.Delivered)
	require.Zero(t, load.Broadcast.Lost+load.Broadcast.Duplicated+load.Broadcast.Reordered+load.Broadcast.Corrupted)
	for _, o := range r.Faults {
		require.LessOrEqual(t, o.Cut, o.MayCut, "%s cut others", o.Name)
		require.Equal(t, o.Cut, o.Back, "%s: came back", o.Name)
	}
}
