# The packet filter of the data path. Security groups would have to track every connection to filter it, and a
# small instance tracks only some 77,000; a network ACL keeps no state. So the groups are open where the connections
# are, and who may come in from outside the VPC is decided here.
#
# Stateless also means that replies must be let in: hosts connect out from any port of 1024 to 65535, so that range is
# open, minus the ports on which our services listen. Hosts keep those out of their own use by
# net.ipv4.ip_local_reserved_ports. A new listener on an edge or a load generator belongs into service_ports.

locals {
  service_ports = {
    grafana    = { from = 3000, to = 3000 }
    redis      = { from = 6379, to = 6379 }
    statistics = { from = 8404, to = 8503 } # HAProxy's processes, Nginx
    wsnode     = { from = 8765, to = 9764 } # and, between its ports, wsload agents 8767, Prometheus 9090 and node_exporter 9100
  }

  # Checked by number, lowest first; the first that matches decides. What none matches is denied.
  acl_rules = merge(
    {
      inside     = { number = 100, action = "allow", protocol = "-1", from = 0, to = 0, cidr = var.vpc_cidr }
      tcp_reply  = { number = 500, action = "allow", protocol = "tcp", from = 1024, to = 65535, cidr = "0.0.0.0/0" }
      udp_reply  = { number = 501, action = "allow", protocol = "udp", from = 1024, to = 65535, cidr = "0.0.0.0/0" }
      icmp_reply = { number = 502, action = "allow", protocol = "icmp", from = 0, to = 0, cidr = "0.0.0.0/0" }
    },
    {
      for i, cidr in var.admin_cidrs :
      "administrator ${cidr}" => { number = 200 + i, action = "allow", protocol = "tcp", from = 0, to = 65535, cidr = cidr }
    },
    {
      for i, name in sort(keys(local.service_ports)) :
      "service ${name}" => merge(local.service_ports[name], { number = 400 + i, action = "deny", protocol = "tcp", cidr = "0.0.0.0/0" })
    },
  )
  acl_listeners = {
    for i, port in var.public_ports :
    "listener ${port}" => { number = 300 + i, action = "allow", protocol = "tcp", from = port, to = port, cidr = "0.0.0.0/0" }
  }

  acl_rules_of = {
    public  = merge(local.acl_rules, local.acl_listeners)
    private = local.acl_rules
  }
}

resource "aws_network_acl" "main" {
  for_each = local.acl_rules_of

  vpc_id     = aws_vpc.main.id
  subnet_ids = [for subnet in(each.key == "public" ? aws_subnet.public : aws_subnet.private) : subnet.id]

  tags = { Name = "${var.cluster_name}-${each.key}" }
}

resource "aws_network_acl_rule" "ingress" {
  for_each = merge([
    for tier, rules in local.acl_rules_of : { for name, rule in rules : "${tier}: ${name}" => merge(rule, { tier = tier }) }
  ]...)

  network_acl_id = aws_network_acl.main[each.value.tier].id
  egress         = false
  rule_number    = each.value.number
  rule_action    = each.value.action
  protocol       = each.value.protocol
  from_port      = each.value.from
  to_port        = each.value.to
  cidr_block     = each.value.cidr

  # "Fragmentation needed": without it, path MTU discovery hangs connections over a narrow link.
  icmp_type = each.value.protocol == "icmp" ? 3 : null
  icmp_code = each.value.protocol == "icmp" ? 4 : null
}

# What may come in is the question; what goes out answers it, or is our own.
resource "aws_network_acl_rule" "egress" {
  for_each = local.acl_rules_of

  network_acl_id = aws_network_acl.main[each.key].id
  egress         = true
  rule_number    = 100
  rule_action    = "allow"
  protocol       = "-1"
  from_port      = 0
  to_port        = 0
  cidr_block     = "0.0.0.0/0"
}
