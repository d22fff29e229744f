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
      Project = "wsfleet", Cluster = "test", Role = "edge", Name = "test-edge"
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
      for type in ["instance", "volume"] : type => tomap({ Project = "wsfleet", Cluster = "test", Role = "edge", Name = "test-edge" })
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
    condition     = aws_vpc_security_group_ingress_rule.untracked.cidr_ipv4 == "0.0.0.0/0" && aws_vpc_security_group_ingress_rule.untracked.from_port == 0 && aws_vpc_security_group_ingress_rule.untracked.to_port == 65535
    error_message = "replies are not let in from everywhere to any port: the edges' connections to the nodes would be tracked"
  }
}

run "load_balancer" {
  command = plan

  assert {
    condition     = aws_lb.main[0].load_balancer_type == "network" && aws_lb.main[0].enable_cross_zone_load_balancing && !aws_lb.main[0].internal
    error_message = "not a public network load balancer across the zones"
  }

  assert {
    condition     = aws_lb_listener.main[0].protocol == "TCP" && aws_lb_listener.main[0].port == 8765 && aws_lb_listener.main[0].tcp_idle_timeout_seconds == 3600
    error_message = "the listener is not TCP on 8765 with an hour of idle time"
  }

  assert {
    condition     = aws_lb_target_group.main[0].preserve_client_ip == "true" && aws_lb_target_group.main[0].port == 8765
    error_message = "the edges do not see the clients' addresses"
  }
}

run "load_balancer_of_another_port" {
  command = plan

  variables {
    listen_port          = 443
    idle_timeout_seconds = 350
  }

  assert {
    condition     = aws_lb_listener.main[0].port == 443 && aws_lb_target_group.main[0].port == 443 && aws_lb_listener.main[0].tcp_idle_timeout_seconds == 350
    error_message = "port or idle time is not the one asked for"
  }
}

run "no_load_balancer" {
  command = plan

  variables {
    load_balancer = false
  }

  assert {
    condition     = length(aws_lb.main) + length(aws_lb_target_group.main) + length(aws_lb_listener.main) == 0
    error_message = "a load balancer, or a part of one, where none was wanted"
  }

  assert {
    condition     = output.endpoint == null && output.load_balancer_dns_name == null
    error_message = "an endpoint without a load balancer"
  }
}

run "port_out_of_range" {
  command = plan

  variables {
    listen_port = 70000
  }

  expect_failures = [var.listen_port]
}

run "idle_timeout_beyond_what_aws_allows" {
  command = plan

  variables {
    idle_timeout_seconds = 7200
  }

  expect_failures = [var.idle_timeout_seconds]
}
