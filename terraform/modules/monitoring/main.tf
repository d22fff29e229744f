locals {
  web_ports = { prometheus = 9090, grafana = 3000 }
}

module "role" {
  source = "../role"

  cluster_name    = var.cluster_name
  vpc_id          = var.vpc_id
  role            = "monitoring"
  description     = "Prometheus and Grafana, for administrators"
  session_manager = var.host.session_manager
  policies        = { discovery = data.aws_iam_policy_document.discovery.json }
}

resource "aws_vpc_security_group_ingress_rule" "administration" {
  for_each = {
    for pair in setproduct(keys(local.web_ports), var.admin_cidrs) : join(" ", pair) => { port = local.web_ports[pair[0]], cidr = pair[1] }
  }

  security_group_id = module.role.identity.security_group_id
  description       = "${split(" ", each.key)[0]}, for an administrator"
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = each.value.cidr
}

module "instance" {
  source = "../instance"

  identity       = module.role.identity
  host           = var.host
  instance_type  = var.instance_type
  subnet_ids     = [var.subnet_id]
  volume_size_gb = var.volume_size_gb
}
