mock_provider "aws" {
  mock_data "aws_default_tags" {
    defaults = { tags = { Project = "wsfleet", Cluster = "test" } }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
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
    session_manager   = false
    user_data         = null
  }
}

run "name" {
  command = plan

  assert {
    condition     = output.autoscaling_group_name == "test-edge"
    error_message = "the group is not named by cluster and role"
  }
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
