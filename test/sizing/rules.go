package sizing

// section is a part of the arithmetic.
type section struct {
	title string
	rules []rule
}

// sections of the model, in their order: each uses those before it.
var sections = []section{
	{"Load", loadRules},
	{"Nodes", nodeRules},
	{"Edges", edgeRules},
	{"Redis", redisRules},
	{"Load generators", generatorRules},
	{"Prometheus", prometheusRules},
	{"Time", timeRules},
	{"Cost", costRules},
}

var loadRules = []rule{
	{"heartbeats", "/s", "connections / heartbeat", "pings, each with its pong: the most, since who speaks is not pinged"},
	{"echoes", "/s", "connections * messages", "messages of clients, each echoed"},
	{"deliveries", "/s", "broadcasts * audience", "of broadcasts to connections"},
	{"returns", "/s", "connections / return_time", "handshakes while all come back"},
	{"segments", "", "ceil((bytes + greeting + 8) / segment)", "packets of a message"},
	// A ping is acknowledged by its pong, a message by its echo; pong, echo and delivery by a packet of their own.
	{"bytes_out", "B/s", "heartbeats * (2 + 2 * packet) + echoes * (bytes + greeting + 4 + segments * packet) + deliveries * (bytes + 4 + segments * packet)", "to clients"},
	{"bytes_in", "B/s", "heartbeats * (6 + packet) + echoes * (bytes + 8 + 2 * segments * packet) + deliveries * segments * packet", "from clients"},
	{"packets", "/s", "heartbeats * 3 + echoes * 3 * segments + deliveries * 2 * segments", "both ways, between clients and edges"},
	{"gbit_out", "Gbit/s", "bytes_out * 8 / 1e9", "to clients"},
}

var nodeRules = []rule{
	{"node_processes", "", "max(1, ceil(node_connections / min(open_files - open_files_reserve, port_connections)))", "of wsnode on a host, as Ansible computes them"},
	{"node_spread", "", "ceil(connections / node_connections) * node_processes", "processes in all, at least"},
	{"node_kib", "KiB", "socket_memory + wsnode_memory", "a connection"},
	{"node_by_memory", "", "floor((node_gib * 1024 * memory_use - host_memory - node_processes * wsnode_bounds) * 1024 / node_kib)", "connections that its memory holds"},
	{"node_work", "us/s", "wsnode_heartbeat / heartbeat + wsnode_echo * messages + (wsnode_delivery + when(audience <= node_spread, wsnode_message, 0)) * deliveries / connections + wsnode_connect * between_hosts / return_time", "CPU of a connection"},
	{"node_broadcasts", "/s", "when(audience <= node_spread, 0, broadcasts)", "that every process takes from Redis whatever it holds; those to fewer clients are counted with their deliveries"},
	{"node_by_cpu", "", "floor((node_cores * 1e6 * cpu_use - node_processes * node_broadcasts * wsnode_message) / node_work)", "connections that its cores serve"},
	{"node_by_network", "", "floor(node_gbit * 1e9 / 8 * network_use / (max(bytes_out, bytes_in) / connections))", "connections that its network serves"},
	{"node_by_packets", "", "when(node_packets_s <= 0, connections, floor(node_packets_s * network_use / (packets / connections)))", "connections that its packets serve; all, where nobody says how many it has"},
	{"node_takes", "", "min(node_connections, node_by_memory, node_by_cpu, node_by_network, node_by_packets)", "connections of one host"},
	{"nodes", "hosts", "ceil(connections / node_takes) + 1", "one of them spare"},
	{"wsnodes", "", "nodes * node_processes", "processes in all"},
	{"node_cores_used", "cores", "(connections * node_work / (nodes - 1) + node_processes * node_broadcasts * wsnode_message) / 1e6", "of a host, without the spare one, while all come back"},
	{"node_gib_used", "GiB", "(host_memory + node_processes * wsnode_bounds + connections / (nodes - 1) * node_kib / 1024) / 1024", "of a host, without the spare one, all queues full"},
	{"node_packets", "/s", "packets / (nodes - 1)", "of a host, without the spare one"},
}

var edgeRules = []rule{
	{"edge_files", "", "floor((open_files - open_files_reserve) / 2)", "connections that one process may have: two files each"},
	{"edge_processes", "", "max(when(nginx, edge_cores, 1), when(edge_connections <= edge_files, 1, ceil(edge_connections * edge_spread / edge_files)))", "on a host, as Ansible computes them; of Nginx at least one a core"},
	{"edge_kib", "KiB", "2 * socket_memory + edge_memory", "a connection: the client's socket, the node's, and the balancer's own"},
	{"edge_by_memory", "", "floor((edge_gib * 1024 * memory_use - host_memory) * 1024 / edge_kib)", "connections that its memory holds"},
	{"edge_work", "us/s", "edge_heartbeat / heartbeat + edge_echo * messages + edge_delivery * deliveries / connections + edge_connect * between_hosts / return_time", "CPU of a connection"},
	{"edge_by_cpu", "", "floor(edge_cores * 1e6 * cpu_use / edge_work)", "connections that its cores serve"},
	{"edge_by_network", "", "floor(edge_gbit * 1e9 / 8 * network_use / ((bytes_out + bytes_in) / connections))", "connections that its network serves: what comes in goes out again"},
	{"edge_by_packets", "", "when(edge_packets_s <= 0, connections, floor(edge_packets_s * network_use / (2 * packets / connections)))", "connections that its packets serve; all, where nobody says how many it has"},
	{"edge_takes", "", "min(edge_connections, edge_by_memory, edge_by_cpu, edge_by_network, edge_by_packets)", "connections of one host"},
	{"edges", "hosts", "ceil(connections / edge_takes) + 1", "one of them spare"},
	{"edge_cores_used", "cores", "connections * edge_work / (edges - 1) / 1e6", "of a host, without the spare one, while all come back"},
	{"edge_gib_used", "GiB", "(host_memory + connections / (edges - 1) * edge_kib / 1024) / 1024", "of a host, without the spare one"},
	{"edge_packets", "/s", "2 * packets / (edges - 1)", "of a host, without the spare one"},
	{"edge_ports", "", "port_connections * wsnodes", "connections that one edge can have to all nodes"},
	{"check_interval", "s", "when(nginx, 2, max(2, ceil(edge_processes * wsnodes / edge_checks)))", "between two health checks of a node by one process of the balancer"},
}
