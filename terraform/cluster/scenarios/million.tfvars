# A million connections, over nodes of 100,000, with one node and one edge to spare. Terraform itself checks that the hosts
# add up to that (the variable `connections`); docs/sizing.md derives them.

cluster_name            = "million"
region                  = "eu-central-1"
vpc_cidr                = "10.82.0.0/16"
availability_zone_count = 3
architecture            = "arm64"
connections             = 1000000

# Only packages and Session Manager go through it: losing its zone cuts no connection.
egress = "nat"

# What passes through a Network Load Balancer is tracked whatever the rules say, and how much an instance tracks AWS does not
# promise. A third of a million on one edge may be too much: clients use the edges' own addresses until `ethtool -S` on one
# (conntrack_allowance_available) has shown otherwise.
load_balancer = false

# 10 nodes hold the million: 11. Spread: a rack that fails takes one of them.
node = { instance_type = "c6g.xlarge", count = 11, max = 15, capacity = 100000, placement = "spread" }

# 3 edges carry the million at 12 KiB a connection, 4 GiB of 16: 4.
edge = { instance_type = "c6g.2xlarge", count = 4, max = 6, capacity = 350000, placement = "spread" }

redis      = { instance_type = "m6g.large" }
monitoring = { instance_type = "m6g.xlarge", volume_size_gb = 100 }

# 15 addresses of 25,000 connections to each of 3 edges (one may be gone): 1,125,000.
loadgen = { instance_type = "c6g.2xlarge", count = 5, addresses = 3 }
