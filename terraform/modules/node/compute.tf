data "aws_default_tags" "current" {}

locals {
  name = "${var.cluster_name}-node"

  # The provider's default tags reach the template and the group, but not what these launch.
  tags = merge(data.aws_default_tags.current.tags, { Name = local.name, Role = "node" })
}

resource "aws_launch_template" "main" {
  name                   = local.name
  image_id               = var.host.ami_id
  instance_type          = var.instance_type
  key_name               = var.host.key_name
  vpc_security_group_ids = [var.host.security_group_id, aws_security_group.main.id]
  update_default_version = true

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

  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume"])

    content {
      resource_type = tag_specifications.key
      tags          = local.tags
    }
  }

  tags = { Name = local.name, Role = "node" }
}

resource "aws_autoscaling_group" "main" {
  name                = local.name
  vpc_zone_identifier = var.subnet_ids
  min_size            = var.size.min
  max_size            = var.size.max
  desired_capacity    = var.size.desired

  # EC2's own checks: a host that serves nothing yet, because nobody has configured it, is not a broken host.
  health_check_type = "EC2"

  launch_template {
    id      = aws_launch_template.main.id
    version = aws_launch_template.main.latest_version
  }

  dynamic "tag" {
    for_each = local.tags

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }
}
