package sizing

// Redis carries every broadcast to each process of wsnode that has a listener.
var redisRules = []rule{
	{"subscribers", "", "min(audience, wsnodes)", "processes of wsnode that a broadcast goes to"},
	{"redis_work", "us", "redis_message + (subscribers - 1) * redis_subscriber", "CPU of a broadcast"},
	{"redis_cores_used", "cores", "broadcasts * redis_work / 1e6", "of all broadcasts; a Redis has one for them"},
	{"redis_gbit_out", "Gbit/s", "broadcasts * subscribers * (bytes + segments * packet) * 8 / 1e9", "to nodes"},
	{"history_messages", "", "channels * min(history, history_age * broadcasts / channels)", "kept, of all channels"},
	{"history_gib", "GiB", "history_messages * (bytes + redis_entry) / 1024 / 1024 / 1024", "for them"},
	{"shards_by_cpu", "", "ceil(redis_cores_used / cpu_use)", ""},
	{"shards_by_network", "", "ceil(redis_gbit_out / (redis_gbit * network_use))", ""},
	{"shards_by_memory", "", "ceil(history_gib / (redis_gib * redis_share))", ""},
	{"shards", "", "max(1, shards_by_cpu, shards_by_network, shards_by_memory)", "that share out the channels"},
	{"redis_hosts", "hosts", "when(shards <= 1, 1, max(3, shards))", "one, or a cluster, which has three or more"},
	{"channel_cores", "cores", "redis_cores_used / channels", "of one channel, which one Redis has to carry"},
	{"redis_clients", "", "2 * wsnodes", "connections of one Redis: each process subscribes and publishes"},
}

// Load generators are for tests of the fleet; they are no part of it.
var generatorRules = []rule{
	{"generator_kib", "KiB", "socket_memory + wsload_memory", "a client"},
	{"generator_by_memory", "", "floor((generator_gib * 1024 * memory_use - host_memory) * 1024 / generator_kib)", "clients that its memory holds"},
	{"generator_work", "us/s", "wsload_heartbeat / heartbeat + wsload_echo * messages + wsload_delivery * deliveries / connections + wsload_connect * between_hosts / return_time", "CPU of a client"},
	{"generator_by_cpu", "", "floor(generator_cores * 1e6 * cpu_use / generator_work)", "clients that its cores serve"},
	{"generator_by_network", "", "floor(generator_gbit * 1e9 / 8 * network_use / (max(bytes_out, bytes_in) / connections))", "clients that its network serves"},
	{"generator_by_addresses", "", "generator_addresses * pair_connections * edges", "clients that all addresses of its interface open to the edges"},
	{"generator_takes", "", "min(generator_connections, generator_by_memory, generator_by_cpu, generator_by_network, generator_by_addresses)", "clients of one host"},
	{"generators", "hosts", "ceil(connections / generator_takes)", ""},
	{"generator_processes", "", "ceil(connections / generators / (open_files - open_files_reserve))", "workers of wsload on a host"},
	{"addresses", "", "ceil(connections / (pair_connections * edges * generators))", "of each"},
}

var prometheusRules = []rule{
	{"hosts", "", "nodes + edges + redis_hosts + generators + 1", "that have a node_exporter"},
	{"series", "", "wsnodes * wsnode_series + edges * when(nginx, 1, edge_processes) * edge_series + redis_hosts * redis_series + hosts * host_series", "that are there at a time"},
	{"prometheus_gib", "GiB", "(prometheus_memory + series * churn * series_memory / 1024) / 1024", "memory, with those that went within the last hours"},
	{"samples", "/s", "series / scrape", ""},
	{"prometheus_disk", "GiB", "samples * retention * sample_bytes / 1024 / 1024 / 1024", "for as long as samples are kept"},
	{"prometheus_by_memory", "", "ceil(prometheus_gib / (monitoring_gib * memory_use))", "hosts that it takes"},
	{"prometheus_hosts", "hosts", "when(prometheus_by_memory <= 1, 1, prometheus_by_memory + 1)", "one, or several with a share of the targets each, and one that federates their sums"},
}

// A broadcast to all keeps the busiest host of each kind busy for at least so long.
var timeRules = []rule{
	{"node_burst", "s", "audience / (nodes - 1) * wsnode_delivery / 1e6 / node_cores", "in which the nodes write one broadcast, all cores busy"},
	{"edge_burst", "s", "audience / (edges - 1) * edge_delivery / 1e6 / edge_cores", "in which the edges pass it on"},
	{"redis_burst", "s", "redis_work / 1e6", "in which Redis hands it to the nodes"},
	{"last_delivery", "s", "max(node_burst, edge_burst, redis_burst)", "until the last delivery, at least"},
	{"cut_by_node", "", "ceil(connections / nodes)", "connections that the loss of a node host cuts"},
	{"cut_by_edge", "", "ceil(connections / edges)", "connections that the loss of an edge host cuts"},
}

var costRules = []rule{
	{"balancer_gb", "GB/h", "(bytes_out + bytes_in) * 3600 / 1e9", "that pass the Network Load Balancer"},
	{"balancer_units", "", "max(returns / 800, connections / 100000, balancer_gb)", "the unit is 800 connections made a second, or 100,000 held, or 1 GB an hour"},
	{"public_addresses", "", "edges + zones", "of edges and the Network Load Balancer"},
	{"disk_gb", "GB", "10 * (nodes + edges + redis_hosts) + 20 * prometheus_hosts + ceil(prometheus_disk)", "10 a host, 20 of Prometheus and what its samples take"},
	{"usd_nodes", "USD/h", "nodes * node_price", ""},
	{"usd_edges", "USD/h", "edges * edge_price", ""},
	{"usd_redis", "USD/h", "redis_hosts * redis_price", ""},
	{"usd_prometheus", "USD/h", "prometheus_hosts * monitoring_price", ""},
	{"usd_balancer", "USD/h", "balancer_price + balancer_units * balancer_unit_price", ""},
	{"usd_rest", "USD/h", "public_addresses * address_price + nat_price + disk_gb * disk_price / 730", "addresses, a NAT gateway, disks"},
	{"usd_fleet", "USD/h", "usd_nodes + usd_edges + usd_redis + usd_prometheus + usd_balancer + usd_rest", "the fleet, before traffic and load generators"},
	{"usd_generators", "USD/h", "generators * generator_price", "while a test runs"},
	{"usd_zones", "USD/h", "balancer_gb * (zones - 1) / zones * 2 * zone_price", "traffic between edges and nodes in different zones, paid at both ends"},
	{"usd_internet", "USD/h", "internet_month(bytes_out * 3600 * 730 / 1e9) / 730", "traffic to clients"},
	{"usd_all", "USD/h", "usd_fleet + usd_zones + usd_internet", "the fleet with its traffic"},
}
