data "aws_default_tags" "current" {}

locals {
  # The provider's default tags reach the template and the group, but not what these launch.
  tags = merge(data.aws_default_tags.current.tags, var.identity.tags)
}

resource "aws_launch_template" "main" {
  name                   = var.identity.name
  image_id               = var.host.ami_id
  instance_type          = var.instance_type
  key_name               = var.host.key_name
  vpc_security_group_ids = [var.host.security_group_id, var.identity.security_group_id]
  user_data              = var.host.user_data == null ? null : base64encode(var.host.user_data)
  update_default_version = true

  iam_instance_profile {
    name = var.identity.instance_profile_name
  }

  # IMDSv2 only. One hop: no container has business with it.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  block_device_mappings {
    device_name = var.host.root_device_name

    ebs {
      volume_type           = "gp3"
      volume_size           = var.volume_size_gb
      encrypted             = true
      delete_on_termination = true
    }
  }

  # The group asks for another host by itself when one is taken away.
  dynamic "instance_market_options" {
    for_each = var.spot ? ["spot"] : []

    content {
      market_type = instance_market_options.value
    }
  }

  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume"])

    content {
      resource_type = tag_specifications.key
      tags          = local.tags
    }
  }

  tags = var.identity.tags
}
