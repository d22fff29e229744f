resource "aws_security_group" "main" {
  name_prefix = "${local.name}-"
  description = "Monitoring of ${var.cluster_name}: Prometheus and Grafana"
  vpc_id      = var.vpc_id

  tags = { Name = local.name }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "administration" {
  for_each = {
    for pair in setproduct(keys(local.web_ports), var.admin_cidrs) : join(" ", pair) => { port = local.web_ports[pair[0]], cidr = pair[1] }
  }

  security_group_id = aws_security_group.main.id
  description       = "${split(" ", each.key)[0]}, for an administrator"
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = each.value.cidr
}
