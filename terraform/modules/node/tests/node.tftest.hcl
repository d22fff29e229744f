mock_provider "aws" {
  mock_data "aws_default_tags" {
    defaults = { tags = { Project = "wsfleet", Cluster = "test" } }
  }
}

variables {
  cluster_name  = "test"
  vpc_id        = "vpc-test"
  subnet_ids    = ["subnet-a", "subnet-b"]
  instance_type = "t3.small"
  size          = { min = 2, max = 6, desired = 3 }
  host = {
    ami_id            = "ami-12345678"
    root_device_name  = "/dev/xvda"
    key_name          = "test"
    security_group_id = "sg-host"
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

run "untracked" {
  command = plan

  assert {
    condition     = aws_vpc_security_group_ingress_rule.wsnode.cidr_ipv4 == "0.0.0.0/0" && aws_vpc_security_group_ingress_rule.wsnode.from_port == 8765 && aws_vpc_security_group_ingress_rule.wsnode.to_port == 9764
    error_message = "wsnode's ports are not open to all: their connections would be tracked"
  }
}
