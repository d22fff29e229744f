//go:build linux

package nodetest

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
)

// Metric returns the value of a series such as wsnode_closed_total{reason="x"}.
func (n *Node) Metric(series string) float64 {
	n.t.Helper()
	name, labels, _ := strings.Cut(strings.TrimSuffix(series, "}"), "{")
	v, ok := n.Family(name)[labels]
	require.True(n.t, ok, "no series "+series)
	return v
}

// Reasons returns what a counter by reason has counted, without what is at 0.
func (n *Node) Reasons(name string) map[string]int {
	n.t.Helper()
	counts := map[string]int{}
	for labels, v := range n.Family(name) {
		if v != 0 {
			reason := strings.TrimSuffix(strings.TrimPrefix(labels, `reason="`), `"`)
			counts[reason] = int(v)
		}
	}
	return counts
}

// Family returns the values of a metric by its labels, such as `reason="x"`.
func (n *Node) Family(name string) map[string]float64 {
	n.t.Helper()
	resp, err := n.HTTP.Get(n.Admin + "/metrics")
	require.NoError(n.t, err)
	defer resp.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	require.NoError(n.t, err)
	require.NotNil(n.t, families[name], "no metric %s", name)
	values := map[string]float64{}
	for _, m := range families[name].Metric {
		var labels []string
		for _, l := range m.Label {
			labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
		}
		v := m.GetGauge().GetValue()
		if m.Counter != nil {
			v = m.Counter.GetValue()
		}
		values[strings.Join(labels, ",")] = v
	}
	return values
}

// Resident is the process' resident memory in bytes.
func (n *Node) Resident() float64 {
	n.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", n.Cmd.Process.Pid))
	require.NoError(n.t, err)
	pages, err := strconv.ParseFloat(strings.Fields(string(b))[1], 64)
	require.NoError(n.t, err)
	return pages * float64(os.Getpagesize())
}
