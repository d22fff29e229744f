# Debian's own images, found by owner and name: an id would be gone some day, and is another in every region.
data "aws_ami" "debian" {
  owners      = ["136693071363"]
  most_recent = true

  filter {
    name   = "name"
    values = ["debian-12-${var.architecture}-*"]
  }
}

locals {
  default_instance_type = { amd64 = "t3.small", arm64 = "t4g.small" }[var.architecture]

  instance_type = {
    for role, settings in { node = var.node, edge = var.edge, redis = var.redis, monitoring = var.monitoring, loadgen = var.loadgen } :
    role => coalesce(settings.instance_type, local.default_instance_type)
  }
}

# An image of one architecture on a machine of the other never boots, and a machine has only so many addresses: better said now.
data "aws_ec2_instance_type" "of_role" {
  for_each = local.instance_type

  instance_type = each.value

  lifecycle {
    postcondition {
      condition     = contains(self.supported_architectures, { amd64 = "x86_64", arm64 = "arm64" }[var.architecture])
      error_message = "${each.key}.instance_type ${each.value} does not run ${var.architecture} images; set another type, or another architecture."
    }

    postcondition {
      condition     = each.key != "loadgen" || var.loadgen.addresses <= self.maximum_ipv4_addresses_per_interface
      error_message = "loadgen.addresses is ${var.loadgen.addresses}, but ${each.value} has at most ${self.maximum_ipv4_addresses_per_interface} on an interface; set fewer, with more load generators, or another loadgen.instance_type."
    }
  }
}
