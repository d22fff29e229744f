# AWS's own services from inside the VPC: for clusters whose hosts have no way out, and for those that should not use it for
# this. Session Manager needs two interface endpoints, paid by the hour in each zone; S3, where its agent is fetched from, is free.
locals {
  interface_services = var.vpc_endpoints ? toset(["ssm", "ssmmessages"]) : toset([])
}

data "aws_region" "current" {}

resource "aws_security_group" "endpoints" {
  count = var.vpc_endpoints ? 1 : 0

  name_prefix = "${var.cluster_name}-endpoints-"
  description = "Endpoints of AWS services in ${var.cluster_name}: HTTPS from inside"
  vpc_id      = aws_vpc.main.id

  tags = { Name = "${var.cluster_name}-endpoints" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  count = var.vpc_endpoints ? 1 : 0

  security_group_id = aws_security_group.endpoints[0].id
  description       = "HTTPS from the hosts"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = var.vpc_cidr
}

resource "aws_vpc_endpoint" "interface" {
  for_each = local.interface_services

  vpc_id              = aws_vpc.main.id
  vpc_endpoint_type   = "Interface"
  service_name        = "com.amazonaws.${data.aws_region.current.name}.${each.key}"
  subnet_ids          = [for subnet in aws_subnet.private : subnet.id]
  security_group_ids  = aws_security_group.endpoints[*].id
  private_dns_enabled = true

  tags = { Name = "${var.cluster_name}-${each.key}" }
}

resource "aws_vpc_endpoint" "s3" {
  count = var.vpc_endpoints ? 1 : 0

  vpc_id            = aws_vpc.main.id
  vpc_endpoint_type = "Gateway"
  service_name      = "com.amazonaws.${data.aws_region.current.name}.s3"
  route_table_ids   = concat([aws_route_table.public.id], [for table in aws_route_table.private : table.id])

  tags = { Name = "${var.cluster_name}-s3" }
}
