locals {
  name = "${var.cluster_name}-loadgen"
  tags = { Name = local.name, Role = "loadgen" }

  # EC2 gives out the other addresses of a subnet; from its upper end, below the broadcast address, each host has a run
  # of its own. The host's place among those of its subnet says which.
  secondary = [for i in range(var.host_count) : [
    for k in range(var.addresses_per_host - 1) :
    cidrhost(var.subnet_cidr_blocks[i % length(var.subnet_ids)], -(2 + k + floor(i / length(var.subnet_ids)) * (var.addresses_per_host - 1)))
  ]]
}

# Instances, not a group: a load generator that dies has ended the run, and one that replaces it unasked would hide that.
resource "aws_instance" "main" {
  count = var.host_count

  ami                    = var.host.ami_id
  instance_type          = var.instance_type
  key_name               = var.host.key_name
  subnet_id              = element(var.subnet_ids, count.index)
  vpc_security_group_ids = [var.host.security_group_id, aws_security_group.main.id]
  secondary_private_ips  = local.secondary[count.index]

  # IMDSv2 only. One hop: no container has business with it.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    volume_type           = "gp3"
    volume_size           = var.volume_size_gb
    encrypted             = true
    delete_on_termination = true
    tags                  = local.tags
  }

  tags = local.tags

  # A newer image is no reason to throw away a running host: to take it, replace the host on purpose.
  lifecycle {
    ignore_changes = [ami]
  }
}
