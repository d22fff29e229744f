package sizing

// Basis says where a figure comes from.
type Basis string

// The bases of figures.
const (
	Measured  Basis = "measured"  // in the document
	Derived   Basis = "derived"   // from what is measured in the document
	Set       Basis = "set"       // by this repository, in the file
	Published Basis = "published" // by others
	Assumed   Basis = "assumed"   // and why
)

// Figure is a constant of the model.
type Figure struct {
	Name  string  `json:"name"` // in formulas
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Means string  `json:"means"`
	Basis Basis   `json:"basis"`
	From  string  `json:"from"` // document, and where in it or why
}

const (
	bench     = "docs/results/bench.md: 19,000 connections, 128 B"
	crowd     = "docs/results/crowd.md"
	sustained = "docs/results/sustained.md"
	broker    = "docs/results/broker.md: 10,000 channels"
	prototype = "docs/results/prototype.md"
	taken     = "docs/results/sizing.md"
)

// figures are the constants that do not depend on the input.
var figures = []Figure{
	{"socket_memory", 3.8, "KiB", "kernel memory of an idle TCP socket", Measured, prototype},
	{"between_hosts", 1.34, "", "CPU of connecting between hosts, over the same on loopback: 215 / 160 us", Measured, prototype},
	{"host_memory", 512, "MiB", "operating system, exporter, page cache", Assumed, "nothing was measured on a host of its own; those of the lab share a kernel, and take 50 MB"},

	{"wsnode_memory", 0.74, "KiB", "wsnode's own memory of a connection", Measured, crowd},
	{"wsnode_bounds", 208, "MiB", "the most that queues of one wsnode take: 64 + 16 + 64 + 64", Set, "docs/delivery.md: the bounds"},
	{"wsnode_connect", 46.3, "us", "wsnode's CPU of a connection's handshake", Measured, bench},
	{"wsnode_heartbeat", 10.7, "us", "of a ping and its pong", Measured, bench},
	{"wsnode_echo", 19.7, "us", "of a message and its echo", Measured, bench},
	{"wsnode_delivery", 8.6, "us", "of a broadcast's delivery to one connection", Measured, bench},
	{"wsnode_message", 8.9, "us", "of a broadcast that comes from Redis, before its deliveries, at most", Derived, broker + ": 17.5 us a delivery, less 8.6 for the delivery itself"},

	{"open_files_reserve", 1000, "", "files of a process beside its connections", Set, "ansible/group_vars/all/sizing.yml"},
	{"port_connections", 28000, "", "connections from one address to one port", Set, "ansible/group_vars/all/sizing.yml"},
	{"edge_spread", 1.05, "", "the most that one process gets, over its share", Set, "ansible/group_vars/all/sizing.yml"},
	{"edge_checks", 500, "/s", "health checks of one edge host against all nodes", Set, "ansible/roles/haproxy/defaults/main.yml"},

	{"redis_subscriber", 4.4, "us", "Redis' CPU of one more subscriber of a message", Measured, taken},
	{"redis_entry", 74, "B", "Redis' memory of a message in history, beyond its bytes", Measured, taken},
	{"redis_share", 0.5, "", "share of a Redis host's memory that history may take", Set, "ansible/roles/redis/defaults/main.yml: redis_max_memory"},
	{"redis_max_clients", 10000, "", "clients of one Redis", Set, "ansible/roles/redis/defaults/main.yml"},

	{"wsload_memory", 0.52, "KiB", "wsload's own memory of a client", Measured, crowd},
	{"wsload_connect", 52, "us", "a client's CPU of connecting", Measured, prototype},
	{"wsload_delivery", 6.4, "us", "a client's CPU of a delivery", Measured, sustained},
	{"wsload_heartbeat", 10.7, "us", "a client's CPU of a ping and its pong", Assumed, "as wsnode's: the same socket calls on the same loops"},
	{"wsload_echo", 19.7, "us", "a client's CPU of an echo", Assumed, "as wsnode's, for the same reason"},
	{"pair_connections", 25000, "", "connections from one address of a load generator to one edge", Set, "test/cluster/size.go"},

	{"wsnode_series", 174, "", "series of one wsnode with two loops", Measured, taken},
	{"host_series", 507, "", "series of one host's node_exporter, with two CPUs", Measured, taken},
	{"redis_series", 250, "", "series of one Redis' exporter", Assumed, "not measured"},
	{"series_memory", 3.1, "KiB", "Prometheus' memory of a series that is scraped, without queries", Measured, taken},
	{"prometheus_memory", 43, "MiB", "Prometheus without series", Measured, taken},
	{"sample_bytes", 2, "B", "Prometheus' disk of a sample, index included", Published, "Prometheus' documentation, storage: 1 to 2"},

	{"packet", 66, "B", "Ethernet 14, IPv4 20, TCP with timestamps 32", Published, "RFC 791, 9293, 7323"},
	{"segment", 1448, "B", "of a message in one packet, with an MTU of 1500", Published, "RFC 9293"},
	{"greeting", 17, "B", "what an echo is longer than its message: \"Server received: \"", Set, "server/echo.go"},
}
