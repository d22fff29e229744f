mock_provider "aws" {}

variables {
  cluster_name  = "test"
  vpc_id        = "vpc-test"
  subnet_id     = "subnet-a"
  instance_type = "t3.small"

  client_security_group_ids = { node = "sg-node" }
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
    condition     = aws_instance.main.tags == tomap({ Role = "redis", Name = "test-redis" }) && aws_instance.main.root_block_device[0].tags == tomap({ Role = "redis", Name = "test-redis" })
    error_message = "the host or its volume lacks its tags"
  }

  assert {
    condition     = aws_instance.main.metadata_options[0].http_tokens == "required" && aws_instance.main.metadata_options[0].http_put_response_hop_limit == 1
    error_message = "IMDSv2 is not required, or reachable over more than one hop"
  }

  assert {
    condition     = aws_instance.main.root_block_device[0].encrypted && aws_instance.main.root_block_device[0].volume_size == 10
    error_message = "the root volume is not an encrypted one of the right size"
  }

  assert {
    condition     = aws_instance.main.subnet_id == "subnet-a" && aws_instance.main.key_name == "test"
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

run "clients" {
  command = plan

  assert {
    condition     = { for k, r in aws_vpc_security_group_ingress_rule.redis : k => r.referenced_security_group_id } == { node = "sg-node" }
    error_message = "others than the nodes may use Redis, or the nodes may not"
  }

  assert {
    condition     = alltrue([for r in aws_vpc_security_group_ingress_rule.redis : r.from_port == 6379 && r.to_port == 6379])
    error_message = "other ports than Redis' are open"
  }
}
