mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  cluster_name = "test"
  vpc_id       = "vpc-test"
  subnet_ids   = ["subnet-a", "subnet-b"]

  subnet_cidr_blocks = ["10.0.0.0/20", "10.0.16.0/20"]

  instance_type = "t3.small"
  host_count    = 3
  host = {
    ami_id            = "ami-12345678"
    root_device_name  = "/dev/xvda"
    key_name          = "test"
    security_group_id = "sg-host"
    session_manager   = false
    user_data         = null
  }
}

run "untracked" {
  command = plan

  assert {
    condition     = aws_vpc_security_group_ingress_rule.untracked.cidr_ipv4 == "0.0.0.0/0" && aws_vpc_security_group_ingress_rule.untracked.from_port == 0 && aws_vpc_security_group_ingress_rule.untracked.to_port == 65535
    error_message = "replies are not let in from everywhere to any port: connections would be tracked"
  }
}

run "none" {
  command = plan

  variables {
    host_count = 0
  }

  assert {
    condition     = length(output.private_ips) == 0 && length(output.instance_ids) == 0
    error_message = "hosts where none were wanted"
  }
}

run "one_address" {
  command = plan

  assert {
    condition     = local.secondary == [[], [], []]
    error_message = "secondary addresses that nobody asked for"
  }
}

run "addresses" {
  command = plan

  variables {
    addresses_per_host = 3
  }

  assert {
    condition = join(" ", [for addresses in local.secondary : join(",", sort(addresses))]) == join(" ", [
      "10.0.15.253,10.0.15.254", "10.0.31.253,10.0.31.254", "10.0.15.251,10.0.15.252",
    ])
    error_message = "the hosts do not have runs of their own at the upper end of their subnets"
  }
}

run "no_address" {
  command = plan

  variables {
    addresses_per_host = 0
  }

  expect_failures = [var.addresses_per_host]
}

run "a_range_is_missing" {
  command = plan

  variables {
    subnet_cidr_blocks = ["10.0.0.0/20"]
  }

  expect_failures = [var.subnet_cidr_blocks]
}
