resource "aws_security_group" "main" {
  name_prefix = "${local.name}-"
  description = "Edges of ${var.cluster_name}: clients in, connections to the nodes out"
  vpc_id      = var.vpc_id

  tags = { Name = local.name }

  lifecycle {
    create_before_destroy = true
  }
}

# A flow that a host opens itself is untracked only if replies from everywhere to any port are allowed in, and an edge
# opens as many as there are clients. Who may come in from outside the VPC, and to which port, is for the network ACL
# of the subnets to say: the listener, and nothing else.
resource "aws_vpc_security_group_ingress_rule" "untracked" {
  security_group_id = aws_security_group.main.id
  description       = "Untracked flows both ways; filtered by the network ACL"
  ip_protocol       = "tcp"
  from_port         = 0
  to_port           = 65535
  cidr_ipv4         = "0.0.0.0/0"
}
