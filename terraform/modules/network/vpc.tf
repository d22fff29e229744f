data "aws_availability_zones" "available" {
  state = "available"

  # Local and wavelength zones have no NLB and few instance types.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }

  lifecycle {
    postcondition {
      condition     = length(self.names) >= var.availability_zone_count
      error_message = "availability_zone_count is ${var.availability_zone_count}, but ${self.id} has only ${length(self.names)} zones: ${join(", ", self.names)}."
    }
  }
}

locals {
  zones = {
    for i, name in slice(sort(data.aws_availability_zones.available.names), 0, var.availability_zone_count) : name => i
  }

  # Which zones hold a NAT gateway, and which of them a zone's private hosts use.
  nat_zones = {
    none         = []
    public_ip    = []
    nat          = slice(keys(local.zones), 0, 1)
    nat_per_zone = keys(local.zones)
  }[var.egress]
  nat_zone_of = {
    for zone in keys(local.zones) : zone => contains(local.nat_zones, zone) ? zone : local.nat_zones[0]
    if length(local.nat_zones) > 0
  }
}

resource "aws_vpc" "main" {
  cidr_block = var.vpc_cidr

  # The names of endpoints are private ones.
  enable_dns_hostnames = var.vpc_endpoints

  tags = { Name = var.cluster_name }
}

# Adopted and emptied: nothing should ever land in it.
resource "aws_default_security_group" "main" {
  vpc_id = aws_vpc.main.id

  tags = { Name = "${var.cluster_name}-default-unused" }
}

# Hosts that clients outside the VPC talk to: edges and load generators.
resource "aws_subnet" "public" {
  for_each = local.zones

  vpc_id                  = aws_vpc.main.id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(var.vpc_cidr, 4, each.value)
  map_public_ip_on_launch = true

  tags = { Name = "${var.cluster_name}-public-${each.key}" }
}

# Everything else. With egress "public_ip" the hosts have public addresses, to reach out; the ACL still lets nobody in.
resource "aws_subnet" "private" {
  for_each = local.zones

  vpc_id                  = aws_vpc.main.id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(var.vpc_cidr, 4, each.value + 8)
  map_public_ip_on_launch = var.egress == "public_ip"

  tags = { Name = "${var.cluster_name}-private-${each.key}" }
}
