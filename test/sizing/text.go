package sizing

import (
	"fmt"
	"io"
)

// roles of the summary, with the names of their lines.
var roles = []struct{ name, hosts, kind, processes, price string }{
	{"node", "nodes", "node", "node_processes", "usd_nodes"},
	{"edge", "edges", "edge", "edge_processes", "usd_edges"},
	{"Redis", "redis_hosts", "redis", "", "usd_redis"},
	{"Prometheus", "prometheus_hosts", "monitoring", "", "usd_prometheus"},
	{"load generator", "generators", "generator", "generator_processes", "usd_generators"},
}

// WriteSummary writes the fleet as a table.
func (f *Fleet) WriteSummary(w io.Writer) {
	types := map[string]string{
		"node": f.Input.NodeType, "edge": f.Input.EdgeType, "redis": f.Input.RedisType,
		"monitoring": f.Input.MonitoringType, "generator": f.Input.GeneratorType,
	}
	rows := [][]string{{"", "hosts", "type", "processes each", "connections each", "cores used, of", "GiB used, of", "USD/h"}}
	for _, r := range roles {
		row := []string{r.name, number(f.Value(r.hosts)), types[r.kind], "1", "", "", "", money(f.Value(r.price))}
		if r.processes != "" {
			row[3] = number(f.Value(r.processes))
		}
		switch r.kind {
		case "node", "edge":
			row[4] = number(f.Value("connections") / (f.Value(r.hosts) - 1))
			row[5] = fmt.Sprintf("%.2f, %s", f.Value(r.kind+"_cores_used"), number(f.Value(r.kind+"_cores")))
			row[6] = fmt.Sprintf("%.1f, %s", f.Value(r.kind+"_gib_used"), number(f.Value(r.kind+"_gib")))
		case "redis":
			row[5] = fmt.Sprintf("%.3f, 1", f.Value("redis_cores_used")/f.Value("shards"))
			row[6] = fmt.Sprintf("%.1f, %s", f.Value("history_gib")/f.Value("shards"), number(f.Value("redis_gib")))
		case "monitoring":
			row[6] = fmt.Sprintf("%.1f, %s", f.Value("prometheus_gib")/f.Value("prometheus_by_memory"), number(f.Value("monitoring_gib")))
		case "generator":
			row[4] = number(f.Value("connections") / f.Value("generators"))
		}
		rows = append(rows, row)
	}
	writeTable(w, rows)
	fmt.Fprintf(w, "\nFleet %s USD/h, of %s in %s (to be checked); traffic between zones %s, to clients %s; with them %s.\n",
		money(f.Value("usd_fleet")), f.Prices.AsOf, f.Prices.Region, money(f.Value("usd_zones")), money(f.Value("usd_internet")), money(f.Value("usd_all")))
}

// WriteArithmetic writes every step.
func (f *Fleet) WriteArithmetic(w io.Writer) {
	section := ""
	for _, l := range f.Lines {
		if l.Section != section {
			section = l.Section
			fmt.Fprintf(w, "\n%s\n", section)
		}
		fmt.Fprintf(w, "  %s\n", l)
	}
}

// WriteLimits writes what the fleet comes up against, the trouble first.
func (f *Fleet) WriteLimits(w io.Writer) {
	rows := [][]string{{"limit", "needed", "most", "", "from"}}
	for _, over := range []bool{true, false} {
		for _, l := range f.Limits {
			if l.OK == over {
				continue
			}
			verdict := "ok"
			if over {
				verdict = "OVER"
			}
			rows = append(rows, []string{l.What, number(l.Need), number(l.Most), verdict, l.From})
		}
	}
	writeTable(w, rows)
}

// WriteFormulas writes what every line means.
func WriteFormulas(w io.Writer) {
	for _, s := range sections {
		fmt.Fprintf(w, "%s\n", s.title)
		for _, r := range s.rules {
			fmt.Fprintf(w, "  %s = %s\n", r.name, r.formula)
			if r.means != "" {
				fmt.Fprintf(w, "      %s\n", r.means)
			}
		}
	}
}

// WriteFigures writes all constants, those of every balancer too.
func WriteFigures(w io.Writer) error {
	rows := [][]string{{"figure", "value", "means", "basis", "from"}}
	all := figures
	for _, b := range balancers {
		list, err := balancerFigures(b.name, b.layer)
		if err != nil {
			return err
		}
		all = append(all[:len(all):len(all)], list...)
	}
	for _, f := range append(all, redisMessage(0), redisMessage(1)) {
		rows = append(rows, []string{"`" + f.Name + "`", withUnit(f.Value, f.Unit), f.Means, string(f.Basis), f.From})
	}
	writeTable(w, rows)
	return nil
}

func money(v float64) string {
	whole := fmt.Sprintf("%.2f", v)
	return commas(whole[:len(whole)-3]) + whole[len(whole)-3:]
}
