locals {
  # Public subnets give their hosts public addresses; private ones do so only where that is the way out.
  private_address = var.egress == "public_ip"
}

module "cost" {
  source = "../modules/cost"

  region      = var.region
  connections = coalesce(var.connections, 0)

  hosts = {
    for role, h in {
      node       = { count = var.node.count, volume_size_gb = var.node.volume_size_gb, public_address = local.private_address }
      edge       = { count = var.edge.count, volume_size_gb = var.edge.volume_size_gb, public_address = true }
      redis      = { count = 1, volume_size_gb = var.redis.volume_size_gb, public_address = local.private_address }
      monitoring = { count = 1, volume_size_gb = var.monitoring.volume_size_gb, public_address = local.private_address }
      loadgen    = { count = var.loadgen.count, volume_size_gb = var.loadgen.volume_size_gb, public_address = true }
    } : role => merge(h, { instance_type = local.instance_type[role] })
  }

  load_balancer_zones = var.load_balancer ? var.availability_zone_count : 0
  nat_gateways        = { none = 0, public_ip = 0, nat = 1, nat_per_zone = var.availability_zone_count }[var.egress]
  interface_endpoints = var.vpc_endpoints ? 2 * var.availability_zone_count : 0
}
