mock_provider "aws" {}

variables {
  subnet_ids     = ["subnet-a", "subnet-b"]
  instance_type  = "t3.small"
  volume_size_gb = 10
  host_count     = 3
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

run "host" {
  command = plan

  assert {
    condition     = aws_instance.main[0].tags == tomap({ Role = "node", Name = "test-node" }) && aws_instance.main[0].root_block_device[0].tags == tomap({ Role = "node", Name = "test-node" })
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

run "spread" {
  command = plan

  assert {
    condition     = [for i in aws_instance.main : i.subnet_id] == ["subnet-a", "subnet-b", "subnet-a"]
    error_message = "the hosts are not spread over the subnets"
  }
}

run "rights_and_groups" {
  command = plan

  assert {
    condition     = alltrue([for i in aws_instance.main : i.iam_instance_profile == "profile" && i.vpc_security_group_ids == toset(["sg-host", "sg-role"])])
    error_message = "a host lacks the rights or a security group of its role"
  }
}

run "one_unless_told_otherwise" {
  command = plan

  variables {
    host_count = null
  }

  assert {
    condition     = length(aws_instance.main) == 1 && length(aws_instance.main[0].instance_market_options) == 0
    error_message = "not one host on demand"
  }
}

run "none" {
  command = plan

  variables {
    host_count = 0
  }

  assert {
    condition     = length(output.instance_ids) + length(output.private_ips) + length(output.public_ips) == 0
    error_message = "hosts where none were wanted"
  }
}

run "spot" {
  command = plan

  variables {
    spot = true
  }

  assert {
    condition     = alltrue([for i in aws_instance.main : i.instance_market_options[0].market_type == "spot"])
    error_message = "the hosts are not spot ones"
  }
}

run "addresses" {
  command = plan

  variables {
    secondary_private_ips = [["10.0.0.9"], [], ["10.0.0.7", "10.0.0.8"]]
  }

  assert {
    condition     = [for i in aws_instance.main : length(i.secondary_private_ips)] == [1, 0, 2]
    error_message = "the hosts do not have the addresses given to each"
  }
}

run "volume_smaller_than_the_image" {
  command = plan

  variables {
    volume_size_gb = 7
  }

  expect_failures = [var.volume_size_gb]
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

run "no_instance_type" {
  command = plan

  variables {
    instance_type = "small"
  }

  expect_failures = [var.instance_type]
}

run "addresses_for_too_few" {
  command = plan

  variables {
    secondary_private_ips = [["10.0.0.9"]]
  }

  expect_failures = [var.secondary_private_ips]
}
