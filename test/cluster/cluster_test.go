package cluster

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	test_structure "github.com/gruntwork-io/terratest/modules/test-structure"
	"github.com/stretchr/testify/require"
)

// TestFleet stands a fleet up in a lab of its own and proves it, in Terratest's
// stages: SKIP_destroy=true leaves it standing, and with SKIP_apply=true it is used
// again. Whatever happens, destroy runs at the end.
func TestFleet(t *testing.T) {
	if testing.Short() {
		t.Skip("boots nine hosts")
	}
	if os.Getuid() != 0 {
		t.Fatal("the lab needs root: run it with sudo")
	}
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	home := filepath.Join(os.TempDir(), "wsfleet-cluster-test")
	f := &Fleet{
		Root: root, Home: home, Lab: "ct", Port: 5001, Balancer: "haproxy", Terraform: inNetwork("10.81.0.0/16"),
		Out: os.Stdout, Connections: 10_000,
	}
	require.NoError(t, os.MkdirAll(home, 0o755))

	// The test's own context ends before clean-ups run; destroy must not.
	ctx := interruptible(t)
	defer test_structure.RunTestStage(t, "destroy", func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		if f.env != nil {
			if err := f.Destroy(ctx, t); err != nil {
				t.Errorf("destroy: %v", err)
			}
		}
		require.NoError(t, f.StopLab(ctx))
		requireNothingLeft(t, f)
		require.NoError(t, os.RemoveAll(home))
	})

	test_structure.RunTestStage(t, "apply", func() {
		require.NoError(t, f.StartLab(ctx))
		require.NoError(t, f.WithAgents())
		require.NoError(t, f.Apply(ctx, t))
		unknown, err := f.Drift(ctx, t)
		require.NoError(t, err)
		require.Empty(t, unknown, "a plan after the apply must change nothing that test/lab/emulator.yaml does not explain")
	})
	test_structure.RunTestStage(t, "wait", func() {
		if f.env == nil {
			require.NoError(t, f.loadEnv(ctx))
		}
		require.NoError(t, f.WaitForHosts(ctx))
	})
	for _, edge := range []struct {
		balancer string
		layer    int
	}{{"haproxy", 7}, {"haproxy", 4}, {"nginx", 4}, {"nginx", 7}} {
		f.Balancer, f.Layer = edge.balancer, edge.layer
		name := fmt.Sprintf("%s_%d", edge.balancer, edge.layer)
		test_structure.RunTestStage(t, "configure_"+name, func() {
			_, err := f.Configure(ctx)
			require.NoError(t, err)
			again, err := f.Configure(ctx)
			require.NoError(t, err)
			for _, r := range again {
				require.Zero(t, r.Changed, "a second run changed %s", r.Host)
			}
		})
		test_structure.RunTestStage(t, "verify_"+name, func() {
			v, err := f.Verify(ctx)
			require.NoError(t, err)
			require.Equal(t, f.Connections, v.Connected)
			require.Equal(t, f.Connections, v.Echoed)
			require.Equal(t, v.DeliveriesPlanned, v.Delivered)
			require.Zero(t, v.Lost+v.Duplicated+v.Reordered)
			require.GreaterOrEqual(t, v.Nodes, 3)
			require.EqualValues(t, f.Connections, v.PrometheusConnections)
		})
		if edge.balancer == "haproxy" && edge.layer == 7 { // whose processes the faults kill and reload
			test_structure.RunTestStage(t, "carry", func() { carrySmall(t, f) })
		}
	}
}

// interruptible returns a context that also ends with Ctrl-C or SIGTERM: the test then fails, and cleans up all the same.
func interruptible(t *testing.T) context.Context {
	ctx, stop := signal.NotifyContext(t.Context(), syscall.SIGINT, syscall.SIGTERM)
	t.Cleanup(stop)
	return ctx
}

// carrySmall is what TestMillion does, with few connections: every phase, every fault.
func carrySmall(t *testing.T, f *Fleet) {
	m := Million{Connections: 9000, Rate: 1500, Hold: 35 * time.Second, Broadcasts: 3, Gap: 2 * time.Second, Fault: 25 * time.Second, Files: t.TempDir()}
	record := &Record{Million: m, Began: time.Now()}
	require.NoError(t, f.Carry(interruptible(t), m, record))
	record.verify(t)
	require.GreaterOrEqual(t, record.PingsInHold, 2*m.Connections, "pings answered in the hold")
	require.NoError(t, record.Write(f))
}
