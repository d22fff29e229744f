package sizing

import "fmt"

// balancer is what a kind of balancer costs: docs/results/sizing.md.
type balancer struct {
	name  string
	layer int
	kib   float64 // own memory of a connection
	// CPU in us, of the balancer alone.
	connect, heartbeat, echo, delivery float64
	series                             float64 // of a process' metrics
}

var balancers = []balancer{
	{"haproxy", 7, 4.66, 103.2, 25.4, 32.8, 16.1, 207},
	{"haproxy", 4, 3.3, 85.4, 22.4, 26.2, 11.8, 179},
	{"nginx", 7, 17.79, 96.6, 20.9, 30.5, 12.2, 60},
	{"nginx", 4, 3.56, 81.6, 22.7, 31.7, 12, 60},
}

// balancerFigures returns the figures of a balancer in a layer.
func balancerFigures(name string, layer int) ([]Figure, error) {
	for _, b := range balancers {
		if b.name != name || b.layer != layer {
			continue
		}
		what := fmt.Sprintf("%s in layer %d", name, layer)
		series := Figure{"edge_series", b.series, "", what + ": series of one process", Measured, taken}
		if name == "nginx" {
			series.Basis, series.From = Assumed, "not measured: the exporter of one host passes on the seven figures of stub_status, and some of its own"
		}
		return []Figure{
			series,
			{"edge_memory", b.kib, "KiB", what + ": own memory of a connection", Measured, taken},
			{"edge_connect", b.connect, "us", what + ": CPU of a connection's handshake", Measured, taken},
			{"edge_heartbeat", b.heartbeat, "us", what + ": of a ping and its pong", Measured, taken},
			{"edge_echo", b.echo, "us", what + ": of a message and its echo", Measured, taken},
			{"edge_delivery", b.delivery, "us", what + ": of a broadcast's delivery to one connection", Measured, taken},
		}, nil
	}
	return nil, fmt.Errorf("no figures of -balancer %s in -layer %d", name, layer)
}

// redisMessage returns Redis' CPU of a message with one subscriber: with history it also keeps it.
func redisMessage(history float64) Figure {
	f := Figure{"redis_message", 17.6, "us", "Redis' CPU of a message with one subscriber", Measured, broker + ", history off"}
	if history > 0 {
		f.Value, f.From = 18.7, broker+", history 1000 messages"
	}
	return f
}
