mock_provider "aws" {}

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
  }
}

run "host" {
  command = plan

  assert {
    condition     = aws_instance.main[0].tags == tomap({ Role = "loadgen", Name = "test-loadgen" }) && aws_instance.main[0].root_block_device[0].tags == tomap({ Role = "loadgen", Name = "test-loadgen" })
    error_message = "the host or its volume lacks its tags"
  }

  assert {
    condition     = aws_instance.main[0].metadata_options[0].http_tokens == "required" && aws_instance.main[0].metadata_options[0].http_put_response_hop_limit == 1
    error_message = "IMDSv2 is not required, or reachable over more than one hop"
  }

  assert {
    condition     = aws_instance.main[0].root_block_device[0].encrypted && aws_instance.main[0].root_block_device[0].volume_size == 10
    error_message = "the root volume is not an encrypted one of the right size"
  }

  assert {
    condition     = aws_instance.main[0].subnet_id == "subnet-a" && aws_instance.main[0].key_name == "test"
    error_message = "the host is not in its subnet, or without its key"
  }
}

run "volume_smaller_than_the_image" {
  command = plan

  variables {
    volume_size_gb = 7
  }

  expect_failures = [var.volume_size_gb]
}

run "spread" {
  command = plan

  assert {
    condition     = [for i in aws_instance.main : i.subnet_id] == ["subnet-a", "subnet-b", "subnet-a"]
    error_message = "the hosts are not spread over the subnets"
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
    condition     = length(aws_instance.main) == 0 && length(output.private_ips) == 0
    error_message = "hosts where none were wanted"
  }
}

run "fewer_than_none" {
  command = plan

  variables {
    host_count = -1
  }

  expect_failures = [var.host_count]
}

run "nowhere_to_be" {
  command = plan

  variables {
    subnet_ids = []
  }

  expect_failures = [var.subnet_ids]
}

run "one_address" {
  command = plan

  assert {
    condition     = alltrue([for i in aws_instance.main : length(i.secondary_private_ips) == 0])
    error_message = "secondary addresses that nobody asked for"
  }
}

run "addresses" {
  command = plan

  variables {
    addresses_per_host = 3
  }

  assert {
    condition = join(" ", [for i in aws_instance.main : join(",", sort(i.secondary_private_ips))]) == join(" ", [
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
