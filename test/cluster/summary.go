package cluster

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// Summary tells a person what stands now, what was verified, and where to look.
func (f *Fleet) Summary(v Verification, total time.Duration) {
	w := tabwriter.NewWriter(f.Out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "\n== the fleet is up\n\nHosts\n")
	for _, h := range f.hosts {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", h.Role, h.Address, h.ID)
	}
	fmt.Fprintf(w, "\nVerified through %s, over %d nodes\n", f.edge(), v.Nodes)
	fmt.Fprintf(w, "  connections opened\t%d of %d\n", v.Connected, v.Planned)
	fmt.Fprintf(w, "  echoed byte for byte\t%d of %d\n", v.Echoed, v.Planned)
	fmt.Fprintf(w, "  broadcasts through Redis\t%d of %d deliveries, %d lost, %d duplicated, %d out of order\n",
		v.Delivered, v.DeliveriesPlanned, v.Lost, v.Duplicated, v.Reordered)
	fmt.Fprintf(w, "  Prometheus counted\tsum(wsnode_connections) = %.0f\n", v.PrometheusConnections)
	fmt.Fprintf(w, "\nWhere to look\n")
	for _, h := range f.role("edge") {
		fmt.Fprintf(w, "  WebSocket\tws://%s:8765\n", h.Address)
	}
	fmt.Fprintf(w, "  Prometheus\t%s\n", f.prometheusURL())
	fmt.Fprintf(w, "  a host's shell\tbin/lab ssh node-0\n")
	fmt.Fprintf(w, "  the AWS API\teval \"$(bin/lab env)\"; aws ec2 describe-instances\n")
	fmt.Fprintf(w, "  logs\t.lab/logs\n")
	fmt.Fprintf(w, "\nTook\n")
	for _, s := range f.steps {
		fmt.Fprintf(w, "  %s\t%s\n", s.Name, s.Took)
	}
	fmt.Fprintf(w, "  %s\t%s\n", strings.Repeat("-", 5), total.Round(100*time.Millisecond))
	fmt.Fprintf(w, "\nmake down ends it.\n")
	_ = w.Flush() // to a terminal: nobody could be told
}
