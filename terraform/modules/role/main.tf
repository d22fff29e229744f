# What a host is by its role, whatever launches it: a name, tags, a security group of its own, and rights in AWS.
locals {
  name = "${var.cluster_name}-${var.role}"
  tags = { Name = local.name, Role = var.role }
}

# Empty: the rules are the role's to add.
resource "aws_security_group" "main" {
  name_prefix = "${local.name}-"
  description = "${var.role} of ${var.cluster_name}: ${var.description}"
  vpc_id      = var.vpc_id

  tags = local.tags

  lifecycle {
    create_before_destroy = true
  }
}
