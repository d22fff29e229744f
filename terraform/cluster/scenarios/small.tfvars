# A real but cheap cluster: 20,000 connections for a few dollars a day (`make cost` has the table).
#
# No NAT gateway: it alone would cost more than all the nodes, and its traffic comes on top. The hosts of the private
# subnets have public addresses instead, to fetch packages with; the network ACL lets nobody in but admin_cidrs.
#
# T4g hosts that run above their baseline for long cost 0.04 USD per vCPU-hour more.

cluster_name = "small"
region       = "eu-central-1"
vpc_cidr     = "10.81.0.0/16"
architecture = "arm64"
egress       = "public_ip"
connections  = 20000

# Yours to give: -var 'admin_cidrs=["203.0.113.7/32"]' -var "ssh_public_key=$(cat ~/.ssh/id_ed25519.pub)"

node       = { instance_type = "t4g.small", count = 2, max = 4, capacity = 20000 }
edge       = { instance_type = "t4g.micro", count = 2, capacity = 20000 }
redis      = { instance_type = "t4g.micro" }
monitoring = { instance_type = "t4g.small" }
loadgen    = { instance_type = "t4g.small", count = 1 }
