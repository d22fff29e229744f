mock_provider "aws" {
  mock_data "aws_default_tags" {
    defaults = { tags = { Project = "wsfleet", Cluster = "test" } }
  }
}

variables {
  subnet_ids     = ["subnet-a", "subnet-b"]
  instance_type  = "t3.small"
  volume_size_gb = 10
  size           = { min = 2, max = 6, desired = 3 }
  identity = {
    name                  = "test-node"
    tags                  = { Name = "test-node", Role = "node" }
    security_group_id     = "sg-role"
    instance_profile_name = "profile"
  }
  host = {
    ami_id            = "ami-12345678"
    root_device_name  = "/dev/xvda"
    key_name          = "test"
    security_group_id = "sg-host"
    session_manager   = false
    user_data         = null
  }
}

run "group" {
  command = plan

  assert {
    condition     = aws_autoscaling_group.main.min_size == 2 && aws_autoscaling_group.main.max_size == 6 && aws_autoscaling_group.main.desired_capacity == 3
    error_message = "the group does not have the size asked for"
  }

  assert {
    condition     = aws_autoscaling_group.main.vpc_zone_identifier == toset(["subnet-a", "subnet-b"])
    error_message = "the group is not spread over all subnets"
  }

  assert {
    condition = { for t in aws_autoscaling_group.main.tag : t.key => t.value if t.propagate_at_launch } == {
      Project = "wsfleet", Cluster = "test", Role = "node", Name = "test-node"
    }
    error_message = "the group does not hand its hosts the four tags"
  }
}

run "template" {
  command = plan

  assert {
    condition     = alltrue([for m in aws_launch_template.main.metadata_options : m.http_tokens == "required" && m.http_put_response_hop_limit == 1])
    error_message = "IMDSv2 is not required, or reachable over more than one hop"
  }

  assert {
    condition     = alltrue([for b in aws_launch_template.main.block_device_mappings : b.device_name == "/dev/xvda" && b.ebs[0].encrypted == "true" && b.ebs[0].volume_size == 10])
    error_message = "the root volume is not an encrypted one of the right size"
  }

  assert {
    condition = { for s in aws_launch_template.main.tag_specifications : s.resource_type => s.tags } == {
      for type in ["instance", "volume"] : type => tomap({ Project = "wsfleet", Cluster = "test", Role = "node", Name = "test-node" })
    }
    error_message = "instances or volumes lack their tags"
  }
}

run "rights_and_groups" {
  command = plan

  assert {
    condition     = aws_launch_template.main.iam_instance_profile[0].name == "profile" && aws_launch_template.main.vpc_security_group_ids == toset(["sg-host", "sg-role"])
    error_message = "the hosts lack the rights or a security group of their role"
  }
}

run "as_aws_likes_unless_told_otherwise" {
  command = plan

  assert {
    condition     = length(aws_launch_template.main.instance_market_options) == 0 && length(aws_placement_group.main) == 0 && aws_launch_template.main.user_data == null
    error_message = "spot capacity, a placement group, or a first boot that nobody asked for"
  }
}

run "spot" {
  command = plan

  variables {
    spot = true
  }

  assert {
    condition     = aws_launch_template.main.instance_market_options[0].market_type == "spot"
    error_message = "the hosts are not spot ones"
  }
}

run "spread" {
  command = plan

  variables {
    placement = "spread"
  }

  assert {
    condition     = aws_placement_group.main[0].strategy == "spread" && aws_autoscaling_group.main.placement_group == "test-node"
    error_message = "the hosts are not in a placement group that spreads them"
  }
}

run "partition" {
  command = plan

  variables {
    placement = "partition"
  }

  assert {
    condition     = aws_placement_group.main[0].strategy == "partition" && aws_placement_group.main[0].partition_count == 3
    error_message = "not three partitions"
  }
}

run "first_boot" {
  command = plan

  variables {
    host = {
      ami_id            = "ami-12345678"
      root_device_name  = "/dev/xvda"
      key_name          = "test"
      security_group_id = "sg-host"
      session_manager   = true
      user_data         = "#!/bin/sh"
    }
  }

  assert {
    condition     = aws_launch_template.main.user_data == base64encode("#!/bin/sh")
    error_message = "the hosts do not get what they are to run"
  }
}

run "no_subnet" {
  command = plan

  variables {
    subnet_ids = []
  }

  expect_failures = [var.subnet_ids]
}

run "more_wanted_than_allowed" {
  command = plan

  variables {
    size = { min = 1, max = 2, desired = 3 }
  }

  expect_failures = [var.size]
}

run "none_at_all" {
  command = plan

  variables {
    size = { min = 0, max = 2, desired = 1 }
  }

  expect_failures = [var.size]
}

run "volume_smaller_than_the_image" {
  command = plan

  variables {
    volume_size_gb = 7
  }

  expect_failures = [var.volume_size_gb]
}

run "no_instance_type" {
  command = plan

  variables {
    instance_type = "small"
  }

  expect_failures = [var.instance_type]
}

run "unknown_placement" {
  command = plan

  variables {
    placement = "together"
  }

  expect_failures = [var.placement]
}
