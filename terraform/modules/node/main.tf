module "role" {
  source = "../role"

  cluster_name    = var.cluster_name
  vpc_id          = var.vpc_id
  role            = "node"
  description     = "WebSocket and admin ports of every wsnode process"
  session_manager = var.host.session_manager
}

# From everywhere, with everything allowed out: only then are the connections untracked. The network ACL of the
# subnets lets nobody outside the VPC through to these ports.
resource "aws_vpc_security_group_ingress_rule" "wsnode" {
  security_group_id = module.role.identity.security_group_id
  description       = "wsnode: process i listens on 8765+10i and 8766+10i"
  ip_protocol       = "tcp"
  from_port         = 8765
  to_port           = 9764
  cidr_ipv4         = "0.0.0.0/0"
}

module "group" {
  source = "../group"

  identity       = module.role.identity
  host           = var.host
  instance_type  = var.instance_type
  subnet_ids     = var.subnet_ids
  size           = var.size
  volume_size_gb = var.volume_size_gb
  spot           = var.spot
  placement      = var.placement
}
