locals {
  # EC2 gives out the other addresses of a subnet; from its upper end, below the broadcast address, each host has a run
  # of its own. The host's place among those of its subnet says which.
  secondary = [for i in range(var.host_count) : [
    for k in range(var.addresses_per_host - 1) :
    cidrhost(var.subnet_cidr_blocks[i % length(var.subnet_ids)], -(2 + k + floor(i / length(var.subnet_ids)) * (var.addresses_per_host - 1)))
  ]]
}

module "role" {
  source = "../role"

  cluster_name    = var.cluster_name
  vpc_id          = var.vpc_id
  role            = "loadgen"
  description     = "connections out"
  session_manager = var.host.session_manager
}

# A flow that a host opens itself is untracked only if replies from everywhere to any port are allowed in, and a load generator
# opens as many as there are clients. Who may come in from outside the VPC, and to which port, is for the network ACL
# of the subnets to say: replies, and nothing else.
resource "aws_vpc_security_group_ingress_rule" "untracked" {
  security_group_id = module.role.identity.security_group_id
  description       = "Untracked flows both ways; filtered by the network ACL"
  ip_protocol       = "tcp"
  from_port         = 0
  to_port           = 65535
  cidr_ipv4         = "0.0.0.0/0"
}

# Instances, not a group: a load generator that dies has ended the run, and one that replaces it unasked would hide that.
module "instance" {
  source = "../instance"

  identity              = module.role.identity
  host                  = var.host
  instance_type         = var.instance_type
  subnet_ids            = var.subnet_ids
  host_count            = var.host_count
  secondary_private_ips = local.secondary
  volume_size_gb        = var.volume_size_gb
  spot                  = var.spot
}
