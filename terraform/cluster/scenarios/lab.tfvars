# The cluster on one machine: hosts are booted by test/lab, the API is an emulator's.

cluster_name = "lab"
region       = "eu-central-1"
vpc_cidr     = "10.80.0.0/16"

# Hosts of the lab have no way out: their image holds all that the roles install.
egress      = "none"
admin_cidrs = ["10.80.0.0/16"]

# The emulator has no Session Manager: SSH from this machine is the way in.
session_manager = false

# The emulator takes a minute to create a load balancer that then forwards nothing: clients use the edges' addresses.
load_balancer = false

node    = { count = 3, max = 6 }
edge    = { count = 2, max = 4 }
loadgen = { count = 2 }
