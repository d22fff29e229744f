package sizing

import "fmt"

// Limit is something that a fleet can't outgrow, or only if somebody raises it.
type Limit struct {
	What string  `json:"what"`
	Need float64 `json:"need"`
	Most float64 `json:"most"`
	From string  `json:"from"`
	OK   bool    `json:"ok"`
}

// limits are formulas of what is needed, and of the most there may be.
var limits = []struct{ what, need, most, from string }{
	{"node hosts", "nodes", "500", "terraform/cluster/variables.tf: node.count"},
	{"edge hosts", "edges", "100", "terraform/cluster/variables.tf: edge.count"},
	{"targets of a Network Load Balancer in a zone", "ceil(edges / zones)", "500", "AWS' quota, to be checked; a second balancer is the way past it"},
	{"Redis hosts", "redis_hosts", "1", "terraform/modules/redis makes one; a cluster is yours to make (wsnode -broker redis+cluster://…)"},
	{"connections of one Redis", "redis_clients", "redis_max_clients", "ansible/roles/redis/defaults/main.yml: redis_max_clients"},
	{"cores that one channel takes of its Redis", "channel_cores", "cpu_use", "a channel lives in one Redis, which has one core for it"},
	{"connections of one edge to all nodes", "edge_takes", "edge_ports", "source ports"},
	{"seconds until a silent node is noticed by an edge", "2 * check_interval", "30", "HAProxy and Nginx take two failed checks; 30 s is tcp-ut of ansible/roles/haproxy"},
	{"Prometheus hosts", "prometheus_hosts", "1", "terraform/modules/monitoring makes one; several with federation are yours to make"},
	{"GB of Prometheus' samples", "prometheus_disk * 1.0737", "5", "ansible/roles/prometheus/defaults/main.yml: prometheus_retention_size, and the disk under it"},
	{"load generators", "generators", "200", "terraform/cluster/variables.tf: loadgen.count"},
	{"addresses of a load generator", "addresses", "min(50, generator_addresses)", "terraform/cluster/variables.tf: loadgen.addresses; the type's interface"},
}

func (f *Fleet) limits() ([]Limit, error) {
	var list []Limit
	for _, l := range limits {
		need, err := evaluate(l.need, f.sheet.values, f.sheet.functions)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.what, err)
		}
		most, err := evaluate(l.most, f.sheet.values, f.sheet.functions)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.what, err)
		}
		list = append(list, Limit{l.what, need, most, l.from, need <= most})
	}
	return list, nil
}
