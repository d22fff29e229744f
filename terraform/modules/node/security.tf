resource "aws_security_group" "main" {
  name_prefix = "${local.name}-"
  description = "Nodes of ${var.cluster_name}: WebSocket and admin ports of every wsnode process"
  vpc_id      = var.vpc_id

  tags = { Name = local.name }

  lifecycle {
    create_before_destroy = true
  }
}

# From everywhere, with everything allowed out: only then are the connections untracked. The network ACL of the
# subnets lets nobody outside the VPC through to these ports.
resource "aws_vpc_security_group_ingress_rule" "wsnode" {
  security_group_id = aws_security_group.main.id
  description       = "wsnode: process i listens on 8765+10i and 8766+10i"
  ip_protocol       = "tcp"
  from_port         = 8765
  to_port           = 9764
  cidr_ipv4         = "0.0.0.0/0"
}
