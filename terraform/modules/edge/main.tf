module "role" {
  source = "../role"

  cluster_name    = var.cluster_name
  vpc_id          = var.vpc_id
  role            = "edge"
  description     = "clients in, connections to the nodes out"
  session_manager = var.host.session_manager
}

# A flow that a host opens itself is untracked only if replies from everywhere to any port are allowed in, and an edge
# opens as many as there are clients. Who may come in from outside the VPC, and to which port, is for the network ACL
# of the subnets to say: the listener, and nothing else.
resource "aws_vpc_security_group_ingress_rule" "untracked" {
  security_group_id = module.role.identity.security_group_id
  description       = "Untracked flows both ways; filtered by the network ACL"
  ip_protocol       = "tcp"
  from_port         = 0
  to_port           = 65535
  cidr_ipv4         = "0.0.0.0/0"
}

module "group" {
  source = "../group"

  identity          = module.role.identity
  host              = var.host
  instance_type     = var.instance_type
  subnet_ids        = var.subnet_ids
  size              = var.size
  volume_size_gb    = var.volume_size_gb
  spot              = var.spot
  placement         = var.placement
  target_group_arns = aws_lb_target_group.main[*].arn
}
