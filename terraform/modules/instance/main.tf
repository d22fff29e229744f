# Hosts of which each counts: it has state on its disk, or an address that others know, and a group would replace both
# without asking.
resource "aws_instance" "main" {
  count = var.host_count

  ami                    = var.host.ami_id
  instance_type          = var.instance_type
  key_name               = var.host.key_name
  subnet_id              = element(var.subnet_ids, count.index)
  vpc_security_group_ids = [var.host.security_group_id, var.identity.security_group_id]
  iam_instance_profile   = var.identity.instance_profile_name
  secondary_private_ips  = length(var.secondary_private_ips) > 0 ? var.secondary_private_ips[count.index] : null
  user_data              = var.host.user_data

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
    tags                  = var.identity.tags
  }

  dynamic "instance_market_options" {
    for_each = var.spot ? ["spot"] : []

    content {
      market_type = instance_market_options.value
    }
  }

  tags = var.identity.tags

  # A newer image is no reason to throw away a running host and its data, nor is another first boot to stop it: to take
  # them, replace the host on purpose.
  lifecycle {
    ignore_changes = [ami, user_data]
  }
}
