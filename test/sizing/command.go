package sizing

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

// Command does what the command line says: it writes a fleet, as text or JSON, or what the model is made of.
func Command(args []string, w io.Writer) error {
	in := Default()
	fs := in.flags()
	fs.SetOutput(io.Discard) // the error says it
	prices := fs.String("prices", "", "`file` with a table of prices and types of hosts, in place of test/sizing/prices.json")
	asJSON := fs.Bool("json", false, "write JSON")
	summary := fs.Bool("summary", false, "leave out the arithmetic")
	showFigures := fs.Bool("figures", false, "write the constants of the model and where they come from")
	showFormulas := fs.Bool("formulas", false, "write the formulas of the model")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(w, "Derives a fleet from what it is to carry. See docs/sizing.md.")
			fs.SetOutput(w)
			fs.PrintDefaults()
			return nil
		}
		return err
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("only flags are taken, got %q", fs.Arg(0))
	}
	switch {
	case *showFigures:
		return WriteFigures(w)
	case *showFormulas:
		WriteFormulas(w)
		return nil
	}
	table := DefaultPrices()
	if *prices != "" {
		text, err := os.ReadFile(*prices)
		if err != nil {
			return fmt.Errorf("-prices: %w", err)
		}
		if table, err = ParsePrices(text); err != nil {
			return fmt.Errorf("-prices %s: %w", *prices, err)
		}
	}
	f, err := Size(in, table)
	if err != nil {
		return err
	}
	if *asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(f)
	}
	f.WriteSummary(w)
	if !*summary {
		f.WriteArithmetic(w)
	}
	fmt.Fprintln(w)
	f.WriteLimits(w)
	return nil
}

// flags sets the input; its values are the defaults.
func (in *Input) flags() *flag.FlagSet {
	fs := flag.NewFlagSet("sizing", flag.ContinueOnError)
	for _, f := range []struct {
		value       *float64
		name, usage string
	}{
		{&in.Connections, "connections", "that are held at a time"},
		{&in.Messages, "messages", "of each client a `second`, echoed"},
		{&in.Broadcasts, "broadcasts", "published a `second`, all channels together"},
		{&in.Audience, "audience", "connections that each broadcast reaches; 0 for all"},
		{&in.Bytes, "bytes", "of a message"},
		{&in.Channels, "channels", "that the broadcasts are spread over evenly"},
		{&in.History, "history", "messages kept of each channel; 0 for none"},
		{&in.OpenFiles, "open-files", "that one process may have"},
		{&in.NodeConnections, "node-connections", "the most that one node host is given (Ansible's wsnode_capacity)"},
		{&in.EdgeConnections, "edge-connections", "the most that one edge host is given (edge_capacity)"},
		{&in.GeneratorConnections, "generator-connections", "the most that one load generator is given"},
		{&in.CPUUse, "cpu-use", "`share` of its cores that a host may be planned to use"},
		{&in.MemoryUse, "memory-use", "`share` of its memory"},
		{&in.NetworkUse, "network-use", "`share` of its network"},
		{&in.Zones, "zones", "that the hosts are spread over"},
		{&in.Churn, "churn", "series that Prometheus has in memory for each that is there now"},
	} {
		fs.Float64Var(f.value, f.name, *f.value, f.usage)
	}
	fs.DurationVar(&in.Heartbeat, "heartbeat", in.Heartbeat, "wsnode's -heartbeat-interval")
	fs.DurationVar(&in.Return, "return", in.Return, "time in which all clients come back once all were lost")
	fs.DurationVar(&in.HistoryAge, "history-age", in.HistoryAge, "for how long messages are kept")
	fs.DurationVar(&in.Scrape, "scrape", in.Scrape, "Prometheus' interval")
	fs.DurationVar(&in.Retention, "retention", in.Retention, "for how long Prometheus keeps samples")
	fs.StringVar(&in.Balancer, "balancer", in.Balancer, "haproxy or nginx")
	fs.IntVar(&in.Layer, "layer", in.Layer, "7 (http) or 4 (tcp, stream)")
	fs.StringVar(&in.NodeType, "node-type", in.NodeType, "`type` of host, of the table of prices")
	fs.StringVar(&in.EdgeType, "edge-type", in.EdgeType, "`type` of host")
	fs.StringVar(&in.RedisType, "redis-type", in.RedisType, "`type` of host")
	fs.StringVar(&in.MonitoringType, "monitoring-type", in.MonitoringType, "`type` of host")
	fs.StringVar(&in.GeneratorType, "generator-type", in.GeneratorType, "`type` of host")
	return fs
}
