# What a cluster costs while it stands idle or busy: everything that AWS sells by the hour. Traffic is not in it.
locals {
  known_region = var.region == local.prices_region

  hosts = {
    for role, h in var.hosts : role => merge(h, { usd_per_hour = local.known_region ? lookup(local.instance_usd_per_hour, h.instance_type, null) : null })
    if h.count > 0
  }

  public_addresses = sum(concat(
    [for h in values(local.hosts) : h.count if h.public_address],
    [var.load_balancer_zones, var.nat_gateways],
  ))

  disk_gb = sum(concat([0], [for h in values(local.hosts) : h.count * h.volume_size_gb]))

  # One unit at the least: an idle balancer is not free.
  balancer_units = max(1, ceil(var.connections / local.balancer_unit_connections))

  parts = concat(
    [for role, h in local.hosts : { what = "${role}: ${h.instance_type}", count = h.count, usd_per_hour_each = h.usd_per_hour }],
    [for part in [
      { what = "gp3 disks, GB", count = local.disk_gb, usd_per_hour_each = local.gp3_usd_per_gb_hour },
      { what = "public IPv4 addresses", count = local.public_addresses, usd_per_hour_each = local.public_address_usd_per_hour },
      { what = "NAT gateways", count = var.nat_gateways, usd_per_hour_each = local.nat_gateway_usd_per_hour },
      { what = "Network Load Balancer", count = var.load_balancer_zones > 0 ? 1 : 0, usd_per_hour_each = local.network_balancer_usd_per_hour },
      { what = "its capacity units", count = var.load_balancer_zones > 0 ? local.balancer_units : 0, usd_per_hour_each = local.balancer_unit_usd_per_hour },
      { what = "interface endpoints", count = var.interface_endpoints, usd_per_hour_each = local.interface_endpoint_usd_per_hour },
    ] : merge(part, { usd_per_hour_each = local.known_region ? part.usd_per_hour_each : null }) if part.count > 0],
  )

  breakdown = [for part in local.parts : merge(part, {
    # Rounded for people: a plan shows every digit of a division.
    usd_per_hour_each = part.usd_per_hour_each == null ? null : tonumber(format("%.7f", part.usd_per_hour_each))
    usd_per_hour      = part.usd_per_hour_each == null ? null : tonumber(format("%.5f", part.count * part.usd_per_hour_each))
  })]
  unknown = distinct(concat(
    local.known_region ? [] : ["region ${var.region}: the price table is of ${local.prices_region}"],
    local.known_region ? [for part in local.breakdown : part.what if part.usd_per_hour == null] : [],
  ))
}
