# What every host has, whatever its role. Roles add a group of their own.
resource "aws_security_group" "host" {
  name_prefix = "${var.cluster_name}-host-"
  description = "Every host of ${var.cluster_name}: administration, host metrics, and the way out"
  vpc_id      = aws_vpc.main.id

  tags = { Name = "${var.cluster_name}-host" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "ssh" {
  for_each = toset(var.admin_cidrs)

  security_group_id = aws_security_group.host.id
  description       = "SSH from an administrator"
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
  cidr_ipv4         = each.key
}

resource "aws_vpc_security_group_ingress_rule" "node_exporter" {
  security_group_id = aws_security_group.host.id
  description       = "node_exporter, for Prometheus"
  ip_protocol       = "tcp"
  from_port         = 9100
  to_port           = 9100
  cidr_ipv4         = var.vpc_cidr
}

# Untracked flows get no ICMP errors for free, and path MTU discovery needs this one.
resource "aws_vpc_security_group_ingress_rule" "fragmentation_needed" {
  security_group_id = aws_security_group.host.id
  description       = "ICMP fragmentation needed"
  ip_protocol       = "icmp"
  from_port         = 3
  to_port           = 4
  cidr_ipv4         = "0.0.0.0/0"
}

# Open to everywhere: half of what leaves a connection untracked. The other half is the role's ingress rule.
resource "aws_vpc_security_group_egress_rule" "all" {
  security_group_id = aws_security_group.host.id
  description       = "Everything"
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}
