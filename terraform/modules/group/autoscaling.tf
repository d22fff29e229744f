resource "aws_placement_group" "main" {
  count = var.placement == "none" ? 0 : 1

  name            = var.identity.name
  strategy        = var.placement
  partition_count = var.placement == "partition" ? 3 : null

  tags = var.identity.tags
}

resource "aws_autoscaling_group" "main" {
  name                = var.identity.name
  vpc_zone_identifier = var.subnet_ids
  min_size            = var.size.min
  max_size            = var.size.max
  desired_capacity    = var.size.desired
  target_group_arns   = var.target_group_arns
  placement_group     = one(aws_placement_group.main[*].name)

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
