mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  cluster_name  = "test"
  vpc_id        = "vpc-test"
  subnet_id     = "subnet-a"
  instance_type = "t3.small"
  admin_cidrs   = ["203.0.113.0/24", "198.51.100.7/32"]
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
    condition     = aws_instance.main.tags == tomap({ Role = "monitoring", Name = "test-monitoring" }) && aws_instance.main.root_block_device[0].tags == tomap({ Role = "monitoring", Name = "test-monitoring" })
    error_message = "the host or its volume lacks its tags"
  }

  assert {
    condition     = aws_instance.main.metadata_options[0].http_tokens == "required" && aws_instance.main.metadata_options[0].http_put_response_hop_limit == 1
    error_message = "IMDSv2 is not required, or reachable over more than one hop"
  }

  assert {
    condition     = aws_instance.main.root_block_device[0].encrypted && aws_instance.main.root_block_device[0].volume_size == 20
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

run "web_pages" {
  command = plan

  assert {
    condition = toset([for r in aws_vpc_security_group_ingress_rule.administration : "${r.cidr_ipv4} ${r.from_port}-${r.to_port}"]) == toset([
      "203.0.113.0/24 3000-3000", "203.0.113.0/24 9090-9090", "198.51.100.7/32 3000-3000", "198.51.100.7/32 9090-9090",
    ])
    error_message = "Prometheus and Grafana are not open to the administrators, or to others too"
  }
}

run "nobody_by_default" {
  command = plan

  variables {
    admin_cidrs = []
  }

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.administration) == 0
    error_message = "somebody may in without being named"
  }
}

run "rights" {
  command = plan

  assert {
    condition     = length(data.aws_iam_policy_document.discovery.statement) == 1 && toset(data.aws_iam_policy_document.discovery.statement[0].actions) == toset(["ec2:DescribeInstances", "ec2:DescribeAvailabilityZones"])
    error_message = "the role may do more, or less, than discover hosts"
  }
}
