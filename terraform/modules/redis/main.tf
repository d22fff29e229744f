module "role" {
  source = "../role"

  cluster_name    = var.cluster_name
  vpc_id          = var.vpc_id
  role            = "redis"
  description     = "Redis, for the nodes"
  session_manager = var.host.session_manager
}

resource "aws_vpc_security_group_ingress_rule" "redis" {
  for_each = var.client_security_group_ids

  security_group_id            = module.role.identity.security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
  referenced_security_group_id = each.value

  # Not in a description: the emulator loses that of a rule for a group.
  tags = { Name = "${module.role.identity.name}-for-${each.key}" }
}

module "instance" {
  source = "../instance"

  identity       = module.role.identity
  host           = var.host
  instance_type  = var.instance_type
  subnet_ids     = [var.subnet_id]
  volume_size_gb = var.volume_size_gb
}
