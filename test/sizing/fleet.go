package sizing

import "fmt"

// Fleet is what the model makes of an input.
type Fleet struct {
	Input    Input    `json:"input"`
	Prices   Prices   `json:"prices"`
	Balancer []Figure `json:"balancer_figures"` // those that depend on the input
	Lines    []Line   `json:"lines"`
	Limits   []Limit  `json:"limits"`

	sheet *sheet
}

// Size works the model out. The error names the flag that is wrong, or the host that is too small.
func Size(in Input, p Prices) (*Fleet, error) {
	if err := in.Validate(); err != nil {
		return nil, err
	}
	if in.Audience == 0 {
		in.Audience = in.Connections
	}
	f := &Fleet{Input: in, Prices: p, sheet: newSheet()}
	if err := f.prepare(); err != nil {
		return nil, err
	}
	for _, s := range sections {
		if err := f.sheet.work(s.title, s.rules); err != nil {
			return nil, err
		}
		if err := f.tooSmall(); err != nil {
			return nil, err
		}
	}
	f.Lines = f.sheet.lines
	var err error
	f.Limits, err = f.limits()
	return f, err
}

// Value is that of a line, a figure or an input, 0 if there is none of that name.
func (f *Fleet) Value(name string) float64 { return f.sheet.values[name] }

// prepare gives the sheet all that is not worked out.
func (f *Fleet) prepare() error {
	in, p := f.Input, f.Prices
	var err error
	if f.Balancer, err = balancerFigures(in.Balancer, in.Layer); err != nil {
		return err
	}
	f.Balancer = append(f.Balancer, redisMessage(in.History))
	for _, fig := range append(f.Balancer, figures...) {
		if err := f.sheet.set(fig.Name, fig.Value); err != nil {
			return err
		}
	}
	for name, v := range map[string]float64{
		"connections": in.Connections, "messages": in.Messages, "broadcasts": in.Broadcasts, "audience": in.Audience, "bytes": in.Bytes,
		"heartbeat": in.Heartbeat.Seconds(), "return_time": in.Return.Seconds(),
		"channels": in.Channels, "history": in.History, "history_age": in.HistoryAge.Seconds(),
		"nginx": truth(in.Balancer == "nginx"), "open_files": in.OpenFiles,
		"node_connections": in.NodeConnections, "edge_connections": in.EdgeConnections, "generator_connections": in.GeneratorConnections,
		"cpu_use": in.CPUUse, "memory_use": in.MemoryUse, "network_use": in.NetworkUse, "zones": in.Zones,
		"scrape": in.Scrape.Seconds(), "retention": in.Retention.Seconds(), "churn": in.Churn,
		"balancer_price": p.BalancerHour, "balancer_unit_price": p.BalancerUnitHour, "address_price": p.AddressHour,
		"nat_price": p.NATHour, "disk_price": p.DiskGBMonth, "zone_price": p.ZoneGB,
	} {
		if err := f.sheet.set(name, v); err != nil {
			return err
		}
	}
	f.sheet.functions["internet_month"] = unary(p.internetMonth)
	return f.prepareHosts()
}

func (f *Fleet) prepareHosts() error {
	for _, h := range []struct{ role, flag, name string }{
		{"node", "node-type", f.Input.NodeType},
		{"edge", "edge-type", f.Input.EdgeType},
		{"redis", "redis-type", f.Input.RedisType},
		{"monitoring", "monitoring-type", f.Input.MonitoringType},
		{"generator", "generator-type", f.Input.GeneratorType},
	} {
		t, err := f.Prices.host(h.flag, h.name)
		if err != nil {
			return err
		}
		cores := t.Cores
		if t.Baseline > 0 {
			cores *= t.Baseline
		}
		for what, v := range map[string]float64{
			"cores": cores, "gib": t.MemoryGiB, "gbit": t.Gbit, "packets_s": t.Packets, "addresses": t.Addresses, "price": t.USDHour,
		} {
			if err := f.sheet.set(h.role+"_"+what, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// tooSmall says which host can hold no connection at all, and for want of what.
func (f *Fleet) tooSmall() error {
	for _, h := range []struct{ role, flag, name string }{
		{"node", "node-type", f.Input.NodeType}, {"edge", "edge-type", f.Input.EdgeType}, {"generator", "generator-type", f.Input.GeneratorType},
	} {
		for _, bound := range []string{"memory", "cpu", "network", "packets"} {
			if v, there := f.sheet.values[h.role+"_by_"+bound]; there && v < 1 {
				return fmt.Errorf("-%s %s is too small for any connection of this load: %s", h.flag, h.name, f.sheet.why(h.role+"_by_"+bound))
			}
		}
	}
	return nil
}
